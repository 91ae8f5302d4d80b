"""The parts of a page that come from clusters: contradictions, timelines, map, events and the table.

Makes elements; the page around them is made in `html`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from saytara.document import PlaceEntry
from saytara.export.elements import Child, Safe, join, tag
from saytara.export.labels import (
    CLAIM_BY,
    DATE_FROM,
    FACTUALITY,
    KINDS,
    PRECISION,
    ROLES,
    STATES,
    STATUS,
    TYPES,
    both,
    label,
)
from saytara.export.map_svg import Marker, draw_map
from saytara.export.names import country_name, country_name_ar
from saytara.export.report_html import confidence, days
from saytara.export.tables import distinct_sites, party_name
from saytara.export.timeline_svg import colours_of, draw_timeline
from saytara.facts.clusters import EventCluster
from saytara.facts.records import Party, Record, Site
from saytara.facts.timeline import ControlState, Version, timeline


@dataclass(frozen=True, slots=True)
class PlaceStates:
    """A place with its control states, and the id of its element."""

    site: Site
    states: tuple[ControlState, ...]
    element: str


def places_of(clusters: Sequence[EventCluster]) -> list[PlaceStates]:
    """Every place of an event, those with an open contradiction first, then those with most states."""
    events: dict[str, list[EventCluster]] = {}
    sites: dict[str, Site] = {}
    for event in clusters:
        for site in event.sites:
            sites.setdefault(site.key, site)
            events.setdefault(site.key, []).append(event)
    found = [(site, tuple(timeline(key, events[key]))) for key, site in sites.items()]
    found.sort(key=lambda pair: (not any(s.is_open_contradiction for s in pair[1]), -len(pair[1]), site_name(pair[0])))
    return [PlaceStates(site, states, f"place-{number}") for number, (site, states) in enumerate(found, 1)]


def site_name(site: Site) -> str:
    return site.entry.name_ar if site.entry else site.name


def _site_detail(entry: PlaceEntry | None) -> Child:
    if entry is None:
        return tag("span", both(("لم يُعثر عليه في المعجم", "not in the gazetteer")), class_="where")
    arabic = "، ".join(part for part in (label(KINDS, entry.kind)[0], country_name_ar(entry.country)) if part)
    english = ", ".join(
        dict.fromkeys(part for part in (entry.name_en, entry.admin1, country_name(entry.country)) if part)
    )
    return tag("span", both((arabic, english)), class_="where")


# -- contradictions ---------------------------------------------------------------------------------------------------


def contradictions(
    clusters: Sequence[EventCluster], texts: Mapping[str, str], places: Sequence[PlaceStates]
) -> Safe | None:
    """Claims and denials of the same event, side by side."""
    disputed = [event for event in clusters if event.contradictions]
    if not disputed:
        return None
    still_open = {state.cluster for place in places for state in place.states if state.is_open_contradiction}
    return tag(
        "div", *(_dispute(event, texts, is_open=event.id in still_open) for event in disputed), class_="disputes"
    )


def _dispute(event: EventCluster, texts: Mapping[str, str], *, is_open: bool) -> Safe:
    records = {record.id: record for record in event.records}
    claims = [records[key] for key in dict.fromkeys(pair.claim for pair in event.contradictions)]
    denials = [records[key] for key in dict.fromkeys(pair.denial for pair in event.contradictions)]
    state = ("لم يُحسم", "open") if is_open else ("حُسم لاحقًا", "settled later")
    return tag(
        "article",
        tag("h3", _headline(event), " ", tag("span", both(state), class_="badge contradicted" if is_open else "badge")),
        tag(
            "div",
            tag(
                "section",
                tag("h4", both(("يقولون إنه وقع", "say that it happened"))),
                *(quote(r, texts) for r in claims),
                class_="claim",
            ),
            tag(
                "section",
                tag("h4", both(("ينفون وقوعه", "deny it"))),
                *(quote(r, texts) for r in denials),
                class_="denial",
            ),
            class_="sides",
        ),
        class_="dispute",
    )


def _headline(event: EventCluster) -> Safe:
    arabic, english = label(TYPES, event.type)
    where = "، ".join(site_name(site) for site in distinct_sites(event.sites))
    return both((f"{arabic}: {where}" if where else arabic, english))


def quote(record: Record, texts: Mapping[str, str]) -> Safe:
    """A record's sentence with its trigger marked, and who says so in which report."""
    text = texts.get(record.report)
    body = None
    if text is not None:
        before, after = (
            text[record.sentence.start : record.trigger.start],
            text[record.trigger.end : record.sentence.end],
        )
        word = tag("mark", text[record.trigger.start : record.trigger.end], class_=f"t {record.factuality}")
        body = tag("blockquote", before, word, after, lang="ar", dir="auto")
    return tag("div", body, tag("p", voices(record), class_="by"), class_="quote")


def voices(record: Record) -> Safe:
    """Who an event goes back to, who relays it, and the report with its day."""
    names = [
        tag(
            "span",
            tag("b", voice.entry.name if voice.entry else voice.name, dir="auto"),
            " ",
            tag("small", f"({label(ROLES, voice.role)[0]})"),
        )
        for voice in record.voices
    ]
    side = tag("span", both(label(CLAIM_BY, record.claim_by)), class_="badge") if record.claim_by else None
    day = join([" ", tag("bdi", str(record.report_date), dir="ltr", class_="day")]) if record.report_date else None
    report = tag("span", both(("تقرير", "report")), " ", tag("bdi", record.report), day, class_="source")
    return join([*(names or [tag("b", both(("التقرير نفسه", "the report itself")))]), side, report], separator=" ")


# -- timelines --------------------------------------------------------------------------------------------------------


def timelines(places: Sequence[PlaceStates]) -> Safe | None:
    """A strip and the list of states for each place where control changed or was in question."""
    shown = [place for place in places if place.states]
    if not shown:
        return None
    colours = colours_of([state for place in shown for state in place.states])
    return tag("div", *(_timeline(place, colours) for place in shown), class_="timelines")


def _timeline(place: PlaceStates, colours: Mapping[str, int]) -> Safe:
    name = site_name(place.site)
    strip = draw_timeline(place.states, colours, f"{name}: {len(place.states)} حالات سيطرة")  # states of control
    return tag(
        "article",
        tag("h3", name, " ", _site_detail(place.site.entry)),
        strip,
        tag("ol", *(_state(state) for state in place.states), class_="states"),
        id=place.element,
        class_="held",
    )


def _state(state: ControlState) -> Safe:
    badges = [tag("span", both(label(STATES, state.state)), class_=f"badge {state.state}")]
    if state.is_open_contradiction:
        badges.append(tag("span", "≠ ", both(("تناقض لم يُحسم", "open contradiction")), class_="badge contradicted"))
    detail = both(
        (f"{label(TYPES, state.type)[0]}، {label(STATUS, state.status)[0]}", f"confidence {state.confidence:.2f}")
    )
    return tag(
        "li",
        tag("p", _span_of(state), " ", join(badges, separator=" "), " ", tag("span", detail, class_="where")),
        *(_version(version, state) for version in state.versions),
        class_="open" if state.is_open_contradiction else None,
    )


def _span_of(state: ControlState) -> Safe:
    if state.since is None:
        return both(("بلا تاريخ", "undated"))
    if state.until is None:
        return join([both(("منذ", "since")), " ", tag("bdi", str(state.since), class_="days", dir="ltr")])
    return tag("bdi", days(str(state.since), str(state.until)), class_="days", dir="ltr")


def _version(version: Version, state: ControlState) -> Safe:
    holders = "، ".join(version.holders)
    if version.is_denial:
        lead = ("ينفون ذلك، فالمكان بيد", "denied; held by") if holders else ("ينفون ذلك", "denied")
    elif state.state == "besieged":
        lead = ("محاصَر وهو بيد", "besieged, held by")
    elif state.state == "contested" and len(state.versions) == 1:
        lead = ("متنازَع عليه وهو بيد", "contested, held by")
    else:
        lead = ("بيد", "held by")
    nobody = None if version.is_denial else tag("span", both(("لم يُسمَّ أحد", "nobody named")))
    held = tag("b", holders) if holders else nobody
    said = [_voice_key(key) for key in version.according_to]
    according = join([both(("بحسب", "according to")), " ", join(said, separator="، ")]) if said else None
    return tag(
        "p",
        tag("span", both(lead)),
        " ",
        held,
        " — ",
        according,
        class_="version" + (" denial" if version.is_denial else ""),
    )


def _voice_key(key: str) -> Safe:
    if key.startswith("report:"):
        return join([both(("التقرير", "report")), " ", tag("bdi", key.removeprefix("report:"))])
    return tag("b", key, dir="auto")


# -- map --------------------------------------------------------------------------------------------------------------

_TONES = ("contradicted", "actual", "expected", "denied")


def place_map(clusters: Sequence[EventCluster], places: Sequence[PlaceStates]) -> Safe | None:
    """The map with its numbered list, and the places that are not on it."""
    if not places:
        return None
    tones: dict[str, list[str]] = {}
    for event in clusters:
        for site in event.sites:
            tones.setdefault(site.key, []).append(event.status if event.status in _TONES else "actual")
    located = [(place, place.site.entry) for place in places if place.site.entry]
    others = [place for place in places if not place.site.entry]
    markers = [
        Marker(
            number=number,
            name=entry.name_ar,
            lat=entry.lat,
            lon=entry.lon,
            precision=entry.precision,
            tone=min(tones[place.site.key], key=_TONES.index),
            target=f"spot-{number}",
            title=_hover(number, entry),
        )
        for number, (place, entry) in enumerate(located, 1)
    ]
    drawn = draw_map(markers, "خريطة أماكن الأحداث") if markers else None  # map of the places of events
    items = [_spot(place, entry, number) for number, (place, entry) in enumerate(located, 1)]
    missing = join(
        [
            tag("h4", both((f"ليست على الخريطة: {len(others)}", "not on the map: no coordinates known"))),
            tag("p", "، ".join(place.site.name for place in others), dir="auto"),
        ]
    )
    return tag(
        "div",
        tag("figure", drawn, tag("figcaption", _map_key())) if drawn else None,
        tag("div", tag("ol", *items, class_="spots"), missing if others else None),
        class_="geography",
    )


def _hover(number: int, entry: PlaceEntry) -> str:
    precision = label(PRECISION_BY_TEXT, str(entry.precision))[1]
    return f"{number}. {entry.name_ar} · {entry.name_en} · {entry.lat:.3f}, {entry.lon:.3f} · {precision}"


def _map_key() -> Safe:
    words = [
        ("دائرة: قيل إنه وقع", "circle: said to have happened"),
        ("معيَّن: متناقَض فيه", "diamond: contradicted"),
        ("مفرَّغ: منفي أو متوقَّع", "hollow: denied or expected"),
        ("حلقة: الموقع تقريبي أو منطقة", "ring: near, or a region"),
    ]
    return join([tag("span", both(pair)) for pair in words], separator=" · ")


def _spot(place: PlaceStates, entry: PlaceEntry, number: int) -> Safe:
    name = tag("a", entry.name_ar, href=f"#{place.element}") if place.states else tag("b", entry.name_ar)
    precision = tag("span", both(label(PRECISION_BY_TEXT, str(entry.precision))), class_="where")
    at = tag("bdi", f"{entry.lat:.3f}, {entry.lon:.3f}", class_="at", dir="ltr")
    return tag("li", name, " ", _site_detail(entry), " ", precision, " ", at, id=f"spot-{number}", value=str(number))


PRECISION_BY_TEXT = {str(number): pair for number, pair in PRECISION.items()}


# -- events -----------------------------------------------------------------------------------------------------------


def event_list(clusters: Sequence[EventCluster], texts: Mapping[str, str]) -> Safe:
    """A card for each event with all that is said of it."""
    return tag("div", *(_event(event, texts) for event in clusters), class_="events")


def _event(event: EventCluster, texts: Mapping[str, str]) -> Safe:
    rows = [
        (("متى", "When"), tag("bdi", days(_iso(event.start), _iso(event.end)) or "؟", dir="ltr")),
        (("المسيطر", "Controller"), parties(event.controllers)),
        (("الخاسر", "Displaced"), parties(event.displaced)),
        (("بحسب", "According to"), _all_voices(event)),
    ]
    sources = tag(
        "details",
        tag(
            "summary",
            both(
                (
                    f"الروايات: {len(event.records)}، المصادر المستقلة: {len(event.origins)}",
                    "accounts, independent origins",
                )
            ),
        ),
        *(quote(record, texts) for record in event.records),
        open=len(event.records) == 1,
    )
    return tag(
        "article",
        tag(
            "header",
            tag("h3", _headline(event)),
            tag("span", both(label(STATUS, event.status)), class_=f"badge {event.status}"),
        ),
        tag("dl", *(tag("div", tag("dt", both(pair)), tag("dd", value)) for pair, value in rows if value)),
        confidence(event.confidence),
        sources,
        class_="card event",
    )


def _all_voices(event: EventCluster) -> str:
    """Everyone whom its accounts name; the report itself for one that names nobody."""
    said: dict[str, None] = {}
    for record in event.records:
        said |= dict.fromkeys(voice.entry.name if voice.entry else voice.name for voice in record.voices)
        if not record.voices:
            said["التقرير نفسه"] = None  # the report itself
    return "، ".join(said)


def _iso(day: object) -> str | None:
    return str(day) if day else None


def parties(found: Sequence[Party]) -> str:
    return "، ".join(dict.fromkeys(party_name(party) for party in found))


# -- table ------------------------------------------------------------------------------------------------------------

_HEADS = (
    ("الحدث", "Event"),
    ("المكان", "Place"),
    ("المسيطر", "Controller"),
    ("الخاسر", "Displaced"),
    ("متى", "When"),
    ("الحال", "Status"),
    ("بحسب", "According to"),
    ("الثقة", "Conf."),
)


def table(records: Sequence[Record], *, with_report: bool) -> Safe:
    """All records, one a row; on a narrow screen each row becomes a block."""
    heads = [*_HEADS, *([("التقرير", "Report")] if with_report else [])]
    rows = [
        tag(
            "tr",
            *(
                tag("td", tag("bdi", cell) if cell else None, data_head=f"{head[0]} {head[1]}")
                for head, cell in zip(heads, _cells(record), strict=False)
            ),
        )
        for record in records
    ]
    return tag(
        "table",
        tag("thead", tag("tr", *(tag("th", both(head), scope="col") for head in heads))),
        tag("tbody", *rows),
    )


def _cells(record: Record) -> list[Child]:
    when = days(_iso(record.start), _iso(record.end))
    said = "، ".join(voice.entry.name if voice.entry else voice.name for voice in record.voices)
    status = label(STATUS, record.attribution)[0]
    if record.factuality != "actual":
        status = f"{label(FACTUALITY, record.factuality)[0]}، {status}"
    return [
        both(label(TYPES, record.type)),
        "، ".join(site_name(site) for site in record.sites),
        parties(record.controllers),
        parties(record.displaced),
        join([tag("bdi", when, dir="ltr"), " ", tag("small", label(DATE_BY_TEXT, str(record.date_precision))[0])])
        if when
        else "",
        status,
        said or "التقرير نفسه",  # the report itself
        f"{record.score:.2f}",
        record.report,
    ]


DATE_BY_TEXT = {str(number): pair for number, pair in DATE_FROM.items()}
