"""Score linking, dates and clustering against gold written by hand.

Links gold mentions, so that what is measured is linking and not extraction; resolves nothing itself.
"""

import datetime
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from saytara.arabic.fold import fold, without_article
from saytara.corpus.markup import parse_markup
from saytara.document import ActorEntry, Annotation, Entry, PlaceEntry, TimeValue
from saytara.errors import DataError
from saytara.facts.clusters import EventCluster, b_cubed, cluster
from saytara.facts.records import to_records
from saytara.linking.actor_table import actor_table, key
from saytara.linking.link import Linker, link
from saytara.schema import CONTROL_CHANGE

NEAR_KM = 25.0
"""A place is right within this distance of gold, in the same country."""
WIDE_KINDS = frozenset(
    {
        "country",
        "governorate",
        "state",
        "province",
        "region",
        "area",
        "countryside",
        "road",
        "river",
        "mountain",
        "valley",
        "district",
    }
)
"""Kinds for which the name decides, or a distance of 100 km."""


@dataclass(frozen=True, slots=True)
class GoldLink:
    """What a mention refers to; `values` is None where it cannot be resolved."""

    document: str
    mention: str
    kind: str
    values: tuple[str, ...] | None


def evaluate_linking(folder: Path, linkers: tuple[Linker, ...]) -> dict[str, Any]:
    """Scores of `linkers` on a gold folder: ``reports.txt`` with ``links.tsv``, ``clusters.txt`` with its tables."""
    annotations = {a.document.id: link(a, linkers) for a in _markup(folder / "reports.txt")}
    result: dict[str, Any] = score_links(annotations, read_links(folder / "links.tsv"))
    if (folder / "clusters.txt").exists():
        linked = [link(a, linkers) for a in _markup(folder / "clusters.txt")]
        result["clusters"] = score_clusters(linked, folder)
    return result


def score_links(annotations: Mapping[str, Annotation], gold: Iterable[GoldLink]) -> dict[str, Any]:
    """Accuracy, coverage and wrong-rather-than-null rate of places, actors and times.

    accuracy: right of those that gold resolves; coverage: linked of those; wrong: linked wrongly of all (a link
    where gold has none is wrong); null where gold has none is right to be null.
    """
    counts: dict[str, Counter[str]] = {}
    misses: dict[str, list[str]] = {}
    for item in gold:
        if item.document not in annotations:
            raise DataError(
                "is not among the gold reports. Fix the line.", where=f"links.tsv: document {item.document!r}"
            )
        annotation = annotations[item.document]
        found = annotation.entries.get(item.mention)
        right = found is not None and item.values is not None and _JUDGES[item.kind](item.values, found)
        count = counts.setdefault(item.kind, Counter())
        count["mentions"] += 1
        count["resolvable"] += item.values is not None
        count["linked"] += item.values is not None and found is not None
        count["right"] += right
        count["wrong"] += found is not None and not right
        count["rightly_null"] += found is None and item.values is None
        if not right and (found is not None or item.values is not None):
            text = annotation.text_of(annotation.mention(item.mention).span)
            misses.setdefault(item.kind, []).append(f"{item.document} {item.mention} {text}: {_describe(found)}")
    return {
        kind: {
            **dict(count),
            "accuracy": _share(count["right"], count["resolvable"]),
            "coverage": _share(count["linked"], count["resolvable"]),
            "wrong_rather_than_null": _share(count["wrong"], count["mentions"]),
            "misses": misses.get(kind, []),
        }
        for kind, count in sorted(counts.items())
    }


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0


def _describe(entry: Entry | None) -> str:
    match entry:
        case None:
            return "null"
        case TimeValue():
            return f"{entry.start}..{entry.end}"
        case PlaceEntry():
            return f"{entry.id} ({entry.name_en}, {entry.country})"
        case ActorEntry():
            return entry.id


def _is_right_place(values: Sequence[str], entry: Entry) -> bool:
    """Gold: country, Arabic name, English name, kind, latitude, longitude."""
    country, name_ar, name_en, kind, lat, lon = values
    if not isinstance(entry, PlaceEntry) or entry.country != country:
        return False
    same = _same_name(name_ar, entry.name_ar) or name_en.lower() == entry.name_en.lower()
    if "-" in (lat, lon):  # a river or road, which has no one position
        return same
    distance = kilometres((float(lat), float(lon)), (entry.lat, entry.lon))
    if kind in WIDE_KINDS:
        return (same and entry.kind in WIDE_KINDS) or (kind == entry.kind and distance <= 100)
    return distance <= NEAR_KM


def _same_name(first: str, second: str) -> bool:
    return without_article(fold(first)) == without_article(fold(second))


def kilometres(first: tuple[float, float], second: tuple[float, float]) -> float:
    """Great-circle distance between two points given as degrees north and east."""
    (lat1, lon1), (lat2, lon2) = ((math.radians(a), math.radians(b)) for a, b in (first, second))
    h = math.sin((lat2 - lat1) / 2) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    return 2 * 6371.0 * math.asin(math.sqrt(h))


def _is_right_actor(values: Sequence[str], entry: Entry) -> bool:
    """Gold: English name, Arabic name, country, side. Another name of the same actor is right."""
    _, name_ar, _country, _side = values
    if not isinstance(entry, ActorEntry):
        return False
    return _same_name(name_ar, entry.name) or entry.id in _actors_named(name_ar)


def _actors_named(name: str) -> frozenset[str]:
    """Ids of the gazetteer's actors that bear the name."""
    return frozenset(reading.actor.id for reading in actor_table().readings.get(key(name), ()))


def _is_right_time(values: Sequence[str], entry: Entry) -> bool:
    start, end = (datetime.date.fromisoformat(value) for value in values)
    return isinstance(entry, TimeValue) and (entry.start, entry.end) == (start, end)


_JUDGES: Mapping[str, Callable[[Sequence[str], Entry], bool]] = {
    "place": _is_right_place,
    "actor": _is_right_actor,
    "time": _is_right_time,
}
_WIDTHS = {"place": 6, "actor": 4, "time": 2}


def read_links(path: Path) -> list[GoldLink]:
    """Lines of document, mention, kind and its values, or ``NULL`` and a reason; DataError names a bad line."""
    links = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        where = f"{path}:{number}"
        document, mention, kind, *values = line.split("\t")
        if kind not in _JUDGES:
            raise DataError(f"unknown kind {kind!r}; known: {', '.join(_JUDGES)}.", where=where)
        if values and values[0] == "NULL":
            links.append(GoldLink(document, mention, kind, None))
            continue
        if len(values) < _WIDTHS[kind]:
            raise DataError(f"a {kind} needs {_WIDTHS[kind]} values, got {len(values)}.", where=where)
        links.append(GoldLink(document, mention, kind, tuple(values[: _WIDTHS[kind]])))
    return links


def score_clusters(annotations: Sequence[Annotation], folder: Path) -> dict[str, Any]:
    """B³ over event mentions, and precision and recall of contradictions."""
    gold_groups: dict[str, set[str]] = {}
    for document, event, name in _rows(folder / "clusters.tsv", 3):
        gold_groups.setdefault(name, set()).add(f"{document}#{event}")
    gold_pairs = {
        frozenset((f"{first}#{event}", f"{second}#{other}"))
        for _, first, event, second, other in _rows(folder / "contradictions.tsv", 5)
    }
    clusters: list[EventCluster] = cluster(record for annotation in annotations for record in to_records(annotation))
    predicted = [frozenset(record.id for record in found.records) for found in clusters]
    precision, recall, f1 = b_cubed([frozenset(group) for group in gold_groups.values()], predicted)
    pairs = {frozenset((c.claim, c.denial)) for found in clusters for c in found.contradictions}
    return {
        "events": sum(len(group) for group in gold_groups.values()),
        "gold_clusters": len(gold_groups),
        "predicted_clusters": len(predicted),
        "b_cubed": {"precision": round(precision, 4), "recall": round(recall, 4), "f1": round(f1, 4)},
        "contradictions": {
            "gold": len(gold_pairs),
            "predicted": len(pairs),
            "right": len(pairs & gold_pairs),
            "precision": _share(len(pairs & gold_pairs), len(pairs)),
            "recall": _share(len(pairs & gold_pairs), len(gold_pairs)),
        },
    }


def _rows(path: Path, width: int) -> list[list[str]]:
    rows = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        cells = line.split("\t")
        if len(cells) < width:
            raise DataError(f"needs {width} columns, got {len(cells)}.", where=f"{path}:{number}")
        rows.append(cells[:width])
    return rows


def _markup(path: Path) -> list[Annotation]:
    return parse_markup(path.read_text(encoding="utf-8"), CONTROL_CHANGE, source=str(path))
