"""The built wheel holds the package with all its data, its licences, and nothing else."""

import zipfile
from pathlib import Path

import pytest

build = pytest.importorskip("hatchling.build")

PACKAGED_CHECKPOINT = {".json", ".onnx", ".md", ".yaml", ".txt"}
"""Kinds of files that a packaged checkpoint may hold; the safetensors stay in the repository."""

LOWEST_IR_VERSION = 10
"""The newest graph format that onnxruntime 1.20 reads, the lower end in pyproject.toml."""


@pytest.fixture(scope="module")
def wheel(root: Path, tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        return zipfile.ZipFile(folder / build.build_wheel(str(folder)))


def on_disk(root: Path) -> dict[str, int]:
    """Names, as they stand in a wheel, and sizes of all files of the package, ignored by git or not."""
    source = root / "model"
    return {
        path.relative_to(source).as_posix(): path.stat().st_size
        for path in (source / "saytara").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix not in {".pyc", ".pyo"}
    }


def in_wheel(wheel: zipfile.ZipFile) -> dict[str, int]:
    return {info.filename: info.file_size for info in wheel.infolist() if ".dist-info/" not in info.filename}


def test_wheel_holds_the_package_and_nothing_else(wheel: zipfile.ZipFile, root: Path) -> None:
    assert in_wheel(wheel) == on_disk(root)


@pytest.mark.parametrize("name", ["__init__.py", "py.typed", "document.py", "arabic/normalize.py"])
def test_wheel_holds(wheel: zipfile.ZipFile, name: str) -> None:
    assert f"saytara/{name}" in wheel.namelist()


def test_wheel_holds_the_packaged_checkpoints_whole(wheel: zipfile.ZipFile, root: Path) -> None:
    folders = [
        path for path in (root / "model" / "saytara" / "checkpoints").glob("*/") if (path / "config.json").is_file()
    ]
    if not folders:
        pytest.skip("no checkpoint is packaged in this tree")
    names = set(wheel.namelist())
    for folder in folders:
        inside = {Path(name).name for name in names if name.startswith(f"saytara/checkpoints/{folder.name}/")}
        assert {"config.json", "tokenizer.json"} <= inside
        assert any(name.endswith(".onnx") for name in inside), f"{folder.name} has no ONNX graph"
        assert {name for name in inside if Path(name).suffix not in PACKAGED_CHECKPOINT} == set()


def test_packaged_graphs_are_readable_by_the_lowest_onnxruntime(root: Path) -> None:
    graphs = sorted((root / "model" / "saytara" / "checkpoints").glob("*/*.onnx"))
    if not graphs:
        pytest.skip("no checkpoint is packaged in this tree")
    versions = {}
    for graph in graphs:
        with graph.open("rb") as stream:
            key, version = stream.read(2)  # a ModelProto opens with its field 1, ir_version
        assert key == 0x08, f"{graph.name} does not open with its version"
        versions[graph.name] = version
    assert max(versions.values()) <= LOWEST_IR_VERSION, f"onnxruntime 1.20 does not read them: {versions}"


def test_wheel_carries_licence_notice_and_entry_point(wheel: zipfile.ZipFile) -> None:
    info = {name.split(".dist-info/")[1]: name for name in wheel.namelist() if ".dist-info/" in name}
    assert {"licenses/LICENSE", "licenses/NOTICE", "METADATA", "entry_points.txt"} <= set(info)
    assert "saytara = saytara.cli:main" in wheel.read(info["entry_points.txt"]).decode()
    metadata = wheel.read(info["METADATA"]).decode()
    assert "License-Expression: Apache-2.0" in metadata
    required = [line for line in metadata.splitlines() if line.startswith("Requires-Dist:") and "extra ==" not in line]
    assert not [line for line in required if "torch" in line or "transformers" in line]


def test_wheel_keeps_data_that_gitignore_matches(tmp_path: Path, root: Path) -> None:
    package = tmp_path / "model" / "saytara"
    (package / "checkpoints" / "tiny").mkdir(parents=True)
    (package / "__pycache__").mkdir()
    for name in ("LICENSE", "NOTICE", "pyproject.toml"):
        (tmp_path / name).write_bytes((root / name).read_bytes())
    (tmp_path / "README.md").write_text("x", "utf-8")
    (tmp_path / ".gitignore").write_text("*.onnx\n__pycache__/\n", "utf-8")
    (package / "__init__.py").write_text('__version__ = "0.0.1"\n', "utf-8")
    (package / "checkpoints" / "tiny" / "encoder.onnx").write_bytes(b"x")
    (package / "__pycache__" / "__init__.cpython-311.pyc").write_bytes(b"x")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        built = zipfile.ZipFile(tmp_path / build.build_wheel(str(tmp_path)))
    assert set(in_wheel(built)) == {"saytara/__init__.py", "saytara/checkpoints/tiny/encoder.onnx"}
