"""Read an actor mention: the names of the gazetteer in it, or the noun by which it points back.

Works on one mention alone; chooses between no two actors.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from importlib import resources

from saytara.linking.actor_table import GENERIC, PLAIN, ActorTable, Reading, key

SUFFIXES = ("هما", "هم", "ها", "ه", "نا")
"""Pronouns that a noun carries: of two, their, her or its, his or its, our."""
_CLITICS = ("وبال", "ولل", "فلل", "وال", "بال", "فال", "كال", "لل", "وب", "ول", "فل", "و", "ف", "ب", "ل", "ك")
_ARTICLES = ("ال", "وال", "بال", "لل", "فال", "ولل", "كال")
_WORDS = 12


@cache
def _classes() -> Mapping[str, frozenset[str]]:
    table = resources.files("saytara.linking").joinpath("tables", "actor_words.tsv").read_text(encoding="utf-8")
    rows = [line.split("\t") for line in table.splitlines()[1:]]
    return {kind: frozenset(listed.split(" ")) for kind, _, listed in rows}


def word_class(kind: str) -> frozenset[str]:
    """Keys of the words of a class of ``actor_words.tsv``: ``member``, ``slant``, ``pointer``, …"""
    return _classes()[kind]


class Gap(Enum):
    """Why a mention names nobody by itself."""

    UNKNOWN = "no actor of that name in the gazetteer"
    GENERIC = "a generic description"
    POINTER = "points back to an actor that the text does not name"
    PRONOUN = "its pronoun has no single actor to stand for"
    NO_COUNTRY = "shared by several countries, and the text shows none of them"
    CLOSE = "fits several actors about equally"
    ELSEWHERE = "named only for other countries"


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a mention says by itself."""

    readings: tuple[Reading, ...] = ()
    quality: float = 1.0
    """How much of the mention the name covers, from 0.6 to 1."""
    countries: frozenset[str] = frozenset()
    """Countries that adjectives in the mention tell."""
    pointer: str | None = None
    """Noun by which a bare definite mention points back."""
    suffix: str | None = None
    """Pronoun of an owned noun: ``ها`` of `قواتها`."""
    gap: Gap = Gap.UNKNOWN

    @property
    def is_generic(self) -> bool:
        return all(reading.mark == GENERIC for reading in self.readings)


def parse(name: str, table: ActorTable) -> Parsed:
    """The reading of a clean mention that leaves the fewest words out."""
    best: Parsed | None = None
    for spelled in spellings(name):
        words = spelled.split(" ")[:_WORDS]
        for start, end in _ranges(len(words)):
            found = _at(words, start, end, table)
            if found and (best is None or found.quality > best.quality):
                best = found
            if best and best.quality == 1.0:
                return best
    return best or _pointing(name, table)


def spellings(name: str) -> Iterator[str]:
    """Keys of a mention, as written and without each clitic that its first word may carry."""
    yield key(name)
    first, gap, rest = name.strip("#\"'«»“”() ").partition(" ")
    for clitic in _CLITICS:
        bare = first.removeprefix(clitic)
        if bare != first and len(bare) >= 3:
            yield key(bare + gap + rest)


def _ranges(count: int) -> Iterator[tuple[int, int]]:
    """Ranges of words, long before short."""
    for length in range(count, 0, -1):
        for start in range(count - length + 1):
            yield start, start + length


def _at(words: list[str], start: int, end: int, table: ActorTable) -> Parsed | None:
    """The reading of words[start:end] as a name, if what stands before and behind it allows one."""
    name = " ".join(words[start:end])
    readings = table.readings.get(name)
    if not readings or not _are_members(words[:start], table):
        return None
    countries, cost = _tail(words[end:], name, readings, table)
    if cost is None:
        return None
    # a bare noun that describes several actors ("the army") may as well point back to one of another description
    pointer = name if name in word_class("pointer") and all(reading.mark == GENERIC for reading in readings) else None
    return Parsed(readings, round(1.0 - 0.02 * start - cost, 3), countries, pointer)


def _are_members(words: list[str], table: ActorTable) -> bool:
    """Whether the words before a name are nouns for people or parts of it, but for adjectives after the first."""
    return all(
        word in word_class("member") or (place and (word in word_class("slant") or word in table.adjectives))
        for place, word in enumerate(words)
    )


def _tail(
    words: list[str], name: str, readings: tuple[Reading, ...], table: ActorTable
) -> tuple[frozenset[str], float | None]:
    """Countries that the words behind a name tell, and what the words cost; None where they rule the name out."""
    countries: set[str] = set()
    cost = 0.0
    for place, word in enumerate(words):
        rest = " ".join(words[place:])
        if word in word_class("participle") or word.startswith(("تابع", "موال")):
            return frozenset(countries), cost + 0.1
        if word in table.adjectives:
            countries.add(table.adjectives[word])
            cost += 0.03
        elif rest in table.nouns:
            countries.add(table.nouns[rest])
            return frozenset(countries), cost + 0.03
        elif word in word_class("slant"):
            cost += 0.03
        elif _share_an_actor(table.readings.get(rest, ()), readings):
            return frozenset(countries), cost
        else:
            return frozenset(countries), cost + 0.3 if _is_more(words[place:], name, readings, table) else None
    return frozenset(countries), cost


def _is_more(rest: list[str], name: str, readings: tuple[Reading, ...], table: ActorTable) -> bool:
    """Whether unknown words behind a whole name of several words may be a mere addition to it.

    "for the liberation of Bahrain", or the name of another country, would make it the name of someone else.
    """
    is_whole = " " in name and any(reading.mark == PLAIN for reading in readings)
    own = {country for reading in readings for country in reading.actor.countries}
    bare = {form for word in rest for form in (word, word[1:]) if not word.startswith("و")}
    told = {table.nouns.get(form) or table.adjectives.get(form) for form in bare} - {None}
    return is_whole and len(rest) <= 2 and not rest[0].startswith("ل") and told <= own


def _share_an_actor(first: tuple[Reading, ...], second: tuple[Reading, ...]) -> bool:
    return bool({reading.actor.id for reading in first} & {reading.actor.id for reading in second})


def _pointing(name: str, table: ActorTable) -> Parsed:
    """A mention with no name in it: a pronoun's, a pointer, a description, or a name that the table lacks."""
    for spelled in spellings(name):
        words = spelled.split(" ")
        if suffix := _owner(words[0], word_class("owned")):
            return Parsed(suffix=suffix if len(words) == 1 else None, gap=Gap.PRONOUN)
        if _owner(words[0], word_class("other")):
            return Parsed(gap=Gap.PRONOUN)
    for spelled in spellings(name):
        words = spelled.split(" ")
        while len(words) > 1 and words[0] in word_class("member") and words[1] in word_class("pointer"):
            words = words[1:]
        if not any(words[0] in word_class(kind) for kind in ("pointer", "wide", "member", "slant", "description")):
            continue
        if all(word in word_class("slant") or word in table.adjectives for word in words[1:]):
            countries = frozenset(table.adjectives[word] for word in words[1:] if word in table.adjectives)
            if words[0] in word_class("pointer") | word_class("wide") and _is_definite(name):
                return Parsed(pointer=words[0], countries=countries, gap=Gap.POINTER)
            return Parsed(countries=countries, gap=Gap.GENERIC)
    return Parsed(gap=Gap.UNKNOWN)


def _is_definite(name: str) -> bool:
    """Whether the article is on one of the first two words ("the group", "fighters of the group")."""
    return any(word.lstrip("#\"'«“").startswith(_ARTICLES) for word in name.split()[:2])


def _owner(word: str, nouns: frozenset[str]) -> str | None:
    """The pronoun on one of the nouns.

    >>> _owner("قواتها", frozenset({"قوات"}))
    'ها'
    """
    for noun in sorted(nouns, key=len, reverse=True):
        if word.startswith(noun) and word.removeprefix(noun) in SUFFIXES:
            return word.removeprefix(noun)
    return None
