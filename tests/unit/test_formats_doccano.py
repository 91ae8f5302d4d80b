"""doccano's JSON Lines as it exports them, and what is refused."""

import json
from pathlib import Path
from typing import Any

import pytest

from builders import annotate
from saytara.corpus.formats.doccano import read_doccano, write_doccano
from saytara.document import Annotation
from saytara.errors import DataError
from saytara.schema import CONTROL_CHANGE, NER

TEXT = "لم تنسحب الكتيبة من قرية السدر."
DONE = annotate(
    "لم [تنسحب|e1:WITHDRAWAL] [الكتيبة|a1:ACTOR] من [قرية السدر|p1:PLACE].", "e1 denied displaced=a1 place=p1", id="7"
)
ENTITIES = [
    {"id": 1662, "label": "PLACE", "start_offset": 20, "end_offset": 30},
    {"id": 1663, "label": "WITHDRAWAL:denied", "start_offset": 3, "end_offset": 8},
    {"id": 1700, "label": "ACTOR", "start_offset": 9, "end_offset": 16},
]
RELATIONS = [
    {"id": 273, "from_id": 1663, "to_id": 1662, "type": "place"},
    {"id": 274, "from_id": 1700, "to_id": 1663, "type": "displaced"},
]
RECORD = {"id": 7, "text": TEXT, "entities": ENTITIES, "relations": RELATIONS, "Comments": []}


def read(tmp_path: Path, *records: Any) -> tuple[list[Annotation], dict[str, int]]:
    path = tmp_path / "all.jsonl"
    path.write_text("\n".join(json.dumps(record, ensure_ascii=False) for record in records), encoding="utf-8")
    annotations, losses = read_doccano(path, CONTROL_CHANGE)
    return annotations, dict(losses)


def test_an_export_is_read(tmp_path: Path) -> None:
    assert read(tmp_path, RECORD) == ([DONE], {})


def test_ids_are_unique_in_the_file_and_the_document_keeps_its_own(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    write_doccano(path, [DONE, annotate("[الجيش|a1:ACTOR]", id="second", outlet="x")], CONTROL_CHANGE)
    one, two = (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())
    ids = [item["id"] for record in (one, two) for key in ("entities", "relations") for item in record[key]]
    assert sorted(ids) == list(range(1, 7))
    assert [entity["label"] for entity in one["entities"]] == ["WITHDRAWAL:denied", "ACTOR", "PLACE"]
    assert (two["document"], two["outlet"], "id" in two) == ("second", "x", False)
    back, _ = read(tmp_path, {**two, "id": 912})  # the number that doccano gave it
    assert back[0].document.id == "second"


def test_a_header_named_like_a_column_of_doccano_survives(tmp_path: Path) -> None:
    odd = annotate("نص", id="r", label="x", document="y")
    write_doccano(tmp_path / "out.jsonl", [odd], CONTROL_CHANGE)
    assert read_doccano(tmp_path / "out.jsonl", CONTROL_CHANGE) == ([odd], {})


def test_comments_are_counted(tmp_path: Path) -> None:
    assert read(tmp_path, {**RECORD, "Comments": ["?", "!"]}) == ([DONE], {"comments": 2})


def test_labels_without_relations_are_read(tmp_path: Path) -> None:
    path = tmp_path / "ner.jsonl"
    path.write_text(
        json.dumps({"id": 3, "text": "زار عمر تونس", "label": [[4, 7, "PERS"], [8, 12, "LOC"]]}), encoding="utf-8"
    )
    assert read_doccano(path, NER)[0] == [annotate("زار [عمر|n1:PERS] [تونس|n2:LOC]", id="3", schema=NER)]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"entities": [{**ENTITIES[0], "label": "PLAC"}]},
            r'document "7", entity 1662: .* unknown label "PLAC".*closest: PLACE',
        ),
        ({"entities": [{**ENTITIES[1], "label": "WITHDRAWAL:no"}]}, r'entity 1663: .* unknown factuality "no"'),
        (
            {"entities": [{**ENTITIES[2], "label": "ACTOR:denied"}]},
            r"entity 1700: .* is a ACTOR, which has no factuality",
        ),
        ({"entities": [{**ENTITIES[0], "end_offset": 90}]}, r"entity 1662: .* out of the text's 31 code points"),
        ({"entities": [{"id": 1}]}, r'document "7": has no readable lists'),
        ({"entities": ENTITIES[:2]}, r'document "7", relation 274: links to "1700"'),
        (
            {"relations": [{"id": 5, "from_id": 1663, "to_id": 1662, "type": "where"}]},
            r'relation 5: .*unknown role "where"',
        ),
        ({"entities": None}, "has no readable lists"),
        ({"text": None}, "has no `text`"),
        ({"id": None}, "the id null is no string"),
    ],
)
def test_reader_refuses_with_file_and_line(change: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=rf"all\.jsonl:2: .*{message}"):
        read(tmp_path, {**RECORD, "id": 6}, {**RECORD, **change})


@pytest.mark.parametrize("line", ["[1]", "{", "3"])
def test_reader_refuses_what_is_no_object(line: str, tmp_path: Path) -> None:
    path = tmp_path / "all.jsonl"
    path.write_text(f"\n{line}\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"all\.jsonl:2: is not"):
        read_doccano(path, CONTROL_CHANGE)
