"""The tag inventory of a schema (IOB2 over mentions, one word a trigger) and its legal transitions.

Turns labelled word ranges into tags and back; decides nothing by scores.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from saytara.schema import Schema

OUTSIDE = "O"


@dataclass(frozen=True, slots=True, order=True)
class WordSpan:
    """A labelled half-open range of word indices."""

    start: int
    end: int
    label: str


def tag_names(schema: Schema) -> list[str]:
    """``O``, then ``B-`` and ``I-`` of each mention label, then ``B-`` of each event type."""
    names = [OUTSIDE]
    for label in schema.mentions:
        names += [f"B-{label}", f"I-{label}"]
    return names + [f"B-{event}" for event in schema.events]


def is_legal(previous: str | None, tag: str) -> bool:
    """Whether `tag` may follow `previous` (None: the start): an inside tag follows its own label only.

    >>> is_legal("B-ACTOR", "I-ACTOR"), is_legal("O", "I-ACTOR")
    (True, False)
    """
    if not tag.startswith("I-"):
        return True
    return previous is not None and previous[:2] in ("B-", "I-") and previous[2:] == tag[2:]


def to_tags(spans: Iterable[WordSpan], size: int) -> list[str]:
    """IOB2 tags of `size` words."""
    tags = [OUTSIDE] * size
    for span in spans:
        tags[span.start] = f"B-{span.label}"
        for word in range(span.start + 1, span.end):
            tags[word] = f"I-{span.label}"
    return tags


def to_spans(tags: Sequence[str]) -> list[WordSpan]:
    """Spans of a tag sequence; an inside tag without its beginning opens a span (as seqeval's default mode does)."""
    spans = []
    first: int | None = None
    for word, tag in enumerate([*tags, OUTSIDE]):
        if first is not None and not is_legal_continuation(tags[first], tag):
            spans.append(WordSpan(first, word, tags[first][2:]))
            first = None
        if first is None and tag != OUTSIDE:
            first = word
    return spans


def is_legal_continuation(opening: str, tag: str) -> bool:
    """Whether `tag` goes on the span that `opening` began."""
    return tag.startswith("I-") and tag[2:] == opening[2:]
