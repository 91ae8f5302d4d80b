"""Scores against seqeval (mentions) and a brute-force scorer (events), on random annotations."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import annotate
from saytara.document import Annotation, Argument, Document, Event, Mention, Span
from saytara.metrics import add_up, calibration_error, report, score_document
from saytara.schema import CONTROL_CHANGE
from saytara.tags import WordSpan, to_tags

LABELS, TYPES, ROLES = list(CONTROL_CHANGE.mentions), list(CONTROL_CHANGE.events), CONTROL_CHANGE.roles
WORDS = 24
TEXT = "ك" * WORDS  # one letter a word: offsets are word numbers


def random_annotation(seed: int) -> Annotation:
    generator = random.Random(seed)
    mentions, events, word = [], [], 0
    while word < WORDS - 3:
        length = generator.randint(1, 3)
        if generator.random() < 0.3:
            events.append(
                (Span(word, word + 1), generator.choice(TYPES[:2]), generator.choice(CONTROL_CHANGE.factuality))
            )
            length = 1
        elif generator.random() < 0.6:
            mentions.append(Mention(f"m{word}", generator.choice(LABELS), Span(word, word + length)))
        word += length
    built = []
    for number, (trigger, kind, factuality) in enumerate(events):
        arguments = tuple(
            Argument(role, m.id)
            for m in mentions
            for role in ROLES
            if m.label in ROLES[role] and generator.random() < 0.4
        )
        built.append(Event(f"e{number}", kind, trigger, factuality, arguments))
    return Annotation(Document(TEXT, "r"), tuple(mentions), tuple(built))


def near(annotation: Annotation, seed: int) -> Annotation:
    """A prediction with some of the gold, some of another annotation."""
    generator = random.Random(seed + 1)
    other = random_annotation(seed + 7)
    mentions = [m for m in annotation.mentions if generator.random() < 0.8]
    taken = [m.span for m in mentions]
    mentions += [
        m
        for m in other.mentions
        if not any(m.span.overlaps(span) for span in taken) and m.id not in {x.id for x in mentions}
    ]
    known = {m.id for m in mentions}
    events = [
        Event(
            e.id,
            e.type,
            e.trigger,
            e.factuality,
            tuple(a for a in e.arguments if a.mention in known and generator.random() < 0.8),
        )
        for e in annotation.events
        if generator.random() < 0.8
    ]
    return Annotation(annotation.document, tuple(mentions), tuple(events))


@given(st.integers(0, 10**6))
def test_mention_scores_equal_seqeval(seed: int) -> None:
    metrics = pytest.importorskip("seqeval.metrics", reason="saytara[train] brings it")
    from seqeval.scheme import IOB2

    gold = random_annotation(seed)
    predicted = near(gold, seed)

    def tags(annotation: Annotation) -> list[str]:
        return to_tags([WordSpan(m.span.start, m.span.end, m.label) for m in annotation.mentions], WORDS)

    if gold.mentions and predicted.mentions:
        ours = score_document(gold, predicted, CONTROL_CHANGE).scores["entity"].f1
        assert ours == pytest.approx(metrics.f1_score([tags(gold)], [tags(predicted)], mode="strict", scheme=IOB2))


@given(st.integers(0, 10**6))
def test_event_scores_equal_a_brute_force_scorer(seed: int) -> None:
    gold = random_annotation(seed)
    predicted = near(gold, seed)
    scores = score_document(gold, predicted, CONTROL_CHANGE).scores

    def triples(annotation: Annotation) -> set[tuple[object, ...]]:
        spans = {m.id: m.span for m in annotation.mentions}
        return {(e.trigger, e.type, a.role, spans[a.mention]) for e in annotation.events for a in e.arguments}

    def triggers(annotation: Annotation) -> set[tuple[object, ...]]:
        return {(e.trigger, e.type) for e in annotation.events}

    assert scores["argument"].hits == len(triples(gold) & triples(predicted))
    assert scores["argument"].predicted == len(triples(predicted))
    assert scores["trigger"].hits == len(triggers(gold) & triggers(predicted))
    strict = sum(
        (g.trigger, g.type, g.factuality) == (p.trigger, p.type, p.factuality)
        and {t[2:] for t in triples(gold) if t[:2] == (g.trigger, g.type)}
        == {t[2:] for t in triples(predicted) if t[:2] == (p.trigger, p.type)}
        for g in gold.events
        for p in predicted.events
    )
    assert scores["event-strict"].hits == strict
    assert scores["event"].hits >= strict
    assert score_document(gold, gold, CONTROL_CHANGE).scores["event"].f1 == (1.0 if gold.events else 0.0)


GOLD = annotate(
    "[سيطرت|e1:CAPTURE] [الفصائل المسلحة|a1:ACTOR] على [مدينة حماة|p1:PLACE] وفق [المرصد|s1:SOURCE]",
    "e1 actual controller=a1 place=p1 reporter=s1",
)


CAPTURED = "[سيطرت|e1:CAPTURE] [الفصائل المسلحة|a1:ACTOR] على [مدينة حماة|p1:PLACE] وفق [المرصد|s1:SOURCE]"


@pytest.mark.parametrize(
    ("markup", "line", "hits"),
    [
        (  # the place is cut short but overlaps: still the event, no longer strictly
            CAPTURED.replace("[مدينة حماة|", "مدينة [حماة|"),
            "e1 actual controller=a1 place=p1 reporter=s1",
            {"event": 1, "event-strict": 0, "argument": 2, "attribution": 1},
        ),
        (  # another factuality
            CAPTURED,
            "e1 denied controller=a1 place=p1 reporter=s1",
            {"event": 0, "event-strict": 0, "argument": 3, "factuality": 0},
        ),
        (  # the party in another role
            CAPTURED,
            "e1 actual displaced=a1 place=p1 reporter=s1",
            {"event": 0, "argument": 2, "argument-i": 3},
        ),
        (  # nobody says so
            CAPTURED,
            "e1 actual controller=a1 place=p1",
            {"event": 1, "event-strict": 0, "attribution": 0},
        ),
        (  # another type
            CAPTURED.replace("CAPTURE", "RECAPTURE"),
            "e1 actual controller=a1 place=p1 reporter=s1",
            {"trigger-i": 1, "trigger": 0, "argument": 0, "event": 0},
        ),
    ],
)
def test_each_kind_of_error_costs_what_it_should(markup: str, line: str, hits: dict[str, int]) -> None:
    scores = score_document(GOLD, annotate(markup, line), CONTROL_CHANGE).scores
    assert {name: scores[name].hits for name in hits} == hits


def test_false_events_are_counted_where_gold_has_none() -> None:
    quiet = annotate("[سيطرت|e1:CAPTURE] الكرة", "e1 actual")
    empty = Annotation(quiet.document)
    result = report([score_document(empty, quiet, CONTROL_CHANGE), score_document(empty, empty, CONTROL_CHANGE)])
    assert result["without_events"] == {"documents": 2, "documents_with_false_events": 1, "false_events": 1}


def test_scores_of_documents_add_up() -> None:
    total = add_up([score_document(GOLD, GOLD, CONTROL_CHANGE)] * 3)
    assert (total["entity"].hits, total["entity"].gold) == (9, 9)


def test_calibration_error_is_the_gap_between_score_and_hit_rate() -> None:
    assert calibration_error([(0.9, True)] * 9 + [(0.9, False)]) == pytest.approx(0.0)
    assert calibration_error([(0.9, False)] * 4) == pytest.approx(0.9)
    assert calibration_error([]) == 0.0
