"""One record an event: what happened where, when, between whom, who says so, and how sure that is.

Resolves nothing: entries and days come from linking. What is unknown stays None or empty.
"""

import datetime
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from saytara.assembly import attribution
from saytara.document import ActorEntry, Annotation, Document, Event, Mention, PlaceEntry, Span, TimeValue
from saytara.linking.names import Name, clean_names

FAMILIES: Mapping[str, str] = {
    # event type: family, within which two reports may tell of the same event
    "CAPTURE": "gain",
    "RECAPTURE": "gain",
    "WITHDRAWAL": "loss",
    "HANDOVER": "transfer",
    "ADVANCE": "advance",
    "SIEGE": "siege",
    "HOLD": "hold",
}


@dataclass(frozen=True, slots=True)
class Party:
    """An actor in a role of an event."""

    name: str
    span: Span
    entry: ActorEntry | None

    @property
    def key(self) -> str:
        """Id of the entry, else the clean name."""
        return self.entry.id if self.entry else self.name


@dataclass(frozen=True, slots=True)
class Site:
    """A place of an event."""

    name: str
    span: Span
    entry: PlaceEntry | None

    @property
    def key(self) -> str:
        """Id of the entry, else the clean name."""
        return self.entry.id if self.entry else self.name


@dataclass(frozen=True, slots=True)
class Voice:
    """Someone an event is attributed to."""

    name: str
    span: Span
    role: str
    """``claimant`` or ``reporter``."""
    entry: ActorEntry | None

    @property
    def key(self) -> str:
        return self.entry.id if self.entry else self.name


@dataclass(frozen=True, slots=True)
class Record:
    """One event mention of one report."""

    id: str
    """Report id, ``#``, event id."""
    report: str
    type: str
    family: str
    factuality: str
    factuality_score: float
    attribution: str
    score: float
    trigger: Span
    sentence: Span
    """The sentence (line or up to a full stop) around the trigger."""
    controllers: tuple[Party, ...]
    displaced: tuple[Party, ...]
    sites: tuple[Site, ...]
    voices: tuple[Voice, ...]
    """Origin first, then who relays it: claimants before reporters, each in the order of the text."""
    claim_by: str | None
    """``winner``, ``loser``, ``neither`` or None where no claimant's side is known."""
    start: datetime.date | None
    end: datetime.date | None
    date_precision: int
    """1: the event's own time, 2: the report's date, 3: unknown."""
    report_date: datetime.date | None

    @property
    def origin(self) -> str | None:
        """Key of the voice that the event goes back to."""
        return self.voices[0].key if self.voices else None


def to_records(annotation: Annotation) -> list[Record]:
    """Records of an annotation's events, in the order of the text."""
    mentions = {mention.id: mention for mention in annotation.mentions}
    names = clean_names(annotation)
    return [_record(annotation, event, mentions, names) for event in annotation.events]


def _record(annotation: Annotation, event: Event, mentions: Mapping[str, Mention], names: Mapping[str, Name]) -> Record:
    document = annotation.document
    fillers = {
        role: [mentions[mention] for mention in event.fillers(role)]
        for role in ("controller", "displaced", "place", "claimant", "reporter", "time")
    }
    controllers = tuple(_party(annotation, mention, names) for mention in fillers["controller"])
    displaced = tuple(_party(annotation, mention, names) for mention in fillers["displaced"])
    voices = tuple(
        Voice(party.name, party.span, role, party.entry)
        for role in ("claimant", "reporter")
        for party in (_party(annotation, mention, names) for mention in sorted(fillers[role], key=lambda m: m.span))
    )
    start, end, precision = _when(annotation, fillers["time"])
    return Record(
        id=f"{document.id}#{event.id}",
        report=document.id,
        type=event.type,
        family=FAMILIES.get(event.type, event.type.lower()),
        factuality=event.factuality,
        factuality_score=event.factuality_score,
        attribution=attribution(event),
        score=event.score,
        trigger=event.trigger,
        sentence=sentence_around(document, event.trigger),
        controllers=controllers,
        displaced=displaced,
        sites=tuple(_site(annotation, mention, names) for mention in fillers["place"]),
        voices=voices,
        claim_by=_claim_by(event, controllers, displaced, [voice for voice in voices if voice.role == "claimant"]),
        start=start,
        end=end,
        date_precision=precision,
        report_date=document.date,
    )


def _party(annotation: Annotation, mention: Mention, names: Mapping[str, Name]) -> Party:
    entry = annotation.entries.get(mention.id)
    return Party(names[mention.id].name, mention.span, entry if isinstance(entry, ActorEntry) else None)


def _site(annotation: Annotation, mention: Mention, names: Mapping[str, Name]) -> Site:
    entry = annotation.entries.get(mention.id)
    return Site(names[mention.id].name, mention.span, entry if isinstance(entry, PlaceEntry) else None)


def _when(annotation: Annotation, times: list[Mention]) -> tuple[datetime.date | None, datetime.date | None, int]:
    values = [value for time in times if isinstance(value := annotation.entries.get(time.id), TimeValue)]
    if values:
        return min(value.start for value in values), max(value.end for value in values), 1
    day = annotation.document.date
    return (day, day, 2) if day else (None, None, 3)


def _claim_by(
    event: Event, controllers: tuple[Party, ...], displaced: tuple[Party, ...], claimants: list[Voice]
) -> str | None:
    """Whether the claimant is, or stands on the side of, the winner or the loser of the event."""
    if not claimants:
        return None
    voice = claimants[0]
    # a claimant without an entry is still the party whose mention it shares
    if any(voice.span == party.span or voice.key == party.key for party in controllers):
        return "winner"
    if any(voice.span == party.span or voice.key == party.key for party in displaced):
        return "loser"
    side = _side(voice.entry)
    if side is None:
        return None
    if side in {_side(party.entry) for party in controllers}:
        return "winner"
    if side in {_side(party.entry) for party in displaced}:
        return "loser"
    known = all(party.entry for party in (*controllers, *displaced))
    return "neither" if known and (controllers or displaced) else None


def _side(entry: ActorEntry | None) -> tuple[str | None, str] | None:
    return (entry.country, entry.side) if entry and entry.side else None


def sentence_around(document: Document, span: Span) -> Span:
    """The line or sentence of the text that holds `span`."""
    text = document.text
    start, end = span.start, span.end
    while start > 0 and not _ends_sentence(text, start - 1):
        start -= 1
    while end < len(text) and not _ends_sentence(text, end):
        end += 1
    if end < len(text) and text[end] != "\n":
        end += 1
    while start < span.start and text[start].isspace():
        start += 1
    return Span(start, end)


def record_to_dict(record: Record) -> dict[str, Any]:
    """Plain values of a record, for JSON."""
    values = asdict(record)
    for key in ("start", "end", "report_date"):
        values[key] = values[key].isoformat() if values[key] else None
    return values


def record_from_dict(values: Mapping[str, Any]) -> Record:
    """The record that `record_to_dict` wrote."""
    days = {
        key: datetime.date.fromisoformat(values[key]) if values[key] else None
        for key in ("start", "end", "report_date")
    }
    return Record(
        **{
            **values,
            **days,
            "trigger": Span(**values["trigger"]),
            "sentence": Span(**values["sentence"]),
            "controllers": tuple(_named(Party, item, _actor_entry) for item in values["controllers"]),
            "displaced": tuple(_named(Party, item, _actor_entry) for item in values["displaced"]),
            "sites": tuple(_named(Site, item, _place_entry) for item in values["sites"]),
            "voices": tuple(_named(Voice, item, _actor_entry) for item in values["voices"]),
        }
    )


def _named(kind: Callable[..., Any], values: Mapping[str, Any], entry: Callable[[Mapping[str, Any]], Any]) -> Any:
    found = values["entry"]
    return kind(**{**values, "span": Span(**values["span"]), "entry": entry(found) if found else None})


def _actor_entry(values: Mapping[str, Any]) -> ActorEntry:
    return ActorEntry(**{**values, "alternatives": tuple(_actor_entry(other) for other in values["alternatives"])})


def _place_entry(values: Mapping[str, Any]) -> PlaceEntry:
    return PlaceEntry(**{**values, "alternatives": tuple(_place_entry(other) for other in values["alternatives"])})


def _ends_sentence(text: str, index: int) -> bool:
    return text[index] == "\n" or (text[index] in ".!?؟" and (index + 1 == len(text) or text[index + 1].isspace()))
