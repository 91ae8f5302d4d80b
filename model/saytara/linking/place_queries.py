"""Read a place mention: which names to look up, how near to the place meant they are, and what is no name at all.

Looks nothing up in the gazetteer.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from importlib import resources

from saytara.arabic.fold import fold
from saytara.linking.names import CATEGORIES, Name

_TOWN_LIKE = frozenset({"city", "town", "village", "quarter", "suburb", "district", "governorate", "state", "province"})
_NEAR = frozenset({"airport", "base", "crossing", "port", "refinery", "prison", "camp", "front", "checkpoint"})
"""Categories of facilities that lie at the town they are named after, so the town will do for them."""
_PARTS = frozenset({"building", "quarter", "suburb"})
_OWN_NAMES = frozenset({"حي", "حيي", "ضاحيه", "قصر", "مستشفي"})  # quarter, suburb, palace, hospital
"""Nouns of parts of a town that have names of their own, so that the rest is no town."""
_GENERIC_CATEGORIES = frozenset(CATEGORIES)
_SINGULAR = {
    "ميناي": "ميناء",  # two ports -> port
    "مطاري": "مطار",  # airports
    "قاعدتي": "قاعده",  # bases
    "معسكري": "معسكر",  # camps
    "معبري": "معبر",  # crossings
    "مخيمي": "مخيم",  # refugee camps
    "حقلي": "حقل",  # oil fields
}
_ADJECTIVE = re.compile(r"ال(\w{3,})ي")  # الحلبي: of Aleppo


@dataclass(frozen=True, slots=True)
class Query:
    """A name to look up."""

    text: str
    """Folded."""
    category: str | None
    """What kind of place its noun says it is."""
    precision: int
    """1: the place itself, 2: near it or a part of it, 3: a region around it or a wide part of it."""
    countries: frozenset[str] = frozenset()
    """Countries that an adjective of the mention tells (`المدن العراقية`)."""
    kinds: frozenset[str] | None = None
    """Kinds that will do; None means any."""
    has_noun: bool = False
    """Whether the noun stands in the text, as part of the name (`الولايات المتحدة`)."""


def queries(name: Name) -> list[Query]:
    """What to look up for a cleaned mention, best first; empty where the mention is no name.

    >>> [query.text for query in queries(Name("ريف حمص الشمالي", 0, 15, "countryside"))]
    ['ريف حمص الشمالي', 'حمص']
    """
    words = _words(name)
    found: list[Query] = []
    has_noun = bool(words) and _stem(words[0]) in CATEGORIES
    for query in _expand(words, Query("", name.category, 1, has_noun=has_noun), depth=0):
        if query.text and not any((query.text, query.kinds) == (other.text, other.kinds) for other in found):
            found.append(query)
    return found


def is_generic(name: Name) -> bool:
    """Whether a cleaned mention is a common noun with adjectives and no name (`المدينة`, `نقاط أمنية`).

    >>> is_generic(Name("المدينة", 0, 7, "city")), is_generic(Name("حمص", 0, 3))
    (True, False)
    """
    words = _words(name)
    if not words:
        return True
    head = _stem(words[0])
    generic = head in _roles("generic") or head in _GENERIC_CATEGORIES or head in _roles("wide") | _roles("part")
    rest = [word for word in words[1:] if word not in ("من", "في", "عن")]
    if generic and all(_is_filler(word) for word in rest):
        return True
    is_apart = head in _GENERIC_CATEGORIES or head in _roles("part") | _roles("wide") | _roles("centre")
    if head in _roles("generic") and not is_apart:
        return True  # what stands after it names something else: a position of someone, a farm, a school
    if not generic and name.category is not None and all(_is_listed_filler(word) for word in words):
        return True  # the noun is apart, only an adjective is left
    is_adjective = words[0].startswith("ال") and demonym(words[0]) is not None
    return len(words) == 1 and (head in _roles("land") or is_adjective)


@lru_cache(maxsize=8192)
def demonym(folded: str) -> str | None:
    """The country that an adjective, or another word of only one country, tells.

    >>> demonym("السوريه"), demonym("لليمنيين"), demonym("المدينه")
    ('SY', 'YE', None)
    """
    table = _country_words()
    if folded.startswith("لل"):
        folded = "ال" + folded[2:]
    elif len(folded) > 4 and folded[0] in "وفبلك" and folded[1:3] == "ال":
        folded = folded[1:]
    bare = folded.removeprefix("ال")
    if bare in table:
        return table[bare]
    for ending in ("تين", "تان", "ين", "ون", "ان", "ات", "ه", "ا"):
        stem = bare.removesuffix(ending)
        if stem != bare and len(stem) > 2 and stem.endswith("ي") and stem in table:
            return table[stem]
    return None


def _words(name: Name) -> list[str]:
    """Folded words of a name, with the singular for a dual noun in front."""
    words = fold(name.name.replace("#", " ")).split()
    if len(words) > 1 and words[0] in _SINGULAR:
        words[0] = fold(_SINGULAR[words[0]])
    return words


def _expand(words: list[str], base: Query, *, depth: int) -> Iterator[Query]:
    """Queries for folded words, the whole first, then with fewer words."""
    if not words or depth > 4:
        return
    if depth and len(words) == 1 and words[0].startswith("ال") and _is_filler(words[0]):
        return
    yield replace(base, text=" ".join(words))
    core, countries = _without_trailing(words)
    base = replace(base, countries=base.countries | countries)
    if core != words:
        yield replace(base, text=" ".join(core))
    undirected = _without_directions(core)
    yield from _below_head(undirected or core, base, depth=depth)
    if undirected and undirected != core:
        yield replace(base, text=" ".join(undirected), precision=max(2, base.precision))


def _below_head(words: list[str], base: Query, *, depth: int) -> Iterator[Query]:
    """Queries for what stands below a head noun, as the noun allows."""
    base = replace(base, has_noun=False)
    head, rest = _stem(words[0]), words[1:]
    while rest and demonym(rest[0]) and rest[0].startswith("ال"):  # العاصمة السورية دمشق
        base = replace(base, countries=base.countries | {demonym(rest[0]) or ""})
        rest = rest[1:]
    category, _ = CATEGORIES.get(head, (None, False))
    deeper = depth + 1
    if head in _roles("land"):
        if base.countries and not rest:
            for country in sorted(base.countries):
                yield Query(country, "country", 3, base.countries)
        elif rest:
            yield from _expand(rest, replace(base, category="country", precision=3), depth=deeper)
        return
    if not rest:
        return
    if category == "countryside":
        adjective = _ADJECTIVE.fullmatch(rest[0])
        if adjective and not _is_filler_of_place(rest[0]):
            yield replace(base, text=adjective[1], category=None, precision=3, kinds=frozenset({"city", "governorate"}))
        yield from _expand(rest, replace(base, category=None, precision=3, kinds=_TOWN_LIKE), depth=deeper)
    elif head in _roles("wide"):
        yield from _expand(rest, replace(base, category=None, precision=3), depth=deeper)
    elif category in _NEAR or (head not in _roles("part") and category in _PARTS and head not in _OWN_NAMES):
        near = replace(base, category=None, precision=max(2, base.precision), kinds=_TOWN_LIKE)
        yield from _expand(rest, near, depth=deeper)
    elif head in _roles("centre"):
        yield from _expand(rest, replace(base, category=None, kinds=_TOWN_LIKE), depth=deeper)
    elif head in _roles("part"):
        if head == "احيا":  # quarters
            quarters = frozenset({"quarter", "suburb", "camp"})
            yield from _expand(rest, replace(base, category="quarter", kinds=quarters), depth=deeper)
        yield from _expand(rest, replace(base, category=None, precision=max(2, base.precision)), depth=deeper)
    elif category in ("city", "town", "village", "governorate", "state", "province", "district", "subdistrict", "area"):
        own = base.category if base.category and depth == 0 else category
        yield from _expand(rest, replace(base, category=own), depth=deeper)
    elif category == "region":
        yield from _expand(rest, replace(base, category=category), depth=deeper)


def _without_trailing(words: list[str]) -> tuple[list[str], frozenset[str]]:
    """The words without adjectives at the end that belong to no name, and the countries that these tell."""
    countries = set()
    end = len(words)
    while end > 1:
        country = demonym(words[end - 1])
        if country:
            countries.add(country)
        elif words[end - 1] not in _roles("tail") and not (
            words[end - 1].startswith("ال") and words[end - 1][2:] in _roles("trailing")
        ):
            break
        end -= 1
    return words[:end], frozenset(countries)


def _without_directions(words: list[str]) -> list[str]:
    end = len(words)
    while end > 1 and words[end - 1].removeprefix("ال") in _roles("direction"):
        end -= 1
    return words[:end] if end < len(words) else words


def _is_filler(word: str) -> bool:
    """Whether a folded word is an adjective, a number or such, which makes no name of a common noun."""
    bare = word.removeprefix("ال")
    return _is_listed_filler(word) or (word.startswith("ال") and bare.endswith(("يه", "ي")) and len(bare) > 4)


def _is_listed_filler(word: str) -> bool:
    """Whether the tables list a word as one that makes no name."""
    bare = word.removeprefix("ال")
    if bare in _roles("trailing") or bare in _roles("direction") or demonym(word) is not None:
        return True
    if not bare or bare.isdigit() or _stem(word) in _roles("generic") or _stem(word) in _GENERIC_CATEGORIES:
        return True
    return bare in _roles("filler")


def _is_filler_of_place(word: str) -> bool:
    """Whether an adjective tells no town: of a direction, of a country."""
    bare = word.removeprefix("ال")
    return bare in _roles("direction") or bare in _roles("trailing") or demonym(word) is not None


@lru_cache(maxsize=8192)
def _stem(word: str) -> str:
    """A folded noun without article and possessive ending, as far as the tables know it."""
    bare = word.removeprefix("ال")
    for ending in ("هما", "ها", "هم", "هن", "نا", "ه"):
        stem = bare.removesuffix(ending)
        if stem == bare or len(stem) < 2:
            continue
        for full in (stem, stem.removesuffix("ت") + "ه", stem.removesuffix("ي"), stem.removesuffix("ي") + "ا"):
            if bare not in CATEGORIES and (full in CATEGORIES or full in _roles("generic") or full in _roles("land")):
                return full
    return bare


@cache
def _roles(role: str) -> frozenset[str]:
    rows = _rows("place_words.tsv")
    return frozenset(word for word, its_role, _ in rows if its_role == role)


@cache
def _country_words() -> Mapping[str, str]:
    return {word: country for word, country, _ in _rows("country_words.tsv")}


def _rows(name: str) -> list[list[str]]:
    """Cells of a small packaged table, without its head line."""
    text = resources.files("saytara.linking").joinpath("tables", name).read_text(encoding="utf-8")
    return [line.split("\t") for line in text.splitlines()[1:]]
