"""The packaged gazetteer of armed and state actors: who goes by which name, where and when.

Looks names up under a folded key; decides nothing between several holders of one name.
"""

import datetime
import gzip
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from saytara.arabic.fold import fold

GENERIC, AMBIGUOUS, PLAIN = "~", "?", ""
"""Marks of an alias: a description that many conflicts share; a second reading of a name; a name of its own."""
PACKED_COLUMNS = ("id", "name", "name_en", "keys", "side", "kind", "country", "years", "parent")
COLUMNS = ("id", "name", "name_en", "aliases", "side", "kind", "country", "years", "parent")

_KEPT = frozenset({"الله", "الذي", "التي", "الذين"})  # God, who (relative pronouns): no article to take off
_JOINED = {"عبد": "عبد", "ابو": "ابو", "ابي": "ابو", "ابا": "ابو"}  # servant of, father of: written apart or together
_MILITIA = re.compile(r"^مي?لي?شي(?:ا|ات)$")  # ميليشيا, مليشيات, ميلشيا
_SPELLINGS = (
    ("اميرك", "امريك"),  # American
    ("ديموقراط", "ديمقراط"),  # democratic
    ("بيشمرغ", "بيشمرك"),  # Peshmerga
    ("بشمرك", "بيشمرك"),
    ("بيبيشمرك", "بيشمرك"),
    ("فيليبين", "فلبين"),  # Philippine
    ("افريك", "افريق"),  # African
)
_PRESENTATION = re.compile(r"[\ufb50-\ufdff\ufe70-\ufeff]")  # letters in the shapes of old encodings
_DIGITS = str.maketrans("٠١٢٣٤٥٦٧٨٩", "0123456789")


@dataclass(frozen=True, slots=True)
class Years:
    """When an actor exists, in fractional years; None is open."""

    start: float | None
    end: float | None

    def overlaps(self, other: "Years") -> bool:
        return (self.end is None or other.start is None or other.start < self.end) and (
            self.start is None or other.end is None or self.start < other.end
        )


@dataclass(frozen=True, slots=True)
class Actor:
    """An entry of the gazetteer."""

    id: str
    name: str
    name_en: str
    side: str | None
    kind: str
    countries: tuple[str, ...]
    """ISO 3166 codes of two letters; none for an actor of no country."""
    theatres: tuple[str, ...]
    """Other countries in whose reports a description of it needs no country: Israel's army in Palestine."""
    years: Years
    parent: str | None


@dataclass(frozen=True, slots=True)
class Reading:
    """An actor that a name may mean."""

    actor: Actor
    mark: str


@dataclass(frozen=True, slots=True)
class Country:
    """The words that tell a country."""

    iso: str
    is_theatre: bool
    """Whether there is war in it: a bare "the army" rather means its army than that of a power from elsewhere."""
    nouns: tuple[str, ...]
    adjectives: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ActorTable:
    """Actors by id and by key of each of their names."""

    actors: Mapping[str, Actor]
    readings: Mapping[str, tuple[Reading, ...]]
    heads: Mapping[str, frozenset[str]]
    """Actor id to the first words of its names: "movement" for the Taliban movement."""
    countries: Mapping[str, Country]
    nouns: Mapping[str, str]
    """Key of a country's or capital's name to its code."""
    adjectives: Mapping[str, str]
    """Key of a demonym, masculine, feminine or plural, to its country's code."""


def key(text: str) -> str:
    """The form under which names are compared: folded, without articles, case endings and spelling variants.

    >>> key("المتمردون الحوثيون") == key("متمردين حوثيين")
    True
    """
    words: list[str] = []
    joined = ""
    if _PRESENTATION.search(text):
        text = unicodedata.normalize("NFKC", text)
    for word in fold(text.replace("#", " ")).translate(_DIGITS).split():
        if not joined and word in _JOINED:
            joined = _JOINED[word]
            continue
        words.append(word_key(joined + word))
        joined = ""
    return " ".join([*words, joined] if joined else words)


def word_key(word: str) -> str:
    """The key of one folded word."""
    if len(word) >= 4 and word.startswith("ال") and word not in _KEPT:
        word = word[2:]
    if _MILITIA.match(word):
        return "ميليشيا"
    for written, kept in _SPELLINGS:
        if written in word:
            word = word.replace(written, kept)
    if len(word) >= 5 and word.endswith("ون"):  # nominative plural
        word = word[:-2] + "ين"
    return word


def parse_years(text: str) -> Years:
    """Years such as ``2011-2024.12`` (year, dot, month), open where a side is left out.

    >>> parse_years("2011-2013")
    Years(start=2011.0, end=2014.0)
    """
    start, _, end = text.partition("-")
    return Years(_moment(start, is_end=False), _moment(end, is_end=True))


def _moment(text: str, *, is_end: bool) -> float | None:
    if not text:
        return None
    year, _, month = text.partition(".")
    if not month:
        return float(year) + (1 if is_end else 0)
    return float(year) + (int(month) - (0 if is_end else 1)) / 12


def years_of(day: datetime.date) -> Years:
    """The month of a day."""
    return Years(day.year + (day.month - 1) / 12, day.year + day.month / 12)


def split_mark(alias: str) -> tuple[str, str]:
    """Mark and text of an alias as the table writes it."""
    return (alias[0], alias[1:]) if alias[:1] in (GENERIC, AMBIGUOUS) else (PLAIN, alias)


def with_keys(row: Mapping[str, str]) -> dict[str, str]:
    """A row of the sources with the keys of its name and aliases, each once, in place of the aliases."""
    keys: dict[str, str] = {}
    for alias in (row["name"], *filter(None, row["aliases"].split("|"))):
        mark, text = split_mark(alias)
        keys.setdefault(key(text), mark)
    packed = {column: text for column, text in row.items() if column != "aliases"}
    return {**packed, "keys": "|".join(mark + name for name, mark in keys.items())}


def make_table(actors: Iterable[Mapping[str, str]], countries: Iterable[Mapping[str, str]]) -> ActorTable:
    """The look-up table of rows with `PACKED_COLUMNS`, and of rows of the countries' table."""
    found: dict[str, Actor] = {}
    readings: dict[str, dict[str, Reading]] = {}
    heads: dict[str, frozenset[str]] = {}
    for row in actors:
        codes = [code for code in row["country"].split(",") if code]
        actor = Actor(
            id=row["id"],
            name=row["name"],
            name_en=row["name_en"],
            side=row["side"] or None,
            kind=row["kind"],
            countries=tuple(code for code in codes if not code.startswith("+")),
            theatres=tuple(code[1:] for code in codes if code.startswith("+")),
            years=parse_years(row["years"]),
            parent=row["parent"] or None,
        )
        found[actor.id] = actor
        own_heads = set()
        for alias in row["keys"].split("|"):
            mark, name = split_mark(alias)
            readings.setdefault(name, {}).setdefault(actor.id, Reading(actor, mark))
            if mark != GENERIC:
                own_heads.add(name.split(" ")[0])
        heads[actor.id] = frozenset(own_heads)
    known = {country.iso: country for country in map(_country, countries)}
    nouns: dict[str, str] = {}
    adjectives: dict[str, str] = {}
    for country in known.values():
        for noun in country.nouns:
            nouns.setdefault(key(noun), country.iso)
        for adjective in country.adjectives:
            for form in (adjective, adjective + "ة", adjective + "ين", adjective + "ان", adjective + "تين"):
                adjectives.setdefault(key(form), country.iso)
    by_name = {name: tuple(at.values()) for name, at in readings.items()}
    return ActorTable(found, by_name, heads, known, nouns, adjectives)


def _country(row: Mapping[str, str]) -> Country:
    nouns = (*row["names"].split("|"), *row["capitals"].split("|"))
    people = row["people"].split("|")
    adjectives = (*row["adjectives"].split("|"), *people)
    return Country(row["iso"], row["theatre"] == "yes", tuple(filter(None, nouns)), tuple(filter(None, adjectives)))


@cache
def actor_table() -> ActorTable:
    """The packaged table, read on first use."""
    return make_table(_rows("actors.tsv.gz"), _rows("countries.tsv.gz"))


def _rows(name: str) -> list[dict[str, str]]:
    packed = resources.files("saytara.linking").joinpath("tables", name).read_bytes()
    columns, *rows = (line.split("\t") for line in gzip.decompress(packed).decode("utf-8").splitlines())
    return [dict(zip(columns, row, strict=True)) for row in rows]
