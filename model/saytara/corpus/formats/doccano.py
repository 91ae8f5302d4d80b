"""doccano's JSON Lines of a sequence labelling project with relations.

Carries mentions, triggers and roles; factuality as a suffix of the trigger's label (``CAPTURE:denied``), dates and
headers as columns of their own, which doccano keeps; not ids of spans and scores.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

from saytara.corpus.formats.draft import Draft, DraftLink, DraftSpan, renumber, spans_of
from saytara.corpus.formats.files import read_text
from saytara.corpus.formats.headers import document_of, header_of
from saytara.corpus.formats.losses import Losses, left_out
from saytara.corpus.rules import show
from saytara.document import Annotation, Span
from saytara.errors import DataError
from saytara.files import atomic_write
from saytara.schema import Schema

LEAVES_OUT = ("ids of mentions and events", "scores", "warnings", "entries of the gazetteers")
OWN_KEYS = ("id", "text", "entities", "relations", "label", "labels", "Comments", "comments", "document")
"""Columns that are not a document's header. ``document`` is its id: doccano numbers ``id`` anew."""
SUFFIX = ":"


def read_doccano(path: Path, schema: Schema) -> tuple[list[Annotation], Losses]:
    """Read what doccano exports, or `write_doccano` wrote."""
    losses: Losses = Counter()
    annotations = []
    for number, line in enumerate(read_text(path).split("\n"), 1):
        if line.strip():
            where = f"{path}:{number}"
            annotations.append(_annotation(_parse(line, where), where, schema, losses))
    return annotations, +losses


def write_doccano(path: Path, annotations: Sequence[Annotation], schema: Schema) -> Losses:
    """Write a file for doccano's dataset import (sequence labelling, JSONL(Relation)); gives what was left out."""
    numbers = count(1)
    with atomic_write(path) as file:
        for annotation in annotations:
            record = _to_record(annotation, schema, numbers)
            file.write(json.dumps(record, ensure_ascii=False).encode() + b"\n")
    return left_out(annotations, schema, LEAVES_OUT)


def _to_record(annotation: Annotation, schema: Schema, numbers: Iterator[int]) -> dict[str, Any]:
    ordered = renumber(annotation, schema)
    factuality = {event.id: event.factuality for event in ordered.events if event.factuality != schema.factuality[0]}
    ids = {name: next(numbers) for name, _, _ in spans_of(ordered)}
    entities = [
        {
            "id": ids[name],
            "label": SUFFIX.join([label, factuality[name]]) if name in factuality else label,
            "start_offset": span.start,
            "end_offset": span.end,
        }
        for name, label, span in spans_of(ordered)
    ]
    relations = [
        {"id": next(numbers), "from_id": ids[event.id], "to_id": ids[argument.mention], "type": argument.role}
        for event in ordered.events
        for argument in event.arguments
    ]
    document = ordered.document
    header = {"text": document.text, "document": document.id, **header_of(document, OWN_KEYS)}
    return {**header, "entities": entities, "relations": relations}


def _parse(line: str, where: str) -> Mapping[str, Any]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise DataError(f"is not JSON ({error}). Export from doccano as JSONL.", where=where) from error
    if not isinstance(record, Mapping):
        raise DataError("is not a JSON object. Export from doccano as JSONL.", where=where)
    return record


def _annotation(record: Mapping[str, Any], where: str, schema: Schema, losses: Losses) -> Annotation:
    name = record.get("document", record.get("id"))
    where = f'{where}: document "{name}"'
    header = {key: value for key, value in record.items() if key not in OWN_KEYS}
    draft = Draft(document_of(name, record.get("text"), header, where, losses), where)
    try:
        if "entities" in record:
            draft.spans = [_span(entity, where, schema) for entity in record["entities"]]
            draft.links = [_link(relation, where) for relation in record.get("relations") or ()]
        else:
            labels = record.get("label", record.get("labels"))
            draft.spans = [
                _span({"id": i, "start_offset": start, "end_offset": end, "label": label}, where, schema)
                for i, (start, end, label) in enumerate(labels, 1)
            ]
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"has no readable lists `entities` and `relations` ({type(error).__name__}: {error}). Export as JSONL.",
            where=where,
        ) from error
    losses["comments"] += len(record.get("Comments") or record.get("comments") or ())
    return draft.finish(schema)


def _span(entity: Mapping[str, Any], where: str, schema: Schema) -> DraftSpan:
    label, suffix, factuality = str(entity["label"]), None, None
    if label not in schema.mentions and SUFFIX in label:
        label, suffix, factuality = label.rpartition(SUFFIX)
    where = f"{where}, entity {show(entity['id'])}"
    span = Span(int(entity["start_offset"]), int(entity["end_offset"]))
    return DraftSpan(str(entity["id"]), label, span, where, factuality=factuality if suffix else None)


def _link(relation: Mapping[str, Any], where: str) -> DraftLink:
    where = f"{where}, relation {show(relation.get('id'))}"
    return DraftLink(str(relation["type"]), str(relation["from_id"]), str(relation["to_id"]), where)
