"""Every format: what was written reads back equal, but for what the format says it left out."""

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from builders import annotate
from saytara.corpus.formats import FORMATS, read_format, write_format
from saytara.corpus.formats.draft import give_ids, in_order, renumber
from saytara.corpus.formats.files import document_id_of, file_name
from saytara.document import ActorEntry, Annotation
from saytara.errors import DataError, MissingExtraError
from saytara.schema import CONTROL_CHANGE, NER

PLAIN = annotate(
    "أعلنت [كتيبة النور|a1:ACTOR] [سيطرتها|e1:CAPTURE] على [قرية السدر|p1:PLACE] [وقرية الأثل|p2:PLACE]، ونفى"
    " [الناطق|s1:SOURCE] [انسحاب|e2:WITHDRAWAL] [رجاله|a2:ACTOR] [أمس|t1:TIME].",
    "e1 actual controller=a1 place=p1,p2 claimant=a1",
    "e2 denied displaced=a2 claimant=s1 time=t1",
    id="plain",
    date=date(2024, 12, 7),
    outlet="agency",
)
ODD = annotate(
    "😀 قال [المرصد\nالمحلي|s1:SOURCE] (\u200f[قسد|a1:ACTOR])\t«[تحاصر|e1:SIEGE]» [حيّ الـنـور|p1:PLACE]\r\n"
    '\\# سطر 😀[ظهرا|t1:TIME] تنظيم [الراية|a2:ACTOR]".',
    "e1 prospective controller=a1 displaced=a2 place=p1 reporter=s1",
    id="odd/ن 1: %",
)
EMPTY = annotate("افتتحت البلدية سوقا جديدة للخضار.", id="empty")
CORPUS = [PLAIN, ODD, EMPTY]

NAMES = {
    "jsonl": "corpus.jsonl",
    "markup": "corpus.txt",
    "brat": "folder",
    "conll": "corpus.conll",
    "doccano": "corpus.jsonl",
    "label-studio": "corpus.json",
    "inception": "folder",
    "spacy": "corpus.spacy",
}
NEEDS = {"inception": "cassis", "spacy": "spacy"}
FULL = [name for name in NAMES if name != "conll"]


def bare(annotation: Annotation) -> Annotation:
    """Without date and header."""
    return replace(annotation, document=replace(annotation.document, date=None, meta={}))


def in_text_order(annotation: Annotation) -> Annotation:
    return in_order(annotation, CONTROL_CHANGE)


KEPT: dict[str, Callable[[Annotation], Annotation]] = {
    "jsonl": lambda annotation: annotation,
    "markup": lambda annotation: annotation,
    "brat": lambda annotation: bare(in_text_order(annotation)),
    "doccano": in_text_order,
    "label-studio": in_text_order,
    "inception": lambda annotation: bare(in_text_order(annotation)),
    "spacy": in_text_order,
}
"""What is left of an annotation whose ids are those that counting gives."""


def test_the_tests_cover_every_format() -> None:
    assert set(NAMES) == set(FORMATS)


@pytest.fixture(params=FULL)
def form(request: pytest.FixtureRequest) -> str:
    """Each format that carries events; skipped where its library is not installed."""
    name: str = request.param
    if name in NEEDS:
        pytest.importorskip(NEEDS[name])
    return name


def test_round_trip(form: str, tmp_path: Path) -> None:
    path = tmp_path / NAMES[form]
    write_format(form, path, CORPUS, CONTROL_CHANGE)
    read, losses = read_format(form, path, CONTROL_CHANGE)
    found = {annotation.document.id: annotation for annotation in read}
    assert found == {annotation.document.id: KEPT[form](annotation) for annotation in CORPUS}
    assert losses == {}


def test_what_is_written_twice_is_the_same(form: str, tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_format(form, tmp_path / name / NAMES[form], CORPUS, CONTROL_CHANGE)
    one, two = (
        {file.name: file.read_bytes() for file in sorted((tmp_path / name).rglob("*")) if file.is_file()}
        for name in ("one", "two")
    )
    assert one == two


def test_a_schema_without_events_passes_through(form: str, tmp_path: Path) -> None:
    news = annotate("زار [عمر|n1:PERS] [تونس|n2:LOC].", schema=NER, id="news")
    path = tmp_path / NAMES[form]
    write_format(form, path, [news], NER)
    assert read_format(form, path, NER)[0] == [news]


def scored(annotation: Annotation) -> Annotation:
    """As a model would give it: with scores, warnings and an entry, under ids that counting would not give."""
    mentions = tuple(replace(m, id=f"{m.id}0", score=0.5) for m in annotation.mentions)
    events = tuple(
        replace(
            e,
            score=0.25,
            factuality_score=0.75,
            arguments=tuple(replace(a, mention=f"{a.mention}0", score=0.125) for a in e.arguments),
        )
        for e in annotation.events
    )
    entry = ActorEntry("x", "كتيبة النور", None, "rebel", None, 0.5)
    return replace(annotation, mentions=mentions, events=events, warnings=("cut",), entries={"a10": entry})


# of PLAIN: 6 mentions, 2 events, 7 arguments
EVERYTHING = {
    "dates": 1,
    "header values": 1,
    "ids of mentions and events": 6,
    "scores": 6 + 2 * 2 + 7,
    "warnings": 1,
    "entries of the gazetteers": 1,
}
LEFT_OUT: dict[str, dict[str, int]] = {
    "jsonl": {"entries of the gazetteers": 1},
    "markup": {key: EVERYTHING[key] for key in ("scores", "warnings", "entries of the gazetteers")},
    "brat": EVERYTHING,
    "inception": EVERYTHING,
    "doccano": {key: count for key, count in EVERYTHING.items() if key not in ("dates", "header values")},
    "label-studio": {"scores of arguments": 7, "warnings": 1, "entries of the gazetteers": 1},
    "spacy": {"entries of the gazetteers": 1},
}


def test_what_a_format_cannot_carry_is_counted_and_said(
    form: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        losses = write_format(form, tmp_path / NAMES[form], [scored(PLAIN)], CONTROL_CHANGE)
    assert losses == LEFT_OUT[form]
    (said,) = [record.getMessage() for record in caplog.records if f"written to {form}" in record.getMessage()]
    assert all(f"{kind} ({count})" in said for kind, count in LEFT_OUT[form].items())


@pytest.mark.parametrize("form", ["label-studio", "spacy"])
def test_scores_and_ids_survive_where_they_are_said_to(form: str, tmp_path: Path) -> None:
    if form in NEEDS:
        pytest.importorskip(NEEDS[form])
    path = tmp_path / NAMES[form]
    write_format(form, path, [scored(PLAIN)], CONTROL_CHANGE)
    ((read,), _) = read_format(form, path, CONTROL_CHANGE)
    assert [(m.id, m.score) for m in read.mentions] == [(m.id, m.score) for m in scored(PLAIN).mentions]
    assert [(e.score, e.factuality_score) for e in read.events] == [(0.25, 0.75)] * 2
    assert {a.score for e in read.events for a in e.arguments} == ({0.125} if form == "spacy" else {1.0})


def test_conll_keeps_mentions_and_says_what_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "corpus.conll"
    losses = write_format("conll", path, [PLAIN, EMPTY], CONTROL_CHANGE)
    assert losses == {"events": 2, "dates": 1, "header values": 1, "document ids": 2, "spacing of texts": 2}
    read, _ = read_format("conll", path, CONTROL_CHANGE)
    assert [len(annotation.mentions) for annotation in read] == [6, 0]
    assert [read[0].text_of(m.span) for m in read[0].mentions] == [PLAIN.text_of(m.span) for m in PLAIN.mentions]


def test_two_documents_of_one_id_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "corpus.json"
    write_format("label-studio", path, [PLAIN, PLAIN], CONTROL_CHANGE)
    with pytest.raises(DataError, match=r'corpus\.json: document "plain": the id is that of another document'):
        read_format("label-studio", path, CONTROL_CHANGE)


@pytest.mark.parametrize("form", ["brat", "inception"])
def test_a_folder_that_holds_anything_is_not_written_over(form: str, tmp_path: Path) -> None:
    if form in NEEDS:
        pytest.importorskip(NEEDS[form])
    corrected = tmp_path / "folder" / "plain.ann"
    corrected.parent.mkdir()
    corrected.write_text("corrected", encoding="utf-8")
    with pytest.raises(DataError, match="exists and is not an empty folder"):
        write_format(form, corrected.parent, CORPUS, CONTROL_CHANGE)
    assert corrected.read_text(encoding="utf-8") == "corrected"
    assert list(tmp_path.iterdir()) == [corrected.parent]


@pytest.mark.parametrize("form", FULL)
def test_a_missing_file_is_named(form: str, tmp_path: Path) -> None:
    if form in NEEDS:
        pytest.importorskip(NEEDS[form])
    with pytest.raises(DataError, match=r"nowhere"):
        read_format(form, tmp_path / "nowhere", CONTROL_CHANGE)


@pytest.mark.parametrize("form", ["inception", "spacy"])
def test_a_library_that_is_not_installed_names_the_extra(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, NEEDS[form], None)
    with pytest.raises(MissingExtraError, match=r"pip install 'saytara\[formats\]'"):
        write_format(form, tmp_path / NAMES[form], CORPUS, CONTROL_CHANGE)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a", "..", ".hidden", "ن/1", "a%2Fb", "x:y z\n", "تقرير-1"])
def test_file_names_hold_any_id(name: str, tmp_path: Path) -> None:
    (tmp_path / file_name(name)).write_text("x", encoding="utf-8")
    assert [document_id_of(path.name) for path in tmp_path.iterdir()] == [name]


def test_an_id_too_long_for_a_file_is_refused() -> None:
    with pytest.raises(DataError, match="more than 200 bytes"):
        file_name("ن" * 101)


@pytest.mark.parametrize(
    ("keys", "ids"),
    [
        ([("a2", "a"), ("x", "a"), ("y", "a")], ["a2", "a1", "a3"]),
        ([("a1", "p"), ("", "a")], ["p1", "a1"]),  # a label that someone changed takes the other prefix
        ([("a01", "a"), ("a٣", "a")], ["a1", "a2"]),
        ([], []),
    ],
)
def test_ids_of_ours_stay_and_others_are_numbered(keys: list[tuple[str, str]], ids: list[str]) -> None:
    assert give_ids(keys) == ids


def test_renumber_follows_the_text() -> None:
    shuffled: Any = replace(scored(PLAIN), mentions=scored(PLAIN).mentions[::-1], events=PLAIN.events[:0])
    assert [m.id for m in renumber(shuffled, CONTROL_CHANGE).mentions] == ["a1", "p1", "p2", "s1", "a2", "t1"]
    assert list(renumber(shuffled, CONTROL_CHANGE).entries) == ["a1"]
