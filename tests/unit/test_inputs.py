"""Reports in: what is read, and what becomes a problem in its place."""

import io
import json
import sys
from datetime import date
from pathlib import Path

import pytest

from saytara.document import Document
from saytara.errors import DataError
from saytara.inputs import read_documents


def write(path: Path, content: str | bytes) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(path)


def test_a_text_file_is_one_report_named_after_it(tmp_path: Path) -> None:
    assert list(read_documents([write(tmp_path / "حمص.txt", "نص\r\n")])) == [Document("نص\r\n", "حمص")]


def test_a_json_line_keeps_its_date_and_unknown_keys(tmp_path: Path) -> None:
    record = {"id": 7, "text": "نص", "date": "2024-12-07T10:00:00", "outlet": "x"}
    (document,) = read_documents([write(tmp_path / "r.jsonl", json.dumps(record))])
    assert document == Document("نص", "7", date(2024, 12, 7), {"outlet": "x"})


def test_records_without_id_are_named_by_file_and_line(tmp_path: Path) -> None:
    path = write(tmp_path / "r.jsonl", '{"text": "أ"}\n\n{"text": "ب"}\n')
    assert [d.id for d in read_documents([path]) if isinstance(d, Document)] == ["r-1", "r-3"]


def test_a_folder_gives_its_files_in_order(tmp_path: Path) -> None:
    write(tmp_path / "b.txt", "ب")
    write(tmp_path / "a" / "x.txt", "أ")
    write(tmp_path / "notes.md", "-")
    assert [d.id for d in read_documents([str(tmp_path)]) if isinstance(d, Document)] == ["a/x", "b"]


@pytest.mark.parametrize(
    ("content", "ids"), [('{"id": "j", "text": "نص"}\n', ["j"]), ("\nنص عادي\nسطر", ["stdin"]), ("", ["stdin"])]
)
def test_standard_input_is_json_lines_or_one_text(
    content: str, ids: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content.encode())))
    assert [d.id for d in read_documents(["-"]) if isinstance(d, Document)] == ids


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"{", r"r\.jsonl:2: is not a JSON object"),
        (b"[1]", r"r\.jsonl:2: must be a JSON object, not list"),
        (b'{"id": "x"}', r"r\.jsonl:2: report 'x': has no `text`"),
        (b'{"id": "x", "text": 5}', "has no `text`"),
        (b'{"id": ["x"], "text": ""}', "`id` must be a string"),
        (b'{"id": "x", "text": "", "date": "7/12"}', "must be an ISO day"),
        (b'{"id": "ok", "text": ""}', r"report 'ok': the id was seen before"),
        (b'{"id": "x", "text": "\xff"}', "is not UTF-8"),
    ],
)
def test_a_bad_record_is_a_problem_in_its_place_and_the_rest_comes_out(
    tmp_path: Path, line: bytes, message: str
) -> None:
    path = write(tmp_path / "r.jsonl", b'{"id": "ok", "text": "a"}\n' + line + b'\n{"id": "end", "text": "b"}')
    first, problem, last = read_documents([path])
    assert isinstance(problem, DataError)
    with pytest.raises(DataError, match=message):
        raise problem
    assert [first, last] == [Document("a", "ok"), Document("b", "end")]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [("x.txt", b"\xff\xfe", "is not UTF-8"), (None, b"", "cannot be read"), ("sub/x.md", b"", r"holds no \.txt")],
)
def test_a_bad_file_is_a_problem(tmp_path: Path, name: str | None, content: bytes, message: str) -> None:
    source = str(tmp_path / "missing.txt") if name is None else write(tmp_path / name, content)
    if name and name.endswith(".md"):
        source = str(tmp_path / "sub")
    (problem,) = read_documents([source])
    assert isinstance(problem, DataError)
    with pytest.raises(DataError, match=message):
        raise problem
