"""What the repository as a whole keeps to: no machine's paths, no large files, doors that agree with the README."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

MEGABYTE = 1_000_000
LARGEST_FILE, ALL_BINARIES = 40 * MEGABYTE, 100 * MEGABYTE
CHECKPOINTS = ("checkpoints/", "model/saytara/checkpoints/")
MACHINE_PATH = re.compile(
    r"""
    (?<![\w.:/~\\-])(?:            # not the tail of an address or of a relative path
      /(?:home|Users|root|work|mnt|srv|data[0-9])/\w   # /home/ann
    | [A-Z]:\\+Users\\             # C:\Users\ann
    )
    """,
    re.VERBOSE,
)


def git(root: Path, *arguments: str) -> list[str]:
    """Names that a git command lists; skips the test where there is no git work tree (a source archive)."""
    if not (root / ".git").exists():
        pytest.skip("not a git work tree")
    result = subprocess.run(["git", "-C", str(root), *arguments, "-z"], capture_output=True, check=True)
    return [name for name in result.stdout.decode("utf-8").split("\0") if name]


@pytest.fixture(scope="module")
def tracked(root: Path) -> list[Path]:
    files = [root / name for name in git(root, "ls-files")]
    return [path for path in files if path.is_file()]


def is_binary(path: Path) -> bool:
    with path.open("rb") as stream:
        return b"\0" in stream.read(8192)


def machine_paths(text: str) -> list[str]:
    return [match.group() for match in MACHINE_PATH.finditer(text)]


def test_no_file_names_a_path_of_a_machine(tracked: list[Path], root: Path) -> None:
    found = {
        str(path.relative_to(root)): hits
        for path in tracked
        if path != Path(__file__).resolve() and not is_binary(path)
        if (hits := machine_paths(path.read_text("utf-8", errors="replace")))
    }
    assert found == {}


@pytest.mark.parametrize("text", ['open("/home/ann/x")', "cd /root/x", r"C:\Users\ann", "PATH=/Users/ann/bin"])
def test_path_of_a_machine_is_found(text: str) -> None:
    assert machine_paths(text)


@pytest.mark.parametrize(
    "text", ["https://example.org/home/ann", "model/root/x", "~/root/x", "./home/x", "/usr/bin/env"]
)
def test_other_paths_pass(text: str) -> None:
    assert machine_paths(text) == []


def test_no_large_file_outside_the_checkpoints(tracked: list[Path], root: Path) -> None:
    sizes = {path.relative_to(root).as_posix(): path.stat().st_size for path in tracked}
    large = {name: size for name, size in sizes.items() if size > LARGEST_FILE and not name.startswith(CHECKPOINTS)}
    assert large == {}


def test_binaries_stay_small_in_all(tracked: list[Path]) -> None:
    assert sum(path.stat().st_size for path in tracked if is_binary(path)) <= ALL_BINARIES


def test_git_ignores_nothing_of_the_package(root: Path) -> None:
    ignored = git(root, "ls-files", "--others", "--ignored", "--exclude-standard", "model/saytara")
    assert [name for name in ignored if "__pycache__" not in name and not name.endswith(".pyc")] == []


def test_ci_runs_the_test_command_of_the_readme(root: Path) -> None:
    commands = [
        line
        for line in (root / ".ci" / "run").read_text("utf-8").splitlines()
        if line and not line.startswith(("#", "set ", "cd "))
    ]
    assert commands == ["make test"]
    blocks = re.findall(r"^```bash\n(.*?)^```", (root / "README.md").read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert [block.strip() for block in blocks[:2]] == ["make example", "make test"]


def test_make_help_lists_every_target(root: Path) -> None:
    makefile = (root / "Makefile").read_text("utf-8")
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert phony
    shown = subprocess.run(["make", "-s", "help"], cwd=root, capture_output=True, text=True, check=True).stdout
    assert [line.split()[1] for line in shown.splitlines()] == phony[1].split()


@pytest.mark.parametrize("door", ["train.py", "predict.py"])
def test_door_is_short_and_only_calls_the_cli(door: str, root: Path) -> None:
    source = (root / door).read_text("utf-8")
    assert len(source.splitlines()) <= 20
    assert f'main(["{door.removesuffix(".py")}", *sys.argv[1:]])' in source


def test_version_is_the_same_everywhere(root: Path) -> None:
    version = re.search(r'__version__ = "(.*)"', (root / "model" / "saytara" / "__init__.py").read_text("utf-8"))
    assert version
    assert f"\nversion: {version[1]}\n" in (root / "CITATION.cff").read_text("utf-8")
    assert f"## [{version[1]}]" in (root / "CHANGELOG.md").read_text("utf-8")


def test_every_extra_that_an_error_names_exists(root: Path) -> None:
    extras = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    sources = [path.read_text("utf-8") for path in (root / "model").rglob("*.py")]
    named = {name for source in sources for name in re.findall(r'\bextra="(\w+)"', source)}
    assert "train" in named
    assert named <= set(extras)


def test_ruff_finds_nothing(root: Path) -> None:
    pytest.importorskip("ruff")
    command = [sys.executable, "-m", "ruff", "check", "--no-cache", "--output-format", "concise", "."]
    result = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
