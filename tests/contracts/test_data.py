"""The corpus: its sources validate, what is compiled is what they give, and no split knows another's reports."""

import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from saytara.corpus.build import SHARES, compile_reports, group_of, read_reports, split_reports
from saytara.corpus.check import check_corpus, label_counts
from saytara.corpus.jsonl import read_corpus, write_corpus
from saytara.corpus.markup import check_markup_file
from saytara.document import Annotation
from saytara.schema import CONTROL_CHANGE

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "data"
COMPILED = [DATA / f"{split}.jsonl" for split in SHARES]

needs_compiled = pytest.mark.skipif(
    not all(path.is_file() for path in COMPILED), reason="data/*.jsonl is not compiled yet: saytara data compile"
)


@pytest.fixture(scope="module")
def sources() -> list[Annotation]:
    return read_reports(DATA / "reports", CONTROL_CHANGE)


@pytest.fixture(scope="module")
def splits(sources: list[Annotation]) -> dict[str, list[Annotation]]:
    return split_reports(sources)


# -- the sources -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("folder", ["reports", "second"])
def test_every_marked_up_report_validates(folder: str) -> None:
    files = sorted((DATA / folder).rglob("*.txt"))
    assert files
    problems = [str(problem) for file in files for problem in check_markup_file(file, CONTROL_CHANGE)[1]]
    assert problems == []


def test_no_split_is_empty(splits: dict[str, list[Annotation]]) -> None:
    assert min(len(annotations) for annotations in splits.values()) >= 30


def test_each_document_lies_in_one_split(splits: dict[str, list[Annotation]]) -> None:
    homes = Counter(annotation.document.id for annotations in splits.values() for annotation in annotations)
    assert [name for name, count in homes.items() if count > 1] == []


def test_each_group_lies_in_one_split(splits: dict[str, list[Annotation]]) -> None:
    homes = {split: {group_of(annotation) for annotation in annotations} for split, annotations in splits.items()}
    assert homes["train"] & homes["dev"] == homes["train"] & homes["test"] == homes["dev"] & homes["test"] == set()


def test_no_report_is_nearly_one_of_another_split_and_the_check_finds_no_error(
    splits: dict[str, list[Annotation]],
) -> None:
    errors = [str(finding) for finding in check_corpus(splits, CONTROL_CHANGE) if finding.level == "error"]
    assert errors == []


def test_every_label_type_role_and_value_occurs_in_each_split(splits: dict[str, list[Annotation]]) -> None:
    known = {
        *(("label", name) for name in CONTROL_CHANGE.mentions),
        *(("event type", name) for name in CONTROL_CHANGE.events),
        *(("role", name) for name in CONTROL_CHANGE.roles),
        *(("factuality", name) for name in CONTROL_CHANGE.factuality),
    }
    assert {split: known - set(label_counts(annotations)) for split, annotations in splits.items()} == {
        split: set() for split in SHARES
    }


def test_the_second_annotation_is_of_the_same_texts(sources: list[Annotation]) -> None:
    first = {annotation.document.id: annotation.document.text for annotation in sources}
    second = read_reports(DATA / "second", CONTROL_CHANGE)
    changed = [a.document.id for a in second if first.get(a.document.id) != a.document.text]
    assert changed == []


# -- what is compiled --------------------------------------------------------------------------------------------------


@needs_compiled
@pytest.mark.parametrize("path", COMPILED, ids=lambda path: path.stem)
def test_every_compiled_line_validates(path: Path) -> None:
    assert read_corpus(path, CONTROL_CHANGE)


@needs_compiled
def test_compiled_files_are_what_compiling_gives_now(tmp_path: Path) -> None:
    compile_reports(DATA / "reports", tmp_path, CONTROL_CHANGE)
    stale = [path.name for path in COMPILED if path.read_bytes() != (tmp_path / path.name).read_bytes()]
    assert stale == [], "run `saytara data compile` and commit what it writes"


def test_swapped_passages_hold_other_names_in_the_same_places(tmp_path: Path) -> None:
    source, output = ROOT / "data" / "dev.jsonl", tmp_path / "swapped.jsonl"
    script = [sys.executable, str(ROOT / "benchmarks" / "swap_mentions.py"), str(source), "--share", "0.6"]
    subprocess.run([*script, "--output", str(output)], check=True)
    pairs = list(zip(*(read_corpus(path, CONTROL_CHANGE) for path in (source, output)), strict=True))
    changed = mentions = 0
    for before, after in pairs:
        assert _around_mentions(after) == _around_mentions(before)
        assert [(m.id, m.label) for m in after.mentions] == [(m.id, m.label) for m in before.mentions]
        assert [(e.id, e.type, e.factuality, e.arguments) for e in after.events] == [
            (e.id, e.type, e.factuality, e.arguments) for e in before.events
        ]
        others: dict[tuple[str, str], str] = {}
        for one, other in zip(before.mentions, after.mentions, strict=True):
            old, new = before.text_of(one.span), after.text_of(other.span)
            assert others.setdefault((one.label, old), new) == new  # of one surface, all or none
            changed += old != new
            mentions += 1
    assert 0.2 < changed / mentions < 0.6


def _around_mentions(report: Annotation) -> list[str]:
    """What stands between the mentions, triggers marked."""
    edges = [0, *(edge for m in report.mentions for edge in (m.span.start, m.span.end)), len(report.document.text)]
    parts = [report.document.text[start:end] for start, end in zip(edges[::2], edges[1::2], strict=True)]
    return [*parts, *(report.text_of(event.trigger) for event in report.events)]


def test_standoff_annotations_join_their_texts_again(tmp_path: Path) -> None:
    annotated, texts = tmp_path / "annotated.jsonl", tmp_path / "texts.jsonl"
    reports = read_corpus(ROOT / "data" / "dev.jsonl", CONTROL_CHANGE)[:3]
    write_corpus(annotated, reports, CONTROL_CHANGE)
    bodies = ["مقدمة. " + report.document.text + " خاتمة." for report in reports]
    texts.write_text("\n\n".join(json.dumps({"text": body}) for body in bodies), encoding="utf-8")

    def run(action: str, source: Path, output: Path) -> int:
        script = [sys.executable, str(ROOT / "benchmarks" / "standoff.py"), action, str(source), str(texts)]
        return subprocess.run([*script, "--output", str(output)], check=False).returncode

    apart, again = tmp_path / "apart.jsonl", tmp_path / "again.jsonl"
    assert run("split", annotated, apart) == 0
    assert not any(report.document.text[:40] in apart.read_text(encoding="utf-8") for report in reports)
    assert run("join", apart, again) == 0
    assert read_corpus(again, CONTROL_CHANGE) == reports
    bodies[1] = bodies[1].replace("ا", "أ")
    texts.write_text("\n".join(json.dumps({"text": body}) for body in bodies), encoding="utf-8")
    assert run("join", apart, again) == 1
    assert [report.document.id for report in read_corpus(again, CONTROL_CHANGE)] == [
        reports[0].document.id,
        reports[2].document.id,
    ]


def test_standoff_annotations_hold_no_text() -> None:
    for path in (ROOT / "data" / "standoff").glob("*.jsonl"):
        assert not re.search(r"[\u0600-\u06ff]|\\u06", path.read_text(encoding="utf-8"))
