"""`import saytara` is cheap and silent, and the base install, which has no torch, can import all it needs."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = [
    *("torch", "transformers", "datasets", "accelerate", "seqeval", "onnx", "tensorboard", "safetensors"),
    *("spacy", "cassis"),
]
"""What saytara[train] brings. A base install lacks them."""
NEEDS_TORCH = ("configuration", "modeling", "training", "export.onnx")
"""Modules, with those below them, that may import the above at their top."""
SOURCE = Path(__file__).resolve().parents[2] / "model" / "saytara"

WATCH = """
import json, os, sys
before = set(sys.modules)
events = []
def watch(event, args):
    if event in ("socket.connect", "socket.getaddrinfo", "subprocess.Popen"):
        events.append(event)
    if event == "open" and isinstance(args[0], (str, bytes)):
        name = os.fsdecode(args[0])
        is_code = name.endswith((".py", ".pyc")) or ".so" in os.path.basename(name) or "__pycache__" in name
        if "saytara" in name and not is_code:
            events.append("open " + name)
sys.addaudithook(watch)
import saytara
print(json.dumps({"modules": sorted(set(sys.modules) - before), "events": events}))
"""

BLOCK = """
import importlib, sys
class Block:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {heavy!r}:
            raise ModuleNotFoundError("the base install has no " + name, name=name)
sys.meta_path.insert(0, Block())
importlib.import_module({module!r})
"""


def python(code: str, root: Path) -> "subprocess.CompletedProcess[str]":
    environment = {"PYTHONPATH": str(root / "model")}
    command = [sys.executable, "-X", "utf8", "-c", code]
    return subprocess.run(command, env=environment, cwd=root, capture_output=True, text=True, check=False, timeout=120)


def base_modules() -> list[str]:
    """Dotted names of all modules that must import without torch."""
    names = [
        ".".join(["saytara", *path.relative_to(SOURCE).with_suffix("").parts]).removesuffix(".__init__")
        for path in sorted(SOURCE.rglob("*.py"))
        if path.stem != "__main__"
    ]
    needing = tuple(f"saytara.{name}." for name in NEEDS_TORCH)
    return [name for name in names if not f"{name}.".startswith(needing)]


@pytest.fixture(scope="module")
def light_import(root: Path) -> dict[str, list[str]]:
    result = python(WATCH, root)
    assert result.returncode == 0, result.stderr
    assert result.stderr == "", "import saytara is not silent"
    assert result.stdout.count("\n") == 1, f"import saytara is not silent: {result.stdout}"
    return dict(json.loads(result.stdout))


def test_import_loads_nothing_heavy(light_import: dict[str, list[str]]) -> None:
    loaded = {name.split(".")[0] for name in light_import["modules"]}
    assert loaded & {*HEAVY, "pandas", "pyarrow", "scipy", "sklearn"} == set()
    assert "saytara" in loaded


def test_import_touches_no_network_and_no_file(light_import: dict[str, list[str]]) -> None:
    assert light_import["events"] == []


def test_base_install_imports_every_module_that_needs_no_torch(root: Path) -> None:
    modules = base_modules()
    assert len(modules) > 5
    code = "".join(BLOCK.format(heavy=HEAVY, module=name) for name in modules)
    result = python(code, root)
    assert result.returncode == 0, result.stderr


def test_block_would_notice_a_heavy_import(root: Path) -> None:
    result = python(BLOCK.format(heavy=[*HEAVY, "json"], module="json"), root)
    assert "the base install has no json" in result.stderr
