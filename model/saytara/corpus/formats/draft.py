"""One document as a foreign file tells it: spans and links by the file's own keys, made into an annotation.

Reads no files; what may be annotated is the schema's to say.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from saytara.corpus.jsonl import annotation_from_dict, annotation_to_dict
from saytara.corpus.rules import argument_problem, factuality_problem, show
from saytara.document import Annotation, Argument, Document, Event, Mention, Span
from saytara.errors import DataError, closest
from saytara.schema import Schema

EVENT_PREFIX = "e"
"""Opens the ids of events."""


@dataclass(slots=True)
class DraftSpan:
    """A mention or a trigger under the key by which the file's links name it."""

    key: str
    label: str
    span: Span
    where: str
    """File and line, or whatever else tells a person where it stands."""
    claimed: str | None = None
    """The covered text, where the file repeats it."""
    factuality: str | None = None
    """Of a trigger; None: the file does not say."""
    score: float = 1.0
    factuality_score: float = 1.0


@dataclass(slots=True)
class DraftLink:
    """Two spans joined under a role; which of them is the trigger, the spans tell."""

    role: str
    one: str
    other: str
    where: str
    score: float = 1.0


@dataclass(slots=True)
class Draft:
    """A document, the spans in it and the links between them, in the file's order."""

    document: Document
    where: str
    spans: list[DraftSpan] = field(default_factory=list)
    links: list[DraftLink] = field(default_factory=list)
    warnings: tuple[str, ...] = ()

    def finish(self, schema: Schema) -> Annotation:
        """The annotation, in the order of the text; DataError at the first thing that cannot be.

        Keys that are ids of ours (``a1`` for an ACTOR) stay, others give way to the next free number. A trigger without
        factuality gets the schema's default.
        """
        for span in self.spans:
            self._check_span(span, schema)
        named = give_ids([(span.key, _prefix(span.label, schema)) for span in self._ordered()])
        by_key = {span.key: (name, span) for name, span in zip(named, self._ordered(), strict=True)}
        if len(by_key) < len(self.spans):
            raise DataError("two spans have the same key. Give each its own.", where=self.where)
        labels = {name: span.label for name, span in by_key.values() if span.label in schema.mentions}
        arguments: dict[str, list[Argument]] = {name: [] for name, _ in by_key.values() if name not in labels}
        for link in self.links:
            event, argument = self._argument(link, by_key, labels, schema)
            if argument not in arguments[event]:
                arguments[event].append(argument)
        annotation = Annotation(
            self.document,
            tuple(Mention(name, span.label, span.span, span.score) for name, span in by_key.values() if name in labels),
            tuple(
                Event(
                    id=name,
                    type=span.label,
                    trigger=span.span,
                    factuality=span.factuality or schema.factuality[0],
                    arguments=tuple(arguments[name]),
                    factuality_score=span.factuality_score,
                    score=span.score,
                )
                for name, span in by_key.values()
                if name in arguments
            ),
            self.warnings,
        )
        record = annotation_to_dict(annotation)
        return in_order(annotation_from_dict(record, schema, where=self.where), schema)  # overlaps, scores, surrogates

    def _ordered(self) -> list[DraftSpan]:
        return sorted(self.spans, key=lambda span: span.span)

    def _check_span(self, span: DraftSpan, schema: Schema) -> None:
        text = self.document.text
        what = show(span.claimed if span.claimed is not None else span.key)
        if span.label not in schema.mentions and span.label not in schema.events:
            known = closest(span.label, [*schema.mentions, *schema.events])
            raise DataError(f"{what} has the unknown label {show(span.label)}; {known}.", where=span.where)
        if not 0 <= span.span.start < span.span.end <= len(text):
            raise DataError(
                f"{what} covers {span.span.start} to {span.span.end}, which is empty or out of the text's {len(text)} "
                "code points. Count code points, not bytes.",
                where=span.where,
            )
        found = text[span.span.start : span.span.end]
        if span.claimed is not None and span.claimed != found:
            raise DataError(
                f"says {show(span.claimed)}, but {span.span.start} to {span.span.end} of the text is {show(found)}. "
                "Fix the offsets; they count code points.",
                where=span.where,
            )
        if span.factuality is not None and span.label not in schema.events:
            raise DataError(f"{what} is a {span.label}, which has no factuality. Remove it.", where=span.where)
        problem = factuality_problem(schema, span.factuality, what) if span.factuality is not None else None
        if problem:
            raise DataError(problem, where=span.where)

    def _argument(
        self,
        link: DraftLink,
        by_key: Mapping[str, tuple[str, DraftSpan]],
        labels: Mapping[str, str],
        schema: Schema,
    ) -> tuple[str, Argument]:
        """The event that a link belongs to, and its argument."""
        for key in (link.one, link.other):
            if key not in by_key:
                raise DataError(f"links to {show(key)}, which is nowhere in the document. Remove it.", where=link.where)
        (one, first), (other, second) = by_key[link.one], by_key[link.other]
        if first.label in schema.mentions:
            one, other = other, one
        if one in labels or other not in labels:
            kinds = f"{first.label} and {second.label}"
            raise DataError(f"joins {kinds}. A role joins a trigger and a mention. Fix or remove it.", where=link.where)
        problem = argument_problem(schema, link.role, other, labels, f'event "{one}"')
        if problem:
            raise DataError(problem, where=link.where)
        return one, Argument(link.role, other, link.score)


def _prefix(label: str, schema: Schema) -> str:
    return schema.mentions.get(label, EVENT_PREFIX)


def give_ids(keys: Sequence[tuple[str, str]]) -> list[str]:
    """An id for each key and prefix: the key itself where it is one, else the next number that is free.

    >>> give_ids([("x", "a"), ("a1", "a"), ("T4", "p"), ("y", "a")])
    ['a2', 'a1', 'p1', 'a3']
    """
    kept = [key if re.fullmatch(re.escape(prefix) + r"[1-9]\d*", key, re.ASCII) else None for key, prefix in keys]
    taken = {key for key in kept if key}
    counts: dict[str, int] = {}
    ids = []
    for own, (_, prefix) in zip(kept, keys, strict=True):
        if own is None:
            number = counts.get(prefix, 0) + 1
            while f"{prefix}{number}" in taken:
                number += 1
            counts[prefix], own = number, f"{prefix}{number}"
        ids.append(own)
    return ids


def in_order(annotation: Annotation, schema: Schema) -> Annotation:
    """The same with mentions and events in the order of the text, arguments in that of roles and text."""
    spans = {mention.id: mention.span for mention in annotation.mentions}
    ranks = {role: rank for rank, role in enumerate(schema.roles)}
    events = [
        replace(event, arguments=tuple(sorted(event.arguments, key=lambda a: (ranks[a.role], spans[a.mention]))))
        for event in sorted(annotation.events, key=lambda event: event.trigger)
    ]
    return replace(annotation, mentions=tuple(sorted(annotation.mentions, key=lambda m: m.span)), events=tuple(events))


def renumber(annotation: Annotation, schema: Schema) -> Annotation:
    """The same in order, with the ids that counting gives: what is left of ids where a format has none."""
    ordered = in_order(annotation, schema)
    mentions = zip(give_ids([("", schema.mentions[m.label]) for m in ordered.mentions]), ordered.mentions, strict=True)
    names = {mention.id: name for name, mention in mentions}
    return replace(
        ordered,
        mentions=tuple(replace(mention, id=names[mention.id]) for mention in ordered.mentions),
        events=tuple(
            replace(
                event,
                id=f"{EVENT_PREFIX}{number}",
                arguments=tuple(replace(argument, mention=names[argument.mention]) for argument in event.arguments),
            )
            for number, event in enumerate(ordered.events, 1)
        ),
        entries={names[name]: entry for name, entry in annotation.entries.items() if name in names},
    )


def spans_of(annotation: Annotation) -> Iterable[tuple[str, str, Span]]:
    """Id, label and span of each mention and trigger, in the order of the text."""
    spans = [(mention.id, mention.label, mention.span) for mention in annotation.mentions]
    spans += [(event.id, event.type, event.trigger) for event in annotation.events]
    return sorted(spans, key=lambda item: item[2])
