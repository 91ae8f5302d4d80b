"""Named-entity corpora as CoNLL columns: a token and its tag on each line, an empty line after each sentence.

Carries mentions only; events, ids, dates, scores and the spacing of the text have no place in it.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from saytara.corpus.rules import show
from saytara.document import Annotation, Document, Mention, Span, number_ids
from saytara.errors import DataError, closest
from saytara.files import atomic_write
from saytara.schema import Schema

DOCUMENT_START = "-DOCSTART-"
COLUMN_GAP = re.compile(r"[ \t]+")
CHUNK = re.compile(r"\S+")


def read_conll(
    path: Path,
    schema: Schema,
    *,
    sentences_per_document: int | None = 1,
    rename: Mapping[str, str] | None = None,
    tag_column: int | None = None,
) -> list[Annotation]:
    """Read a CoNLL file; DataError at the first problem, naming file and line.

    Tags are IOB2; IOB1 and IO are understood too: an ``I-`` that continues nothing begins a mention. Tokens are joined
    by a space, sentences by a newline, and documents are called ``<file>-1``, ``<file>-2``, ….

    Args:
        sentences_per_document: how many sentences make a document; None: all up to the next ``-DOCSTART-``.
        rename: labels of the file by those of the schema that they become, such as ``{"PER": "PERS"}``.
        tag_column: the tag's column, from 0, where lines have more than two.
    """
    columns = _Columns(path, schema, rename or {}, tag_column)
    annotations: list[Annotation] = []
    pending: list[list[tuple[str, str]]] = []
    for sentence in [*columns.sentences(), None]:
        is_full = sentences_per_document is not None and len(pending) >= sentences_per_document
        if pending and (sentence is None or is_full):
            annotations.append(_annotation(pending, schema, f"{path.stem}-{len(annotations) + 1}"))
            pending = []
        if sentence is not None:
            pending.append(sentence)
    return annotations


def write_conll(path: Path, annotations: Iterable[Annotation], schema: Schema) -> None:
    """Write mentions as IOB2, one sentence for each line of a text, whole or not at all.

    Tokens are what white space separates, cut at the edges of mentions. Events and all else that
    the columns have no place for are left out; `saytara.corpus.formats` counts them.
    """
    documents = [(annotation, _lines(annotation)) for annotation in annotations]
    has_documents = any(len(lines) > 1 for _, lines in documents)
    with atomic_write(path) as file:
        for annotation, lines in documents:
            if has_documents:
                file.write(f"{DOCUMENT_START} O\n\n".encode())
            for line in lines:
                rows = "".join(f"{token} {tag}\n" for token, tag in _tokens(annotation, line, schema))
                file.write(f"{rows}\n".encode())


@dataclass(slots=True)
class _Columns:
    """The sentences of a CoNLL file as tokens and tags."""

    path: Path
    schema: Schema
    rename: Mapping[str, str]
    tag_column: int | None
    tags: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self.tags = ["O", *(f"{prefix}-{label}" for label in self.schema.mentions for prefix in "BI")]

    def sentences(self) -> Iterator[list[tuple[str, str]] | None]:
        """Sentence after sentence; None where a new document starts."""
        sentence: list[tuple[str, str]] = []
        for number, line in enumerate(self._content().split(b"\n"), start=1):
            cells = self._cells(line, number)
            if cells and cells[0] != DOCUMENT_START:
                sentence.append(self._token(cells, number))
                continue
            if sentence:
                yield sentence
                sentence = []
            if cells:
                yield None
        if sentence:
            yield sentence

    def _content(self) -> bytes:
        try:
            return self.path.read_bytes().removeprefix(b"\xef\xbb\xbf")
        except OSError as error:
            raise DataError(f"cannot be read ({error.strerror}). Check the path.", where=str(self.path)) from error

    def _cells(self, line: bytes, number: int) -> list[str]:
        try:
            text = line.decode().strip(" \t\r")
        except UnicodeDecodeError as error:
            raise self._error(number, "is not UTF-8. Convert the file to UTF-8.") from error
        return COLUMN_GAP.split(text) if text else []

    def _token(self, cells: Sequence[str], number: int) -> tuple[str, str]:
        if self.tag_column is None and len(cells) != 2:
            raise self._error(number, f"has {len(cells)} columns, not token and tag. Say which column holds the tag.")
        if self.tag_column is not None and self.tag_column >= len(cells):
            raise self._error(number, f"has {len(cells)} columns, so none with index {self.tag_column}.")
        token, tag = cells[0], cells[1 if self.tag_column is None else self.tag_column]
        prefix, dash, label = tag.partition("-")
        tag = f"{prefix}{dash}{self.rename.get(label, label)}"
        if tag not in self.tags:
            raise self._error(
                number, f"token {show(token)} has the unknown tag {show(tag)}; {closest(tag, self.tags)}."
            )
        return token, tag

    def _error(self, number: int, message: str) -> DataError:
        return DataError(message, where=f"{self.path}:{number}")


def _annotation(sentences: Sequence[Sequence[tuple[str, str]]], schema: Schema, name: str) -> Annotation:
    spans: list[tuple[str, Span]] = []
    at, lines = 0, []
    for sentence in sentences:
        current = None  # label of the mention that the last token belongs to
        for token, tag in sentence:
            prefix, _, label = tag.partition("-")
            if prefix == "I" and label == current:
                spans[-1] = (label, Span(spans[-1][1].start, at + len(token)))
            elif label:
                spans.append((label, Span(at, at + len(token))))
            current = label or None
            at += len(token) + 1
        lines.append(" ".join(token for token, _ in sentence))
    ids = number_ids([label for label, _ in spans], schema.mentions)
    mentions = tuple(Mention(mention_id, label, span) for mention_id, (label, span) in zip(ids, spans, strict=True))
    return Annotation(Document("\n".join(lines), name), mentions)


def _lines(annotation: Annotation) -> list[Span]:
    """The lines of the text that are not blank; one that a mention crosses is joined to the next."""
    spans: list[Span] = []
    start = 0
    for line in annotation.document.text.split("\n"):
        span = Span(start, start + len(line))
        start = span.end + 1
        if not line.strip():
            continue
        if spans and any(m.span.start < spans[-1].end and m.span.end > span.start for m in annotation.mentions):
            span = Span(spans.pop().start, span.end)
        spans.append(span)
    return spans


def _tokens(annotation: Annotation, line: Span, schema: Schema) -> Iterator[tuple[str, str]]:
    text = annotation.document.text
    mentions = sorted((m for m in annotation.mentions if m.span.overlaps(line)), key=lambda m: m.span)
    edges = sorted({edge for mention in mentions for edge in (mention.span.start, mention.span.end)})
    for chunk in CHUNK.finditer(text, line.start, line.end):
        cuts = [chunk.start(), *(edge for edge in edges if chunk.start() < edge < chunk.end()), chunk.end()]
        for start, end in pairwise(cuts):
            owner = next((m for m in mentions if m.span.overlaps(Span(start, end))), None)
            if owner is None:
                yield text[start:end], "O"
                continue
            if owner.label not in schema.mentions:
                known = closest(owner.label, schema.mentions)
                where = f'document "{annotation.document.id}"'
                raise DataError(f"unknown label {show(owner.label)}; {known}.", where=where)
            is_first = not text[owner.span.start : start].strip()
            yield text[start:end], f"{'B' if is_first else 'I'}-{owner.label}"
