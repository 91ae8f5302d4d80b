"""CoNLL columns in and out."""

import logging
from pathlib import Path

import pytest

from builders import annotate
from saytara.corpus.conll import read_conll, write_conll
from saytara.corpus.formats import write_format
from saytara.document import Annotation
from saytara.errors import DataError
from saytara.schema import CONTROL_CHANGE, NER


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "news.txt"
    path.write_bytes(text.encode())
    return path


def mentions(annotation: Annotation) -> list[tuple[str, str]]:
    return [(annotation.text_of(mention.span), mention.label) for mention in annotation.mentions]


def test_read_makes_a_document_of_each_sentence(tmp_path: Path) -> None:
    path = write(tmp_path, "زار O\nعمر B-PERS\nسالم I-PERS\nتونس B-LOC\n. O\n\n\nعاد\tO\r\nأمس\tO")
    first, second = read_conll(path, NER)
    assert first.document.text == "زار عمر سالم تونس ."
    assert mentions(first) == [("عمر سالم", "PERS"), ("تونس", "LOC")]
    assert [mention.id for mention in first.mentions] == ["n1", "n2"]
    assert (first.document.id, second.document.id) == ("news-1", "news-2")
    assert second.document.text == "عاد أمس"


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ("B-LOC B-LOC O", ["أ", "ب"]),  # IOB2
        ("I-LOC B-LOC I-LOC", ["أ", "ب ج"]),  # IOB1: B only after a mention of the same label
        ("I-LOC I-LOC O", ["أ ب"]),  # IO
        ("I-LOC I-ORG I-LOC", ["أ", "ب", "ج"]),
        ("B-LOC O I-LOC", ["أ", "ج"]),
    ],
)
def test_read_understands_iob2_iob1_and_io(tags: str, expected: list[str], tmp_path: Path) -> None:
    rows = "\n".join(f"{token} {tag}" for token, tag in zip("أبج", tags.split(), strict=True))
    (annotation,) = read_conll(write(tmp_path, rows), NER)
    assert [text for text, _ in mentions(annotation)] == expected


def test_read_groups_sentences_by_number_or_by_document_start(tmp_path: Path) -> None:
    path = write(tmp_path, "-DOCSTART- O\n\nأ O\n\nب B-LOC\n\nج O\n\n-DOCSTART- O\n\nد O\n")
    pairs = read_conll(path, NER, sentences_per_document=2)
    assert [annotation.document.text for annotation in pairs] == ["أ\nب", "ج", "د"]
    assert mentions(pairs[0]) == [("ب", "LOC")]
    whole = read_conll(path, NER, sentences_per_document=None)
    assert [annotation.document.text for annotation in whole] == ["أ\nب\nج", "د"]


def test_read_renames_labels_and_takes_the_tag_of_a_named_column(tmp_path: Path) -> None:
    path = write(tmp_path, "عمر N B-PER x\n")
    (annotation,) = read_conll(path, NER, rename={"PER": "PERS"}, tag_column=2)
    assert mentions(annotation) == [("عمر", "PERS")]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("أ O\nب B-PER\n".encode(), r'news\.txt:2: token "ب" has the unknown tag "B-PER"; known: .*; closest: B-PERS'),
        ("أ E-LOC\n".encode(), 'unknown tag "E-LOC"'),
        ("أ O\n\nب\n".encode(), r"news\.txt:3: has 1 columns, not token and tag"),
        ("أ B-LOC B-ORG\n".encode(), r"news\.txt:1: has 3 columns"),
        (b"\xff O\n", r"news\.txt:1: is not UTF-8"),
    ],
)
def test_read_refuses_with_file_and_line(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "news.txt"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_conll(path, NER)


def test_read_refuses_a_column_that_is_not_there_and_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"news\.txt:1: has 2 columns, so none with index 3"):
        read_conll(write(tmp_path, "أ O\n"), NER, tag_column=3)
    with pytest.raises(DataError, match=r"none\.txt: cannot be read"):
        read_conll(tmp_path / "none.txt", NER)


@pytest.mark.parametrize("sentences_per_document", [1, 2])
def test_what_was_read_is_written_and_reads_back_equal(sentences_per_document: int, tmp_path: Path) -> None:
    path = write(tmp_path, "عمر B-PERS\n3.5 O\nتونس B-LOC\nقرطاج B-LOC\n\n(د O\nأ) B-ORG\n\nنعم O\n")
    read = read_conll(path, NER, sentences_per_document=sentences_per_document)
    write_conll(path, read, NER)
    again = read_conll(path, NER, sentences_per_document=None if sentences_per_document > 1 else 1)
    assert again == read


def test_write_cuts_tokens_at_the_edges_of_mentions(tmp_path: Path) -> None:
    path = tmp_path / "out.txt"
    write_conll(path, [annotate("قرب «[نادي النور|n1:ORG]»، [تونس|n2:LOC].", schema=NER)], NER)
    expected = "قرب O\n« O\nنادي B-ORG\nالنور I-ORG\n»، O\nتونس B-LOC\n. O\n\n"
    assert path.read_text(encoding="utf-8") == expected


def test_write_keeps_a_mention_whole_that_crosses_a_line_end(tmp_path: Path) -> None:
    path = tmp_path / "out.txt"
    write_conll(path, [annotate("قبل\n[نادي\nالنور|n1:ORG] بعد", schema=NER)], NER)
    assert path.read_text(encoding="utf-8").split("\n\n")[2] == "نادي B-ORG\nالنور I-ORG\nبعد O"


def test_write_says_that_events_are_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    fall = annotate("[سقوط|e1:CAPTURE]", "e1 actual")
    with caplog.at_level(logging.WARNING):
        losses = write_format("conll", tmp_path / "out.txt", [fall], CONTROL_CHANGE)
    assert losses["events"] == 1
    assert "events (1)" in caplog.text


def test_write_refuses_a_label_of_another_schema(tmp_path: Path) -> None:
    with pytest.raises(DataError, match='document "r-1": unknown label "ACTOR"; known: LOC'):
        write_conll(tmp_path / "out.txt", [annotate("[الجيش|a1:ACTOR]")], NER)
    assert not (tmp_path / "out.txt").exists()
