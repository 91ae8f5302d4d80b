"""Markup sources compiled to the corpus."""

import hashlib
from pathlib import Path

import pytest

from builders import annotate
from saytara.corpus.build import SHARES, compile_reports, split_of, split_reports
from saytara.corpus.jsonl import read_corpus
from saytara.errors import DataError
from saytara.schema import CONTROL_CHANGE


def block(name: str, *header: str) -> str:
    return "\n".join([f"# id: {name}", *header, f"تقرير {name} عن [حمص|p1:PLACE]", "---", ""])


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / name / "reports.txt"
        path.parent.mkdir(parents=True)
        path.write_text(text, encoding="utf-8")
    return folder


def test_compile_writes_three_sorted_splits_and_the_same_bytes_again(tmp_path: Path) -> None:
    names = [f"r-{i:03}" for i in range(200)]
    reports = write(tmp_path / "reports", b="".join(map(block, names[::-1])), a=block("z-1"))
    counts = compile_reports(reports, tmp_path / "out", CONTROL_CHANGE)
    read = {split: read_corpus(tmp_path / "out" / f"{split}.jsonl", CONTROL_CHANGE) for split in SHARES}
    assert {split: len(annotations) for split, annotations in read.items()} == counts
    ids = {split: [annotation.document.id for annotation in annotations] for split, annotations in read.items()}
    assert sorted(name for found in ids.values() for name in found) == [*names, "z-1"]
    assert all(found == sorted(found) for found in ids.values())
    assert 140 <= counts["train"] <= 180
    digests = [hashlib.sha256(path.read_bytes()).digest() for path in sorted((tmp_path / "out").iterdir())]
    compile_reports(reports, tmp_path / "again", CONTROL_CHANGE)
    assert [hashlib.sha256(path.read_bytes()).digest() for path in sorted((tmp_path / "again").iterdir())] == digests


def test_split_is_what_the_header_says_and_leaves_the_record() -> None:
    splits = split_reports([annotate("نص", id=name, split=name) for name in SHARES])
    assert {split: [a.document.id for a in annotations] for split, annotations in splits.items()} == {
        "train": ["train"],
        "dev": ["dev"],
        "test": ["test"],
    }
    assert splits["dev"][0].document.meta == {}


def test_split_keeps_a_group_together() -> None:
    group = [annotate("نص", id=f"r-{i}", group="day-1") for i in range(30)]
    assert [len(annotations) for annotations in split_reports(group).values()].count(30) == 1
    led = [*group, annotate("نص", id="lead", group="day-1", split="test")]
    assert len(split_reports(led)["test"]) == 31


def test_split_of_a_name_follows_the_shares() -> None:
    counts = dict.fromkeys(SHARES, 0)
    for i in range(5000):
        counts[split_of(f"report-{i}")] += 1
    assert {split: round(count / 500) * 10 for split, count in counts.items()} == {"train": 80, "dev": 10, "test": 10}


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (
            {"a": block("x"), "b": block("x")},
            r'b.reports\.txt: document "x": the id is already used in .*a.reports\.txt',
        ),
        ({"a": "# id: x\n[نص|p1:PLAC]\n"}, r'a.reports\.txt:2: document "x": "p1" has the unknown label'),
        ({"a": block("x", "# split: trian")}, "document \"x\": unknown split 'trian'; known: .*; closest: train"),
        (
            {"a": block("x", "# group: g", "# split: dev") + block("y", "# group: g", "# split: test")},
            'document "y": group "g" is already in dev. Give it one split',
        ),
        ({}, r"no \.txt file lies here"),
    ],
)
def test_compile_refuses_and_writes_nothing(files: dict[str, str], message: str, tmp_path: Path) -> None:
    reports = write(tmp_path / "reports", **files)
    with pytest.raises(DataError, match=message):
        compile_reports(reports, tmp_path / "out", CONTROL_CHANGE)
    assert not (tmp_path / "out").exists()
