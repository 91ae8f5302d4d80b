"""The inline markup: what it says, what it refuses, and that nothing is lost on the way out and back."""

import logging
from dataclasses import replace
from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import annotate
from saytara.corpus.markup import check_markup, check_markup_file, format_markup, parse_markup
from saytara.document import Annotation, Argument, Document, Event, Mention, Span
from saytara.errors import DataError
from saytara.schema import CONTROL_CHANGE, NER

EXAMPLE = """# id: example-1
# date: 2024-12-07
# country: Syria
أكد [ناطق عسكري|s1:SOURCE] أن [الكتيبة|a1:ACTOR] [دخلت|e1:ADVANCE] [قرية التل|p1:PLACE].

ونفى [السكان|s2:SOURCE] [سقوط|e2:CAPTURE] القرية.
---
e1 actual controller=a1 place=p1 claimant=s1
e2 denied place=p1 reporter=s2 claimant=a1,s1
"""


def test_parse_takes_the_markup_out_and_gives_offsets() -> None:
    (annotation,) = parse_markup(EXAMPLE, CONTROL_CHANGE, source="reports.txt")
    document = annotation.document
    assert document.text == "أكد ناطق عسكري أن الكتيبة دخلت قرية التل.\n\nونفى السكان سقوط القرية."
    assert (document.id, document.date, document.meta) == ("example-1", date(2024, 12, 7), {"country": "Syria"})
    assert annotation.mentions[0] == Mention("s1", "SOURCE", Span(4, 14))
    assert annotation.text_of(annotation.mention("p1").span) == "قرية التل"
    assert annotation.events[1].factuality == "denied"
    assert annotation.events[1].fillers("claimant") == ("a1", "s1")


def test_format_writes_what_parse_read() -> None:
    assert format_markup(parse_markup(EXAMPLE, CONTROL_CHANGE, source="x"), CONTROL_CHANGE) == EXAMPLE


def test_parse_reads_block_after_block() -> None:
    text = f"\n{EXAMPLE}\n# id: second\nلا أحداث هنا\n\n---\n\n# id: third\nنص بلا خط\n"
    annotations = parse_markup(text, CONTROL_CHANGE, source="x")
    assert [annotation.document.id for annotation in annotations] == ["example-1", "second", "third"]
    assert annotations[2].document.text == "نص بلا خط"


def test_parse_reads_windows_line_ends_and_a_byte_order_mark() -> None:
    windows = "\ufeff" + EXAMPLE.replace("\n", "\r\n")
    assert parse_markup(windows, CONTROL_CHANGE, source="x") == parse_markup(EXAMPLE, CONTROL_CHANGE, source="x")


def test_backslashes_make_characters_literal() -> None:
    text = "# id: x\n\\# وسم \\[قوس\\] \\| \\\\\n\\- بند\n---\n"
    (annotation,) = parse_markup(text, CONTROL_CHANGE, source="x")
    assert annotation.document.text == "# وسم [قوس] | \\\n- بند"


def test_parse_knows_the_labels_of_another_schema() -> None:
    annotation = annotate("زار [عمر|n1:PERS] [تونس|n2:LOC]", schema=NER)
    assert [mention.label for mention in annotation.mentions] == ["PERS", "LOC"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("نص\n# id: x\nنص", "f.txt:1: text before the first block"),
        ("# id:\nنص", "f.txt:1: the block has no name"),
        ("# id: x\n# date: أمس\nنص", 'f.txt:1: document "x": date "أمس" is not a day'),
        ("# id: x\n# a: 1\n# a: 2\nنص", 'f.txt:3: document "x": the key "a" stands twice'),
        ("# id: x\n# events: 1\nنص", 'the key "events" is one of the corpus form'),
        ("# id: x\n# n: !json {\nنص", "f.txt:2: .*the value after `!json` is not JSON"),
        ("# id: x\nنص\n\n# id: x\nنص", 'f.txt:4: document "x": the id is used twice in this file'),
        ("# id: x\nنص\n#وسم", "f.txt:3: .*the line begins with '#'. Write a backslash"),
        ("# id: x\nنص\n- بند", "f.txt:3: .*the line begins with '-'"),
        ("# id: x\nنص\n[قواته|a1:ACTR]", 'f.txt:3: .*"a1" has the unknown label "ACTR"; known: .*closest: ACTOR'),
        ("# id: x\nنص [في [حمص|p1:PLACE]", r"f.txt:2: .*'\[' inside another bracket"),
        ("# id: x\nنص ] آخر", r"'\]' outside brackets"),
        ("# id: x\nنص | آخر", r"'\|' outside brackets"),
        ("# id: x\nنص\n[حمص\nنص", "f.txt:3: .*a bracket opens here and does not close"),
        ("# id: x\n[حمص|p1:PLACE نص [", r'"\[" inside the tag "p1:PLACE نص "'),
        ("# id: x\n[حمص|PLACE]", '"PLACE" is no tag. Write `'),
        ("# id: x\n[|p1:PLACE]", 'the bracket of "p1" has no text'),
        ("# id: x\n[حمص|p1:PLACE] [حماة|p1:PLACE]", 'the id "p1" is used twice'),
        ("# id: x\nنص\\", "a backslash stands at the end"),
        ("# id: x\nنص\n[سقوط|e1:CAPTURE]\n---\n", 'f.txt:3: .*trigger "e1" has no line below `---`'),
        ("# id: x\nنص\n---\ne1 actual", 'f.txt:4: .*begins with "e1", which is no trigger; the text has none'),
        ("# id: x\n[سقوط|e1:CAPTURE]\n---\ne2 actual", 'begins with "e2", which is no trigger; known: e1'),
        ("# id: x\n[سقوط|e1:CAPTURE]\n---\ne1 actual\ne1 denied", 'f.txt:5: .*trigger "e1" has two lines'),
        ("# id: x\n[سقوط|e1:CAPTURE]\n---\ne1 true", 'unknown factuality "true"; known: actual, denied'),
        ("# id: x\n[سقوط|e1:CAPTURE]\n---\ne1 place=p1", "unknown factuality null"),
        ("# id: x\n[سقوط|e1:CAPTURE]\n---\ne1 actual p1", '"p1" is no `role=id,id`'),
        ("# id: x\n[سقوط|e1:CAPTURE] [حمص|p1:PLACE]\n---\ne1 actual plce=p1", 'unknown role "plce".*closest: place'),
        ("# id: x\n[سقوط|e1:CAPTURE] [حمص|p1:PLACE]\n---\ne1 actual place=p2", 'unknown mention "p2"; known: p1'),
        ("# id: x\n[سقوط|e1:CAPTURE] [حمص|p1:PLACE]\n---\ne1 actual place=p1,p1", '"p1" twice as "place"'),
        (
            "# id: x\n[سقوط|e1:CAPTURE] [الجيش|a1:ACTOR]\n---\ne1 actual place=a1",
            'f.txt:4: document "x": role "place" cannot be filled by ACTOR; allowed: PLACE',
        ),
    ],
)
def test_parse_refuses_with_file_line_and_remedy(text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        parse_markup(text, CONTROL_CHANGE, source="f.txt")


def test_check_reads_the_good_blocks_and_lists_the_problems_of_the_rest() -> None:
    text = f"# id: bad\n[أ|x:Y] [ب|z:Y]\n---\n\n{EXAMPLE}"
    annotations, problems = check_markup(text, CONTROL_CHANGE, source="f.txt")
    assert [annotation.document.id for annotation in annotations] == ["example-1"]
    assert [problem.where for problem in problems] == ['f.txt:2: document "bad"'] * 2


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"# id: x\n\n\xff", r"f\.txt:3: is not UTF-8 here"), (None, r"f\.txt: cannot be read")],
)
def test_check_file_reports_an_unreadable_file(content: bytes | None, message: str, tmp_path: Path) -> None:
    path = tmp_path / "f.txt"
    if content is not None:
        path.write_bytes(content)
    annotations, (problem,) = check_markup_file(path, CONTROL_CHANGE)
    assert annotations == []
    with pytest.raises(DataError, match=message):
        raise problem


EDGES = st.sampled_from(list("[]|\\#-\n\r \u2028\u0640ح:"))
TEXTS = st.text(st.one_of(EDGES, st.characters(exclude_categories=["Cs"])), max_size=30)
VALUES = st.one_of(st.none(), st.integers(), TEXTS, st.lists(TEXTS, max_size=2), st.just('!json "x"'))


@given(text=TEXTS, cuts=st.lists(st.integers(0, 30), max_size=6), value=VALUES, name=TEXTS.filter(bool))
def test_any_annotation_survives_format_and_parse(text: str, cuts: list[int], value: object, name: str) -> None:
    edges = sorted({min(cut, len(text)) for cut in cuts})
    spans = [Span(start, end) for start, end in pairwise(edges)]
    mentions = tuple(Mention(f"p{i}", "PLACE", span) for i, span in enumerate(spans[::2]))
    arguments = tuple(Argument("place", mention.id) for mention in mentions)
    events = tuple(Event(f"e{i}", "HOLD", span, "denied", arguments) for i, span in enumerate(spans[1::2]))
    document = Document(text, name, date(2023, 1, 31), {"key": value})
    annotation = Annotation(document, mentions, events)
    second = replace(annotation, document=replace(document, id=f"{name}2"))
    written = format_markup([annotation, second], CONTROL_CHANGE)
    assert parse_markup(written, CONTROL_CHANGE, source="x") == [annotation, second]


def test_format_says_that_scores_are_left_out(caplog: pytest.LogCaptureFixture) -> None:
    annotation = annotate("[حمص|p1:PLACE]")
    scored = replace(annotation, mentions=(replace(annotation.mentions[0], score=0.5),))
    with caplog.at_level(logging.WARNING):
        format_markup([annotation, scored], CONTROL_CHANGE)
    assert "left out in 1 documents" in caplog.text


@pytest.mark.parametrize(
    ("annotation", "message"),
    [
        (
            Annotation(Document("حمص", "x"), (Mention("p:1", "PLACE", Span(0, 3)),)),
            'the id "p:1" cannot stand in a tag',
        ),
        (Annotation(Document("حمص", "x"), (Mention("p1", "LOC", Span(0, 3)),)), 'unknown label "LOC"'),
        (Annotation(Document("حمص", "x", None, {"a: b": "c"})), 'meta key "a: b" cannot stand in a header'),
        (
            Annotation(Document("حمص", "x"), (Mention("p1", "PLACE", Span(0, 3)), Mention("p2", "PLACE", Span(1, 2)))),
            '"p2" overlaps the span before it',
        ),
    ],
)
def test_format_refuses_what_the_markup_cannot_say(annotation: Annotation, message: str) -> None:
    with pytest.raises(DataError, match=message):
        format_markup([annotation], CONTROL_CHANGE)
