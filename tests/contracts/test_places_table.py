"""The packaged table of places and the supplement that it is built from agree."""

import gzip
import re
from collections import Counter
from pathlib import Path

import pytest

from saytara.arabic.fold import fold
from saytara.linking.gazetteer import Place, parse_places

SOURCE_COLUMNS = ["id", "ar", "en", "kind", "country", "admin1", "lat", "lon", "population", "parent"]
ARABIC_NAME = re.compile(r"[\u0621-\u064a\u064b-\u0652پچڤگ0-9\u0660-\u0669A-Za-z .\-]+")


@pytest.fixture(scope="module")
def supplement(root: Path) -> dict[str, dict[str, str]]:
    rows: dict[str, dict[str, str]] = {}
    for path in sorted((root / "data" / "gazetteer").glob("places*.tsv")):
        head, *lines = path.read_text("utf-8").splitlines()
        assert head.split("\t") == SOURCE_COLUMNS, path.name
        for number, line in enumerate(lines, start=2):
            cells = line.split("\t")
            assert len(cells) == len(SOURCE_COLUMNS), f"{path.name}:{number}"
            assert cells[0] not in rows, f"{path.name}:{number}: {cells[0]} is taken"
            rows[cells[0]] = dict(zip(SOURCE_COLUMNS, cells, strict=True))
    return rows


@pytest.fixture(scope="module")
def packaged(root: Path) -> dict[str, Place]:
    data = (root / "model" / "saytara" / "linking" / "tables" / "places.tsv.gz").read_bytes()
    assert len(data) < 2_000_000
    places = parse_places(gzip.decompress(data).decode("utf-8"))
    assert [place.id for place in places] == sorted(place.id for place in places)
    return {place.id: place for place in places}


def test_supplement_is_large_enough(supplement: dict[str, dict[str, str]]) -> None:
    assert len(supplement) >= 1500


def test_every_place_of_ours_is_packaged_as_it_is(
    supplement: dict[str, dict[str, str]], packaged: dict[str, Place]
) -> None:
    wrong = []
    for identifier, row in supplement.items():
        place = packaged.get(identifier)
        names = row["ar"].split("|")
        if (
            place is None
            or list(place.names[: len(names)]) != names
            or (place.name_en, place.kind, place.country) != (row["en"], row["kind"], row["country"])
            or (f"{place.lat:.4f}", f"{place.lon:.4f}") != (f"{float(row['lat']):.4f}", f"{float(row['lon']):.4f}")
        ):
            wrong.append(identifier)
    assert wrong == [], "run data/gazetteer/build_places.py"


def test_the_rest_is_geonames(supplement: dict[str, dict[str, str]], packaged: dict[str, Place]) -> None:
    others = [identifier for identifier in packaged if identifier not in supplement]
    assert all(identifier.startswith("geonames:") for identifier in others)
    assert len(others) > 3000


def test_values_are_in_their_ranges(packaged: dict[str, Place]) -> None:
    for place in packaged.values():
        assert re.fullmatch("[A-Z]{2}", place.country), place
        assert -90 <= place.lat <= 90, place
        assert -180 <= place.lon <= 180, place
        assert all(ARABIC_NAME.fullmatch(name) for name in place.names), place


def test_a_country_has_one_capital_at_most(packaged: dict[str, Place]) -> None:
    counts = Counter(place.country for place in packaged.values() if place.is_capital)
    assert max(counts.values()) == 1
    assert {"SY", "IQ", "YE", "LY", "SD", "SO", "LB", "EG", "JO", "AF", "UA"} <= set(counts)


def test_known_words_hold_the_first_words_of_the_places(root: Path, packaged: dict[str, Place]) -> None:
    path = root / "model" / "saytara" / "linking" / "tables" / "known_words.txt"
    words = set(path.read_text("utf-8").split("\n"))
    firsts = {fold(name).partition(" ")[0] for place in packaged.values() for name in place.names}
    assert {word for word in firsts if len(word) > 2} <= words
    assert {"بغداد", "لبنان", "كركوك", "وادي", "فلسطين", "اب"} <= words


def test_file_is_the_same_wherever_it_is_built(root: Path) -> None:
    """No time stamp and no file name in the head of the compressed table."""
    head = (root / "model" / "saytara" / "linking" / "tables" / "places.tsv.gz").read_bytes()[:10]
    assert head[3] == 0
    assert head[4:8] == bytes(4)
