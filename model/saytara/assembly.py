"""Put decoded spans and roles together as one annotation with ids and document offsets.

Scores nothing and reads no logits; the only place that numbers mentions and events.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from saytara.decoding import DecodingConfig, ScoredSpan
from saytara.document import Annotation, Argument, Document, Event, Mention, Span, number_ids
from saytara.schema import Schema
from saytara.tags import WordSpan


@dataclass(frozen=True, slots=True)
class DecodedEvent:
    """A trigger with its factuality and fillers (role, mention's word range, score)."""

    trigger: ScoredSpan
    factuality: str
    factuality_score: float
    fillers: tuple[tuple[str, WordSpan, float], ...]


def assemble(
    document: Document,
    words: Sequence[Span],
    mentions: Sequence[ScoredSpan],
    events: Sequence[DecodedEvent],
    *,
    schema: Schema,
    config: DecodingConfig,
    warnings: Sequence[str] = (),
) -> Annotation:
    """Build the annotation of `document`; word ranges are those of its `words`."""
    ordered = sorted(mentions, key=lambda scored: scored.span)
    ids = number_ids((scored.span.label for scored in ordered), schema.mentions)
    id_of = {scored.span: mention_id for scored, mention_id in zip(ordered, ids, strict=True)}
    built = []
    for number, event in enumerate(sorted(events, key=lambda decoded: decoded.trigger.span), 1):
        arguments = tuple(Argument(role, id_of[span], score) for role, span, score in event.fillers)
        confidence = event.trigger.score * event.factuality_score
        for _, _, score in event.fillers:
            confidence *= score
        built.append(
            Event(
                id=f"e{number}",
                type=event.trigger.span.label,
                trigger=_range(words, event.trigger.span),
                factuality=event.factuality,
                arguments=arguments,
                factuality_score=event.factuality_score,
                score=config.calibrate("event", confidence),
            )
        )
    return Annotation(
        document,
        tuple(
            Mention(mention_id, scored.span.label, _range(words, scored.span), scored.score)
            for scored, mention_id in zip(ordered, ids, strict=True)
        ),
        tuple(built),
        tuple(warnings),
    )


def attribution(event: Event) -> str:
    """Who stands behind an event: ``claimed`` by a party, ``reported`` by a third party, or just ``stated``."""
    roles = {argument.role for argument in event.arguments}
    return "claimed" if "claimant" in roles else "reported" if "reporter" in roles else "stated"


def _range(words: Sequence[Span], span: WordSpan) -> Span:
    return Span(words[span.start].start, words[span.end - 1].end)
