"""Score predicted annotations against gold: mentions, triggers, arguments, factuality, attribution, events.

Strict spans, micro-averaged; identification and classification as in ACE (Ahn 2006; Li et al. 2013).
Runs no model and reads no files.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

from saytara.assembly import attribution
from saytara.document import Annotation, Event, Span
from saytara.schema import Schema


@dataclass(frozen=True, slots=True)
class Score:
    """Counts behind precision, recall and F1."""

    hits: int
    predicted: int
    gold: int

    @property
    def precision(self) -> float:
        return self.hits / self.predicted if self.predicted else 0.0

    @property
    def recall(self) -> float:
        return self.hits / self.gold if self.gold else 0.0

    @property
    def f1(self) -> float:
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0

    def __add__(self, other: "Score") -> "Score":
        return Score(self.hits + other.hits, self.predicted + other.predicted, self.gold + other.gold)

    def to_dict(self) -> dict[str, float | int]:
        return {
            "precision": round(self.precision, 4),
            "recall": round(self.recall, 4),
            "f1": round(self.f1, 4),
            "hits": self.hits,
            "predicted": self.predicted,
            "gold": self.gold,
        }


ZERO = Score(0, 0, 0)


@dataclass(frozen=True, slots=True)
class DocumentScores:
    """Scores of one document, to be added up or resampled."""

    scores: Mapping[str, Score]
    """By measure: ``entity``, ``trigger-i``, ``trigger``, ``argument-i``, ``argument``, ``event``, ``event-strict``,
    ``factuality`` and ``attribution`` (accuracy over trigger hits), and ``label:…``, ``type:…``, ``role:…``,
    ``value:…``."""
    false_events: int
    """Predicted events where gold has none at all; 0 elsewhere."""
    is_without_events: bool


def score_document(gold: Annotation, predicted: Annotation, schema: Schema) -> DocumentScores:
    """Score one document; both annotate the same text."""
    scores: dict[str, Score] = {}
    gold_mentions = {(m.span, m.label) for m in gold.mentions}
    mentions = {(m.span, m.label) for m in predicted.mentions}
    scores["entity"] = _compare(gold_mentions, mentions)
    for label in schema.mentions:
        scores[f"label:{label}"] = _compare(gold_mentions, mentions, lambda item, label=label: item[1] == label)  # type: ignore[misc]
    if schema.events:
        scores |= _score_events(gold, predicted, schema)
    without = bool(schema.events) and not gold.events
    return DocumentScores(scores, len(predicted.events) if without else 0, without)


def _score_events(gold: Annotation, predicted: Annotation, schema: Schema) -> dict[str, Score]:
    scores: dict[str, Score] = {}
    gold_events = {(event.trigger, event.type): event for event in gold.events}
    events = {(event.trigger, event.type): event for event in predicted.events}
    both = sorted(gold_events.keys() & events.keys())
    scores["trigger-i"] = _compare({trigger for trigger, _ in gold_events}, {trigger for trigger, _ in events})
    scores["trigger"] = _compare(gold_events.keys(), events.keys())
    for kind in schema.events:
        scores[f"type:{kind}"] = _compare(gold_events.keys(), events.keys(), lambda item, kind=kind: item[1] == kind)  # type: ignore[misc]
    gold_arguments = {(key, role, span) for key, e in gold_events.items() for role, span in arguments_of(gold, e)}
    arguments = {(key, role, span) for key, e in events.items() for role, span in arguments_of(predicted, e)}
    scores["argument"] = _compare(gold_arguments, arguments)
    scores["argument-i"] = _compare(
        {(k, span) for k, _, span in gold_arguments}, {(k, span) for k, _, span in arguments}
    )
    for role in schema.roles:
        scores[f"role:{role}"] = _compare(gold_arguments, arguments, lambda item, role=role: item[1] == role)  # type: ignore[misc]
    right = sum(gold_events[key].factuality == events[key].factuality for key in both)
    scores["factuality"] = Score(right, len(both), len(both))
    for value in schema.factuality:
        scores[f"value:{value}"] = Score(
            sum(gold_events[k].factuality == value == events[k].factuality for k in both),
            sum(events[k].factuality == value for k in both),
            sum(gold_events[k].factuality == value for k in both),
        )
    said = sum(attribution(gold_events[key]) == attribution(events[key]) for key in both)
    scores["attribution"] = Score(said, len(both), len(both))
    strict = sum(
        gold_events[key].factuality == events[key].factuality
        and arguments_of(gold, gold_events[key]) == arguments_of(predicted, events[key])
        for key in both
    )
    scores["event-strict"] = Score(strict, len(events), len(gold_events))
    scores["event"] = Score(_matched_events(gold, predicted), len(predicted.events), len(gold.events))
    return scores


def arguments_of(annotation: Annotation, event: Event) -> set[tuple[str, Span]]:
    """Roles of an event with the spans that fill them."""
    spans = {mention.id: mention.span for mention in annotation.mentions}
    return {(argument.role, spans[argument.mention]) for argument in event.arguments}


def _matched_events(gold: Annotation, predicted: Annotation) -> int:
    """Gold events with a predicted one of equal type and factuality, overlapping trigger, shared place and party."""
    left = list(predicted.events)
    hits = 0
    for event in gold.events:
        for other in left:
            if (
                event.type == other.type
                and event.factuality == other.factuality
                and event.trigger.overlaps(other.trigger)
                and _share(gold, event, predicted, other)
            ):
                hits += 1
                left.remove(other)
                break
    return hits


def _share(gold: Annotation, event: Event, predicted: Annotation, other: Event) -> bool:
    ours, theirs = arguments_of(gold, event), arguments_of(predicted, other)

    def overlap(role: str) -> bool | None:
        mine = [span for name, span in ours if name == role]
        yours = [span for name, span in theirs if name == role]
        if not mine and not yours:
            return None
        return any(a.overlaps(b) for a in mine for b in yours)

    parties = [result for result in (overlap("controller"), overlap("displaced")) if result is not None]
    return overlap("place") is not False and (not parties or any(parties))


def _compare(gold: Set[Any], predicted: Set[Any], keep: Callable[[Any], bool] | None = None) -> Score:
    if keep is not None:
        gold, predicted = {item for item in gold if keep(item)}, {item for item in predicted if keep(item)}
    return Score(len(gold & predicted), len(predicted), len(gold))


def add_up(documents: Iterable[DocumentScores]) -> dict[str, Score]:
    """Micro-averaged scores."""
    total: dict[str, Score] = {}
    for document in documents:
        for name, score in document.scores.items():
            total[name] = total.get(name, ZERO) + score
    return total


def report(documents: Sequence[DocumentScores]) -> dict[str, Any]:
    """Everything about a set of documents, ready for JSON."""
    total = add_up(documents)
    without = [document for document in documents if document.is_without_events]
    return {
        "documents": len(documents),
        **{name: score.to_dict() for name, score in total.items()},
        "without_events": {
            "documents": len(without),
            "documents_with_false_events": sum(document.false_events > 0 for document in without),
            "false_events": sum(document.false_events for document in without),
        },
    }


def calibration_error(outcomes: Sequence[tuple[float, bool]], *, bins: int = 10) -> float:
    """Expected calibration error of (score, was right) pairs over equal-width bins (Guo et al. 2017)."""
    if not outcomes:
        return 0.0
    sums: Counter[Hashable] = Counter()
    for score, right in outcomes:
        sums[min(int(score * bins), bins - 1)] += score - right  # type: ignore[assignment]
    return sum(abs(value) for value in sums.values()) / len(outcomes)


def outcomes(gold: Annotation, predicted: Annotation) -> dict[str, list[tuple[float, bool]]]:
    """Scores of predictions with whether each was right, by kind of score."""
    gold_mentions = {(m.span, m.label) for m in gold.mentions}
    gold_events = {(e.trigger, e.type): e for e in gold.events}
    found: dict[str, list[tuple[float, bool]]] = {"mention": [], "argument": [], "factuality": [], "event": []}
    for mention in predicted.mentions:
        found["mention"].append((mention.score, (mention.span, mention.label) in gold_mentions))
    for event in predicted.events:
        match = gold_events.get((event.trigger, event.type))
        found["event"].append(
            (
                event.score,
                match is not None and _share(gold, match, predicted, event) and match.factuality == event.factuality,
            )
        )
        if match is None:
            continue
        found["factuality"].append((event.factuality_score, match.factuality == event.factuality))
        right = arguments_of(gold, match)
        for argument in event.arguments:
            found["argument"].append(
                (argument.score, (argument.role, predicted.mention(argument.mention).span) in right)
            )
    return found
