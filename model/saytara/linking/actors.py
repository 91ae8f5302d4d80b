"""Link actor mentions, and speakers of an actor, to the gazetteer of actors.

Decides by the country and day of the report and by the actors named before; what stays undecided is left open.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from saytara.arabic.fold import fold
from saytara.document import ActorEntry, Annotation, Document, Entry, Mention, PlaceEntry
from saytara.linking.actor_names import Gap, Parsed, parse, spellings, word_class
from saytara.linking.actor_table import (
    AMBIGUOUS,
    GENERIC,
    PLAIN,
    Actor,
    ActorTable,
    Reading,
    Years,
    actor_table,
    key,
    word_key,
    years_of,
)
from saytara.linking.names import clean_name

PRIORS: Mapping[str, float] = {PLAIN: 1.0, AMBIGUOUS: 0.6, GENERIC: 0.8}
"""How readily a name means an actor, by the mark of the alias."""
ALTERNATIVES = 3
_NEAR = 250
"""Characters within which an earlier actor is the one that a description most likely repeats."""
_SPEAKS_FOR = re.compile(
    r"""
    (?:
      (?P<name>باسم)                                              # spokesman in the name of X
    | (?:مصدر|مصادر|مسؤول|مسؤولون|مسؤولين|قيادي|قائد|ضابط|عضو)\s.*?\b(?:في|من|لدى|داخل)  # source in X, officer of X
    )\s+(?P<actor>.+)$
    """,
    re.VERBOSE,
)
_YEAR = re.compile(r"(?:19|20)\d\d")
_SENTENCE_END = re.compile(r"[.\n؟!]")


@dataclass(slots=True)
class _Found:
    """A mention with what it says and, once decided, whom it means."""

    mention: Mention
    text: str
    parsed: Parsed
    ranked: list[tuple[Actor, float]] = field(default_factory=list)
    """Best first; the figure of the first is the entry's score."""
    gap: Gap | None = None
    is_named: bool = False
    """Whether it was decided by its own name, so that others may point to it."""

    @property
    def actor(self) -> Actor | None:
        return self.ranked[0][0] if self.ranked else None


class ActorLinker:
    """Links ACTOR mentions, and SOURCE mentions that speak for an actor.

    >>> linker = ActorLinker()  # the packaged table is read on the first link
    """

    def __init__(self, table: ActorTable | None = None) -> None:
        self._table = table

    def link(self, annotation: Annotation) -> tuple[dict[str, Entry], list[str]]:
        """Entries by mention id, and one warning for each reason why mentions stay open."""
        table = self._table or actor_table()
        founds = list(_read(annotation, table))
        years = report_years(annotation.document)
        weights = country_weights(annotation, table)
        for place, found in enumerate(founds):
            if found.parsed.readings and not found.parsed.is_generic:
                _decide(found, founds[:place], years, weights)
        _add_actors(weights, founds)
        for place, found in enumerate(founds):
            if found.parsed.readings and not found.ranked:
                _decide(found, founds[:place], years, weights)
            if not found.ranked and found.parsed.pointer:
                _point(found, founds, place, table)
            elif not found.ranked and found.parsed.suffix:
                _own(found, founds[:place], annotation.document.text)
            elif not found.parsed.readings:
                found.gap = found.parsed.gap
        entries: dict[str, Entry] = {
            found.mention.id: _entry(found.ranked, weights) for found in founds if found.ranked
        }
        return entries, _warnings(founds)


def _read(annotation: Annotation, table: ActorTable) -> Iterator[_Found]:
    """The mentions that may be linked, in the order of the text."""
    for mention in sorted(annotation.mentions, key=lambda mention: mention.span):
        written = annotation.text_of(mention.span)
        if mention.label == "ACTOR":
            text = clean_name(written, mention.label).name
            yield _Found(mention, text, parse(text, table))
        elif mention.label == "SOURCE":
            yield _Found(mention, written, _speaker(written, table))


def _speaker(written: str, table: ActorTable) -> Parsed:
    """The actor that a source is or speaks for; nothing where the source is anyone else."""
    parsed = parse(written, table)
    if any(reading.mark == PLAIN for reading in parsed.readings) and parsed.quality >= 0.85:
        return parsed
    if match := _SPEAKS_FOR.search(written):
        parsed = parse(match["actor"], table)
        if parsed.readings and parsed.quality >= 0.85 and (match["name"] or key(match["actor"]) not in table.nouns):
            return parsed
    return Parsed()


def report_years(document: Document) -> Years | None:
    """When the report was written: its date, or the years in its ``period``; None if unknown."""
    if document.date:
        return years_of(document.date)
    found = [int(year) for year in _YEAR.findall(str(document.meta.get("period") or ""))]
    return Years(float(min(found)), float(max(found) + 1)) if found else None


def country_weights(annotation: Annotation, table: ActorTable) -> dict[str, float]:
    """How much a report is about each country: its ``country``, its places, the countries and demonyms in its text."""
    weights: dict[str, float] = {}

    def add(country: str, weight: float) -> None:
        weights[country] = weights.get(country, 0.0) + weight

    for country in re.findall(r"[A-Z]{2}", str(annotation.document.meta.get("country") or "").upper()):
        add(country, 8.0)
    for entry in annotation.entries.values():
        if isinstance(entry, PlaceEntry):
            add(entry.country, entry.score)
    for word in fold(annotation.document.text).split(" "):
        for bare in (word, word[1:]) if word[:1] in "وبلف" else (word,):
            name = word_key("ا" + bare if bare.startswith("لل") else bare)
            if bare in word_class("no_country"):
                continue
            if country := table.nouns.get(name):
                add(country, 0.5)
                break
            if country := table.adjectives.get(name):
                add(country, 0.25)
                break
    for country in weights:
        known = table.countries.get(country)
        if known and not known.is_theatre:  # a power from elsewhere
            weights[country] *= 0.4
    return weights


def _add_actors(weights: dict[str, float], founds: list[_Found]) -> None:
    """Let the actors that are certain tell their country as well."""
    for found in founds:
        if (actor := found.actor) and len(actor.countries) == 1 and actor.kind not in ("state", "foreign"):
            weights[actor.countries[0]] = weights.get(actor.countries[0], 0.0) + 0.5


def _decide(found: _Found, earlier: list[_Found], years: Years | None, weights: Mapping[str, float]) -> None:
    """Rank the actors that a mention's name may mean; leave it open where none stands out."""
    parsed = found.parsed
    readings = _of_the_time(_of_countries(parsed.readings, parsed.countries), years)
    plain = [reading.actor for reading in readings if reading.mark == PLAIN]
    found.gap, found.is_named = None, not parsed.is_generic
    if len(readings) == 1 and plain:
        in_time = years is None or plain[0].years.overlaps(years)
        found.ranked = [(plain[0], parsed.quality * (0.95 if in_time else 0.8))]
        return
    figures = _figures(found, readings, earlier, weights)
    whole = sum(figure for _, figure in figures)
    best, rival = ([figure for _, figure in figures] + [0.0, 0.0])[:2]
    least = 0.6 if parsed.is_generic else 0.35
    if best >= 0.1 and best >= 1.3 * rival and best >= least * whole:
        ceiling = 0.85 if parsed.is_generic else 0.95
        found.ranked = [(actor, ceiling * parsed.quality * figure / whole) for actor, figure in figures]
    elif len(plain) == 1:  # the others are only second readings
        others = [(actor, 0.2) for actor, _ in figures if actor is not plain[0]]
        found.ranked = [(plain[0], 0.6 * parsed.quality), *others]
    else:
        several = Gap.NO_COUNTRY if len(readings) > 1 and not figures else Gap.ELSEWHERE
        found.gap = Gap.CLOSE if rival else Gap.GENERIC if parsed.is_generic and len(readings) == 1 else several


def _figures(
    found: _Found, readings: tuple[Reading, ...], earlier: list[_Found], weights: Mapping[str, float]
) -> list[tuple[Actor, float]]:
    """How well each reading fits the report, best first; those that hardly do are left out."""
    total = sum(weights.values()) or 1.0
    last = {one.actor.id: one.mention.span.end for one in earlier if one.is_named and one.actor}
    figures: list[tuple[Actor, float]] = []
    for reading in readings:
        share = _share(reading.actor, weights, total)
        if set(reading.actor.countries) & found.parsed.countries:
            share = 1.0
        figure = PRIORS[reading.mark] * share
        if reading.actor.id in last:
            is_near = found.mention.span.start - last[reading.actor.id] <= _NEAR
            # a second reading stays one, though its actor be in the text: "the Afghan forces" after "the Taliban"
            boost = 1.5 if reading.mark == AMBIGUOUS else 4.0 if is_near else 2.0
            figure = (figure + 0.02) * boost
        if figure > 0.02:
            figures.append((reading.actor, figure))
    return sorted(figures, key=lambda pair: (-pair[1], pair[0].id))


def _share(actor: Actor, weights: Mapping[str, float], total: float) -> float:
    """How much of a report is about an actor's countries; a half for an actor of no country."""
    if not actor.countries:
        return 0.5
    return max(weights.get(country, 0.0) for country in (*actor.countries, *actor.theatres)) / total


def _of_countries(readings: tuple[Reading, ...], countries: frozenset[str]) -> tuple[Reading, ...]:
    """The readings that an adjective of the mention allows; an adjective that fits none is the writer's view."""
    fitting = tuple(reading for reading in readings if set(reading.actor.countries) & countries)
    return fitting or readings


def _of_the_time(readings: tuple[Reading, ...], years: Years | None) -> tuple[Reading, ...]:
    if years is None:
        return readings
    return tuple(reading for reading in readings if reading.actor.years.overlaps(years)) or readings


def _point(found: _Found, founds: list[_Found], place: int, table: ActorTable) -> None:
    """Let a bare noun mean the nearest earlier actor whose names begin with it, or the only later one."""
    noun = found.parsed.pointer or ""
    wanted = found.parsed.countries

    def fits(other: _Found) -> bool:
        actor = other.actor
        if actor is None or not other.is_named or other.mention.label != "ACTOR":
            return False
        return noun in table.heads[actor.id] and (not wanted or bool(wanted & set(actor.countries)))

    before = [one for one in founds[:place] if fits(one)]
    after = [one for one in founds[place + 1 :] if fits(one)]
    distinct = {one.actor.id: one.actor for one in (*reversed(before), *after) if one.actor}
    # "the militias" rather repeats "the Houthi militias" than "Saleh" or "the Houthis"
    worded = [one for one in before if noun in {spelled.split(" ")[0] for spelled in spellings(one.text)}]
    nearest = (worded or before)[-1:] or (after if len(distinct) == 1 else [])[:1]
    if not nearest or not nearest[0].actor or (noun in word_class("wide") and (len(distinct) != 1 or not worded)):
        found.gap = Gap.POINTER
        return
    actor = nearest[0].actor
    others = [other for other in distinct.values() if other.id != actor.id]
    found.ranked = [(actor, 0.55 if not before else 0.65 if others else 0.75), *((other, 0.2) for other in others)]


def _own(found: _Found, earlier: list[_Found], text: str) -> None:
    """Let a pronoun mean the one actor named before it in its sentence, if it agrees with it."""
    start = found.mention.span.start
    ends = [match.end() for match in _SENTENCE_END.finditer(text, 0, start)]
    sentence = ends[-1] if ends else 0
    inside = [one for one in earlier if one.mention.span.start >= sentence and not one.parsed.suffix]
    actors = {one.actor.id for one in inside if one.actor}
    is_clear = len(actors) == 1 and all(one.actor for one in inside)
    if is_clear and inside[-1].actor and _agrees(inside[-1], found.parsed.suffix or ""):
        found.ranked = [(inside[-1].actor, 0.6)]
    else:
        found.gap = Gap.PRONOUN


def _agrees(owner: _Found, suffix: str) -> bool:
    """Whether a pronoun agrees with the first word of the mention that it stands for."""
    word = fold(owner.text).split(" ")[0]
    is_people = word.endswith(("ون", "ين")) and len(word) >= 5
    is_feminine = not is_people and (word.endswith(("ه", "ات", "يا")) or word in word_class("feminine"))
    return suffix == ("هم" if is_people else "ها" if is_feminine else "ه")


def _entry(ranked: list[tuple[Actor, float]], weights: Mapping[str, float]) -> ActorEntry:
    first, *others = [
        ActorEntry(actor.id, actor.name, actor.side, actor.kind, _country(actor, weights), round(min(score, 1.0), 3))
        for actor, score in ranked[: 1 + ALTERNATIVES]
    ]
    return ActorEntry(first.id, first.name, first.side, first.kind, first.country, first.score, tuple(others))


def _country(actor: Actor, weights: Mapping[str, float]) -> str | None:
    """The country of an actor, of several the one that the report is most about."""
    if not actor.countries:
        return None
    return max(actor.countries, key=lambda country: (weights.get(country, 0.0), -actor.countries.index(country)))


def _warnings(founds: list[_Found]) -> list[str]:
    """One line for each reason: the mentions that it leaves open, and what they say."""
    lines = []
    for gap in Gap:
        open_ = [found for found in founds if found.gap is gap and found.mention.label == "ACTOR"]
        if open_:
            ids = ", ".join(found.mention.id for found in open_)
            texts = ", ".join(dict.fromkeys(f'"{found.text}"' for found in open_))
            lines.append(f"{ids}: {texts}: {gap.value}")
    return lines
