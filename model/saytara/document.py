"""The nouns: a document, the mentions in it, the events they take part in.

Holds values only; reads no files and knows no model.
"""

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A half-open range of code points of a document's text."""

    start: int
    end: int

    def __len__(self) -> int:
        return self.end - self.start

    def overlaps(self, other: "Span") -> bool:
        return self.start < other.end and other.start < self.end


@dataclass(frozen=True, slots=True)
class Document:
    """One report: immutable text, id, publication date, and whatever else came with it."""

    text: str
    id: str
    date: datetime.date | None = None
    meta: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Mention:
    """A labelled span, an entity mention of a document."""

    id: str
    label: str
    span: Span
    score: float = 1.0


@dataclass(frozen=True, slots=True)
class Argument:
    """A mention in a role of an event."""

    role: str
    mention: str
    """Id of the mention that fills the role."""
    score: float = 1.0


@dataclass(frozen=True, slots=True)
class Event:
    """A trigger with its type, factuality and arguments."""

    id: str
    type: str
    trigger: Span
    factuality: str
    arguments: tuple[Argument, ...] = ()
    factuality_score: float = 1.0
    score: float = 1.0

    def fillers(self, role: str) -> tuple[str, ...]:
        """Ids of the mentions that fill `role`."""
        return tuple(argument.mention for argument in self.arguments if argument.role == role)


@dataclass(frozen=True, slots=True)
class PlaceEntry:
    """The place of a gazetteer that a mention refers to."""

    id: str
    name_ar: str
    name_en: str
    kind: str
    """``city``, ``village``, ``quarter``, ``governorate``, ``country``, ``base``, ``crossing``, ``river``, …"""
    country: str
    """ISO 3166 code of two letters."""
    admin1: str | None
    lat: float
    """Degrees north."""
    lon: float
    """Degrees east."""
    precision: int
    """1: the place itself, 2: near it or a part of it, 3: a region."""
    score: float
    alternatives: tuple["PlaceEntry", ...] = ()


@dataclass(frozen=True, slots=True)
class ActorEntry:
    """The actor of a gazetteer that a mention refers to."""

    id: str
    name: str
    side: str | None
    """Which camp of its conflict it belongs to, such as ``government`` or ``opposition``."""
    kind: str
    """``state``, ``rebel``, ``coalition``, ``militia``, ``foreign``, …"""
    country: str | None
    """ISO 3166 code of two letters."""
    score: float
    alternatives: tuple["ActorEntry", ...] = ()


@dataclass(frozen=True, slots=True)
class TimeValue:
    """Days that a time expression names, both inclusive."""

    start: datetime.date
    end: datetime.date


Entry = PlaceEntry | ActorEntry | TimeValue


@dataclass(frozen=True, slots=True)
class Annotation:
    """A document with its mentions and events, gold or predicted."""

    document: Document
    mentions: tuple[Mention, ...] = ()
    events: tuple[Event, ...] = ()
    warnings: tuple[str, ...] = ()
    entries: Mapping[str, Entry] = field(default_factory=dict)
    """Id of a mention to what it refers to; a mention that could not be resolved is not here."""

    def mention(self, mention_id: str) -> Mention:
        """The mention of that id; KeyError where there is none."""
        for mention in self.mentions:
            if mention.id == mention_id:
                return mention
        raise KeyError(mention_id)

    def text_of(self, span: Span) -> str:
        return self.document.text[span.start : span.end]


def number_ids(labels: Iterable[str], prefixes: Mapping[str, str]) -> list[str]:
    """Number labels per prefix, in order: ``a1, p1, a2``.

    >>> number_ids(["ACTOR", "PLACE", "ACTOR"], {"ACTOR": "a", "PLACE": "p"})
    ['a1', 'p1', 'a2']
    """
    counts: dict[str, int] = {}
    ids = []
    for label in labels:
        prefix = prefixes[label]
        counts[prefix] = counts.get(prefix, 0) + 1
        ids.append(f"{prefix}{counts[prefix]}")
    return ids
