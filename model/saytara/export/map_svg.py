"""A map of places as SVG, drawn from packaged outlines: no tiles, no network, no script.

Draws only; which places there are is decided by the page.
"""

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from saytara.export.elements import Safe, join, tag
from saytara.linking.gazetteer import Gazetteer

WIDTH, HEIGHT = 640, 430
LEAST_DEGREES = 3.2
"""Smallest height of the view, so that some borders and towns around stand in it."""
MARGIN = 1.35
MOST_TOWNS = 9
BLEED = 6.0
"""How far outlines run on beyond the edge, so that the cut is not seen."""
LETTER = 7.2
"""Mean width of a letter of a label."""

Point = tuple[float, float]
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Marker:
    """A place on the map."""

    number: int
    name: str
    lat: float
    lon: float
    precision: int
    """1 the place itself, 2 near it or a part of it, 3 a region."""
    tone: str
    """``actual``, ``contradicted``, ``denied`` or ``expected``."""
    target: str
    """Id of the element that it leads to."""
    title: str


@dataclass(frozen=True, slots=True)
class Country:
    """Outline of a country in degrees."""

    iso: str | None
    name: str
    rings: tuple[tuple[Point, ...], ...]


@dataclass(frozen=True, slots=True)
class View:
    """An equirectangular projection, true at its middle latitude."""

    west: float
    north: float
    kx: float
    ky: float
    """Pixels to a degree."""

    def place(self, lon: float, lat: float) -> Point:
        return (lon - self.west) * self.kx, (self.north - lat) * self.ky


@cache
def outlines() -> tuple[Country, ...]:
    """The packaged outlines of all countries (Natural Earth)."""
    packed = json.loads(resources.files("saytara.export").joinpath("assets", "outlines.json").read_text("utf-8"))
    arcs = [_unpack(arc, packed["steps"]) for arc in packed["arcs"]]
    return tuple(
        Country(item["iso"], item["name"], tuple(tuple(_ring(ring, arcs)) for ring in item["rings"]))
        for item in packed["countries"]
    )


def _unpack(packed: Sequence[int], steps: int) -> list[Point]:
    x = y = 0
    points = []
    for dx, dy in zip(packed[::2], packed[1::2], strict=True):
        x, y = x + dx, y + dy
        points.append((x / steps, y / steps))
    return points


def _ring(indices: Sequence[int], arcs: Sequence[list[Point]]) -> Iterator[Point]:
    """Points of a ring; one that crosses the antimeridian runs on beyond 180 degrees."""
    last = None
    for index in indices:
        for lon, lat in arcs[index] if index >= 0 else reversed(arcs[~index]):
            if last is not None and abs(lon - last) > 180:
                lon += 360 * round((last - lon) / 360)
            last = lon
            yield lon, lat


def view_of(points: Sequence[Point]) -> View:
    """The view that holds all points (longitude, latitude) with some land around them."""
    lons, lats = [lon for lon, _ in points], [lat for _, lat in points]
    lon, lat = (min(lons) + max(lons)) / 2, (min(lats) + max(lats)) / 2
    squeeze = max(math.cos(math.radians(lat)), 0.2)
    height = max((max(lats) - min(lats)) * MARGIN, LEAST_DEGREES)
    width = (max(lons) - min(lons)) * squeeze * MARGIN
    scale = min(HEIGHT / height, WIDTH / width if width else math.inf)
    return View(lon - WIDTH / 2 / (scale * squeeze), lat + HEIGHT / 2 / scale, scale * squeeze, scale)


def draw_map(markers: Sequence[Marker], label: str) -> Safe:
    """The map as one SVG element.

    Args:
        label: what it shows, for those who do not see it.
    """
    view = view_of([(marker.lon, marker.lat) for marker in markers])
    taken: list[Box] = []
    spots = _spots(markers, view, taken)
    points = join(_marker(marker, spot, view) for marker, spot in zip(markers, spots, strict=True))
    names = join(_names(markers, spots, taken))
    shapes, countries = _countries(view, taken)
    towns = _towns(markers, view, taken)
    return tag(
        "svg",
        tag("rect", class_="sea", width=WIDTH, height=HEIGHT),
        shapes,
        towns,
        countries,
        _scale(view),
        points,
        names,
        class_="map",
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        role="group",
        aria_label=label,
    )


def _countries(view: View, taken: list[Box]) -> tuple[Safe, Safe]:
    """Shapes, and names where they fit."""
    shapes, names = [], []
    known = Gazetteer.packaged().countries
    for country in outlines():
        rings = [
            ring for ring in (clip([view.place(*point) for point in ring]) for ring in country.rings) if len(ring) > 2
        ]
        if not rings:
            continue
        shapes.append(tag("path", d="".join(map(_path, rings))))
        largest = max(rings, key=_area)
        if abs(_area(largest)) < WIDTH * HEIGHT / 40:
            continue
        x, y = _middle(largest)
        found = known.get(country.iso or "")
        name = found.name if found else country.name
        box = (x - len(name) * 5, y - 14, x + len(name) * 5, y + 6)
        if _is_free(box, taken):
            taken.append(box)
            names.append(tag("text", name, x=round(x), y=round(y)))
    return tag("g", *shapes, class_="land"), tag("g", *names, class_="country", aria_hidden="true")


def clip(ring: Sequence[Point]) -> list[Point]:
    """The part of a ring inside the view and its bleed (Sutherland and Hodgman)."""
    low, right, bottom = -BLEED, WIDTH + BLEED, HEIGHT + BLEED
    xs, ys = [x for x, _ in ring], [y for _, y in ring]
    if max(xs) < low or min(xs) > right or max(ys) < low or min(ys) > bottom:
        return []
    kept = list(ring)
    for axis, limit, sign in ((0, low, 1), (0, right, -1), (1, low, 1), (1, bottom, -1)):
        points, kept = kept, []
        for before, point in zip([*points[-1:], *points[:-1]], points, strict=True):
            is_in, was_in = sign * (point[axis] - limit) >= 0, sign * (before[axis] - limit) >= 0
            if is_in != was_in:
                share = (limit - before[axis]) / (point[axis] - before[axis])
                kept.append((before[0] + share * (point[0] - before[0]), before[1] + share * (point[1] - before[1])))
            if is_in:
                kept.append(point)
    return kept


def _path(ring: Sequence[Point]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in ring) + "Z"


def _area(ring: Sequence[Point]) -> float:
    return abs(sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in zip(ring, (*ring[1:], ring[0]), strict=True))) / 2


def _middle(ring: Sequence[Point]) -> Point:
    """A point well inside: the middle of the widest stretch at the ring's half height."""
    ys = sorted(y for _, y in ring)
    y = (max(ys[0], 0) + min(ys[-1], HEIGHT)) / 2
    pairs = zip(ring, (*ring[1:], ring[0]), strict=True)
    cuts = sorted(x1 + (y - y1) / (y2 - y1) * (x2 - x1) for (x1, y1), (x2, y2) in pairs if (y1 > y) != (y2 > y))
    stretches = [(b - a, (a + b) / 2) for a, b in zip(cuts[::2], cuts[1::2], strict=False)]
    return max(stretches, default=(0.0, sum(x for x, _ in ring) / len(ring)))[1], y


def _towns(markers: Sequence[Marker], view: View, taken: list[Box]) -> Safe:
    """The largest towns of the view, to find one's way; from the packaged gazetteer."""
    shown: list[Safe] = []
    people = [place for place in Gazetteer.packaged().places if place.population and place.kind in ("city", "town")]
    for place in sorted(people, key=lambda place: (-(place.population or 0), place.id)):
        x, y = view.place(place.lon, place.lat)
        if not (10 < x < WIDTH - 10 and 16 < y < HEIGHT - 16):
            continue
        width = len(place.name) * LETTER * 0.9
        box = (x - 5, y - 9, x + width + 7, y + 9)
        is_marked = any(place.name == marker.name for marker in markers)
        if is_marked or box[2] > WIDTH or not _is_free(box, taken):
            continue
        taken.append(box)
        shown += [
            tag("circle", cx=round(x, 1), cy=round(y, 1), r=2),
            tag("text", place.name, x=round(x + 6, 1), y=round(y + 4, 1)),
        ]
        if len(shown) == 2 * MOST_TOWNS:
            break
    return tag("g", *shown, class_="towns", aria_hidden="true")


def _spots(markers: Sequence[Marker], view: View, taken: list[Box]) -> list[Point]:
    """Where each marker stands: at its place, or as near as others let it."""
    spots = []
    for marker in markers:
        x, y = view.place(marker.lon, marker.lat)
        tries = [(x, y)]
        tries += [
            (x + far * math.cos(turn), y + far * math.sin(turn))
            for far in (24, 44, 64, 90)
            for turn in (0, 3.1, 1.6, 4.7, 0.8, 2.4, 3.9, 5.5)
        ]
        spot = next((spot for spot in tries if _is_free(_around(spot), taken) and _is_inside(spot)), (x, y))
        taken.append(_around(spot))
        spots.append(spot)
    return spots


def _around(spot: Point) -> Box:
    return spot[0] - 11, spot[1] - 11, spot[0] + 11, spot[1] + 11


def _is_inside(spot: Point) -> bool:
    return 12 < spot[0] < WIDTH - 12 and 12 < spot[1] < HEIGHT - 12


def _is_free(box: Box, taken: Sequence[Box]) -> bool:
    return not any(box[0] < b[2] and b[0] < box[2] and box[1] < b[3] and b[1] < box[3] for b in taken)


def _marker(marker: Marker, spot: Point, view: View) -> Safe:
    """Ring for the precision, shape and number for the event, a line to the place where it had to stand aside."""
    x, y = round(spot[0], 1), round(spot[1], 1)
    at = view.place(marker.lon, marker.lat)
    aside = math.dist(at, spot) > 1
    ring = {2: 15, 3: 26}.get(marker.precision)
    is_disputed = marker.tone == "contradicted"
    shape = tag("path", d="M0-13L13 0L0 13L-13 0Z", class_="dot") if is_disputed else tag("circle", r=10, class_="dot")
    number = tag("text", str(marker.number), y=4, class_="number")
    return tag(
        "a",
        tag("title", marker.title),
        tag("circle", cx=round(at[0], 1), cy=round(at[1], 1), r=ring, class_=f"ring p{marker.precision}")
        if ring
        else None,
        tag("path", d=f"M{x} {y}L{at[0]:.1f} {at[1]:.1f}", class_="leader") if aside else None,
        tag("g", tag("g", shape, number, class_="pin"), transform=f"translate({x} {y})"),
        href=f"#{marker.target}",
        class_=f"marker {marker.tone}",
    )


def _names(markers: Sequence[Marker], spots: Sequence[Point], taken: list[Box]) -> Iterator[Safe]:
    """Names beside their markers, where there is room; all stand in the list below the map."""
    for marker, (x, y) in zip(markers, spots, strict=True):
        width = len(marker.name) * LETTER + 6
        for anchor, left, down in (
            ("start", x + 13, 0),
            ("end", x - 13 - width, 0),
            ("middle", x - width / 2, -24),
            ("middle", x - width / 2, 24),
        ):
            box = (left, y + down - 10, left + width, y + down + 10)
            if left > 0 and left + width < WIDTH and _is_free(box, taken):
                taken.append(box)
                at = {"start": left + 2, "end": left + width - 2, "middle": x}[anchor]
                yield tag(
                    "text",
                    marker.name,
                    x=round(at, 1),
                    y=round(y + down + 5, 1),
                    text_anchor=anchor,
                    class_="name",
                    aria_hidden="true",
                )
                break


def _scale(view: View) -> Safe:
    """A bar of a round number of kilometres."""
    per_pixel = 111.32 / view.ky
    most = WIDTH / 5 * per_pixel
    power = 10 ** math.floor(math.log10(most))
    length = max(step * power for step in (1, 2, 5) if step * power <= most)
    end = 14 + length / per_pixel
    y = HEIGHT - 16
    return tag(
        "g",
        tag("path", d=f"M14 {y - 4}V{y}H{end:.1f}V{y - 4}"),
        tag("text", f"{length:g} km", x=round(end + 6, 1), y=y + 1),
        class_="scale",
        aria_hidden="true",
    )
