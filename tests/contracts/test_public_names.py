"""What others build on changes only on purpose: public names, commands, exit statuses, keys of the output."""

import argparse
import datetime
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import saytara
from builders import annotate
from saytara import errors
from saytara.cli import EXIT_BAD_RECORDS, build_parser
from saytara.document import ActorEntry, PlaceEntry, TimeValue
from saytara.output import from_output, to_output
from saytara.pipeline import Extractor, ModelInfo
from saytara.schema import CONTROL_CHANGE, NER

PUBLIC = {"Annotation", "Argument", "Document", "Event", "Extractor", "Mention", "Span", "__version__"}
EXTRACTOR = {
    "extract",
    "extract_batch",
    "extract_document",
    "from_pretrained",
    "relate_gold",
    "with_decoding",
    "with_thresholds",
}
ERRORS = {"CheckpointError", "ConfigError", "DataError", "MissingExtraError", "SaytaraError", "SchemaError"}
COMMANDS = {
    "predict": set(),
    "train": set(),
    "distil": set(),
    "evaluate": set(),
    "export": set(),
    "push": set(),
    "encoder": {"build", "tiny", "adapt"},
    "data": {"compile", "check", "stats", "import", "export"},
    "ledger": set(),
    "who-held": set(),
    "timeline": set(),
    "render": set(),
}

TOWN = PlaceEntry("x.town", "الزيتونة", "Zaytuna", "town", "SY", "Hama", 35.0, 36.0, 1, 0.9)
ARMY = ActorEntry("x.army", "الجيش", "government", "state", "SY", 0.9)
REPORT = annotate(
    "قالت [الوكالة|s1:SOURCE] إن [الجيش|a1:ACTOR] [دخل|e1:ADVANCE] [الزيتونة|p1:PLACE] [أمس|t1:TIME].",
    "e1 actual controller=a1 place=p1 time=t1 reporter=s1",
)
DAY = datetime.date(2024, 12, 6)
LINKED = replace(
    REPORT,
    entries={
        "p1": replace(TOWN, alternatives=(TOWN,)),
        "a1": replace(ARMY, alternatives=(ARMY,)),
        "t1": TimeValue(DAY, DAY),
    },
)

Keys = dict[str, set[str]]
"""Where an object stands, such as ``events.trigger``, to its keys."""


def subcommands(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    groups = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    return dict(groups[0].choices) if groups else {}


def keys_of(value: Any, where: str = "") -> Iterator[tuple[str, str]]:
    """Each key in a JSON value with the place of its object."""
    if isinstance(value, list):
        for item in value:
            yield from keys_of(item, where)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield where, key
            yield from keys_of(item, f"{where}.{key}".lstrip("."))


def keys_written(block: str) -> Iterator[tuple[str, str]]:
    """The same of the page's notation: JSON, or only the names of keys (``{"ar", "en"}``)."""
    places: list[str] = []
    last_key, before = "", ""
    for token in re.findall(r'"[^"]*"|[{}\[\]:,|…]|[^\s"{}\[\]:,|…]+', block):
        if token == "{":
            places.append(f"{places[-1]}.{last_key}".lstrip(".") if places else "")
        elif token == "}":
            last_key = places.pop().rpartition(".")[2]
        elif token.startswith('"') and before in ("{", ","):
            last_key = token.strip('"')
            yield places[-1], last_key
        before = token


def grouped(pairs: Iterator[tuple[str, str]]) -> Keys:
    found: Keys = {}
    for where, key in pairs:
        found.setdefault(where, set()).add(key)
    return found


@pytest.fixture(scope="module")
def contract(root: Path) -> str:
    page = (root / "docs" / "architecture.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"^## Output contract.*?(?=^## )", page, flags=re.MULTILINE | re.DOTALL)
    return text


# -- names -------------------------------------------------------------------------------------------------------------


def test_package_offers_these_names() -> None:
    assert set(saytara.__all__) == PUBLIC
    assert all(hasattr(saytara, name) for name in PUBLIC)


def test_extractor_offers_these_methods() -> None:
    assert {name for name, value in vars(Extractor).items() if not name.startswith("_")} == EXTRACTOR


def test_errors_have_these_names_and_one_base() -> None:
    found = {n for n, v in vars(errors).items() if isinstance(v, type) and issubclass(v, Exception)}
    assert found == ERRORS
    assert all(issubclass(getattr(errors, name), errors.SaytaraError) for name in ERRORS)


def test_command_line_has_these_commands() -> None:
    commands = subcommands(build_parser())
    assert {name: set(subcommands(parser)) for name, parser in commands.items()} == COMMANDS


def test_each_command_says_what_it_does() -> None:
    (action,) = [a for a in build_parser()._actions if isinstance(a, argparse._SubParsersAction)]
    assert {choice.dest for choice in action._choices_actions if choice.help} == set(COMMANDS)


def test_exit_status_of_a_bad_record_is_not_that_of_a_failure() -> None:
    assert EXIT_BAD_RECORDS == 2


# -- keys of the output ------------------------------------------------------------------------------------------------


def test_output_has_the_keys_that_the_page_gives(contract: str) -> None:
    block = contract.split("```")[1]
    output = to_output(LINKED, CONTROL_CHANGE, ModelInfo("compact", None, "0").to_dict())
    for mention in (*output["actors"], *output["places"]):
        for other in mention["entry"].pop("alternatives"):
            assert set(other) == {*mention["entry"], "alternatives"}
        mention["entry"]["alternatives"] = []
    assert grouped(keys_of(output)) == {k: v for k, v in grouped(keys_written(block)).items() if k != "meta"}


def test_page_names_every_attribution(contract: str) -> None:
    (values,) = re.findall(r'"attribution": (.*),', contract)
    assert set(re.findall(r'"(\w+)"', values)) == {"claimed", "reported", "stated"}


def test_what_is_unknown_is_null_and_not_left_out() -> None:
    linked, bare = (to_output(report, CONTROL_CHANGE, {}) for report in (LINKED, REPORT))
    for name in CONTROL_CHANGE.lists.values():
        assert [set(mention) for mention in bare[name]] == [set(mention) for mention in linked[name]]
    assert [bare["places"][0]["entry"], bare["actors"][0]["entry"], bare["times"][0]["value"]] == [None] * 3


def test_output_reads_back_as_the_same_annotation() -> None:
    assert from_output(to_output(LINKED, CONTROL_CHANGE, {}), CONTROL_CHANGE) == LINKED


def test_plain_ner_has_one_list_of_entities_and_no_events(contract: str) -> None:
    report = annotate("زار [فراس|n1:PERS] [حلب|n2:LOC].", schema=NER)
    output = to_output(report, NER, {})
    assert list(output) == ["id", "text", "date", "meta", "entities", "warnings", "model"]
    assert [(entity["id"], entity["type"]) for entity in output["entities"]] == [("n1", "PERS"), ("n2", "LOC")]
    assert '"entities": [{"id", "type", …}]' in contract
