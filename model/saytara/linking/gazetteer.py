"""The packaged table of places, found by spelling that varies.

Finds what bears a name; does not decide which of several is meant.
"""

import gzip
import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources

from saytara.arabic.fold import fold, without_article
from saytara.errors import DataError

COLUMNS = ("id", "ar", "en", "kind", "country", "admin1", "lat", "lon", "population", "parent", "capital")
ADMIN1 = frozenset({"governorate", "state", "province", "oblast"})
"""Kinds of first-level areas."""

SPELT_ONE_WAY = frozenset({
    "SY", "IQ", "LB", "PS", "JO", "EG", "SD", "YE", "LY", "TN", "DZ", "MA", "SA", "KW", "QA", "BH", "AE", "OM",
})  # fmt: skip
"""Countries whose places have Arabic names, so that another vowel is another place."""

_SKELETON = str.maketrans(
    {
        "ج": "غ",  # jeem, for g in foreign names
        "ق": "غ",  # qaf
        "ك": "غ",  # kaf
        "ط": "ت",  # emphatic t
        "ث": "ت",  # th
        "ص": "س",  # emphatic s
        "ذ": "د",  # dh
        "ض": "د",  # emphatic d
        "ظ": "ز",  # emphatic z
        "ح": "ه",  # strong h
        "ا": None,  # alef
        "و": None,  # waw
        "ي": None,  # yeh
    }
)


@dataclass(frozen=True, slots=True)
class Place:
    """A row of the table."""

    id: str
    names: tuple[str, ...]
    """Arabic names, the main one first."""
    name_en: str
    kind: str
    country: str
    admin1: str | None
    lat: float
    lon: float
    population: int | None
    parent: str | None
    is_capital: bool

    @property
    def name(self) -> str:
        return self.names[0]

    def distance(self, other: "Place") -> float:
        """Kilometres to another place, on a sphere."""
        first, second = math.radians(self.lat), math.radians(other.lat)
        half = math.sin((second - first) / 2) ** 2
        half += math.cos(first) * math.cos(second) * math.sin(math.radians(other.lon - self.lon) / 2) ** 2
        return 12742 * math.asin(min(1.0, math.sqrt(half)))


@dataclass(frozen=True, slots=True)
class Hit:
    """A place that bears a name, and how well the spelling agrees."""

    place: Place
    spelling: str
    """``exact`` but for the folds, ``loose`` (article, gaps), or ``skeleton`` (consonants only)."""
    is_main: bool
    """Whether the main name was met and not a variant."""


def key(folded: str) -> str:
    """What names that differ in articles and gaps only have in common.

    >>> key("ابو كمال"), key("الرقه")
    ('ابوكمال', 'رقه')
    """
    return without_article(folded).replace(" ", "")


def skeleton(folded: str) -> str:
    """Consonants of a folded name, those that foreign names are spelt with at will thrown together."""
    plain = without_article(folded).replace(" ", "").removesuffix("ه")
    return plain[:1].replace("ا", "") + plain.translate(_SKELETON)


class Gazetteer:
    """An index over places. The packaged one: `Gazetteer.packaged()`."""

    def __init__(self, places: Iterable[Place]) -> None:
        self.places = tuple(places)
        self.by_id = {place.id: place for place in self.places}
        self.countries = {place.country: place for place in self.places if place.kind == "country"}
        self.capitals = {place.country: place for place in self.places if place.is_capital}
        self._by_key: dict[str, list[int]] = {}
        self._by_skeleton: dict[str, list[int]] = {}
        for number, place in enumerate(self.places):
            for name in place.names:
                folded = fold(name)
                _add(self._by_key, key(folded), number)
                if place.country not in SPELT_ONE_WAY and place.kind in ("city", "town", "oblast", "province"):
                    _add(self._by_skeleton, skeleton(folded), number)

    @staticmethod
    def packaged() -> "Gazetteer":
        """The packaged gazetteer, read once."""
        return _packaged()

    def find(self, folded: str) -> list[Hit]:
        """All places of that folded name, articles and gaps aside."""
        hits = []
        for number in self._by_key.get(key(folded), ()):
            place = self.places[number]
            names = _folded(place)
            is_exact = folded in names
            hits.append(Hit(place, "exact" if is_exact else "loose", key(names[0]) == key(folded)))
        return hits

    def find_alike(self, folded: str) -> list[Hit]:
        """Towns and larger whose name has the same consonants; for names of four consonants or more."""
        bare = skeleton(folded)
        if len(bare) < 4:
            return []
        return [Hit(self.places[number], "skeleton", True) for number in self._by_skeleton.get(bare, ())]


@lru_cache(maxsize=4096)
def _folded(place: Place) -> tuple[str, ...]:
    return tuple(fold(name) for name in place.names)


def _add(index: dict[str, list[int]], word: str, number: int) -> None:
    numbers = index.setdefault(word, [])
    if not numbers or numbers[-1] != number:
        numbers.append(number)


def parse_places(text: str) -> list[Place]:
    """Places of a tab-separated table with a head line.

    Raises:
        DataError: the columns are others.
    """
    head, *lines = text.rstrip("\n").split("\n")
    if tuple(head.split("\t")) != COLUMNS:
        raise DataError(f"the table of places has the columns {head!r}, not {COLUMNS}. Build it again.")
    return [_place(line.split("\t")) for line in lines]


def _place(cells: list[str]) -> Place:
    identifier, ar, en, kind, country, admin1, lat, lon, population, parent, capital = cells
    return Place(
        id=identifier,
        names=tuple(ar.split("|")),
        name_en=en,
        kind=kind,
        country=country,
        admin1=admin1 or None,
        lat=float(lat),
        lon=float(lon),
        population=int(population) if population else None,
        parent=parent or None,
        is_capital=capital == "1",
    )


@cache
def _packaged() -> Gazetteer:
    table = resources.files("saytara.linking").joinpath("tables", "places.tsv.gz")
    return Gazetteer(parse_places(gzip.decompress(table.read_bytes()).decode("utf-8")))
