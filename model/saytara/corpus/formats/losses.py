"""What a format has no place for, counted, so that it can be said.

Converts nothing.
"""

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from saytara.corpus.formats.draft import renumber
from saytara.document import Annotation
from saytara.schema import Schema

logger = logging.getLogger(__name__)

Losses = Counter[str]
"""What was left out or changed, and how often."""


def _scores(annotation: Annotation, schema: Schema) -> int:
    events = annotation.events
    scores = [mention.score for mention in annotation.mentions] + [event.score for event in events]
    scores += [event.factuality_score for event in events]
    return sum(score != 1.0 for score in scores) + _argument_scores(annotation, schema)


def _argument_scores(annotation: Annotation, schema: Schema) -> int:
    return sum(argument.score != 1.0 for event in annotation.events for argument in event.arguments)


def _ids(annotation: Annotation, schema: Schema) -> int:
    """Mentions and events that do not have the id that counting gives them."""
    return len(set(_named(annotation)) - set(_named(renumber(annotation, schema))))


def _named(annotation: Annotation) -> list[tuple[str, tuple[int, int]]]:
    named = [(mention.id, mention.span) for mention in annotation.mentions]
    named += [(event.id, event.trigger) for event in annotation.events]
    return [(name, (span.start, span.end)) for name, span in named]


KINDS: Mapping[str, Callable[[Annotation, Schema], int]] = {
    "events": lambda annotation, schema: len(annotation.events),
    "dates": lambda annotation, schema: int(annotation.document.date is not None),
    "header values": lambda annotation, schema: len(annotation.document.meta),
    "document ids": lambda annotation, schema: 1,
    "spacing of texts": lambda annotation, schema: 1,
    "ids of mentions and events": _ids,
    "scores": _scores,
    "scores of arguments": _argument_scores,
    "warnings": lambda annotation, schema: len(annotation.warnings),
    "entries of the gazetteers": lambda annotation, schema: len(annotation.entries),
}
"""What some format leaves out to how often a document has it."""


def left_out(annotations: Iterable[Annotation], schema: Schema, kinds: Iterable[str]) -> Losses:
    """How often the documents have what a format has no place for; kinds that never occur are not in the answer."""
    wanted = tuple(kinds)
    losses: Losses = Counter()
    for annotation in annotations:
        for kind in wanted:
            losses[kind] += KINDS[kind](annotation, schema)
    return +losses


def say_losses(what: str, losses: Mapping[str, int]) -> None:
    """Warn once of everything that was left out.

    >>> say_losses("written to brat, left out", Counter())
    """
    if any(losses.values()):
        counts = ", ".join(f"{kind} ({count})" for kind, count in sorted(losses.items()) if count)
        logger.warning("%s: %s", what, counts)
