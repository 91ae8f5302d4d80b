"""Whole reports through the extractor with scripted scores: no learning involved.

The scorer below knows the gold spans and says them loudly; everything else is the real component.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from builders import annotate
from saytara.arabic.normalize import Normalization
from saytara.document import Annotation, Document
from saytara.encoding import DocumentEncoder, EncodedWindow
from saytara.output import from_output, to_output, to_rows
from saytara.pairing import PairBuilder, Pairing
from saytara.pipeline import Extractor, word_spans
from saytara.schema import CONTROL_CHANGE
from saytara.tags import WordSpan, tag_names
from unit.test_encoding import unigram_tokenizer

TAGS = tag_names(CONTROL_CHANGE)


class ScriptedScorer:
    """Scores that follow a gold annotation: the word vectors carry the window's place in the document."""

    def __init__(self, gold: Annotation, encoder: DocumentEncoder) -> None:
        self.gold = gold
        self.encoded = encoder.encode(gold.document.text)
        self.spans = word_spans(gold, self.encoded, CONTROL_CHANGE)
        self.span_of = {span: number for number, span in enumerate(self.spans)}
        self.windows_read: list[int] = []

    def read(self, window: EncodedWindow) -> tuple[np.ndarray, np.ndarray]:
        self.windows_read.append(window.first)
        logits = np.zeros((len(window.words), len(TAGS)), np.float32)
        logits[:, 0] = 1.0
        for span in self.spans:
            for word in range(span.start, span.end):
                if 0 <= word - window.first < len(window.words):
                    kind = "B" if word == span.start or span.label in CONTROL_CHANGE.events else "I"
                    logits[word - window.first, TAGS.index(f"{kind}-{span.label}")] = 9.0
        return np.full((len(window.words), 1), window.first, np.float32), logits

    def relate(self, hidden: np.ndarray, pairing: Pairing) -> tuple[np.ndarray, np.ndarray]:
        first = int(hidden[0, 0])
        words = self.encoded.words
        event_of = {event.trigger.start: event for event in self.gold.events}
        mention_of = {mention.span.start: mention.id for mention in self.gold.mentions}
        roles = np.full((len(pairing.pairs), len(CONTROL_CHANGE.roles)), -9.0, np.float32)
        events = [event_of[words[first + int(word)].start] for word, _ in pairing.triggers]
        for row, pair in enumerate(pairing.pairs):
            mention = mention_of[words[first + int(pair[1])].start]
            for index, role in enumerate(CONTROL_CHANGE.roles):
                if mention in events[pair[0]].fillers(role):
                    roles[row, index] = 9.0
        factuality = np.zeros((len(events), 3), np.float32)
        for row, event in enumerate(events):
            factuality[row, CONTROL_CHANGE.factuality.index(event.factuality)] = 9.0
        return roles, factuality


def scripted(gold: Annotation, *, max_pieces: int = 400) -> tuple[Extractor, ScriptedScorer]:
    encoder = DocumentEncoder(
        unigram_tokenizer(), Normalization(), max_pieces=max_pieces, overlap_pieces=max_pieces // 3
    )
    scorer = ScriptedScorer(gold, encoder)
    return Extractor(schema=CONTROL_CHANGE, encoder=encoder, scorer=scorer), scorer


def bare(annotation: Annotation) -> Mapping[str, object]:
    """Mentions and events without scores and ids of mentions."""
    spans = {m.id: (m.span, m.label) for m in annotation.mentions}
    return {
        "mentions": set(spans.values()),
        "events": {
            (e.trigger, e.type, e.factuality, frozenset((a.role, spans[a.mention]) for a in e.arguments))
            for e in annotation.events
        },
    }


CLAIM = annotate(
    "أعلنت [الفصائل|a1:ACTOR] أنها [سيطرت|e1:CAPTURE] على [حمص|p1:PLACE]، [ونفى|e2:WITHDRAWAL] [الجيش|a2:ACTOR] ذلك.",
    "e1 actual controller=a1 place=p1 claimant=a1",
    "e2 denied displaced=a2 place=p1 claimant=a2",
)


def test_scripted_scores_give_the_gold_annotation_back() -> None:
    extractor, _ = scripted(CLAIM)
    found = extractor.extract_document(CLAIM.document)
    assert bare(found) == bare(CLAIM)
    assert [m.id for m in found.mentions] == ["a1", "p1", "a2"]
    assert all(0.9 < event.score <= 1 for event in found.events)


def test_the_output_meets_the_contract_and_reads_back() -> None:
    extractor, _ = scripted(CLAIM)
    found = extractor.extract_document(replace(CLAIM.document, meta={"outlet": "x"}))
    output = to_output(found, CONTROL_CHANGE, extractor.info.to_dict())
    assert list(output) == [
        "id",
        "text",
        "date",
        "meta",
        "actors",
        "places",
        "sources",
        "times",
        "events",
        "warnings",
        "model",
    ]
    assert output["meta"] == {"outlet": "x"}
    first = output["events"][0]
    assert first["attribution"] == "claimed"
    assert [(a["role"], a["mention"]) for a in first["arguments"]] == [
        ("controller", "a1"),
        ("place", "p1"),
        ("claimant", "a1"),
    ]
    for entry in (*output["actors"], *output["places"]):
        assert output["text"][entry["start"] : entry["end"]] == entry["text"]
    assert bare(from_output(output, CONTROL_CHANGE)) == bare(found)


def test_table_rows_say_who_what_where_and_by_whom() -> None:
    extractor, _ = scripted(CLAIM)
    claim, denial = to_rows(extractor.extract_document(CLAIM.document))
    assert (claim["event"], claim["place"], claim["according to"], claim["status"]) == (
        "CAPTURE",
        "حمص",
        "الفصائل",
        "claimed",
    )
    assert denial["status"] == "claimed denied"


def long_report(sentences: int) -> Annotation:
    """Many sentences; each event's actor stands in the sentence before it."""
    marked, lines = [], []
    for number in range(1, sentences + 1):
        marked.append(f"تحركت [القوات|a{number}:ACTOR] نحوها. ثم [دخلت|e{number}:ADVANCE] [حمص|p{number}:PLACE] ليلا.")
        lines.append(f"e{number} actual controller=a{number} place=p{number}")
    return annotate(" ".join(marked), *lines)


@pytest.mark.parametrize("max_pieces", [60, 90, 200])
def test_a_long_report_is_read_in_windows_and_nothing_is_lost_or_doubled(max_pieces: int) -> None:
    gold = long_report(40)
    extractor, scorer = scripted(gold, max_pieces=max_pieces)
    found = extractor.extract_document(gold.document)
    assert len(scorer.windows_read) > 2
    assert bare(found)["mentions"] == bare(gold)["mentions"]
    assert len(found.events) == 40
    linked = sum(len(event.arguments) for event in found.events)
    assert linked == 80  # across sentences too, since windows share whole sentences


class UnsureOwner(ScriptedScorer):
    """As scripted, but each window says nothing of the words that it owns where another window holds them too."""

    def read(self, window: EncodedWindow) -> tuple[np.ndarray, np.ndarray]:
        hidden, logits = super().read(window)
        for word in range(window.first + window.owned[0], window.first + window.owned[1]):
            if sum(other.first <= word < other.end for other in self.encoded.windows) > 1:
                logits[word - window.first] = 0.0
        return hidden, logits


def test_what_the_owning_window_does_not_tell_another_one_does() -> None:
    gold = long_report(40)
    extractor, _ = scripted(gold, max_pieces=90)
    extractor.scorer = UnsureOwner(gold, extractor.encoder)
    assert bare(extractor.extract_document(gold.document))["mentions"] == bare(gold)["mentions"]


def test_each_window_is_read_once() -> None:
    gold = long_report(30)
    extractor, scorer = scripted(gold, max_pieces=80)
    extractor.extract_document(gold.document)
    assert (
        len(scorer.windows_read)
        == len(set(scorer.windows_read))
        == len(extractor.encoder.encode(gold.document.text).windows)
    )


def test_gold_mentions_can_be_related_without_tagging() -> None:
    extractor, _ = scripted(CLAIM)
    assert bare(extractor.relate_gold(CLAIM)) == bare(CLAIM)


@pytest.mark.parametrize("text", ["", "   \n", "no Arabic here", "🙂"])
def test_a_report_without_spans_gives_an_empty_answer(text: str) -> None:
    gold = Annotation(Document(text, "x"))
    extractor, _ = scripted(gold)
    found = extractor.extract_document(gold.document)
    assert found.mentions == ()
    assert found.events == ()


def test_pairs_of_a_window_see_mentions_that_another_window_decided() -> None:
    gold = long_report(12)
    extractor, scorer = scripted(gold, max_pieces=120)
    windows = extractor.encoder.encode(gold.document.text).windows
    shared = [w for w in windows if w.owned[0] > 0]
    assert shared  # otherwise the test shows nothing
    mentions = [s for s in scorer.spans if s.label in CONTROL_CHANGE.mentions]
    window = shared[0]
    inside = [
        WordSpan(m.start - window.first, m.end - window.first, m.label)
        for m in mentions
        if window.first <= m.start < window.first + len(window.words)
    ]
    assert any(m.start < window.owned[0] for m in inside)
    pairing = PairBuilder(CONTROL_CHANGE).build(inside, [], window.sentences)
    assert len(pairing.tags) == len(window.words)
