"""docs/guidelines.md and the schema say the same: labels, event types, roles with who may fill them, factuality."""

import re
from pathlib import Path

import pytest

from saytara.schema import CONTROL_CHANGE

FILLERS = "Who may fill a role:"
"""Opens the sentence that says which label may fill which role."""


@pytest.fixture(scope="module")
def page(root: Path) -> str:
    return (root / "docs" / "guidelines.md").read_text(encoding="utf-8")


def section(page: str, title: str) -> str:
    """What stands under a heading of the second level."""
    parts = re.split(r"^## (.*)$", page, flags=re.MULTILINE)
    (text,) = [body for name, body in zip(parts[1::2], parts[2::2], strict=True) if name.startswith(title)]
    return text


def first_column(text: str) -> list[str]:
    """The names in code quotes that open the rows of a table."""
    return re.findall(r"^\| `(\w+)` \|", text, flags=re.MULTILINE)


def allowed_fillers(text: str) -> dict[str, tuple[str, ...]]:
    """Role to the labels that may fill it, from the sentence that says so."""
    (sentence,) = re.findall(rf"{FILLERS} (.*?)\.", text)
    found = {}
    for clause in sentence.split(";"):
        roles, labels = clause.split(":")
        for role in re.findall(r"`(\w+)`", roles):
            found[role] = tuple(re.findall(r"`(\w+)`", labels))
    return found


@pytest.mark.parametrize(
    ("title", "names"),
    [
        ("Entity types", tuple(CONTROL_CHANGE.mentions)),
        ("Event types", CONTROL_CHANGE.events),
        ("Roles", tuple(CONTROL_CHANGE.roles)),
        ("Factuality", CONTROL_CHANGE.factuality),
    ],
)
def test_table_lists_what_the_schema_does_in_its_order(page: str, title: str, names: tuple[str, ...]) -> None:
    assert tuple(first_column(section(page, title))) == names


def test_roles_may_be_filled_by_the_same_labels(page: str) -> None:
    assert allowed_fillers(section(page, "Roles")) == CONTROL_CHANGE.roles


def test_control_change_proper_is_the_first_four_types(page: str) -> None:
    (sentence,) = re.findall(r"^(`CAPTURE`,.*?) are the control-change events proper", page, flags=re.MULTILINE)
    assert tuple(re.findall(r"`(\w+)`", sentence)) == CONTROL_CHANGE.events[:4]


def test_every_role_and_type_that_the_prose_names_exists(page: str) -> None:
    """Upper case in code quotes is a label or a type; a typo in the page would send annotators astray."""
    named = set(re.findall(r"`([A-Z]{3,})`", page))
    assert named - {*CONTROL_CHANGE.mentions, *CONTROL_CHANGE.events} == set()
