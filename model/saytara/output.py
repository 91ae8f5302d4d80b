"""The output contract: one JSON object a report, and a table that a person reads.

Serialises only; what a mention or an event is was decided before.
"""

import datetime
import unicodedata
from collections.abc import Mapping
from typing import Any

from saytara.assembly import attribution
from saytara.document import (
    ActorEntry,
    Annotation,
    Argument,
    Document,
    Entry,
    Event,
    Mention,
    PlaceEntry,
    Span,
    TimeValue,
)
from saytara.errors import DataError
from saytara.linking.names import Name, clean_names
from saytara.schema import Schema

SCORE_DIGITS = 4


def to_output(annotation: Annotation, schema: Schema, model: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON object of one report, as ``docs/architecture.md`` gives it."""
    document = annotation.document
    result: dict[str, Any] = {
        "id": document.id,
        "text": document.text,
        "date": document.date.isoformat() if document.date else None,
        "meta": dict(document.meta),
    }
    names = clean_names(annotation)
    mentions = [(mention.label, _mention(annotation, mention, names[mention.id])) for mention in annotation.mentions]
    for name in dict.fromkeys(schema.lists.values()):
        result[name] = [entry for label, entry in mentions if schema.lists[label] == name]
    if not schema.lists:
        result["entities"] = [
            {"id": e["id"], "type": label, **{k: v for k, v in e.items() if k != "id"}} for label, e in mentions
        ]
    if schema.events:
        result["events"] = [_event(annotation, event) for event in annotation.events]
    return {**result, "warnings": list(annotation.warnings), "model": dict(model)}


def _mention(annotation: Annotation, mention: Mention, name: Name) -> dict[str, Any]:
    text = annotation.text_of(mention.span)
    entry: dict[str, Any] = {"id": mention.id, "start": mention.span.start, "end": mention.span.end, "text": text}
    if mention.label in ("ACTOR", "PLACE", "SOURCE"):
        entry |= {
            "name": name.name,
            "name_start": mention.span.start + name.start,
            "name_end": mention.span.start + name.end,
        }
        if mention.label == "PLACE":
            entry["category"] = name.category
    entry["score"] = round(mention.score, SCORE_DIGITS)
    found = annotation.entries.get(mention.id)
    if mention.label == "TIME":
        entry["value"] = (
            {"start": found.start.isoformat(), "end": found.end.isoformat()} if isinstance(found, TimeValue) else None
        )
    elif mention.label == "PLACE":
        entry["entry"] = _place(found) if isinstance(found, PlaceEntry) else None
    elif mention.label == "ACTOR":
        entry["entry"] = _actor(found) if isinstance(found, ActorEntry) else None
    return entry


def _place(entry: PlaceEntry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "name": {"ar": entry.name_ar, "en": entry.name_en},
        "kind": entry.kind,
        "country": entry.country,
        "admin1": entry.admin1,
        "lat": entry.lat,
        "lon": entry.lon,
        "precision": entry.precision,
        "score": round(entry.score, SCORE_DIGITS),
        "alternatives": [_place(other) for other in entry.alternatives],
    }


def _actor(entry: ActorEntry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "name": entry.name,
        "side": entry.side,
        "kind": entry.kind,
        "country": entry.country,
        "score": round(entry.score, SCORE_DIGITS),
        "alternatives": [_actor(other) for other in entry.alternatives],
    }


def _event(annotation: Annotation, event: Event) -> dict[str, Any]:
    return {
        "id": event.id,
        "type": event.type,
        "factuality": event.factuality,
        "factuality_score": round(event.factuality_score, SCORE_DIGITS),
        "attribution": attribution(event),
        "trigger": {"start": event.trigger.start, "end": event.trigger.end, "text": annotation.text_of(event.trigger)},
        "arguments": [
            {"role": a.role, "mention": a.mention, "score": round(a.score, SCORE_DIGITS)} for a in event.arguments
        ],
        "score": round(event.score, SCORE_DIGITS),
    }


def from_output(record: Mapping[str, Any], schema: Schema) -> Annotation:
    """Read `to_output`'s object back, to score, correct or train on predictions."""
    try:
        date = record.get("date")
        document = Document(
            record["text"], record["id"], datetime.date.fromisoformat(date) if date else None, record.get("meta") or {}
        )
        label_of = {name: label for label, name in schema.lists.items()}
        entries = [(entry.get("type"), entry) for entry in record.get("entities", ())]
        entries += [(label_of[name], entry) for name in label_of for entry in record.get(name, ())]
        mentions = [
            Mention(entry["id"], str(label), Span(entry["start"], entry["end"]), entry.get("score", 1.0))
            for label, entry in entries
        ]
        events = [
            Event(
                id=event["id"],
                type=event["type"],
                trigger=Span(event["trigger"]["start"], event["trigger"]["end"]),
                factuality=event["factuality"],
                arguments=tuple(Argument(a["role"], a["mention"], a.get("score", 1.0)) for a in event["arguments"]),
                factuality_score=event.get("factuality_score", 1.0),
                score=event.get("score", 1.0),
            )
            for event in record.get("events", ())
        ]
        found = {entry["id"]: resolved for _, entry in entries if (resolved := _entry_from(entry)) is not None}
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"is not an output record of saytara ({error!r}). Give what `saytara predict` wrote.",
            where=f"document {record.get('id')!r}",
        ) from error
    return Annotation(
        document,
        tuple(sorted(mentions, key=lambda m: m.span)),
        tuple(events),
        tuple(record.get("warnings", ())),
        found,
    )


def _entry_from(mention: Mapping[str, Any]) -> Entry | None:
    """What a mention of an output record refers to."""
    if value := mention.get("value"):
        return TimeValue(datetime.date.fromisoformat(value["start"]), datetime.date.fromisoformat(value["end"]))
    entry = mention.get("entry")
    if not entry:
        return None
    return _place_from(entry) if "lat" in entry else _actor_from(entry)


def _place_from(entry: Mapping[str, Any]) -> PlaceEntry:
    names = {"name_ar": entry["name"]["ar"], "name_en": entry["name"]["en"]}
    rest = {key: value for key, value in entry.items() if key not in ("name", "alternatives")}
    return PlaceEntry(**rest, **names, alternatives=tuple(_place_from(other) for other in entry["alternatives"]))


def _actor_from(entry: Mapping[str, Any]) -> ActorEntry:
    return ActorEntry(**{**entry, "alternatives": tuple(_actor_from(other) for other in entry["alternatives"])})


FACTUALITY_WORDS = {"actual": "", "denied": "denied", "prospective": "expected"}


def to_rows(annotation: Annotation) -> list[dict[str, str]]:
    """One row an event for people: type, place, by whom, from whom, when, status, who says so, score."""
    names = clean_names(annotation)
    rows = []
    for event in annotation.events:
        fill = {
            role: "، ".join(names[m].name for m in event.fillers(role))
            for role in ("controller", "displaced", "place", "claimant", "reporter", "time")
        }
        status = FACTUALITY_WORDS.get(event.factuality, event.factuality)
        rows.append(
            {
                "report": annotation.document.id,
                "event": event.type,
                "place": fill["place"],
                "controller": fill["controller"],
                "displaced": fill["displaced"],
                "time": fill["time"],
                "status": " ".join(part for part in (attribution(event), status) if part),
                "according to": "، ".join(part for part in (fill["claimant"], fill["reporter"]) if part),
                "score": f"{event.score:.2f}",
            }
        )
    return rows


def format_table(title: str, rows: list[dict[str, str]]) -> str:
    """Rows as aligned text columns, with the report's id above."""
    if not rows:
        return f"{title}: no events\n"
    columns = [name for name in rows[0] if name != "report"]
    widths = {name: max(len(name), *(_width(row[name]) for row in rows)) for name in columns}
    lines = [title, "  ".join(name.ljust(widths[name]) for name in columns).rstrip()]
    for row in rows:
        lines.append("  ".join(row[name] + " " * (widths[name] - _width(row[name])) for name in columns).rstrip())
    return "\n".join(lines) + "\n"


def _width(text: str) -> int:
    """Columns that a terminal gives the text: marks that stand on other letters take none."""
    return sum(not unicodedata.combining(char) for char in text)
