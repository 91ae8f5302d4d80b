"""Reading and writing the corpus form: every refusal by its message, every round trip exact."""

import copy
import json
import os
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from builders import annotate
from saytara.corpus.jsonl import (
    annotation_from_dict,
    annotation_to_dict,
    check_corpus_file,
    from_dataset,
    read_corpus,
    to_dataset,
    write_corpus,
)
from saytara.document import Annotation, Document
from saytara.errors import DataError
from saytara.schema import CONTROL_CHANGE, NER

REPORT = annotate(
    "أعلنت [وزارة الدفاع|a1:ACTOR] أن [قواتها|a2:ACTOR] [دخلت|e1:ADVANCE] [حي الزهور|p1:PLACE] 😀 [أمس|t1:TIME].",
    "e1 actual controller=a2 claimant=a1 place=p1 time=t1",
    id="r-0412",
    date=date(2024, 12, 7),
    country="Syria",
)
RECORD = annotation_to_dict(REPORT)

Change = Callable[[dict[str, Any]], Any]


def write_lines(path: Path, *records: object) -> Path:
    path.write_text("".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records), encoding="utf-8")
    return path


def changed(change: Change) -> dict[str, Any]:
    record = copy.deepcopy(RECORD)
    change(record)
    return record


def test_record_has_the_keys_of_the_corpus_form_and_the_text_of_each_span() -> None:
    assert list(RECORD) == ["id", "text", "date", "country", "entities", "events"]
    assert RECORD["entities"][0] == {"id": "a1", "type": "ACTOR", "start": 6, "end": 18, "text": "وزارة الدفاع"}
    assert RECORD["events"][0]["trigger"] == {"start": 29, "end": 33, "text": "دخلت"}
    assert RECORD["events"][0]["arguments"][1] == {"role": "claimant", "mention": "a1"}


def test_unknown_keys_of_a_record_become_meta() -> None:
    annotation = annotation_from_dict({**RECORD, "outlet": "local", "period": None}, CONTROL_CHANGE)
    assert annotation.document.meta == {"country": "Syria", "outlet": "local", "period": None}


REFUSALS: list[tuple[Change, str]] = [
    (lambda r: r.pop("id"), r'corpus\.jsonl:2: has no "id"'),
    (lambda r: r.update(id=""), r'corpus\.jsonl:2: has no "id"'),
    (lambda r: r.pop("text"), 'document "r-0412": has no "text". Give the report'),
    (lambda r: r.update(text=None), 'has no "text"'),
    (lambda r: r.update(text="\ud800" + r["text"][1:]), "half a surrogate pair"),
    (lambda r: r.update(date="7/12/2024"), 'date "7/12/2024" is not a day. Write it as "2024-12-07"'),
    (lambda r: r.update(date="20241207"), 'date "20241207" is not a day'),
    (lambda r: r.update(date=2024), "date 2024 is not a day"),
    (lambda r: r.pop("entities"), 'has no list "entities". Write an empty list'),
    (lambda r: r.pop("events"), 'has no list "events"'),
    (lambda r: r["entities"].append("a9"), 'entity 5 has no "id"'),
    (
        lambda r: r["entities"][0].update(type="ACTR"),
        'mention "a1" has the unknown label "ACTR"; known: .*closest: ACTOR',
    ),
    (lambda r: r["entities"][0].update(type=["ACTOR"]), "unknown label"),
    (lambda r: r["entities"][0].update(start="6"), 'mention "a1" has no whole numbers as start and end'),
    (lambda r: r["entities"][0].update(start=True), 'mention "a1" has no whole numbers as start and end'),
    (lambda r: r["entities"][0].update(start=-1), "out of the text's 50 code points. Count code points, not bytes"),
    (lambda r: r["entities"][0].update(end=99), 'mention "a1" covers 6 to 99, out of the text'),
    (lambda r: r["entities"][0].update(end=6), 'mention "a1" is empty'),
    (
        lambda r: r["entities"][0].update(end=17),
        'mention "a1" says "وزارة الدفاع", but 6 to 17 of the text is "وزارة الدفا"',
    ),
    (lambda r: r["entities"][1].update(id="a1"), 'the id "a1" is used 2 times'),
    (lambda r: r["events"][0].update(id="a1"), 'the id "a1" is used 2 times'),
    (
        lambda r: r["entities"].append({"id": "p2", "type": "PLACE", "start": 12, "end": 20}),
        r'mention "a1" \(6 to 18, "وزارة الدفاع"\) and mention "p2" \(12 to 20, .*\) overlap',
    ),
    (
        lambda r: r["entities"].append({"id": "p2", "type": "PLACE", "start": 29, "end": 33}),
        'mention "p2" .* and the trigger of event "e1" .* overlap',
    ),
    (lambda r: r["events"][0].update(id=None), 'event 1 has no "id"'),
    (
        lambda r: r["events"][0].update(type="CAPTUR"),
        'event "e1" has the unknown type "CAPTUR"; known: .*closest: CAPTURE',
    ),
    (
        lambda r: r["events"][0].update(factuality="real"),
        'unknown factuality "real"; known: actual, denied, prospective',
    ),
    (lambda r: r["events"][0].pop("trigger"), 'event "e1" has no "trigger"'),
    (lambda r: r["events"][0]["trigger"].update(end=33, text="خرجت"), 'the trigger of event "e1" says "خرجت"'),
    (
        lambda r: r["events"][0]["arguments"][0].update(role="controler"),
        'unknown role "controler"; known: .*; closest: controller',
    ),
    (
        lambda r: r["events"][0]["arguments"][0].update(mention="a7"),
        'links role "controller" to the unknown mention "a7"; known: a1, a2, p1, t1',
    ),
    (
        lambda r: r["events"][0]["arguments"][2].update(mention="a1"),
        r'corpus\.jsonl:2: document "r-0412": role "place" cannot be filled by ACTOR; allowed: PLACE\. '
        r"Fix the annotation or the schema\.",
    ),
    (
        lambda r: r["events"][0]["arguments"].append({"role": "place", "mention": "p1"}),
        'event "e1" names mention "p1" twice as "place"',
    ),
    (lambda r: r["entities"][0].update(score=1.5), 'mention "a1": score 1.5 is not a number from 0 to 1'),
    (lambda r: r["entities"][0].update(score=float("nan")), "score NaN is not a number from 0 to 1"),
]


@pytest.mark.parametrize(("change", "message"), REFUSALS)
def test_reader_refuses_a_record_with_file_line_and_document(change: Change, message: str, tmp_path: Path) -> None:
    path = write_lines(tmp_path / "corpus.jsonl", {**RECORD, "id": "r-1"})
    with path.open("a") as file:
        file.write(json.dumps(changed(change)) + "\n")
    with pytest.raises(DataError, match=message) as caught:
        read_corpus(path, CONTROL_CHANGE)
    assert caught.value.where is not None
    assert caught.value.where.startswith(f"{path}:2")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b'{"id": "x", ', r"corpus\.jsonl:2: is not JSON \("),
        (b"[1, 2]", r"corpus\.jsonl:2: is not a JSON object"),
        (b'{"id": "\xff"}', r"corpus\.jsonl:2: byte 9 of the line is not UTF-8"),
        (b"[" * 100_000, r"corpus\.jsonl:2: is not JSON"),
    ],
)
def test_reader_refuses_a_line_that_is_no_record(line: bytes, message: str, tmp_path: Path) -> None:
    path = write_lines(tmp_path / "corpus.jsonl", RECORD)
    path.write_bytes(path.read_bytes() + line)
    with pytest.raises(DataError, match=message):
        read_corpus(path, CONTROL_CHANGE)


def test_reader_refuses_a_second_document_of_one_id(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "corpus.jsonl", RECORD, {**RECORD, "id": "other"}, RECORD)
    with pytest.raises(DataError, match=r'corpus\.jsonl:3: document "r-0412": the id is already that of line 1'):
        read_corpus(path, CONTROL_CHANGE)


def test_reader_refuses_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nowhere\.jsonl: cannot be read \(No such file"):
        read_corpus(tmp_path / "nowhere.jsonl", CONTROL_CHANGE)


def test_reader_refuses_events_where_the_schema_has_none() -> None:
    record = {**RECORD, "entities": []}
    with pytest.raises(DataError, match='schema "ner" has no events'):
        annotation_from_dict(record, NER)


def test_reader_takes_a_record_without_events_where_the_schema_has_none() -> None:
    record = {"id": "n-1", "text": "زار عمر تونس", "entities": [{"id": "n1", "type": "LOC", "start": 8, "end": 12}]}
    assert annotation_from_dict(record, NER).mentions[0].label == "LOC"


def test_check_reads_the_good_documents_and_lists_every_problem_of_the_rest(tmp_path: Path) -> None:
    bad = changed(lambda r: (r["entities"][0].update(type="X"), r["events"][0].update(factuality="maybe")))
    path = write_lines(tmp_path / "corpus.jsonl", RECORD, {**bad, "id": "bad"}, {**RECORD, "id": "last"})
    annotations, problems = check_corpus_file(path, CONTROL_CHANGE)
    assert [annotation.document.id for annotation in annotations] == ["r-0412", "last"]
    assert all(problem.where == f'{path}:2: document "bad"' for problem in problems)
    assert len(problems) == 3  # the label, the factuality, and the role that now links to nothing


def test_reader_passes_over_blank_lines_and_a_byte_order_mark(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "corpus.jsonl", RECORD)
    path.write_bytes(b"\xef\xbb\xbf\n" + path.read_bytes() + b" \n")
    assert read_corpus(path, CONTROL_CHANGE) == [REPORT]


def test_written_corpus_reads_back_equal(tmp_path: Path) -> None:
    mention = replace(REPORT.mentions[0], score=0.75)
    event = replace(REPORT.events[0], score=0.5, factuality_score=0.25)
    scored = replace(REPORT, mentions=(mention, *REPORT.mentions[1:]), events=(event,), warnings=("long",))
    odd = Annotation(Document("سطر\r\nآخر\u2028\u0640\u202b", "odd", None, {"tags": ["a", {"b": None}]}))
    reports = [replace(scored, document=replace(REPORT.document, id="s")), REPORT, odd]
    path = tmp_path / "corpus.jsonl"
    write_corpus(path, reports, CONTROL_CHANGE)
    assert read_corpus(path, CONTROL_CHANGE) == reports
    first = path.read_bytes()
    write_corpus(path, read_corpus(path, CONTROL_CHANGE), CONTROL_CHANGE)
    assert path.read_bytes() == first


def test_writer_refuses_what_the_reader_would_and_keeps_the_old_file(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "corpus.jsonl", RECORD)
    before = path.read_bytes()
    wrong = replace(REPORT, events=(replace(REPORT.events[0], factuality="maybe"),))
    with pytest.raises(DataError, match='document "r-0412": event "e1" has the unknown factuality "maybe"'):
        write_corpus(path, [wrong], CONTROL_CHANGE)
    with pytest.raises(DataError, match="the id is used twice"):
        write_corpus(path, [REPORT, REPORT], CONTROL_CHANGE)
    assert path.read_bytes() == before


def test_writer_refuses_meta_that_would_overwrite_a_key() -> None:
    clashing = replace(REPORT, document=replace(REPORT.document, meta={"events": 3}))
    with pytest.raises(DataError, match="meta key 'events' is a key of the corpus form"):
        annotation_to_dict(clashing)


def test_dataset_gives_back_the_annotations() -> None:
    pytest.importorskip("datasets")
    empty = Annotation(Document("لا شيء هنا", "empty", None, {"period": None, "n": 3}))
    dataset = to_dataset([REPORT, empty], CONTROL_CHANGE)
    assert dataset.num_rows == 2
    assert dataset[1]["date"] is None
    assert from_dataset(dataset, CONTROL_CHANGE) == [REPORT, empty]


@pytest.mark.parametrize("name", ["train.jsonl", "dev.jsonl"])
def test_shared_reports_read_clean(name: str, root: Path) -> None:
    folder = Path(os.environ.get("SAYTARA_SHARED", root.parent / "shared"))
    path = folder / "data" / name
    if not path.is_file():
        pytest.skip(f"{name} of the shared reports is not here; set SAYTARA_SHARED to their folder")
    annotations, problems = check_corpus_file(path, CONTROL_CHANGE)
    assert [re.sub(r"^.*?: ", "", str(problem)) for problem in problems] == []
    assert len(annotations) > 100
