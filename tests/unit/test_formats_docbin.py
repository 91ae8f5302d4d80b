"""spaCy's DocBin: spans where spaCy looks for them, words cut and counted, files of others, corrections."""

from pathlib import Path

import pytest

pytest.importorskip("spacy", reason="saytara[formats] is not installed")

import spacy
from spacy.tokens import DocBin, Span

from builders import annotate
from saytara.corpus.formats.docbin import CUT, read_docbin, write_docbin
from saytara.errors import DataError
from saytara.schema import CONTROL_CHANGE

FALL = annotate("نفت [الوزارة|a1:ACTOR] [سقوط|e1:CAPTURE] [بحمص|p1:PLACE].", "e1 denied place=p1 claimant=a1", id="r")


def docs(path: Path) -> list[spacy.tokens.Doc]:
    return list(DocBin(store_user_data=True).from_disk(path).get_docs(spacy.blank("ar").vocab))


def write_docs(path: Path, found: list[spacy.tokens.Doc]) -> None:
    DocBin(docs=found, store_user_data=True).to_disk(path)


def test_spans_lie_where_spacy_looks_for_them(tmp_path: Path) -> None:
    path = tmp_path / "out.spacy"
    assert write_docbin(path, [FALL], CONTROL_CHANGE) == {}
    (doc,) = docs(path)
    assert [token.text for token in doc] == ["نفت", "الوزارة", "سقوط", "بحمص", "."]
    assert [(e.text, e.label_) for e in doc.ents] == [("الوزارة", "ACTOR"), ("بحمص", "PLACE")]
    assert [(s.text, s.label_, s.id_) for s in doc.spans["triggers"]] == [("سقوط", "CAPTURE", "e1")]


def test_words_that_do_not_align_are_cut_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "out.spacy"
    odd = annotate('[تنظيم "داعش|a1:ACTOR]". ب[حمص|p1:PLACE]', id="odd")
    assert write_docbin(path, [odd, FALL], CONTROL_CHANGE) == {CUT: 2}
    assert read_docbin(path, CONTROL_CHANGE) == ([odd, FALL], {})


def test_a_file_of_others_gives_its_entities(tmp_path: Path) -> None:
    doc = spacy.blank("ar")("دخل الجيش حمص")
    doc.set_ents([Span(doc, 1, 2, "ACTOR"), Span(doc, 2, 3, "PLACE")])
    write_docs(tmp_path / "own.spacy", [doc])
    expected = annotate("دخل [الجيش|a1:ACTOR] [حمص|p1:PLACE]", id="own-1")
    assert read_docbin(tmp_path / "own.spacy", CONTROL_CHANGE)[0] == [expected]


def test_corrected_spans_count_and_lost_arguments_are_said(tmp_path: Path) -> None:
    path = tmp_path / "out.spacy"
    write_docbin(path, [FALL], CONTROL_CHANGE)
    (doc,) = docs(path)
    doc.spans["mentions"] = [span for span in doc.spans["mentions"] if span.label_ != "PLACE"]
    write_docs(path, [doc])
    ((annotation,), losses) = read_docbin(path, CONTROL_CHANGE)
    assert [m.id for m in annotation.mentions] == ["a1"]
    assert annotation.events[0].fillers("claimant") == ("a1",)
    assert losses == {"arguments whose mention was removed": 1}


def test_reader_refuses_with_file_and_document(tmp_path: Path) -> None:
    path = tmp_path / "own.spacy"
    doc = spacy.blank("ar")("دخل الجيش حمص")
    doc.set_ents([Span(doc, 1, 2, "ARMY")])
    write_docs(path, [doc])
    with pytest.raises(
        DataError, match=r'own\.spacy: document 1 "own-1", mention 1: "الجيش" has the unknown label "ARMY"'
    ):
        read_docbin(path, CONTROL_CHANGE)
    path.write_bytes(b"no")
    with pytest.raises(DataError, match=r"own\.spacy: is no DocBin"):
        read_docbin(path, CONTROL_CHANGE)
