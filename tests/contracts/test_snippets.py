"""Every block of README.md and docs/ under a line `<!-- run -->` runs, and prints what it shows.

Python blocks run as a program (as doctests where they hold `>>>`), bash blocks as a script, console blocks command by
command: a line that opens with `$ `, with the output expected below it, `...` for whatever varies.
All run in a folder with links to what the repository holds, so that what they write does not land in it.
"""

import doctest
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
MARKED = re.compile(
    r"""
    ^<!--[ ]run[ ]-->[ ]*\n+            # the marker, on a line of its own
    ^```(?P<language>\w*)[^\n]*\n       # ```python
    (?P<code>.*?)
    ^```[ ]*$
    """,
    re.VERBOSE | re.MULTILINE | re.DOTALL,
)
MARKER = re.compile(r"^<!-- run -->", re.MULTILINE)
LANGUAGES = ("python", "bash", "console")
CHECKER = doctest.OutputChecker()
LOOSE = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@dataclass(frozen=True, slots=True)
class Snippet:
    """A marked block and where it opens."""

    where: str
    language: str
    code: str


def find_snippets(page: str, name: str) -> list[Snippet]:
    """The marked blocks of a page, in order."""
    return [
        Snippet(f"{name}:{page.count(chr(10), 0, match.start('code'))}", match["language"], match["code"])
        for match in MARKED.finditer(page)
    ]


def parse_console(code: str) -> list[tuple[str, str]]:
    """Commands and the output shown under each."""
    parts = re.split(r"^\$ ", code, flags=re.MULTILINE)
    if parts[0].strip():
        raise ValueError(f"a console block opens with a command: {parts[0]!r}")
    pairs = []
    for part in parts[1:]:
        command, _, shown = part.partition("\n")
        while command.endswith("\\"):
            more, _, shown = shown.partition("\n")
            command += "\n" + more.removeprefix("> ")
        pairs.append((command, shown))
    return pairs


def run(command: list[str], folder: Path) -> str:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path, "PYTHONIOENCODING": "utf-8"}
    result = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, encoding="utf-8", check=False, timeout=300
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def run_snippet(snippet: Snippet, folder: Path) -> None:
    if snippet.language == "python":
        program = folder / "snippet.py"
        program.write_text(snippet.code, "utf-8")
        if ">>> " in snippet.code:
            program = program.rename(folder / "snippet.txt")
            run([sys.executable, "-m", "doctest", "-o", "ELLIPSIS", "-o", "NORMALIZE_WHITESPACE", str(program)], folder)
        else:
            run([sys.executable, str(program)], folder)
    elif snippet.language == "bash":
        run(["bash", "-euo", "pipefail", "-c", snippet.code], folder)
    else:
        for command, shown in parse_console(snippet.code):
            printed = run(["bash", "-euo", "pipefail", "-c", command], folder)
            assert not shown.strip() or CHECKER.check_output(shown, printed, LOOSE), f"$ {command}\n{printed}"


SNIPPETS = [
    snippet for page in PAGES if page.is_file() for snippet in find_snippets(page.read_text("utf-8"), page.name)
]
NONE_YET = [pytest.param(None, marks=pytest.mark.skip(reason="no block of README.md or docs/ is marked <!-- run -->"))]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder with links to what stands at the repository's top."""
    for entry in ROOT.iterdir():
        if not entry.name.startswith(".") and entry.name not in ("dist", "build", "runs"):
            (tmp_path / entry.name).symlink_to(entry)
    return tmp_path


@pytest.mark.parametrize("snippet", SNIPPETS or NONE_YET, ids=lambda snippet: snippet.where if snippet else "none")
def test_snippet_runs(snippet: Snippet, folder: Path) -> None:
    run_snippet(snippet, folder)


@pytest.mark.parametrize("page", [page for page in PAGES if page.is_file()], ids=lambda page: page.name)
def test_every_marker_stands_before_a_block_that_can_run(page: Path) -> None:
    text = page.read_text("utf-8")
    snippets = find_snippets(text, page.name)
    assert len(snippets) == len(MARKER.findall(text)), "a marker is not followed by a fenced block"
    assert {snippet.language for snippet in snippets} <= set(LANGUAGES)


def test_find_snippets_takes_marked_blocks_only() -> None:
    page = "a\n```python\nno\n```\n\n<!-- run -->\n```python\nyes\n```\n<!-- run -->\n\n```console\n$ ls\n```\n"
    assert find_snippets(page, "p.md") == [
        Snippet("p.md:7", "python", "yes\n"),
        Snippet("p.md:12", "console", "$ ls\n"),
    ]


@pytest.mark.parametrize(
    "snippet",
    [
        Snippet("p", "python", "from pathlib import Path\nassert Path('pyproject.toml').is_file()\n"),
        Snippet("p", "python", ">>> 1 + 1\n2\n>>> list(range(30))\n[0, ..., 29]\n"),
        Snippet("p", "bash", "test -d model\npython -c 'print(1)'\n"),
        Snippet("p", "console", "$ echo one; echo two\none\n...\n$ echo \\\n> three\nthree\n$ true\n"),
    ],
    ids=["python", "doctest", "bash", "console"],
)
def test_good_snippet_passes(snippet: Snippet, folder: Path) -> None:
    run_snippet(snippet, folder)


@pytest.mark.parametrize(
    "snippet",
    [
        Snippet("p", "python", "import no_such_module\n"),
        Snippet("p", "python", ">>> 1 + 1\n3\n"),
        Snippet("p", "bash", "false\ntrue\n"),
        Snippet("p", "console", "$ echo one\ntwo\n"),
    ],
    ids=["python", "doctest", "bash", "console"],
)
def test_bad_snippet_fails(snippet: Snippet, folder: Path) -> None:
    with pytest.raises(AssertionError):
        run_snippet(snippet, folder)
