"""The pages: all text escaped, each mention marked as it stands, nothing from outside, all voices told."""

import base64
import hashlib
import re
from datetime import date
from html.parser import HTMLParser
from importlib import resources

import pytest

from builders import annotate
from linked_reports import CLAIM, DENIAL
from saytara.document import Annotation, Argument, Document, Event, Mention, Span
from saytara.export.elements import Safe, escape, join, tag
from saytara.export.html import facts_page, report_page
from saytara.export.labels import FACTUALITY, MENTIONS, ROLES, TYPES
from saytara.export.map_svg import HEIGHT, WIDTH, Marker, clip, draw_map, outlines
from saytara.export.timeline_svg import draw_timeline
from saytara.facts.clusters import cluster
from saytara.facts.records import to_records
from saytara.facts.timeline import CONTESTED, HOLDER, ControlState, Version
from saytara.schema import CONTROL_CHANGE

VOID = {"meta", "br", "hr", "img", "input", "link"}
ATTACKS = (
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "\"onmouseover='alert(1)'",
    "]]><!--",
    "</style></title></div>",
    "$title ${script}",
    "&lt;&amp;",
)


class Page(HTMLParser):
    """A parsed page: elements with their attributes and text, and what is wrong with its nesting."""

    def __init__(self, content: bytes) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text_of: dict[str, str] = {}
        self.text = ""
        self.faults: list[str] = []
        self._open: list[tuple[str, str | None]] = []
        self.feed(content.decode("utf-8"))
        self.close()
        self.faults += [f"<{name}> is not closed" for name, _ in self._open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self.elements.append((tag, attributes))
        if tag not in VOID:
            self._open.append((tag, attributes.get("id")))

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open[-1][0] != tag:
            self.faults.append(f"</{tag}> closes {self._open[-1:]}")
        else:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        inside = {name for name, _ in self._open}
        if not inside & {"script", "style"}:
            self.text += data
        for _, element in self._open:
            if element:
                self.text_of[element] = self.text_of.get(element, "") + data

    def of_class(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for _, attributes in self.elements if name in (attributes.get("class") or "").split()]

    def ids(self) -> list[str]:
        return [str(attributes["id"]) for _, attributes in self.elements if "id" in attributes]


def hostile(attack: str) -> Annotation:
    """A report whose text, id and mention ids all try to break out."""
    text = f"قال {attack} إن {attack} سيطر على {attack}"
    first, second, third = (match.start() for match in re.finditer(re.escape(attack), text))
    size, trigger = len(attack), text.index("سيطر")
    mentions = (
        Mention(f"a1{attack}", "ACTOR", Span(first, first + size)),
        Mention(f"a2{attack}", "SOURCE", Span(second, second + size)),
        Mention("p1", "PLACE", Span(third, third + size)),
    )
    arguments = (Argument("controller", mentions[0].id), Argument("claimant", mentions[1].id), Argument("place", "p1"))
    event = Event("e1", "CAPTURE", Span(trigger, trigger + 4), "actual", arguments)
    return Annotation(Document(text, f"r{attack}"), mentions, (event,), warnings=(f"p1: {attack}",))


def pages(*annotations: Annotation) -> list[bytes]:
    clusters = cluster(record for annotation in annotations for record in to_records(annotation))
    texts = {annotation.document.id: annotation.document.text for annotation in annotations}
    return [
        report_page(annotations[0]),
        facts_page("ledger", clusters, texts),
        facts_page("all", clusters, texts, annotations),
    ]


# -- escaping ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_text_becomes_markup(attack: str) -> None:
    harmless = [Page(content) for content in pages(hostile("سلمى"))]
    for content, peaceful in zip(pages(hostile(attack)), harmless, strict=True):
        page = Page(content)
        assert page.faults == []
        assert [name for name, _ in page.elements if name != "bdi"] == [n for n, _ in peaceful.elements if n != "bdi"]
        known = {key for _, attributes in peaceful.elements for key in attributes}
        assert {key for _, attributes in page.elements for key in attributes} <= known
        assert attack in page.text


@pytest.mark.parametrize("text", ["a<b>&\"'", "\r\n\t", "نص\u202eعكس", "\U0001f4a5", ""])
def test_escaped_text_reads_back(text: str) -> None:
    page = Page(f'<p id="x">{escape(text)}</p>'.encode())
    assert page.text_of.get("x", "") == text


def test_what_html_cannot_hold_is_replaced_one_for_one() -> None:
    assert escape("a\0b\ud800c") == "a\ufffdb\ufffdc"


def test_markup_is_not_escaped_again_and_attributes_are() -> None:
    assert tag("p", Safe("<b>"), title='"<', hidden=True, lang=None) == '<p title="&quot;&lt;" hidden><b></p>'
    assert join(["<", None, Safe("<br>")], separator="&") == "&lt;&amp;<br>"


# -- marks ------------------------------------------------------------------------------------------------------------


def test_every_mark_holds_what_its_range_holds(reports: dict[str, Annotation]) -> None:
    for annotation in reports.values():
        page = Page(report_page(annotation))
        assert page.faults == []
        for number, mention in enumerate(annotation.mentions, 1):
            assert page.text_of[f"m{number}"] == annotation.text_of(mention.span)
        for number, event in enumerate(annotation.events, 1):
            assert page.text_of[f"t{number}"] == annotation.text_of(event.trigger)


def test_the_text_stands_whole_with_its_lines(reports: dict[str, Annotation]) -> None:
    for annotation in reports.values():
        content = report_page(annotation).decode("utf-8")
        found = re.search(r'<div class="text"[^>]*>(.*?)</div>', content, re.DOTALL)
        assert found
        assert Page(f'<p id="x">{found[1]}</p>'.encode()).text_of["x"] == annotation.document.text


def test_ranges_that_cross_or_nest_stay_well_formed() -> None:
    text = "واحد اثنان ثلاثة أربعة"
    spans = [Span(0, 10), Span(5, 16), Span(5, 10), Span(11, 16), Span(0, len(text))]
    mentions = tuple(Mention(f"a{n}", "ACTOR", span) for n, span in enumerate(spans))
    page = Page(report_page(Annotation(Document(text, "x"), mentions)))
    assert page.faults == []
    assert page.text_of["m5"] == text
    assert page.text_of["m3"] == text[5:10]


# -- what the page says -----------------------------------------------------------------------------------------------


def test_triggers_are_links_to_cards_that_name_their_arguments() -> None:
    page = Page(report_page(CLAIM))
    (trigger,) = [attributes for attributes in page.of_class("t") if attributes.get("id")]
    (card,) = page.of_class("card")
    assert trigger["href"] == f"#{card['id']}"
    links = [link.split(":") for link in str(card["data-links"]).split(";")]
    assert {element: page.text_of[element] for element, _ in links} == {
        "m1": "الفصائل",
        "m2": "الزيتونة",
        "m3": "الرمانة",
        "m4": "الجيش",
        "m5": "أمس",
    }
    assert dict(links)["m1"] == "المسيطر، القائل"  # controller, claimant


def test_links_lead_somewhere_and_ids_are_single() -> None:
    for content in pages(CLAIM, DENIAL):
        page = Page(content)
        ids = page.ids()
        assert len(ids) == len(set(ids))
        targets = {
            str(attributes["href"])[1:] for name, attributes in page.elements if name == "a" and "href" in attributes
        }
        assert targets <= set(ids)


def test_a_contradiction_stands_with_both_sides_and_their_sources() -> None:
    page = Page(pages(CLAIM, DENIAL)[1])
    assert len(page.of_class("dispute")) == 1
    assert len(page.of_class("claim")) == len(page.of_class("denial") and [1])
    for part in ("لم يُحسم", "المعارضة السورية", "الجيش السوري", "claim", "denial"):
        assert part in page.text_of["contradictions"]


def test_the_page_of_a_report_without_events_says_so() -> None:
    page = Page(report_page(Annotation(Document("لا شيء.", "calm"))))
    assert page.faults == []
    assert "No control events" in page.text


def test_places_without_coordinates_are_named_below_the_map() -> None:
    bare = annotate("[انسحبوا|e1:WITHDRAWAL] من [الموقع القديم|p1:PLACE].", "e1 actual place=p1", id="bare")
    page = Page(pages(CLAIM, bare)[1])
    assert "not on the map" in page.text_of["map"]
    assert "الموقع القديم" in page.text_of["map"]
    assert len(page.of_class("marker")) == 2


def test_language_and_direction_are_told() -> None:
    page = Page(report_page(CLAIM))
    root = next(attributes for name, attributes in page.elements if name == "html")
    assert (root["lang"], root["dir"]) == ("ar", "rtl")
    assert {attributes["dir"] for attributes in page.of_class("en")} == {"ltr"}


# -- nothing from outside ---------------------------------------------------------------------------------------------


def test_the_page_names_no_address_and_loads_nothing() -> None:
    for content in pages(CLAIM, DENIAL):
        text = content.decode("utf-8")
        assert not re.search(r"(?i)https?:|//[a-z0-9-]+\.|@import|url\((?!#)", text)
        page = Page(content)
        assert not [
            name for name, attributes in page.elements if "src" in attributes or name in ("link", "iframe", "img")
        ]
        assert not [
            key for _, attributes in page.elements for key in attributes if key.startswith("on") or key == "style"
        ]


def test_the_policy_admits_just_the_pages_own_script_and_style() -> None:
    content = report_page(CLAIM).decode("utf-8")
    policy = next(str(a["content"]) for _, a in Page(content.encode()).elements if a.get("http-equiv"))
    assert policy.startswith("default-src 'none';")
    for name in ("script", "style"):
        (body,) = re.findall(rf"<{name}>(.*?)</{name}>", content, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()
        assert f"{name}-src 'sha256-{digest}'" in policy


# -- map and timeline -------------------------------------------------------------------------------------------------


def test_outlines_are_small_and_hold_the_countries_of_the_reports() -> None:
    packed = resources.files("saytara.export").joinpath("assets", "outlines.json").read_bytes()
    assert len(packed) < 300_000
    assert {"SY", "IQ", "YE", "LY", "SD", "SO", "ML", "NE", "PS", "LB", "UA"} <= {country.iso for country in outlines()}


def inside(lon: float, lat: float, iso: str) -> bool:
    """Whether a point lies in a country, by the crossings of a ray to the east."""
    country = next(country for country in outlines() if country.iso == iso)
    crossings = 0
    for ring in country.rings:
        for (x1, y1), (x2, y2) in zip(ring, (*ring[1:], ring[0]), strict=True):
            if (y1 > lat) != (y2 > lat) and x1 + (lat - y1) / (y2 - y1) * (x2 - x1) > lon:
                crossings += 1
    return crossings % 2 == 1


@pytest.mark.parametrize(
    ("lon", "lat", "iso", "neighbour"),
    [(36.29, 33.51, "SY", "LB"), (32.53, 15.6, "SD", "SS"), (44.2, 15.35, "YE", "SA"), (34.46, 31.51, "PS", "IL")],
    ids=["Damascus", "Khartoum", "Sanaa", "Gaza"],
)
def test_capitals_lie_in_their_countries(lon: float, lat: float, iso: str, neighbour: str) -> None:
    assert inside(lon, lat, iso)
    assert not inside(lon, lat, neighbour)


def test_clipping_cuts_a_ring_at_the_edge() -> None:
    ring = [(-1000.0, 100.0), (100.0, 100.0), (100.0, 200.0), (-1000.0, 200.0)]
    assert min(x for x, _ in clip(ring)) > -10
    assert clip([(-50.0, -50.0), (-40.0, -50.0), (-40.0, -40.0)]) == []


def test_markers_stand_on_the_map_and_apart() -> None:
    markers = [
        Marker(n, f"مكان {n}", 35 + n / 1000, 36.5, 1 + n % 3, "actual", f"spot-{n}", f"place {n}") for n in range(1, 9)
    ]
    drawn = draw_map(markers, "map")
    spots = [(float(x), float(y)) for x, y in re.findall(r'transform="translate\(([\d.]+) ([\d.]+)\)"', drawn)]
    assert len(spots) == 8
    assert all(0 < x < WIDTH and 0 < y < HEIGHT for x, y in spots)
    assert all(abs(a[0] - b[0]) + abs(a[1] - b[1]) > 15 for a in spots for b in spots if a is not b)
    assert Page(drawn.encode()).faults == []


def state(day: date | None, kind: str, *holders: str, is_open: bool = False) -> ControlState:
    return ControlState(
        day, None, kind, (Version(holders, ("المرصد",), False),), "c", "CAPTURE", "claimed", 0.5, ("r",), 1, is_open
    )


def test_a_strip_fills_its_width_and_marks_what_is_open() -> None:
    states = [
        state(date(2024, 11, 28), HOLDER, "الجيش"),
        state(date(2024, 12, 4), CONTESTED, "الفصائل", is_open=True),
        state(date(2024, 12, 4), HOLDER, "الفصائل"),
        state(None, HOLDER, "غيرهم"),
    ]
    drawn = draw_timeline(states, {"الجيش": 0, "الفصائل": 1}, "strip")
    assert drawn
    assert sum(float(width) for width in re.findall(r'width="([\d.]+)%" height="34"', drawn)) == pytest.approx(
        100, abs=0.1
    )
    assert drawn.count("≠") == 2  # in its words and in its title
    assert "غيرهم" not in drawn  # it has no day; the list below names it


def test_states_without_a_day_draw_no_strip() -> None:
    assert draw_timeline([state(None, HOLDER, "الجيش")], {}, "strip") is None


def test_labels_know_the_schema() -> None:
    assert set(TYPES) == set(CONTROL_CHANGE.events)
    assert set(MENTIONS) == set(CONTROL_CHANGE.mentions)
    assert set(ROLES) == set(CONTROL_CHANGE.roles)
    assert set(FACTUALITY) == set(CONTROL_CHANGE.factuality)


def test_no_outline_jumps_across_the_map() -> None:
    jumps = {
        country.name
        for country in outlines()
        for ring in country.rings
        for (x1, _), (x2, _) in zip(ring, (*ring[1:], ring[0]), strict=True)
        if abs(x1 - x2) > 60
    }
    assert jumps == set()
