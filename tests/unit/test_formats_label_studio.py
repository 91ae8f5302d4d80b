"""Label Studio's JSON as it exports it: which annotation counts, what people draw, what is refused."""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from builders import annotate
from saytara.corpus.formats.label_studio import labelling_interface, read_label_studio, write_label_studio
from saytara.document import Annotation
from saytara.errors import DataError
from saytara.schema import CONTROL_CHANGE, NER

TEXT = "انسحبت الكتيبة من قرية السدر."
DONE = annotate(
    "[انسحبت|e1:WITHDRAWAL] [الكتيبة|a1:ACTOR] من [قرية السدر|p1:PLACE].", "e1 actual displaced=a1 place=p1", id="7"
)


def region(name: str, start: int, end: int, label: str, **more: Any) -> dict[str, Any]:
    value = {"start": start, "end": end, "text": TEXT[start:end], "labels": [label]}
    return {"id": name, "from_name": "label", "to_name": "text", "type": "labels", "value": value, **more}


def choice(name: str, value: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "from_name": "factuality", "type": "choices", "value": {"choices": [value]}, **more}


def relation(one: str, other: str, *roles: str, direction: str = "right") -> dict[str, Any]:
    return {"type": "relation", "from_id": one, "to_id": other, "direction": direction, "labels": list(roles)}


TRIGGER, ACTOR, PLACE = (
    region("Dx_aB91ISN", 0, 6, "WITHDRAWAL"),
    region("qq-1", 7, 14, "ACTOR"),
    region("p1", 18, 28, "PLACE"),
)
RESULT = [
    PLACE,
    TRIGGER,
    relation("Dx_aB91ISN", "qq-1", "displaced"),
    ACTOR,
    choice("Dx_aB91ISN", "actual"),
    relation("p1", "Dx_aB91ISN", "place", direction="left"),
]


def task(result: list[dict[str, Any]] | None = None, **more: Any) -> dict[str, Any]:
    annotations = {} if result is None else {"annotations": [{"id": 70, "result": result}]}
    return {"id": 7, "data": {"text": TEXT}, **annotations, **more}


def read(tmp_path: Path, *tasks: Any) -> tuple[list[Annotation], dict[str, int]]:
    path = tmp_path / "export.json"
    path.write_text(json.dumps(list(tasks), ensure_ascii=False), encoding="utf-8")
    annotations, losses = read_label_studio(path, CONTROL_CHANGE)
    return annotations, dict(losses)


def test_an_exported_annotation_is_read(tmp_path: Path) -> None:
    assert read(tmp_path, task(RESULT)) == ([DONE], {})


def test_tasks_to_import_are_predictions_with_ids_and_scores(tmp_path: Path) -> None:
    write_label_studio(tmp_path / "tasks.json", [DONE], CONTROL_CHANGE)
    (written,) = json.loads((tmp_path / "tasks.json").read_text(encoding="utf-8"))
    assert written["data"] == {"id": "7", "text": TEXT}
    (prediction,) = written["predictions"]
    assert [result.get("id") for result in prediction["result"]] == ["e1", "a1", "p1", "e1", None, None]
    assert prediction["result"][0]["value"] == {"start": 0, "end": 6, "text": "انسحبت", "labels": ["WITHDRAWAL"]}
    assert prediction["result"][3]["value"]["choices"] == ["actual"]
    assert prediction["result"][4] == relation("e1", "a1", "displaced")


def test_beside_corrected_tasks_uncorrected_ones_are_left_out(tmp_path: Path) -> None:
    predicted = [{"result": [region("a1", 7, 14, "ACTOR", score=0.5)]}]
    waiting = task(None, annotations=[], predictions=predicted, id=8)
    cancelled = task(None, annotations=[{"was_cancelled": True, "result": []}], id=9)
    annotations, losses = read(tmp_path, task(RESULT, predictions=predicted), waiting, cancelled)
    assert annotations == [DONE]
    assert losses == {"tasks that nobody has annotated": 2}


def test_predictions_count_where_nothing_is_annotated_and_keep_their_scores(tmp_path: Path) -> None:
    result = [region("a1", 7, 14, "ACTOR", score=0.5)]
    ((annotation,), losses) = read(tmp_path, task(None, predictions=[{"result": result}]))
    assert [(m.id, m.score) for m in annotation.mentions] == [("a1", 0.5)]
    assert losses == {}


def test_a_corrected_annotation_has_no_scores(tmp_path: Path) -> None:
    ((annotation,), _) = read(tmp_path, task([region("a1", 7, 14, "ACTOR", score=0.5)]))
    assert annotation.mentions[0].score == 1.0


@pytest.mark.parametrize(
    "others",
    [
        [
            {"result": RESULT, "updated_at": "2026-02-01T00:00:00Z"},
            {"result": [], "updated_at": "2026-01-01T00:00:00Z"},
        ],
        [{"result": [], "updated_at": "2026-02-01T00:00:00Z"}, {"result": RESULT, "ground_truth": True}],
        [{"result": []}, {"result": RESULT}],
    ],
)
def test_ground_truth_counts_else_the_latest(others: list[dict[str, Any]], tmp_path: Path) -> None:
    annotations, losses = read(tmp_path, task(None, annotations=others))
    assert annotations == [DONE]
    assert losses == {"further annotations of a task": 1}


def test_a_relation_may_have_two_roles(tmp_path: Path) -> None:
    result = [TRIGGER, ACTOR, relation("qq-1", "Dx_aB91ISN", "claimant", "displaced")]
    ((annotation,), _) = read(tmp_path, task(result))
    assert [(a.role, a.mention) for a in annotation.events[0].arguments] == [("displaced", "a1"), ("claimant", "a1")]


def test_header_date_and_other_results(tmp_path: Path) -> None:
    data = {"text": TEXT, "id": "r-1", "date": "2024-12-07", "outlet": "x", "entities": []}
    other = {"type": "textarea", "value": {"text": ["?"]}}
    ((annotation,), losses) = read(tmp_path, task([other, choice("gone", "actual")], data=data))
    document = annotation.document
    assert (document.id, str(document.date), document.meta) == ("r-1", "2024-12-07", {"outlet": "x"})
    assert losses == {"columns named entities": 1, "results of type textarea": 1, "results of type choices": 1}


@pytest.mark.parametrize(
    ("result", "message"),
    [
        ([region("x", 7, 14, "ACTR")], r'task 7, region "x": "الكتيبة" has the unknown label "ACTR"; .*closest: ACTOR'),
        (
            [region("x", 7, 14, "ACTOR") | {"value": {"start": 7, "end": 14, "labels": []}}],
            r'region "x": has the labels \[\]',
        ),
        (
            [region("x", 7, 14, "ACTOR") | {"value": {"start": 6, "end": 14, "text": "الكتيبة", "labels": ["ACTOR"]}}],
            "Fix the",
        ),
        ([region("x", 7, 14, "ACTOR") | {"value": {"start": "7x", "end": 14, "labels": ["ACTOR"]}}], "whole numbers"),
        ([ACTOR, ACTOR], r'region "qq-1": has two labels'),
        ([ACTOR, region("y", 10, 16, "PLACE")], "task 7: document .* overlap"),
        (
            [TRIGGER, ACTOR, relation("Dx_aB91ISN", "qq-1")],
            r'task 7, relation from "Dx_aB91ISN" to "qq-1": has no role',
        ),
        ([TRIGGER, ACTOR, relation("Dx_aB91ISN", "qq-1", "place")], r'role "place" cannot be filled by ACTOR'),
        ([TRIGGER, relation("Dx_aB91ISN", "gone", "place")], r'links to "gone", which is nowhere'),
        ([PLACE, ACTOR, relation("p1", "qq-1", "place")], "joins PLACE and ACTOR"),
        ([TRIGGER, choice("Dx_aB91ISN", "perhaps")], r'region "Dx_aB91ISN": .* unknown factuality "perhaps"'),
        ([ACTOR, choice("qq-1", "denied")], "is a ACTOR, which has no factuality"),
    ],
)
def test_reader_refuses_with_file_and_task(result: list[dict[str, Any]], message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=rf"export\.json: .*{message}"):
        read(tmp_path, task(result))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{}", r"export\.json: is no list of tasks"),
        ('[{"text": "x", "label": []}]', r"export\.json: task 1: has no `data`.*JSON-MIN"),
        ('[\n{"a" 1}]', r"export\.json:2: is not JSON"),
        ('[{"id": 3, "data": {"txt": "x"}}]', r"task 3: has no `text`"),
        ('[{"id": 3, "data": {"text": "x", "date": "Monday"}}]', r'task 3: date "Monday" is not a day'),
        ('[{"id": 3, "data": {"text": "x"}, "predictions": 4}]', r"task 3: 4 is no list"),
    ],
)
def test_reader_refuses_other_json(content: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "export.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=message):
        read_label_studio(path, CONTROL_CHANGE)


def test_the_labelling_interface_offers_the_schema() -> None:
    view = ElementTree.fromstring(labelling_interface(CONTROL_CHANGE))
    assert [tag.get("value") for tag in view.iter("Label")] == [*CONTROL_CHANGE.mentions, *CONTROL_CHANGE.events]
    assert [tag.get("value") for tag in view.iter("Relation")] == list(CONTROL_CHANGE.roles)
    assert [tag.get("value") for tag in view.iter("Choice")] == list(CONTROL_CHANGE.factuality)
    assert {tag.tag for tag in ElementTree.fromstring(labelling_interface(NER)).iter()} == {
        "View",
        "Labels",
        "Label",
        "Text",
    }
