"""A module imports from its own layer or below (docs/architecture.md); imports inside functions count too."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

LAYERS = {
    "document": 0,
    "schema": 0,
    "errors": 0,
    "files": 0,
    "arabic": 1,
    "windows": 1,
    "tags": 1,
    "configuration": 2,
    "modeling": 2,
    "encoding": 2,
    "pairing": 2,
    "scoring": 2,
    "decoding": 3,
    "assembly": 3,
    "linking": 3,
    "pipeline": 4,
    "checkpoint": 4,
    "output": 4,
    "corpus": 5,
    "metrics": 5,
    "evaluation": 5,
    "card": 5,
    "facts": 5,
    "inputs": 5,
    "provenance": 5,
    "training": 5,
    "export": 5,
    "cli": 6,
}
DOOR = 4
"""Layer of `saytara/__init__.py`: it offers the Extractor, so nothing below may import it."""
ALONE = {"modeling", "configuration"}
"""Hub code loading copies only these two, so they import nothing else of ours."""
STANDARD_LIBRARY_ONLY = {0, 1}
SOURCE = Path(__file__).resolve().parents[2] / "model" / "saytara"
MODULES = sorted(path.relative_to(SOURCE) for path in SOURCE.rglob("*.py"))


def part_of(module: str) -> str:
    """The entry of the layer table for a dotted name below saytara; "" for the package itself."""
    return module.split(".")[0]


def dotted(path: Path) -> str:
    """Name below saytara of a module's path: ``arabic/__init__.py`` to ``arabic``."""
    return ".".join(path.with_suffix("").parts).removesuffix("__init__").rstrip(".")


def imports_of(source: str, path: Path) -> Iterator[tuple[int, str]]:
    """Line and absolute dotted name of each import, relative ones resolved."""
    package = ["saytara", *path.parent.parts]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            name = ".".join([*base, *([node.module] if node.module else [])])
            if name == "saytara":  # from saytara import tags: a module, or a name of the package itself
                yield from ((node.lineno, f"saytara.{alias.name}") for alias in node.names)
            else:
                yield node.lineno, name


def layer_of(part: str) -> int:
    return LAYERS.get(part, DOOR)


def violations(source: str, path: Path) -> list[str]:
    """What a module imports against the rules, one message each."""
    own = part_of(dotted(path))
    found = []
    for line, name in imports_of(source, path):
        where = f"{path}:{line}: {own or 'the package'} (L{layer_of(own)}) imports {name}"
        top, _, below = name.partition(".")
        if top != "saytara":
            if layer_of(own) in STANDARD_LIBRARY_ONLY and not is_standard(top):
                found.append(f"{where}, but L0 and L1 use the standard library only")
            continue
        part = part_of(below)
        if own in ALONE and part not in ALONE:
            found.append(f"{where}, but it stands alone with {sorted(ALONE - {own})}")
        elif layer_of(part) > layer_of(own):
            found.append(f"{where}, which is above it (L{layer_of(part)})")
    return found


def is_standard(top: str) -> bool:
    return top in sys.stdlib_module_names


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_module_is_in_the_table(path: Path) -> None:
    part = part_of(dotted(path))
    assert part in LAYERS or part in ("", "__main__"), (
        f"{path} is in no layer: add {part!r} to docs/architecture.md and to LAYERS in this test"
    )


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_module_imports_its_own_layer_or_below(path: Path) -> None:
    if dotted(path) == "__main__":
        pytest.skip("a door to the doors")
    assert violations((SOURCE / path).read_text("utf-8"), path) == []


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("tags.py", "from saytara.pipeline import Extractor"),
        ("tags.py", "import saytara.cli"),
        ("tags.py", "import numpy"),
        ("windows.py", "def f():\n    from saytara import decoding"),
        ("arabic/normalize.py", "from ..corpus import markup"),
        ("arabic/normalize.py", "from saytara import __version__"),
        ("modeling.py", "from .errors import SaytaraError"),
        ("decoding.py", "from . import cli"),
    ],
)
def test_violation_is_found(path: str, source: str) -> None:
    assert len(violations(source, Path(path))) == 1


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("tags.py", "import re\nfrom saytara.schema import Schema\nfrom .errors import closest"),
        ("modeling.py", "import torch\nfrom .configuration import SaytaraConfig"),
        ("arabic/segment.py", "from .normalize import normalize\nfrom ..document import Span"),
        ("checkpoint.py", "from saytara import __version__"),
        ("training/loop.py", "from saytara.training import data\nfrom saytara.metrics import score"),
    ],
)
def test_legal_import_passes(path: str, source: str) -> None:
    assert violations(source, Path(path)) == []


def test_table_agrees_with_architecture_page(root: Path) -> None:
    page = (root / "docs" / "architecture.md").read_text("utf-8")
    layout = page.split("## Layout")[1].split("## ")[0]
    told = {
        re.split(r"[/{]", name)[0]: int(layer)
        for names, layer in re.findall(r"^    (\S.*?)\s+L(\d)\b", layout, re.MULTILINE)
        for name in re.sub(r"\{.*?\}", "", names).replace("|", " ").split()
    }
    assert told == LAYERS
