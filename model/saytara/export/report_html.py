"""A report's text with its mentions and triggers marked, and a card for each event.

Makes elements; the page around them is made in `html`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from saytara.document import ActorEntry, Annotation, Entry, Event, Mention, PlaceEntry, Span, TimeValue
from saytara.export.elements import Safe, escape, join, tag
from saytara.export.labels import ATTRIBUTION, CLAIM_BY, FACTUALITY, KINDS, MENTIONS, ROLES, TYPES, both, label
from saytara.export.names import country_name_ar
from saytara.facts.records import Record
from saytara.linking.names import clean_names


@dataclass(frozen=True, slots=True)
class Mark:
    """A range of the text to be marked, with the tag that opens it."""

    span: Span
    opening: Safe
    closing: Safe
    again: Safe
    """Opens it once more, without its id and label, where a mark that crosses it has ended."""


def report_section(annotation: Annotation, records: Sequence[Record], *, prefix: str) -> Safe:
    """Text and cards side by side.

    Args:
        records: those of the annotation, in the order of its events.
        prefix: begins the ids of this report's elements.
    """
    ids = {mention.id: f"{prefix}m{number}" for number, mention in enumerate(annotation.mentions, 1)}
    marks = [_mention_mark(mention, annotation, ids[mention.id]) for mention in annotation.mentions]
    marks += [_trigger_mark(event, number, prefix) for number, event in enumerate(annotation.events, 1)]
    text = tag(
        "div",
        tag("div", marked_text(annotation.document.text, marks), class_="text", lang="ar", dir="auto"),
        _arrows(),
        class_="reading",
        tabindex="0",
        role="region",
        aria_label="نص التقرير",  # text of the report
    )
    names = {mention_id: name.name for mention_id, name in clean_names(annotation).items()}
    cards = [
        _card(annotation, event, record, number, prefix=prefix, ids=ids, names=names)
        for number, (event, record) in enumerate(zip(annotation.events, records, strict=True), 1)
    ]
    nothing = tag("p", both(("لا أحداث سيطرة في هذا التقرير.", "No control events in this report.")), class_="none")
    return tag("div", text, tag("div", *(cards or [nothing]), class_="cards"), class_="report")


def legend() -> Safe:
    """What the marks mean."""
    items = [tag("li", tag("span", both(pair), class_=f"m {kind.lower()}")) for kind, pair in MENTIONS.items()]
    trigger = tag("span", both(("كلمة الحدث", "Trigger")), class_="t actual", data_label="1")
    return tag("ul", tag("li", trigger), *items, class_="legend", aria_label="مفتاح العلامات")  # key of the marks


def _arrows() -> Safe:
    """A drawing to copy from: the script must not name the namespace of SVG, which is an address."""
    return tag("svg", tag("path", hidden=True), tag("text", hidden=True), class_="arrows", aria_hidden="true")


def _mention_mark(mention: Mention, annotation: Annotation, element_id: str) -> Mark:
    kind = mention.label.lower()
    arabic, english = label(MENTIONS, mention.label)
    title = " · ".join(
        part for part in (arabic, english, describe(annotation.entries.get(mention.id)), f"{mention.score:.2f}") if part
    )
    shape = f"m {kind}" if mention.label in MENTIONS else "m other"
    opening = f'<mark id="{escape(element_id)}" class="{escape(shape)}" title="{escape(title)}">'
    return Mark(mention.span, Safe(opening), Safe("</mark>"), Safe(f'<mark class="{escape(shape)} again">'))


def _trigger_mark(event: Event, number: int, prefix: str) -> Mark:
    arabic, _ = label(TYPES, event.type)
    status = "" if event.factuality == "actual" else f" · {label(FACTUALITY, event.factuality)[0]}"
    shape = escape(f"t {event.factuality}")
    opening = (
        f'<a id="{escape(prefix)}t{number}" href="#{escape(prefix)}e{number}" class="{shape}" '
        f'data-event="{escape(prefix)}e{number}" data-label="{escape(f"{number} {arabic}{status}")}">'
    )
    return Mark(event.trigger, Safe(opening), Safe("</a>"), Safe(f'<a class="{shape} again">'))


def marked_text(text: str, marks: Sequence[Mark]) -> Safe:
    """The text with its marks; one that crosses the end of another is closed there and opened again."""
    edges: dict[int, list[Mark]] = {}
    for mark in sorted(marks, key=lambda mark: (mark.span.start, -mark.span.end)):
        edges.setdefault(mark.span.start, []).append(mark)
    stops = sorted({0, len(text), *(edge for mark in marks for edge in (mark.span.start, mark.span.end))})
    pieces: list[Safe] = []
    opened: list[Mark] = []
    for start, end in zip(stops, [*stops[1:], None], strict=True):
        pieces += _close(opened, start)
        for mark in edges.get(start, ()):
            pieces.append(mark.opening)
            opened.append(mark)
        if end is not None:
            pieces.append(escape(text[start:end]))
    return join(pieces)


def _close(opened: list[Mark], position: int) -> Iterator[Safe]:
    """Close the marks that end at `position`; `opened` then holds those that go on, the innermost last."""
    ending = [mark for mark in opened if mark.span.end <= position]
    if not ending:
        return
    first = min(opened.index(mark) for mark in ending)
    tail = opened[first:]
    del opened[first:]
    for mark in reversed(tail):
        yield mark.closing
    for mark in tail:
        if mark not in ending:
            yield mark.again
            opened.append(mark)


def describe(entry: Entry | None, *, besides: str = "") -> str:
    """What a mention refers to, in short: kind and country of a place, name of an actor, days of a time.

    Args:
        besides: a name that stands beside it and is not said again.
    """
    if isinstance(entry, TimeValue):
        return days(entry.start.isoformat(), entry.end.isoformat())
    if isinstance(entry, PlaceEntry):
        where = [entry.name_ar, label(KINDS, entry.kind)[0], entry.admin1 or "", country_name_ar(entry.country) or ""]
        return "، ".join(dict.fromkeys(part for part in where if part not in ("", besides)))
    if isinstance(entry, ActorEntry):
        return "، ".join(
            part for part in (entry.name, country_name_ar(entry.country) or "") if part not in ("", besides)
        )
    return ""


def days(start: str | None, end: str | None) -> str:
    """A day, or the first and last of several."""
    if not start:
        return ""
    return start if end in (None, start) else f"{start} – {end}"


def _card(
    annotation: Annotation,
    event: Event,
    record: Record,
    number: int,
    *,
    prefix: str,
    ids: Mapping[str, str],
    names: Mapping[str, str],
) -> Safe:
    title = tag("h3", tag("span", str(number), class_="n"), " ", both(label(TYPES, event.type)))
    badges = [tag("span", both(label(FACTUALITY, event.factuality)), class_=f"badge {event.factuality}")]
    badges.append(tag("span", both(label(ATTRIBUTION, record.attribution)), class_="badge"))
    if record.claim_by:
        badges.append(tag("span", both(label(CLAIM_BY, record.claim_by)), class_="badge"))
    rows = [
        tag("div", tag("dt", both(label(ROLES, role))), tag("dd", join(fillers, separator="، ")))
        for role in ROLES
        if (fillers := [_filler(annotation, mention, ids, names) for mention in event.fillers(role)])
    ]
    if not record.voices:
        rows.append(
            tag(
                "div",
                tag("dt", both(("القائل", "According to"))),
                tag("dd", both(("التقرير نفسه", "the report itself"))),
            )
        )
    roles: dict[str, list[str]] = {}
    for argument in event.arguments:
        roles.setdefault(ids[argument.mention], []).append(label(ROLES, argument.role)[0])
    links = ";".join(f"{element}:{'، '.join(told)}" for element, told in roles.items())
    trigger = tag(
        "a", f"«{annotation.text_of(event.trigger)}»", href=f"#{prefix}t{number}", class_="back", title="إلى النص"
    )  # to the text
    return tag(
        "article",
        tag("header", title, trigger),
        tag("p", *badges, class_="badges"),
        tag("dl", *rows),
        confidence(event.score),
        id=f"{prefix}e{number}",
        class_=f"card {event.factuality}",
        tabindex="-1",
        data_trigger=f"{prefix}t{number}",
        data_links=links,
    )


def _filler(annotation: Annotation, mention_id: str, ids: Mapping[str, str], names: Mapping[str, str]) -> Safe:
    mention = annotation.mention(mention_id)
    kind = mention.label.lower() if mention.label in MENTIONS else "other"
    link = tag("a", names[mention_id], href=f"#{ids[mention_id]}", class_=f"m {kind}", dir="auto")
    found = describe(annotation.entries.get(mention_id), besides=names[mention_id])
    return join([link, *([" ", tag("bdi", found, class_="entry")] if found else [])])


def confidence(score: float) -> Safe:
    """A score as a bar and a number."""
    value = f"{score:.2f}"
    meter = tag("meter", value, min="0", max="1", value=value, aria_hidden="true")
    return tag("p", both(("الثقة", "Confidence")), " ", meter, " ", tag("b", value), class_="score")
