"""brat standoff: a ``.txt`` and an ``.ann`` file for each document, offsets in code points.

Carries mentions, triggers, roles and factuality (an attribute; none stands for the default); not dates, headers and
scores. Written are T, E and A lines; read are R lines as well, from a trigger without an E line to a mention.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from saytara.corpus.formats.draft import Draft, DraftLink, DraftSpan, renumber, spans_of
from saytara.corpus.formats.files import document_id_of, file_name, new_folder, read_text
from saytara.corpus.formats.losses import Losses, left_out
from saytara.corpus.rules import factuality_problem, show
from saytara.document import Annotation, Document, Event, Span
from saytara.errors import DataError
from saytara.schema import Schema

LEAVES_OUT = ("dates", "header values", "ids of mentions and events", "scores", "warnings", "entries of the gazetteers")
FACTUALITY = "Factuality"
"""Name of the attribute."""
TEXT_BOUND = re.compile(r"(?P<label>\S+) (?P<offsets>\d+ \d+(?:;\d+ \d+)*)")
"""``ACTOR 0 11``, with pieces ``ACTOR 0 5;6 11`` where the span runs over a line's end"""
REPEATED = re.compile(r"(?P<role>.*?)\d*")
"""``place2``: the second filler of a role"""
IGNORED = {"#": "notes", "*": "equivalences", "N": "normalisations"}
"""First character of a line to what it is that has no place in our corpus."""


def read_brat(path: Path, schema: Schema) -> tuple[list[Annotation], Losses]:
    """Read a folder of brat files, with sub-folders, or one ``.ann`` file; ids are the names of the files."""
    if path.is_dir():
        texts = sorted(path.rglob("*.txt"))
        if not texts:
            raise DataError("no .txt file lies here. Name a folder of brat's .txt and .ann files.", where=str(path))
        names = [text.relative_to(path).with_suffix("").as_posix() for text in texts]
    else:
        texts, names = [path.with_suffix(".txt")], [path.stem]
    losses: Losses = Counter()
    annotations = [
        _Reader(text, document_id_of(name), schema, losses).annotation()
        for text, name in zip(texts, names, strict=True)
    ]
    return annotations, +losses


def write_brat(path: Path, annotations: Sequence[Annotation], schema: Schema) -> Losses:
    """Write a new folder of brat files with the ``annotation.conf`` of the schema; gives what was left out."""
    with new_folder(path) as folder:
        (folder / "annotation.conf").write_text(annotation_conf(schema), encoding="utf-8")
        for annotation in annotations:
            name = file_name(annotation.document.id)
            (folder / f"{name}.txt").write_bytes(annotation.document.text.encode())
            lines = "".join(f"{line}\n" for line in format_ann(annotation, schema))
            (folder / f"{name}.ann").write_bytes(lines.encode())
    return left_out(annotations, schema, LEAVES_OUT)


def format_ann(annotation: Annotation, schema: Schema) -> list[str]:
    """The lines of a document's ``.ann`` file."""
    ordered = renumber(annotation, schema)
    names = {name: f"T{number}" for number, (name, _, _) in enumerate(spans_of(ordered), 1)}
    lines = []
    for name, label, span in spans_of(ordered):
        pieces = list(_pieces(ordered.document.text, span))
        offsets = ";".join(f"{piece.start} {piece.end}" for piece in pieces)
        text = " ".join(ordered.text_of(piece) for piece in pieces)
        lines.append(f"{names[name]}\t{label} {offsets}\t{text}")
    for number, event in enumerate(ordered.events, 1):
        lines.append(f"E{number}\t{' '.join([f'{event.type}:{names[event.id]}', *_roles(event, names)])}")
    for number, event in enumerate(ordered.events, 1):
        lines.append(f"A{number}\t{FACTUALITY} E{number} {event.factuality}")
    return lines


def annotation_conf(schema: Schema) -> str:
    """The ``annotation.conf`` that lets brat annotate by the schema."""
    roles = [f"{role}*:{'|'.join(labels)}" for role, labels in schema.roles.items()]
    events = [f"{event}\t{', '.join(roles)}" for event in schema.events]
    attributes = [f"{FACTUALITY}\tArg:<EVENT>, Value:{'|'.join(schema.factuality)}"] if schema.events else []
    parts = {"entities": list(schema.mentions), "relations": [], "events": events, "attributes": attributes}
    return "\n".join("\n".join([f"[{name}]", *lines, ""]) for name, lines in parts.items())


def _roles(event: Event, names: dict[str, str]) -> Iterator[str]:
    """``place:T3 place2:T5``"""
    seen: Counter[str] = Counter()
    for argument in event.arguments:
        seen[argument.role] += 1
        number = seen[argument.role] if seen[argument.role] > 1 else ""
        yield f"{argument.role}{number}:{names[argument.mention]}"


def _pieces(text: str, span: Span) -> Iterator[Span]:
    """The span without the line ends in it, at which brat wants it cut."""
    for match in re.finditer(r"[^\n\r]+", text[span.start : span.end]):
        yield Span(span.start + match.start(), span.start + match.end())


def _joined(text: str, pieces: Sequence[Span]) -> str:
    """The text of a span as brat repeats it: on one line."""
    return re.sub(r"[\n\r]", " ", " ".join(text[piece.start : piece.end] for piece in pieces))


class _Reader:
    """Reads one document's two files."""

    def __init__(self, path: Path, document_id: str, schema: Schema, losses: Losses) -> None:
        self.path = path.with_suffix(".ann")
        self.schema = schema
        self.losses = losses
        self.draft = Draft(Document(read_text(path, keep_mark=True), document_id), str(self.path))
        self.spans: dict[str, DraftSpan] = {}
        self.triggers: dict[str, str] = {}
        """Id of an event to that of its trigger."""

    def annotation(self) -> Annotation:
        lines = [(f"{self.path}:{n}", line) for n, line in enumerate(read_text(self.path).split("\n"), 1)]
        rows = [(where, *self._cells(where, line.rstrip("\r"))) for where, line in lines if line.strip()]
        for kind, read in (("T", self._text_bound), ("E", self._event), ("R", self._relation), ("A", self._attribute)):
            for where, name, rest in rows:
                if name.startswith(kind) or (kind == "A" and name.startswith("M")):
                    read(where, name, rest)
        self.draft.spans = list(self.spans.values())
        for link in self.draft.links:
            link.one, link.other = (self.triggers.get(key, key) for key in (link.one, link.other))
        return self.draft.finish(self.schema)

    def _cells(self, where: str, line: str) -> tuple[str, list[str]]:
        name, *rest = line.split("\t")
        if name[:1] in IGNORED:
            self.losses[IGNORED[name[0]]] += 1
        elif name[:1] not in ("T", "E", "R", "A", "M") or not rest:
            raise DataError(f"is no line of brat: {show(line)}. It opens with T1, E1, R1 or A1 and a tab.", where=where)
        return name, rest

    def _text_bound(self, where: str, name: str, rest: list[str]) -> None:
        match = TEXT_BOUND.fullmatch(rest[0])
        if match is None:
            raise DataError(f"{show(rest[0])} is no label with offsets, such as `ACTOR 0 11`.", where=where)
        if name in self.spans:
            raise DataError(f"{name} stands twice. Number each line of its own.", where=where)
        pieces = [Span(*map(int, offsets.split())) for offsets in match["offsets"].split(";")]
        text = self.draft.document.text
        for before, after in pairwise(pieces):
            if text[before.end : after.start].strip() or after.start < before.end:
                raise DataError(f"{name} has a gap in it. Cover the gap or split it.", where=where)
        span = Span(pieces[0].start, pieces[-1].end)
        claimed = "\t".join(rest[1:]) if len(rest) > 1 else None
        if claimed is not None and claimed in (_joined(text, pieces), _joined(text, [span])):
            claimed = text[span.start : span.end]
        self.spans[name] = DraftSpan(name, match["label"], span, where, claimed)

    def _event(self, where: str, name: str, rest: list[str]) -> None:
        (kind, trigger), *roles = (self._role(where, cell) for cell in rest[0].split())
        if trigger not in self.spans:
            raise DataError(f"{name} has the trigger {trigger}, for which there is no line.", where=where)
        if self.spans[trigger].label != kind:
            found = self.spans[trigger].label
            raise DataError(f"{name} is {kind}, its trigger {trigger} is {found}. Make them the same.", where=where)
        if trigger in self.triggers.values():
            raise DataError(f"{name} has the trigger {trigger} of another event. Give it its own.", where=where)
        self.triggers[name] = trigger
        for role, filler in roles:
            match = REPEATED.fullmatch(role)
            known = role if role in self.schema.roles or match is None else match["role"]
            self.draft.links.append(DraftLink(known, trigger, filler, where))

    def _relation(self, where: str, name: str, rest: list[str]) -> None:
        role, *ends = rest[0].split()
        keys = [self._role(where, end)[1] for end in ends]
        if len(keys) != 2:
            raise DataError(f"{name} joins {len(keys)} spans, not two.", where=where)
        self.draft.links.append(DraftLink(role, keys[0], keys[1], where))

    def _attribute(self, where: str, name: str, rest: list[str]) -> None:
        kind, target, *value = rest[0].split()
        if kind != FACTUALITY or len(value) != 1:
            self.losses[f"attributes {kind}"] += 1
            return
        span = self.spans.get(self.triggers.get(target, target))
        if span is None:
            raise DataError(f"{name} describes {target}, for which there is no line.", where=where)
        problem = factuality_problem(self.schema, value[0], target)
        if problem:
            raise DataError(problem, where=where)
        if span.factuality not in (None, value[0]):
            raise DataError(f"{target} is both {span.factuality} and {value[0]}. Keep one.", where=where)
        span.factuality = value[0]

    def _role(self, where: str, cell: str) -> tuple[str, str]:
        role, colon, key = cell.partition(":")
        if not colon or not key:
            raise DataError(f"{show(cell)} is no `role:T1`.", where=where)
        return role, key
