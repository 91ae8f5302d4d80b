"""One self-contained page, for a report or for many: no script but its own, no font, tile or address from outside.

Puts the page together; its parts are made in `report_html` and `facts_html`.
"""

import base64
import hashlib
import string
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources

from saytara import __version__
from saytara.document import Annotation
from saytara.export.elements import Child, Safe, join, tag
from saytara.export.facts_html import contradictions, event_list, place_map, places_of, table, timelines
from saytara.export.labels import Label, both
from saytara.export.report_html import legend, report_section
from saytara.facts.clusters import EventCluster, cluster
from saytara.facts.records import Record, to_records

SHOWN_WARNINGS = 40
NO_BASE_NO_FORM = "base-uri 'none'; form-action 'none'"
"""What ``default-src`` does not cover."""


def report_page(annotation: Annotation) -> bytes:
    """The page of one report: its text with marks and cards, then contradictions, timelines, map and table."""
    records = to_records(annotation)
    clusters = cluster(records)
    document = annotation.document
    reading = join([legend(), report_section(annotation, records, prefix="")])
    parts = [
        _part("text", ("النص والأحداث", "Text and events"), reading),
        *_facts(clusters, {document.id: document.text}),
    ]
    parts += [
        _part("table", ("جدول الأحداث", "Table"), table(records, with_report=False)) if records else None,
        _warnings(annotation.warnings),
    ]
    counts = [(len(records), ("الأحداث", "events")), (len(annotation.mentions), ("الإشارات", "mentions"))]
    return _page(document.id, str(document.date) if document.date else None, counts, parts)


def facts_page(
    title: str, clusters: Sequence[EventCluster], texts: Mapping[str, str], annotations: Sequence[Annotation] = ()
) -> bytes:
    """The page of a ledger or of several reports: contradictions, timelines, map, events and table first.

    Args:
        texts: text of each report, by id.
        annotations: reports whose marked text is to stand on the page too.
    """
    records = sorted((record for event in clusters for record in event.records), key=lambda r: (r.report, r.trigger))
    parts = _facts(clusters, texts)
    if clusters:
        parts.append(_part("events", ("الأحداث", "Events"), event_list(clusters, texts)))
    if annotations:
        parts.append(_part("reports", ("التقارير", "Reports"), join([legend(), *_reports(annotations)])))
    if records:
        parts.append(_part("table", ("جدول الروايات", "Table of accounts"), table(records, with_report=True)))
    parts.append(_warnings([f"{a.document.id}: {warning}" for a in annotations for warning in a.warnings]))
    reports = {record.report for record in records} | set(texts)
    disputed = sum(bool(event.contradictions) for event in clusters)
    counts = [
        (len(reports), ("التقارير", "reports")),
        (len(clusters), ("الأحداث", "events")),
        (len(records), ("الروايات", "accounts")),
        (disputed, ("المتناقَض فيه", "contradicted")),
    ]
    return _page(title, None, counts, parts)


def _facts(clusters: Sequence[EventCluster], texts: Mapping[str, str]) -> list[Safe | None]:
    places = places_of(clusters)
    found: list[tuple[str, Label, Safe | None]] = [
        ("contradictions", ("التناقضات", "Contradictions"), contradictions(clusters, texts, places)),
        ("timeline", ("من يسيطر على ماذا", "Who holds what"), timelines(places)),
        ("map", ("الخريطة", "Map"), place_map(clusters, places)),
    ]
    return [_part(name, title, body) for name, title, body in found if body is not None]


def _reports(annotations: Sequence[Annotation]) -> list[Safe]:
    return [
        tag(
            "details",
            tag(
                "summary",
                tag("bdi", a.document.id),
                f" · {a.document.date}" if a.document.date else None,
                " · ",
                both(("الأحداث", "events")),
                f" {len(a.events)}",
            ),
            report_section(a, _records(a), prefix=f"r{number}-"),
            class_="one",
            open=number == 1,
        )
        for number, a in enumerate(annotations, 1)
    ]


def _records(annotation: Annotation) -> list[Record]:
    return to_records(annotation)


def _part(name: str, title: Label, body: Safe) -> Safe:
    return tag("section", tag("h2", both(title)), body, class_="part", id=name)


def _warnings(warnings: Sequence[str]) -> Safe | None:
    """What the model and the linkers could not resolve."""
    if not warnings:
        return None
    shown = [tag("li", warning, dir="auto") for warning in warnings[:SHOWN_WARNINGS]]
    if len(warnings) > SHOWN_WARNINGS:
        shown.append(tag("li", f"… {len(warnings) - SHOWN_WARNINGS}"))
    summary = tag("summary", both((f"ما لم يُحدَّد: {len(warnings)}", "what stayed open")))
    return tag("section", tag("details", summary, tag("ul", *shown, lang="en")), class_="warnings")


def _page(title: str, day: str | None, counts: Sequence[tuple[int, Label]], parts: Sequence[Child]) -> bytes:
    chips = [tag("li", both(pair), " ", tag("b", str(number))) for number, pair in counts]
    style, script = _asset("page.css"), _asset("page.js")
    page = string.Template(_asset("page.html")).substitute(
        title=join([title]),
        policy=f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; {NO_BASE_NO_FORM}",
        style=style,
        script=script,
        heading=tag("h1", tag("bdi", title), " ", tag("time", day, datetime=day) if day else None),
        counts=tag("ul", *chips, class_="counts"),
        parts=join(parts),
        version=__version__,
    )
    return page.encode("utf-8")


def _hash(content: str) -> str:
    """The source expression that lets a browser run, or apply, just this content."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode('utf-8')).digest()).decode()}'"


@cache
def _asset(name: str) -> str:
    return resources.files("saytara.export").joinpath("assets", name).read_text("utf-8")
