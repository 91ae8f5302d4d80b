r"""Annotated reports in the inline markup that people write: parsed, and written back.

Writes no files; what it knows of labels and roles is the schema's.

A block::

    # id: example-1
    # date: 2024-12-07
    [قواته|a1:ACTOR] [استعادت|e1:RECAPTURE] [البلدة|p1:PLACE]
    ---
    e1 actual controller=a1 place=p1

A backslash makes the character after it literal: ``[``, ``]``, ``|``, ``\``, ``#`` or ``-`` at the start of a line, a
newline at either end of the text, a carriage return.
"""

import json
import logging
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from saytara.corpus.jsonl import RESERVED
from saytara.corpus.rules import argument_problem, factuality_problem, label_problem, show, type_problem
from saytara.document import Annotation, Argument, Document, Event, Mention, Span
from saytara.errors import DataError, closest
from saytara.schema import Schema

logger = logging.getLogger(__name__)

HEADER = re.compile(r"\# [ \t]+ (?P<key>[^\s:][^:]*?) [ \t]* : [ \t]* (?P<value>.*?) [ \t]*", re.VERBOSE)
"""``# date: 2024-12-07``"""
BLOCK = re.compile(r"\# [ \t]+ id [ \t]* :", re.VERBOSE)
"""``# id: example-1``, the beginning of a block"""
PLAIN_VALUE = re.compile(r"\S (?: [^\n\r]* \S )?", re.VERBOSE)
"""``sana: agency``, a header value that a line can hold as it is"""
IDENTIFIER = re.compile(r"[^\s:,=|\[\]\\]+")
"""``a1``"""
JSON_VALUE = "!json "
"""Opens a header value that is JSON: one that is no string, or a string that a line cannot hold as it is."""


def parse_markup(text: str, schema: Schema, *, source: str) -> list[Annotation]:
    """Read the blocks of a markup file; DataError at the first problem, naming `source` and line."""
    annotations, problems = check_markup(text, schema, source=source)
    if problems:
        raise problems[0]
    return annotations


def check_markup(text: str, schema: Schema, *, source: str) -> tuple[list[Annotation], list[DataError]]:
    """Read what is usable of a markup file, and every problem of the rest."""
    annotations: list[Annotation] = []
    problems: list[DataError] = []
    seen: set[str] = set()
    for block in _blocks(text, source, problems):
        annotation = _Block(block, schema, source, problems).annotation()
        if annotation is None:
            continue
        if annotation.document.id in seen:
            where = f'{source}:{block[0].number}: document "{annotation.document.id}"'
            problems.append(DataError("the id is used twice in this file. Rename one.", where=where))
            continue
        seen.add(annotation.document.id)
        annotations.append(annotation)
    return annotations, problems


def check_markup_file(path: Path, schema: Schema) -> tuple[list[Annotation], list[DataError]]:
    """Read what is usable of a markup file, and every problem of the rest, an unreadable file among them."""
    try:
        content = path.read_bytes()
    except OSError as error:
        return [], [DataError(f"cannot be read ({error.strerror}). Check the path.", where=str(path))]
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return [], [DataError("is not UTF-8 here. Convert the file to UTF-8.", where=f"{path}:{line}")]
    return check_markup(text, schema, source=str(path))


def format_markup(annotations: Iterable[Annotation], schema: Schema) -> str:
    """Write annotations as markup; mentions come out in the order of the text.

    The markup has no place for scores and warnings: they are left out, and a log line says how often.
    """
    blocks, left_out = [], 0
    for annotation in annotations:
        blocks.append(_format_block(annotation, schema))
        left_out += _has_scores(annotation) or bool(annotation.warnings)
    if left_out:
        logger.warning("markup holds no scores and warnings: left out in %d documents", left_out)
    return "\n".join(blocks)


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    text: str


@dataclass(slots=True)
class _Opened:
    """A mention or trigger whose closing bracket has not come yet."""

    line: int
    start: int
    tag: list[str] | None = None


@dataclass(slots=True)
class _Tagged:
    """The text without its markup, and what the markup said."""

    text: list[str] = field(default_factory=list)
    mentions: list[Mention] = field(default_factory=list)
    triggers: dict[str, tuple[str, Span, int]] = field(default_factory=dict)
    """Trigger id to event type, span and line."""


def _blocks(text: str, source: str, problems: list[DataError]) -> list[list[_Line]]:
    blocks: list[list[_Line]] = []
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), start=1):
        if line.endswith("\r") and not _is_escaped(line, len(line) - 1):
            line = line[:-1]
        if BLOCK.match(line):
            blocks.append([])
        if blocks:
            blocks[-1].append(_Line(number, line))
        elif line.strip():
            message = "text before the first block. Begin each block with a line `# id: NAME`."
            problems.append(DataError(message, where=f"{source}:{number}"))
            break
    return blocks


class _Block:
    """Turns the lines of one block into an annotation and notes what is wrong with them."""

    def __init__(self, lines: Sequence[_Line], schema: Schema, source: str, problems: list[DataError]) -> None:
        self.lines = lines
        self.schema = schema
        self.source = source
        self.problems = problems
        self.name = ""

    def annotation(self) -> Annotation | None:
        """The annotation, or None where `problems` has grown."""
        before = len(self.problems)
        document, used = self._header()
        body = self.lines[used:]
        rule = next((i for i, line in enumerate(body) if line.text.rstrip() == "---"), len(body))
        tagged = self._tagged(_strip_newlines(body[:rule]))
        events = self._events(body[rule + 1 :], tagged)
        if len(self.problems) > before:
            return None
        return Annotation(replace(document, text="".join(tagged.text)), tuple(tagged.mentions), tuple(events))

    def _problem(self, line: int, message: str) -> None:
        name = f': document "{self.name}"' if self.name else ""
        self.problems.append(DataError(message, where=f"{self.source}:{line}{name}"))

    def _header(self) -> tuple[Document, int]:
        """The document, without its text, and how many lines its header has."""
        values: dict[str, Any] = {}
        used = 0
        for line in self.lines:
            match = HEADER.fullmatch(line.text)
            if match is None:
                break
            used += 1
            key, value = match["key"], self._value(match["value"], line.number)
            if key in values:
                self._problem(line.number, f"the key {show(key)} stands twice in the header. Remove one.")
            elif key in RESERVED and key not in ("id", "date"):
                self._problem(line.number, f"the key {show(key)} is one of the corpus form. Rename it.")
            values.setdefault(key, value)
            if key == "id":
                self.name = str(value)
        first = self.lines[0].number
        if not isinstance(values.get("id"), str) or not self.name:
            self._problem(first, "the block has no name. Write `# id: NAME`.")
        day = values.pop("date", None)
        name = str(values.pop("id", ""))
        return Document("", name, None if day is None else self._day(day, first), values), used

    def _value(self, value: str, line: int) -> Any:
        if not value.startswith(JSON_VALUE):
            return value
        try:
            return json.loads(value.removeprefix(JSON_VALUE))
        except ValueError as error:
            self._problem(line, f"the value after `!json` is not JSON ({error}). Mend it or leave `!json` out.")
            return None

    def _day(self, value: object, line: int) -> date | None:
        try:
            return date.fromisoformat(str(value))
        except ValueError:
            self._problem(line, f"date {show(value)} is not a day. Write it as 2024-12-07, or leave the line out.")
            return None

    def _tagged(self, lines: Sequence[_Line]) -> _Tagged:
        """Take the markup out of the text."""
        result = _Tagged()
        ids: set[str] = set()
        opened: _Opened | None = None
        for line, at, character, is_literal in self._characters(lines):
            tag = opened.tag if opened else None
            if opened is not None and tag is not None:
                if character == "]" and not is_literal:
                    self._close(opened, ids, result)
                    opened = None
                elif character in "[|\n":
                    self._problem(line, f"{show(character)} inside the tag {show(''.join(tag))}. {TAG_REMEDY}")
                    return result
                else:
                    tag.append(character)
            elif is_literal or character not in "[]|":
                if at == 0 and character in "#-" and not is_literal:
                    self._problem(line, f"the line begins with {character!r}. Write a backslash before it.")
                result.text.append(character)
            elif character == "[" and opened is None:
                opened = _Opened(line, len(result.text))
            elif character == "|" and opened is not None:
                opened.tag = []
            else:
                inside = "inside another bracket" if opened else "outside brackets"
                self._problem(line, f"{character!r} {inside}. Write a backslash before a literal one; spans are flat.")
                return result
        if opened is not None:
            self._problem(opened.line, f"a bracket opens here and does not close. {TAG_REMEDY}")
        return result

    def _characters(self, lines: Sequence[_Line]) -> Iterable[tuple[int, int, str, bool]]:
        """Line number, place in the line, character, and whether a backslash made it literal."""
        text = "\n".join(line.text for line in lines)
        row, begins, i = 0, 0, 0
        while i < len(text):
            is_literal = text[i] == "\\"
            number = lines[row].number
            if is_literal:
                if i + 1 == len(text):
                    self._problem(
                        number, "a backslash stands at the end of the text. Write it twice for a literal one."
                    )
                    return
                i += 1
            yield number, i - begins, text[i], is_literal
            i += 1
            if text[i - 1] == "\n":
                row, begins = row + 1, i

    def _close(self, opened: _Opened, ids: set[str], result: _Tagged) -> None:
        """Note the mention or trigger whose bracket has just closed."""
        tag = "".join(opened.tag or ())
        name, colon, label = (part.strip() for part in tag.partition(":"))
        span = Span(opened.start, len(result.text))
        if not colon or not IDENTIFIER.fullmatch(name):
            self._problem(opened.line, f"{show(tag)} is no tag. {TAG_REMEDY}")
        elif name in ids:
            self._problem(opened.line, f"the id {show(name)} is used twice. Give each mention and trigger its own.")
        elif span.start == span.end:
            self._problem(opened.line, f"the bracket of {show(name)} has no text. {TAG_REMEDY}")
        elif type_problem(self.schema, label, "") is None:
            result.triggers[name] = (label, span, opened.line)
        elif label_problem(self.schema, label, "") is None:
            result.mentions.append(Mention(name, label, span))
        else:
            known = closest(label, [*self.schema.mentions, *self.schema.events])
            self._problem(opened.line, f'"{name}" has the unknown label {show(label)}; {known}.')
        ids.add(name)

    def _events(self, lines: Sequence[_Line], tagged: _Tagged) -> list[Event]:
        labels = {mention.id: mention.label for mention in tagged.mentions}
        events: dict[str, Event] = {}
        for line in lines:
            if not line.text.strip():
                continue
            name, *rest = line.text.split()
            if name not in tagged.triggers:
                known = closest(name, tagged.triggers) if tagged.triggers else "the text has none"
                self._problem(line.number, f"the line begins with {show(name)}, which is no trigger; {known}.")
            elif name in events:
                self._problem(line.number, f"trigger {show(name)} has two lines. Join them.")
            else:
                events[name] = self._event(name, rest, line.number, tagged, labels)
        for name, (_, _, number) in tagged.triggers.items():
            if name not in events:
                self._problem(number, f"trigger {show(name)} has no line below `---`. Write `{name} actual role=id …`.")
        return list(events.values())

    def _event(self, name: str, rest: list[str], line: int, tagged: _Tagged, labels: dict[str, str]) -> Event:
        kind, span, _ = tagged.triggers[name]
        what = f'event "{name}"'
        factuality = rest[0] if rest and "=" not in rest[0] else None
        problem = factuality_problem(self.schema, factuality, what)
        if problem:
            self._problem(line, f"{problem} Write `{name} {self.schema.factuality[0]} role=id …`.")
        arguments: list[Argument] = []
        for part in rest if factuality is None else rest[1:]:
            role, equals, ids = part.partition("=")
            if not equals:
                self._problem(line, f"{show(part)} is no `role=id,id`. Leave no spaces around `=` and `,`.")
                continue
            for mention in ids.split(","):
                problem = argument_problem(self.schema, role, mention, labels, what)
                if problem:
                    self._problem(line, problem)
                elif Argument(role, mention) in arguments:
                    self._problem(line, f'{what} names mention "{mention}" twice as "{role}". Remove one.')
                arguments.append(Argument(role, mention))
        return Event(name, kind, span, str(factuality), tuple(arguments))


TAG_REMEDY = "Write `[text|id:TYPE]`, and a literal bracket with a backslash before it."


def _is_escaped(text: str, at: int) -> bool:
    """Whether an odd number of backslashes stands right before `at`."""
    before = text[:at]
    return (len(before) - len(before.rstrip("\\"))) % 2 == 1


def _strip_newlines(lines: Sequence[_Line]) -> Sequence[_Line]:
    """Without the empty lines at both ends; one after a final backslash stays."""
    first, last = 0, len(lines)
    while first < last and not lines[first].text:
        first += 1
    while last > first and not lines[last - 1].text:
        if last - 2 >= first and _is_escaped(lines[last - 2].text, len(lines[last - 2].text)):
            break
        last -= 1
    return lines[first:last]


def _has_scores(annotation: Annotation) -> bool:
    scores = [mention.score for mention in annotation.mentions]
    for event in annotation.events:
        scores += [event.score, event.factuality_score, *(argument.score for argument in event.arguments)]
    return any(score != 1.0 for score in scores)


def _format_block(annotation: Annotation, schema: Schema) -> str:
    document = annotation.document
    header = [f"# id: {_format_value(document.id)}"]
    if document.date:
        header.append(f"# date: {document.date.isoformat()}")
    for key, value in document.meta.items():
        match = HEADER.fullmatch(f"# {key}: x")
        if key in RESERVED or match is None or match["key"] != key:
            raise DataError(
                f"meta key {show(key)} cannot stand in a header. Rename it.", where=f'document "{document.id}"'
            )
        header.append(f"# {key}: {_format_value(value)}")
    lines = [*header, _format_text(annotation, schema), "---"]
    for event in annotation.events:
        lines.append(" ".join([event.id, event.factuality, *_format_arguments(event)]))
    return "\n".join(lines) + "\n"


def _format_value(value: object) -> str:
    if isinstance(value, str) and PLAIN_VALUE.fullmatch(value) and not value.startswith(JSON_VALUE.strip()):
        return value
    return JSON_VALUE + json.dumps(value, ensure_ascii=False)


def _format_arguments(event: Event) -> list[str]:
    """``controller=a1 place=p1,p2``: neighbours in the same role share one."""
    parts: list[tuple[str, list[str]]] = []
    for argument in event.arguments:
        if parts and parts[-1][0] == argument.role:
            parts[-1][1].append(argument.mention)
        else:
            parts.append((argument.role, [argument.mention]))
    return [f"{role}={','.join(mentions)}" for role, mentions in parts]


def _format_text(annotation: Annotation, schema: Schema) -> str:
    document = annotation.document
    spans = [(mention.span, mention.id, mention.label) for mention in annotation.mentions]
    spans += [(event.trigger, event.id, event.type) for event in annotation.events]
    pieces, at = [], 0
    escaped = _escape(document.text)
    for span, name, label in sorted(spans):
        if not IDENTIFIER.fullmatch(name):
            raise DataError(f"the id {show(name)} cannot stand in a tag. Rename it.", where=f'document "{document.id}"')
        if label not in schema.mentions and label not in schema.events:
            known = closest(label, [*schema.mentions, *schema.events])
            raise DataError(
                f'"{name}" has the unknown label {show(label)}; {known}.', where=f'document "{document.id}"'
            )
        if span.start < at:
            raise DataError(f"{show(name)} overlaps the span before it.", where=f'document "{document.id}"')
        pieces += [*escaped[at : span.start], "[", *escaped[span.start : span.end], f"|{name}:{label}]"]
        at = span.end
    return "".join([*pieces, *escaped[at:]])


def _escape(text: str) -> list[str]:
    """Each character of the text as the markup writes it."""
    inner = len(text) - len(text.lstrip("\n")), len(text.rstrip("\n"))
    pieces = []
    for i, character in enumerate(text):
        is_special = (
            character in "[]|\\\r"
            or (character in "#-" and (i == 0 or text[i - 1] == "\n"))
            or (character == "\n" and not inner[0] <= i < inner[1])
        )
        pieces.append("\\" + character if is_special else character)
    return pieces
