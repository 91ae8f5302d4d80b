"""`saytara predict` and `evaluate` on whole files: the output contract, bad records, long reports."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch", reason="the tiny checkpoint is trained here")

from saytara.cli import main
from saytara.corpus.jsonl import write_corpus
from saytara.document import Annotation
from saytara.metrics import report as score_report
from saytara.metrics import score_document
from saytara.output import from_output
from saytara.schema import CONTROL_CHANGE

Predict = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def predict(tiny_checkpoint: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> Predict:
    """Run `saytara predict` with the tiny checkpoint; gives the records, or fails on another exit status."""

    def run(*arguments: str | Path, status: int = 0) -> list[dict[str, Any]]:
        capfdbinary.readouterr()
        found = main(["predict", "--model", str(tiny_checkpoint), "--quiet", *map(str, arguments)])
        output, run.errors = capfdbinary.readouterr()  # type: ignore[attr-defined]
        assert found == status, run.errors.decode()  # type: ignore[attr-defined]
        return [json.loads(line) for line in output.decode("utf-8").splitlines()]

    return run


def errors_of(predict: Predict) -> list[str]:
    """What the last run wrote on standard error."""
    lines: list[str] = predict.errors.decode().splitlines()  # type: ignore[attr-defined]
    return lines


def check_contract(record: dict[str, Any]) -> None:
    """The output contract of docs/architecture.md."""
    text = record["text"]
    assert {"id", "text", "date", "meta", "actors", "places", "sources", "times", "events", "warnings", "model"} == set(
        record
    )
    labels = {}
    for label, name in CONTROL_CHANGE.lists.items():
        for number, mention in enumerate(record[name], 1):
            assert mention["id"] == f"{CONTROL_CHANGE.mentions[label]}{number}"
            assert text[mention["start"] : mention["end"]] == mention["text"] != ""
            assert 0 <= mention["score"] <= 1
            assert ("value" if label == "TIME" else "entry" if label != "SOURCE" else "name") in mention
            labels[mention["id"]] = label
    for number, event in enumerate(record["events"], 1):
        assert event["id"] == f"e{number}"
        assert event["type"] in CONTROL_CHANGE.events
        assert event["factuality"] in CONTROL_CHANGE.factuality
        assert text[event["trigger"]["start"] : event["trigger"]["end"]] == event["trigger"]["text"] != ""
        roles = set()
        for argument in event["arguments"]:
            assert labels[argument["mention"]] in CONTROL_CHANGE.roles[argument["role"]]
            assert 0 <= argument["score"] <= 1
            roles.add(argument["role"])
        expected = "claimed" if "claimant" in roles else "reported" if "reporter" in roles else "stated"
        assert event["attribution"] == expected
        assert 0 <= event["score"] <= 1
        assert 0 <= event["factuality_score"] <= 1
    assert set(record["model"]) == {"name", "revision", "version"}


def write_lines(path: Path, *records: dict[str, Any] | bytes) -> Path:
    lines = [
        record if isinstance(record, bytes) else json.dumps(record, ensure_ascii=False).encode() for record in records
    ]
    path.write_bytes(b"\n".join(lines) + b"\n")
    return path


# -- where reports come from -------------------------------------------------------------------------------------------


def test_a_text_file_is_one_report(predict: Predict, reports: dict[str, Annotation], tmp_path: Path) -> None:
    path = tmp_path / "news.txt"
    path.write_text(reports["denial"].document.text, encoding="utf-8")
    (record,) = predict(path, "--date", "2024-12-08")
    check_contract(record)
    assert (record["id"], record["date"], record["meta"]) == ("news", "2024-12-08", {})
    (event,) = record["events"]
    assert (event["type"], event["factuality"], event["attribution"]) == ("CAPTURE", "denied", "claimed")


def test_each_line_of_a_jsonl_file_is_one(predict: Predict, reports: dict[str, Annotation], tmp_path: Path) -> None:
    lines = [
        {"id": name, "text": report.document.text, "date": "2024-12-07", "outlet": "agency", "n": [1]}
        for name, report in reports.items()
    ]
    del lines[1]["id"], lines[1]["date"]
    records = predict(write_lines(tmp_path / "reports.jsonl", *lines), "--date", "2020-01-01")
    for record, line in zip(records, lines, strict=True):
        check_contract(record)
        assert record["text"] == line["text"]
        assert record["meta"] == {"outlet": "agency", "n": [1]}
        assert record["date"] == line.get("date", "2020-01-01")
    assert [record["id"] for record in records] == ["capture", "reports-2", *list(reports)[2:]]
    events = {record["id"]: record["events"] for record in records}
    claim = {(argument["role"], argument["mention"]) for argument in events["self-claim"][0]["arguments"]}
    assert {("controller", "a1"), ("claimant", "a1")} <= claim
    assert events["no-events"] == []
    assert ("place", "p1") in {(a["role"], a["mention"]) for a in events["across-sentences"][0]["arguments"]}


def test_a_folder_gives_its_files_in_order(predict: Predict, tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "x.txt").write_text("انسحبت كتيبة الصقر")
    (tmp_path / "a.txt").write_text("سيطرت قوات النسر")
    (tmp_path / "c.md").write_text("not read")
    write_lines(tmp_path / "d.jsonl", {"text": "أ"}, {"text": "ب"})
    assert [record["id"] for record in predict(tmp_path)] == ["a", "b/x", "d-1", "d-2"]


@pytest.mark.parametrize(
    ("content", "ids"),
    [("سيطرت قوات النسر\nعلى البلدة", ["stdin"]), ('\n{"text": "أ"}\n\n{"id": 7, "text": "ب"}\n', ["stdin-1", "7"])],
    ids=["text", "jsonl"],
)
def test_standard_input_is_text_or_jsonl(
    predict: Predict, monkeypatch: pytest.MonkeyPatch, content: str, ids: list[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content.encode())))
    assert [record["id"] for record in predict("-")] == ids


# -- how they come out -------------------------------------------------------------------------------------------------


def test_the_table_is_for_people(
    tiny_checkpoint: Path, reports: dict[str, Annotation], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [
        {"id": name, "text": reports[name].document.text} for name in ("denial", "no-events", "handover", "expected")
    ]
    path = write_lines(tmp_path / "reports.jsonl", *lines)
    assert main(["predict", "--model", str(tiny_checkpoint), "--format", "table", "--quiet", str(path)]) == 0
    denial, none, handover, expected = capsys.readouterr().out.strip().split("\n\n")
    assert none == "no-events: no events"
    for block, words in [
        (denial, ("CAPTURE", "النبع", "قوات النسر", "claimed denied", "كتيبة الصقر")),
        (handover, ("HANDOVER", "السهل", "شرطة الإقليم", "reported", "وكالة البيان", "أمس")),
        (expected, ("CAPTURE", "الشرق", "stated expected", "الأسبوع المقبل")),
    ]:
        title, header, row = block.splitlines()
        assert title in reports
        assert header.split()[:3] == ["event", "place", "controller"]
        for word in words:
            assert word in row


def test_answers_do_not_depend_on_workers(predict: Predict, reports: dict[str, Annotation], tmp_path: Path) -> None:
    path = write_lines(
        tmp_path / "reports.jsonl", *({"id": name, "text": report.document.text} for name, report in reports.items())
    )
    outputs = []
    for workers in ("1", "3"):
        assert predict(path, "--workers", workers, "--output", tmp_path / workers) == []
        outputs.append((tmp_path / workers).read_bytes())
    assert outputs[0] == outputs[1] != b""


def test_scores_of_predictions_are_those_that_evaluate_prints(
    predict: Predict,
    tiny_checkpoint: Path,
    reports: dict[str, Annotation],
    tmp_path: Path,
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    # what the checkpoint saw, and the same reports in pairs, which it did not
    texts = list(reports.values())
    write_corpus(tmp_path / "gold.jsonl", texts, CONTROL_CHANGE)
    figures = tmp_path / "figures.json"
    arguments = ["--data", str(tmp_path / "gold.jsonl"), "--threshold", "controller=0.999", "--output", str(figures)]
    assert main(["evaluate", "--model", str(tiny_checkpoint), *arguments]) == 0
    table = capfdbinary.readouterr().out.decode()
    expected = json.loads(figures.read_text())
    records = predict(tmp_path / "gold.jsonl", "--threshold", "controller=0.999")
    found = [from_output(record, CONTROL_CHANGE) for record in records]
    scores = score_report([score_document(g, p, CONTROL_CHANGE) for g, p in zip(texts, found, strict=True)])
    assert json.loads(json.dumps(scores)) == {name: expected[name] for name in scores}
    line = next(line for line in table.splitlines() if line.startswith("event "))
    assert f"{expected['event']['f1']:.3f}" in line
    assert "gold mentions: argument" in table


# -- bad records -------------------------------------------------------------------------------------------------------

BAD = [
    (b'{"text": "\xff"}', r"is not UTF-8 (byte 10 of the line"),
    (b'{"id": "x", "date": "2024-12-07"}', "report 'x': has no `text`. Give the report as a string"),
    (b'{"id": "x", "text": null}', "has no `text`"),
    (b'{"id": "good", "text": "other"}', "the id was seen before. Give each report an id of its own"),
    (b"not json", "is not a JSON object"),
    (b'{"text": "half', "is not a JSON object"),
    (b"[1]", "must be a JSON object, not list"),
    (b"[" * 100_000, "is not a JSON object"),
    (b'{"id": [], "text": "a"}', "`id` must be a string"),
    (b'{"id": "x", "text": "a", "date": "yesterday"}', "`date` must be an ISO day such as 2024-12-07, got 'yesterday'"),
]


@pytest.mark.parametrize(("line", "message"), BAD, ids=[message[:24] for _, message in BAD])
def test_a_bad_record_is_reported_and_passed_over(predict: Predict, tmp_path: Path, line: bytes, message: str) -> None:
    path = write_lines(tmp_path / "r.jsonl", {"id": "good", "text": "أ"}, line, {"id": "after", "text": "ب"})
    assert [record["id"] for record in predict(path)] == ["good", "after"]
    problem, count = errors_of(predict)
    assert message in problem
    assert problem.startswith(f"saytara: {path}:2") or (
        message.startswith("the id") and f"saytara: {path}: " in problem
    )
    assert count == "saytara: 1 records were passed over; see above."


def test_strict_stops_at_the_first_bad_record(predict: Predict, tmp_path: Path) -> None:
    path = write_lines(tmp_path / "r.jsonl", {"id": "1", "text": "أ"}, b"{", {"id": "2", "text": "ب"}, b"{")
    for workers in ("1", "3"):
        assert [r["id"] for r in predict(path, "--strict", "--workers", workers, status=2)] == ["1"]
        assert len(errors_of(predict)) == 1


def test_strict_leaves_the_output_file_as_it_was(predict: Predict, tmp_path: Path) -> None:
    path = write_lines(tmp_path / "r.jsonl", {"id": "1", "text": "أ"}, b"{")
    (tmp_path / "out.jsonl").write_text("before")
    predict(path, "--strict", "--output", tmp_path / "out.jsonl", status=2)
    assert (tmp_path / "out.jsonl").read_text() == "before"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["out.jsonl", "r.jsonl"]


def test_an_output_file_is_whole_or_what_it_was(
    predict: Predict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from saytara.pipeline import Extractor

    path = write_lines(tmp_path / "r.jsonl", {"id": "1", "text": "أ"}, {"id": "2", "text": "ب"})
    predict(path, "--output", tmp_path / "new" / "out.jsonl")
    before = (tmp_path / "new" / "out.jsonl").read_bytes()
    assert [json.loads(line)["id"] for line in before.splitlines()] == ["1", "2"]
    extract = Extractor.extract_document

    def fail_late(self: Extractor, document: Any) -> Annotation:
        if document.id == "2":
            raise KeyboardInterrupt
        return extract(self, document)

    monkeypatch.setattr(Extractor, "extract_document", fail_late)
    predict(path, "--output", tmp_path / "new" / "out.jsonl", status=130)
    assert (tmp_path / "new" / "out.jsonl").read_bytes() == before
    assert [file.name for file in (tmp_path / "new").iterdir()] == ["out.jsonl"]


@pytest.mark.parametrize("name", ["missing.txt", "missing.jsonl", "empty"])
def test_nothing_to_read_is_a_failure(predict: Predict, tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    assert predict(tmp_path / name, status=1) == []
    assert name in errors_of(predict)[0]


def test_a_text_file_that_is_not_utf8_is_passed_over(predict: Predict, tmp_path: Path) -> None:
    (tmp_path / "bad.txt").write_bytes("سيطرت".encode("cp1256"))
    (tmp_path / "good.txt").write_bytes("\ufeffسيطرت".encode())
    (record,) = predict(tmp_path)
    assert (record["id"], record["text"]) == ("good", "سيطرت")
    assert "bad.txt: is not UTF-8 (byte 0" in errors_of(predict)[0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--threshold", "contoller=0.4"), "no threshold can be set for 'contoller'; .*closest: controller"),
        (("--threshold", "controller=2"), "threshold of 'controller' is 2.0; give a score between 0 and 1"),
        (("--threshold", "controller"), "--threshold takes NAME=SCORE, such as controller=0.6; got 'controller'"),
        (("--date", "7.12.2024"), "--date takes an ISO day such as 2024-12-07, got '7.12.2024'"),
        (("--engine", "torch", "--revision", "x"), None),
    ],
)
def test_wrong_options_are_refused(
    predict: Predict, tmp_path: Path, arguments: tuple[str, ...], message: str | None
) -> None:
    import re

    path = tmp_path / "r.txt"
    path.write_text("أ")
    predict(path, *arguments, status=1 if message else 0)
    if message:
        assert re.search(message, errors_of(predict)[-1])


def test_thresholds_keep_low_scores_out(predict: Predict, reports: dict[str, Annotation], tmp_path: Path) -> None:
    path = tmp_path / "r.txt"
    path.write_text(reports["capture"].document.text)
    (before,) = predict(path)
    (after,) = predict(path, "--threshold", "ACTOR=1", "--threshold", "place=1")
    assert before["actors"]
    assert not after["actors"]
    assert after["places"] == before["places"] != []
    assert {a["role"] for e in before["events"] for a in e["arguments"]} >= {"controller", "place"}
    assert {a["role"] for e in after["events"] for a in e["arguments"]} == {"time"}


# -- odd texts ---------------------------------------------------------------------------------------------------------

GOLD = "سيطرت قوات النسر على بلدة الزيتونة."
ODD = {
    "empty": "",
    "blank": " \n\t\u200f\ufeff",
    "latin": "Reuters, Dec 7 (2024). Nothing in Arabic here.",
    "marks only": "\u064b" * 500,
    "one word of a megabyte": "ك" * (1 << 20),
    "lone surrogates": "قال \ud83d إن \udfff القوات",
    "crlf": GOLD + "\r\n\r\n" + GOLD + "\r\n",
    "bidi, tatweel, marks": "\u202bسيطـــرت\u200f قُوّات النّسر على \u2067بلدة الزيتونة\u2069.\u202c",
    "presentation forms": "ﺳﻴﻄﺮﺕ قوات النسر على بلدة الزيتونة",
    "emoji and zero bytes": "🚨\0 " + GOLD + " 👩‍👩‍👧",
    "a line of 1000 words": " ".join([GOLD[:-1]] * 200),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_texts_come_out_untouched(predict: Predict, tmp_path: Path, name: str) -> None:
    text = ODD[name]
    path = tmp_path / "r.jsonl"
    path.write_text(json.dumps({"id": "odd", "text": text}) + '\n{"id": "next", "text": "أ"}\n')
    record, following = predict(path)
    check_contract(record)
    assert record["text"] == text
    assert following["id"] == "next"
    if "سيط" in text or "ﺳ" in text:
        assert record["events"], "what stands between odd characters is found"
    elif name in ("empty", "blank", "marks only"):
        assert [record[key] for key in ("actors", "places", "sources", "times", "events")] == [[]] * 5


def test_a_table_of_lone_surrogates_is_utf8(predict: Predict, tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    path.write_text(json.dumps({"id": "\ud83d", "text": "\udfff " + GOLD}))
    predict(path, "--format", "table", "--output", tmp_path / "table")
    assert (tmp_path / "table").read_bytes().decode("utf-8").startswith("\\ud83d\n")


def test_a_long_report_is_read_to_its_end(predict: Predict, reports: dict[str, Annotation], tmp_path: Path) -> None:
    sentences = [
        reports[name].document.text for name in ("capture", "denial", "self-claim", "handover", "siege", "hold")
    ]
    parts = []
    while sum(len(part.split()) for part in parts) < 20_000:
        parts.append(sentences[len(parts) % len(sentences)])
    text = "\n".join(parts)
    (tmp_path / "long.txt").write_text(text, encoding="utf-8")
    (record,) = predict(tmp_path / "long.txt")
    check_contract(record)
    starts = [event["trigger"]["start"] for event in record["events"]]
    assert starts == sorted(starts)
    lines = []
    position = 0
    for part in parts:
        lines.append((position, position + len(part)))
        position += len(part) + 1
    found = [any(start <= s < end for s in starts) for start, end in lines]
    assert sum(found) > 0.9 * len(found)  # nearly every sentence's event, far from the windows' edges and at them
    assert all(any(found[i : i + 20]) for i in range(0, len(found), 20))
    places = [place["start"] for place in record["places"]]
    assert len(set(places)) == len(places)  # read twice where windows overlap, given once


# -- the process -------------------------------------------------------------------------------------------------------


def test_a_reader_that_goes_away_is_no_error(tiny_checkpoint: Path, tmp_path: Path, root: Path) -> None:
    path = write_lines(tmp_path / "r.jsonl", *({"id": str(i), "text": "أ " * 4000} for i in range(40)))
    process = subprocess.Popen(
        [sys.executable, str(root / "predict.py"), "--model", str(tiny_checkpoint), "--quiet", str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},  # whatever the terminal's encoding, files are UTF-8
    )
    assert process.stdout is not None
    assert process.stderr is not None
    assert json.loads(process.stdout.readline())["text"].startswith("أ")
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait(timeout=60) == 0
    process.stderr.close()
