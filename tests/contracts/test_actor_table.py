"""The packaged table of actors is what its sources give, and says nothing twice."""

import csv
import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from saytara.arabic.fold import fold
from saytara.linking.actor_names import word_class
from saytara.linking.actor_table import COLUMNS, PACKED_COLUMNS, actor_table, with_keys, word_key


@pytest.fixture(scope="module")
def build(root: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_actors", root / "data" / "gazetteer" / "build_actors.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def written(root: Path) -> list[dict[str, str]]:
    rows = []
    for path in sorted((root / "data" / "gazetteer").glob("actors-*.tsv")):
        with path.open(encoding="utf-8", newline="") as stream:
            rows += list(csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE))
    return rows


def test_packaged_table_is_built_from_the_sources(build: ModuleType) -> None:
    rows, states = build.build()
    assert (build.TABLES / "actors.tsv.gz").read_bytes() == build.packed(map(with_keys, rows), PACKED_COLUMNS)
    assert (build.TABLES / "countries.tsv.gz").read_bytes() == build.packed(states, build.STATE_COLUMNS)


def test_written_part_is_as_wide_as_it_claims(written: list[dict[str, str]]) -> None:
    assert len(written) >= 600
    assert len({alias for row in written for alias in row["aliases"].split("|") if alias}) >= 3400
    assert len({code for row in written for code in row["country"].split(",") if code and code[0] != "+"}) >= 60


def test_each_parent_exists_and_no_chain_loops() -> None:
    actors = actor_table().actors
    for actor in actors.values():
        seen = {actor.id}
        parent = actor.parent
        while parent:
            assert parent in actors, f"{actor.id}: {parent}"
            assert parent not in seen, f"{actor.id} is its own ancestor"
            seen.add(parent)
            parent = actors[parent].parent


def row(id: str, **values: str) -> dict[str, str]:
    plain = {"name": f"اسم {id}", "name_en": id, "side": "x", "kind": "rebel", "country": "SY"}
    return {**dict.fromkeys(COLUMNS, ""), **plain, "id": id, **values}


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ([row("a", parent="b")], "parent 'b' does not exist"),
        ([row("a", parent="a")], "its own parent"),
        ([row("a", kind="gang")], "kind 'gang'"),
        ([row("a", country="ZZ")], "country 'ZZ'"),
        ([row("a", side="")], "side is empty"),
        ([row("a", aliases="لواء الفجر"), row("b", aliases="لواء الفجر")], "both called"),
    ],
)
def test_checks_find_what_is_wrong(build: ModuleType, rows: list[dict[str, str]], problem: str) -> None:
    assert any(problem in found for found in build.problems(rows, {"SY"}))


@pytest.mark.parametrize(
    "rows",
    [
        [row("a", aliases="لواء الفجر"), row("b", aliases="?لواء الفجر")],
        [row("a", aliases="لواء الفجر", country="SY"), row("b", aliases="لواء الفجر", country="LY")],
        [row("a", aliases="لواء الفجر", years="2001-2003"), row("b", aliases="لواء الفجر", years="2004-")],
    ],
)
def test_shared_names_pass_with_a_mark_in_another_country_or_time(
    build: ModuleType, rows: list[dict[str, str]]
) -> None:
    assert build.problems(rows, {"SY", "LY"}) == []


@pytest.mark.parametrize("kind", ["member", "slant", "participle", "pointer", "description", "wide"])
def test_word_classes_hold_keys(kind: str) -> None:
    assert [word for word in sorted(word_class(kind)) if word_key(word) != word] == []


@pytest.mark.parametrize("kind", ["owned", "other", "feminine", "no_country"])
def test_word_classes_hold_folded_words(kind: str) -> None:
    assert [word for word in sorted(word_class(kind)) if fold(word) != word] == []


def test_every_reading_names_an_actor_of_the_table() -> None:
    table = actor_table()
    assert {reading.actor.id for readings in table.readings.values() for reading in readings} == set(table.actors)
