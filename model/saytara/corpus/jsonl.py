"""Annotated reports as JSON Lines with character offsets: read and validated, written, handed to `datasets`.

Judges only what makes a record unusable; whether an annotation is good is `check`'s to say.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from saytara.corpus.rules import argument_problem, factuality_problem, label_problem, show, type_problem
from saytara.document import Annotation, Argument, Document, Event, Mention, Span
from saytara.errors import DataError, MissingExtraError
from saytara.files import atomic_write
from saytara.schema import Schema

if TYPE_CHECKING:
    from datasets import Dataset

RESERVED = ("id", "text", "date", "entities", "events", "warnings")
"""Keys of a record that the corpus form defines; all others are the document's `meta`."""


def read_corpus(path: Path, schema: Schema) -> list[Annotation]:
    """Read a JSON Lines corpus; DataError at the first problem, naming file, line and document."""
    annotations, problems = check_corpus_file(path, schema)
    if problems:
        raise problems[0]
    return annotations


def check_corpus_file(path: Path, schema: Schema) -> tuple[list[Annotation], list[DataError]]:
    """Read what is usable of a JSON Lines corpus, and every problem of the rest."""
    try:
        content = path.read_bytes()
    except OSError as error:
        return [], [DataError(f"cannot be read ({error.strerror}). Check the path.", where=str(path))]
    annotations: list[Annotation] = []
    problems: list[DataError] = []
    lines_of_ids: dict[str, int] = {}
    for number, line in enumerate(content.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        if not line.strip():
            continue
        where = f"{path}:{number}"
        record = _parse_line(line, where, problems)
        if record is None:
            continue
        annotation = _Reader(schema, where, problems).annotation(record)
        if annotation is None:
            continue
        document_id = annotation.document.id
        if document_id in lines_of_ids:
            problems.append(
                DataError(
                    f"the id is already that of line {lines_of_ids[document_id]}. Give each document an id of its own.",
                    where=f'{where}: document "{document_id}"',
                )
            )
            continue
        lines_of_ids[document_id] = number
        annotations.append(annotation)
    return annotations, problems


def annotation_from_dict(record: Mapping[str, Any], schema: Schema, *, where: str = "record") -> Annotation:
    """Build an annotation from one record of the corpus form; DataError at the first problem."""
    problems: list[DataError] = []
    annotation = _Reader(schema, where, problems).annotation(dict(record))
    if annotation is None:
        raise problems[0]
    return annotation


def annotation_to_dict(annotation: Annotation) -> dict[str, Any]:
    """One record of the corpus form; scores of 1 are left out."""
    document = annotation.document
    clash = sorted(set(document.meta) & set(RESERVED))
    if clash:
        raise DataError(
            f"meta key {clash[0]!r} is a key of the corpus form. Rename it.", where=f'document "{document.id}"'
        )
    record: dict[str, Any] = {
        "id": document.id,
        "text": document.text,
        "date": document.date.isoformat() if document.date else None,
        **document.meta,
        "entities": [
            {"id": mention.id, "type": mention.label, **_span(annotation, mention.span), **_score(mention.score)}
            for mention in annotation.mentions
        ],
        "events": [_event_to_dict(annotation, event) for event in annotation.events],
    }
    if annotation.warnings:
        record["warnings"] = list(annotation.warnings)
    return record


def write_corpus(path: Path, annotations: Iterable[Annotation], schema: Schema) -> None:
    """Write a JSON Lines corpus, whole or not at all; DataError where an annotation breaks the schema."""
    with atomic_write(path) as file:
        ids: set[str] = set()
        for annotation in annotations:
            record = annotation_to_dict(annotation)
            annotation_from_dict(record, schema, where="to be written")
            if annotation.document.id in ids:
                raise DataError("the id is used twice.", where=f'to be written: document "{annotation.document.id}"')
            ids.add(annotation.document.id)
            file.write(json.dumps(record, ensure_ascii=False).encode() + b"\n")


def to_dataset(annotations: Iterable[Annotation], schema: Schema) -> "Dataset":
    """The annotations as a `datasets.Dataset` with one row a document; `meta` is a JSON string.

    Nothing is downloaded and nothing cached; MissingExtraError where `datasets` is not installed.
    """
    try:
        import datasets
    except ImportError as error:
        raise MissingExtraError("A datasets.Dataset", extra="train") from error
    text, number, score = datasets.Value("string"), datasets.Value("int64"), datasets.Value("float64")
    span = {"start": number, "end": number, "text": text}
    argument = {"role": text, "mention": text, "score": score}
    event = {
        "id": text,
        "type": text,
        "trigger": span,
        "factuality": text,
        "factuality_score": score,
        "arguments": datasets.List(argument),
        "score": score,
    }
    features = datasets.Features(
        {
            "id": text,
            "text": text,
            "date": text,
            "meta": text,
            "entities": datasets.List({"id": text, "type": text, **span, "score": score}),
            "events": datasets.List(event),
            "warnings": datasets.List(text),
        }
    )
    rows = [_row(annotation, schema) for annotation in annotations]
    return datasets.Dataset.from_list(rows, features=features)


def from_dataset(dataset: "Dataset", schema: Schema) -> list[Annotation]:
    """The annotations of a dataset that `to_dataset` made."""
    annotations = []
    for number, row in enumerate(dataset):
        record = {**json.loads(row["meta"]), **{key: value for key, value in row.items() if key != "meta"}}
        annotations.append(annotation_from_dict(record, schema, where=f"dataset row {number}"))
    return annotations


def _row(annotation: Annotation, schema: Schema) -> dict[str, Any]:
    record = annotation_to_dict(annotation)
    annotation_from_dict(record, schema, where="dataset")
    for item in [*record["entities"], *record["events"], *(a for e in record["events"] for a in e["arguments"])]:
        item.setdefault("score", 1.0)
    for event in record["events"]:
        event.setdefault("factuality_score", 1.0)
    own = {key: record.get(key, []) for key in RESERVED}
    meta = {key: value for key, value in record.items() if key not in RESERVED}
    return {**own, "meta": json.dumps(meta, ensure_ascii=False)}


def _span(annotation: Annotation, span: Span) -> dict[str, Any]:
    return {"start": span.start, "end": span.end, "text": annotation.text_of(span)}


def _score(score: float) -> dict[str, float]:
    return {} if score == 1.0 else {"score": score}


def _event_to_dict(annotation: Annotation, event: Event) -> dict[str, Any]:
    record: dict[str, Any] = {
        "id": event.id,
        "type": event.type,
        "trigger": _span(annotation, event.trigger),
        "factuality": event.factuality,
        "arguments": [
            {"role": argument.role, "mention": argument.mention, **_score(argument.score)}
            for argument in event.arguments
        ],
        **_score(event.score),
    }
    if event.factuality_score != 1.0:
        record["factuality_score"] = event.factuality_score
    return record


def _parse_line(line: bytes, where: str, problems: list[DataError]) -> dict[str, Any] | None:
    try:
        text = line.decode()
    except UnicodeDecodeError as error:
        message = f"byte {error.start + 1} of the line is not UTF-8. Convert the file to UTF-8."
        problems.append(DataError(message, where=where))
        return None
    try:
        record = json.loads(text)
    except (ValueError, RecursionError) as error:
        problems.append(DataError(f"is not JSON ({error}). Write one JSON object on each line.", where=where))
        return None
    if not isinstance(record, dict):
        problems.append(DataError("is not a JSON object. Write one JSON object on each line.", where=where))
        return None
    return record


class _Reader:
    """Turns one record into an annotation and notes what is wrong with it."""

    def __init__(self, schema: Schema, where: str, problems: list[DataError]) -> None:
        self.schema = schema
        self.where = where
        self.problems = problems
        self.text = ""

    def annotation(self, record: dict[str, Any]) -> Annotation | None:
        """The annotation, or None where `problems` has grown."""
        before = len(self.problems)
        document = self._document(record)
        if document is None:
            return None
        self.text = document.text
        entities = self._list(record, "entities", required=True)
        entries = self._list(record, "events", required=bool(self.schema.events))
        self._check_ids([*entities, *entries])
        mentions = [self._mention(value, i) for i, value in enumerate(entities)]
        labels = {mention.id: mention.label for mention in mentions if mention}
        if entries and not self.schema.events:
            self._problem(f'schema "{self.schema.name}" has no events. Remove them or name another schema.')
            return None
        events = [self._event(value, i, labels) for i, value in enumerate(entries)]
        warnings = self._list(record, "warnings", required=False)
        if len(self.problems) == before:
            found, happened = tuple(m for m in mentions if m), tuple(e for e in events if e)
            self._check_overlaps(found, happened)
            if len(self.problems) == before:
                return Annotation(document, found, happened, tuple(str(note) for note in warnings))
        return None

    def _problem(self, message: str) -> None:
        self.problems.append(DataError(message, where=self.where))

    def _document(self, record: dict[str, Any]) -> Document | None:
        document_id = record.get("id")
        if not isinstance(document_id, str) or not document_id:
            self._problem('has no "id". Give each document an id, a string of its own.')
            return None
        self.where = f'{self.where}: document "{document_id}"'
        text = record.get("text")
        if not isinstance(text, str):
            self._problem('has no "text". Give the report\'s text as a string.')
            return None
        if any("\ud800" <= character <= "\udfff" for character in text):
            self._problem("the text holds half a surrogate pair, which is no character. Repair the text.")
            return None
        day = record.get("date")
        if day is not None:
            day = self._day(day)
            if day is None:
                return None
        meta = {key: value for key, value in record.items() if key not in RESERVED}
        return Document(text, document_id, day, meta)

    def _day(self, value: object) -> date | None:
        try:
            day = date.fromisoformat(str(value))
        except ValueError:
            day = None
        if day is None or day.isoformat() != value:
            self._problem(f'date {show(value)} is not a day. Write it as "2024-12-07", or null.')
            return None
        return day

    def _list(self, record: Mapping[str, Any], key: str, *, required: bool) -> list[Any]:
        value = record.get(key)
        if value is None and not required:
            return []
        if not isinstance(value, list):
            self._problem(f'has no list "{key}". Write an empty list where there are none.')
            return []
        return value

    def _mention(self, value: object, index: int) -> Mention | None:
        what = f"entity {index + 1}"
        if not isinstance(value, dict) or not isinstance(value.get("id"), str) or not value["id"]:
            self._problem(f'{what} has no "id". Write it as an object with id, type, start and end.')
            return None
        what = f'mention "{value["id"]}"'
        label = value.get("type")
        problem = label_problem(self.schema, label, what)
        if problem:
            self._problem(problem)
            return None
        span = self._span(value, what)
        return Mention(value["id"], str(label), span, self._score(value, "score", what)) if span else None

    def _event(self, value: object, index: int, labels: Mapping[str, str]) -> Event | None:
        what = f"event {index + 1}"
        if not isinstance(value, dict) or not isinstance(value.get("id"), str) or not value["id"]:
            self._problem(f'{what} has no "id". Write it as an object with id, type, trigger and factuality.')
            return None
        what = f'event "{value["id"]}"'
        kind, factuality, trigger = value.get("type"), value.get("factuality"), value.get("trigger")
        faults = [type_problem(self.schema, kind, what), factuality_problem(self.schema, factuality, what)]
        for fault in filter(None, faults):
            self._problem(fault)
        if not isinstance(trigger, dict):
            self._problem(f'{what} has no "trigger". Write it as an object with start and end.')
            return None
        span = self._span(trigger, f"the trigger of {what}")
        found = [self._argument(argument, what, labels) for argument in self._list(value, "arguments", required=False)]
        arguments = tuple(argument for argument in found if argument)
        pairs = [(argument.role, argument.mention) for argument in arguments]
        for role, mention in sorted({pair for pair in pairs if pairs.count(pair) > 1}):
            self._problem(f'{what} names mention "{mention}" twice as "{role}". Remove one.')
        if span is None or any(faults):
            return None
        return Event(
            id=value["id"],
            type=str(kind),
            trigger=span,
            factuality=str(factuality),
            arguments=arguments,
            factuality_score=self._score(value, "factuality_score", what),
            score=self._score(value, "score", what),
        )

    def _argument(self, value: object, what: str, labels: Mapping[str, str]) -> Argument | None:
        if not isinstance(value, dict):
            self._problem(f"{what} has an argument that is no object. Write it with role and mention.")
            return None
        role, mention = value.get("role"), value.get("mention")
        problem = argument_problem(self.schema, role, mention, labels, what)
        if problem:
            self._problem(problem)
            return None
        return Argument(str(role), str(mention), self._score(value, "score", what))

    def _span(self, value: Mapping[str, Any], what: str) -> Span | None:
        start, end = value.get("start"), value.get("end")
        if not _is_int(start) or not _is_int(end):
            self._problem(f"{what} has no whole numbers as start and end. Give offsets in code points.")
            return None
        span = Span(int(str(start)), int(str(end)))
        if span.start < 0 or span.end > len(self.text):
            self._problem(
                f"{what} covers {span.start} to {span.end}, out of the text's {len(self.text)} code points. "
                "Count code points, not bytes."
            )
            return None
        if span.start >= span.end:
            self._problem(f"{what} is empty ({span.start} to {span.end}). The end is the first code point after it.")
            return None
        actual, claimed = self.text[span.start : span.end], value.get("text", None)
        if claimed is not None and claimed != actual:
            self._problem(
                f"{what} says {show(claimed)}, but {span.start} to {span.end} of the text is {show(actual)}. "
                "Fix the offsets."
            )
            return None
        return span

    def _score(self, value: Mapping[str, Any], key: str, what: str) -> float:
        score = value.get(key, 1.0)
        if isinstance(score, bool) or not isinstance(score, int | float) or not 0 <= score <= 1:
            self._problem(f"{what}: {key} {show(score)} is not a number from 0 to 1.")
            return 1.0
        return float(score)

    def _check_ids(self, values: Sequence[object]) -> None:
        counts = Counter(str(value["id"]) for value in values if isinstance(value, dict) and "id" in value)
        for name, count in sorted(counts.items()):
            if count > 1:
                self._problem(f'the id "{name}" is used {count} times. Give each mention and event its own.')

    def _check_overlaps(self, mentions: Sequence[Mention], events: Sequence[Event]) -> None:
        spans = [(mention.span, f'mention "{mention.id}"') for mention in mentions]
        spans += [(event.trigger, f'the trigger of event "{event.id}"') for event in events]
        spans.sort()
        reach = 0  # index of the span that reaches furthest so far
        for i in range(1, len(spans)):
            if spans[reach][0].overlaps(spans[i][0]):
                self._problem(
                    f"{spans[reach][1]} ({self._quote(spans[reach][0])}) and {spans[i][1]} "
                    f"({self._quote(spans[i][0])}) overlap. Spans are flat: shorten or remove one."
                )
            if spans[i][0].end > spans[reach][0].end:
                reach = i

    def _quote(self, span: Span) -> str:
        return f"{span.start} to {span.end}, {show(self.text[span.start : span.end])}"


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
