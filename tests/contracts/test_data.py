"""The corpus: its sources validate, what is compiled is what they give, and no split knows another's reports."""

from collections import Counter
from pathlib import Path

import pytest

from saytara.corpus.build import SHARES, compile_reports, group_of, read_reports, split_reports
from saytara.corpus.check import check_corpus, label_counts
from saytara.corpus.jsonl import read_corpus
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
