"""Resolve place mentions to entries of the gazetteer, with a score and runners-up.

Decides among candidates by the noun, the country, the other places of the report and size. Leaves open what is
generic, unknown, or as likely in another country.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from saytara.arabic.fold import fold
from saytara.document import Annotation, Entry, Mention, PlaceEntry
from saytara.linking.gazetteer import ADMIN1, Gazetteer, Hit, Place
from saytara.linking.names import Name, clean_names
from saytara.linking.place_queries import Query, demonym, is_generic, queries

__all__ = ["Gazetteer", "PlaceLinker"]

FITS: Mapping[str, tuple[frozenset[str], frozenset[str]]] = {
    # category of the noun: kinds that it names, kinds that it may name
    "city": (frozenset({"city"}), frozenset({"town", "quarter", "district", "village"})),
    "town": (frozenset({"town"}), frozenset({"city", "village", "quarter", "district"})),
    "village": (frozenset({"village"}), frozenset({"town", "quarter"})),
    "governorate": (ADMIN1, frozenset({"region"})),
    "state": (ADMIN1, frozenset({"region"})),
    "province": (ADMIN1, frozenset({"region", "district"})),
    "region": (frozenset({"region"}), ADMIN1 | {"country", "valley", "island"}),
    "district": (frozenset({"district"}), frozenset({"town", "city", "village", "subdistrict"})),
    "subdistrict": (frozenset({"subdistrict"}), frozenset({"town", "village", "district", "city"})),
    "area": (
        frozenset({"region", "area", "quarter", "town", "village", "district"}),
        ADMIN1 | {"city", "camp", "mountain", "valley", "island", "junction", "port"},
    ),
    "quarter": (frozenset({"quarter", "suburb"}), frozenset({"town", "camp", "village", "area"})),
    "suburb": (frozenset({"suburb", "quarter"}), frozenset({"town", "village", "city"})),
    "camp": (frozenset({"camp"}), frozenset({"quarter"})),
    "airport": (frozenset({"airport"}), frozenset({"base"})),
    "base": (frozenset({"base"}), frozenset({"airport"})),
    "crossing": (frozenset({"crossing"}), frozenset()),
    "port": (frozenset({"port"}), frozenset({"field"})),
    "mountain": (frozenset({"mountain"}), frozenset({"region", "hill", "governorate"})),
    "hill": (frozenset({"hill"}), frozenset({"mountain", "town", "village"})),
    "valley": (frozenset({"valley"}), frozenset({"region", "river"})),
    "country": (frozenset({"country"}), frozenset({"region"})),
}
PLURALS = frozenset(
    {
        "مدينتي", "مدينتا", "مدن",  # cities
        "بلدتي", "بلدتا", "بلدات",  # towns
        "قريتي", "قريتا", "قري",  # villages
        "محافظتي", "محافظتا", "محافظات",  # governorates
        "ولايتي", "ولايتا", "ولايات",  # states
        "مقاطعتي", "مديريتي", "مديريات",  # provinces, districts
        "منطقتي", "مناطق", "حيي", "احيا",  # areas, quarters
    }
)  # fmt: skip
"""Nouns in the dual or plural, which hold for the next mention in a coordination too."""
ANAPHORA: Mapping[str, frozenset[str]] = {
    # category of a bare noun with the article: kinds it may take up
    "city": frozenset({"city", "town"}),
    "town": frozenset({"town", "city", "village"}),
    "village": frozenset({"village", "town"}),
    "governorate": ADMIN1,
    "state": ADMIN1,
    "district": frozenset({"district"}),
    "quarter": frozenset({"quarter"}),
    "camp": frozenset({"camp"}),
    "airport": frozenset({"airport"}),
    "base": frozenset({"base"}),
    "crossing": frozenset({"crossing"}),
    "port": frozenset({"port"}),
    "island": frozenset({"island"}),
}
SIZES: Mapping[str, float] = {
    # decimal logarithm of the people that a place counts for where the table has no figure
    "country": 7.0, "governorate": 5.7, "state": 5.7, "province": 5.7, "oblast": 5.7, "region": 5.0,
    "city": 5.0, "town": 4.0, "district": 4.3, "quarter": 4.0, "village": 3.0, "sea": 6.0, "river": 5.0,
}  # fmt: skip
BARE: Mapping[str, float] = {
    # how likely a kind is named without its noun
    "country": 4.0, "city": 1.2, "town": 0.8, "region": 0.5, "governorate": 0.3, "state": 0.3, "village": 0.2,
    "province": 0.0, "oblast": 0.0, "district": 0.0, "quarter": 0.0, "suburb": 0.0, "camp": -0.5,
}  # fmt: skip
LOWEST = 0.5
"""Less than this for a place, its namesakes close by counted in, leaves a mention open."""
TOLD_TOGETHER: Mapping[str, tuple[str, ...]] = {"PS": ("PS", "IL"), "IL": ("IL", "PS"), "SS": ("SS", "SD")}
"""Countries for which the mention of another speaks as well."""
MARGIN = 0.2
"""How much more likely the best must be than the best of another country."""
NONE = 1.0
"""Logit of "a place that the gazetteer lacks"."""
ANAPHORA_REACH = 600
"""Characters to look back for what `المدينة` takes up."""


@dataclass(slots=True)
class _Case:
    """One mention on its way."""

    mention: Mention
    name: Name
    category: str | None
    options: list[tuple[Query, list[Hit]]]
    country_votes: frozenset[str] = frozenset()
    """The country of all its candidates, where they agree."""
    is_area: bool = False
    """Whether the report elsewhere calls the name a governorate's and never a city's."""


@dataclass(slots=True)
class _Reasons:
    """Mentions by the reason why they stay open or need a look."""

    ids: dict[str, list[str]] = field(default_factory=dict)

    def add(self, mention: str, reason: str) -> None:
        self.ids.setdefault(reason, []).append(mention)

    def lines(self) -> list[str]:
        return [f"{', '.join(ids)}: {reason}" for reason, ids in self.ids.items()]


class PlaceLinker:
    """Links PLACE mentions; a `Linker`."""

    def __init__(self, gazetteer: Gazetteer | None = None) -> None:
        self._given = gazetteer

    @property
    def gazetteer(self) -> Gazetteer:
        """The gazetteer given, or the packaged one, which is read on first use."""
        return self._given or Gazetteer.packaged()

    def link(self, annotation: Annotation) -> tuple[dict[str, Entry], list[str]]:
        """Entries of place mentions by id, and why others have none."""
        mentions = [mention for mention in annotation.mentions if mention.label == "PLACE"]
        if not mentions:
            return {}, []
        cases = self._cases(annotation, mentions)
        evidence = self._evidence(annotation, cases)
        anchors = {case.mention.id: anchor for case in cases if (anchor := _anchor(case))}
        entries: dict[str, Entry] = {}
        reasons = _Reasons()
        for case in cases:
            entry, reason = self._resolve(case, evidence, anchors)
            if entry is None and is_generic(case.name):
                entry = _anaphor(case, cases, entries, annotation)
                reason = None if entry else "a generic noun, no named place"
            if entry:
                entries[case.mention.id] = entry
            if reason:
                reasons.add(case.mention.id, reason)
        return entries, reasons.lines()

    def _cases(self, annotation: Annotation, mentions: list[Mention]) -> list[_Case]:
        names = clean_names(annotation)
        cases: list[_Case] = []
        for mention in mentions:
            name = names[mention.id]
            inherited = _inherited(annotation, cases[-1] if cases else None, mention)
            asked = replace(name, category=name.category or inherited)
            options = [(query, hits) for query in _allowed(asked) if (hits := self._find(query))]
            cases.append(_Case(mention, name, asked.category, options))
        areas, cities = _called(cases, ("governorate", "state", "province")), _called(cases, ("city", "town"))
        for case in cases:
            words = fold(case.name.name)
            case.is_area = case.category is None and words in areas and words not in cities
        return cases

    def _find(self, query: Query) -> list[Hit]:
        """Places of the query's name, of its kinds and, where there are any there, of its countries."""
        if query.category == "country" and query.text in self.gazetteer.countries:
            return [Hit(self.gazetteer.countries[query.text], "exact", True)]
        hits = [hit for hit in self.gazetteer.find(query.text) if not query.kinds or hit.place.kind in query.kinds]
        there = [hit for hit in hits if hit.place.country in query.countries]
        return there or hits

    def _evidence(self, annotation: Annotation, cases: list[_Case]) -> Counter[str]:
        """How often the report speaks of each country."""
        votes: Counter[str] = Counter()
        told = annotation.document.meta.get("country")
        if isinstance(told, str) and len(told) == 2:
            votes[told.upper()] += 5
        for word in fold(annotation.document.text).split():
            country = demonym(word)
            if country:
                votes[country] += 1
        for case in cases:
            found = {hit.place.country for _, hits in case.options[:1] for hit in hits}
            if len(found) == 1:
                case.country_votes = frozenset(found)
                votes.update(found)
        return votes

    def _resolve(
        self, case: _Case, evidence: Counter[str], anchors: Mapping[str, Place]
    ) -> tuple[PlaceEntry | None, str | None]:
        """The entry of a mention or None, and what to say about it or None."""
        others = evidence.copy()
        others.subtract(case.country_votes)
        near = [place for mention, place in anchors.items() if mention != case.mention.id]
        reason = None if is_generic(case.name) else "no place of that name in the gazetteer"
        for query, hits in [*case.options, *self._alike(case, others)]:
            ranked = _ranked(query, hits, others, near)
            best = ranked[0]
            rival = next((entry for entry in ranked if entry.country != best.country), None)
            if rival and best.score - rival.score < MARGIN and best.score + rival.score >= LOWEST:
                return None, f"as likely in {rival.country} as in {best.country}"
            if _mass(best, ranked) < LOWEST:
                reason = "no place of that name is likely here"
                continue
            return self._decided(query, ranked, case)
        return None, reason

    def _decided(self, query: Query, ranked: list[PlaceEntry], case: _Case) -> tuple[PlaceEntry, str | None]:
        """The best of the ranked; between a city and its governorate, as the nouns of the report say, else the city."""
        twin = _twins(query, ranked)
        if twin is None:
            return _with_alternatives(ranked[0], ranked[1:]), None
        city, area = twin
        is_area = case.is_area and query.precision == 1
        taken = area if is_area else city
        rest = [entry for entry in ranked if entry.id != taken.id]
        score = min(0.95, max(taken.score, 0.75 * (city.score + area.score)))
        what = "governorate" if is_area else "city"
        flag = f"a city and its governorate have one name, taken as the {what}" if query.precision == 1 else None
        return _with_alternatives(replace(taken, score=round(score, 4)), rest), flag

    def _alike(self, case: _Case, evidence: Counter[str]) -> list[tuple[Query, list[Hit]]]:
        """A last resort: one place of the report's countries whose name has the same consonants."""
        if case.options or is_generic(case.name):
            return []
        for query in queries(case.name):
            hits = [hit for hit in self.gazetteer.find_alike(query.text) if evidence[hit.place.country] > 0]
            if query.kinds:
                hits = [hit for hit in hits if hit.place.kind in query.kinds]
            if len({hit.place.id for hit in hits}) == 1:
                return [(query, hits)]
        return []


def _allowed(name: Name) -> list[Query]:
    """What to look up; of a common noun only the whole, where it has an adjective (`الساحل الغربي`)."""
    if not is_generic(name):
        return queries(name)
    if " " not in name.name.strip() and name.start == 0 and name.category is not None:
        return []
    if name.start > 0 and name.category not in ("quarter", "town", "village") and " " not in name.name:
        return []
    if name.start > 0 and not name.name.startswith("ال"):
        return []
    return [query for query in queries(name) if query.category == "country" or query.text == fold(name.name)]


def _called(cases: list[_Case], categories: Sequence[str]) -> set[str]:
    """Folded names that a report gives one of these nouns."""
    return {fold(case.name.name) for case in cases if case.category in categories}


def _inherited(annotation: Annotation, before: _Case | None, mention: Mention) -> str | None:
    """The category that a plural noun before lends to the next mention of a coordination."""
    if before is None or before.category is None:
        return None
    between = annotation.document.text[before.mention.span.end : mention.span.start]
    if between.strip(" \u00a0،,\"«»'") not in ("", "و"):
        return None
    first = fold(annotation.text_of(before.mention.span)).split()[0].removeprefix("ال")
    is_plural = any(first.endswith(noun) and len(first) - len(noun) <= 2 for noun in PLURALS)
    return before.category if is_plural or before.name.category is None else None


def _anchor(case: _Case) -> Place | None:
    """Where a mention surely is: its candidates agree within 60 km."""
    if not case.options:
        return None
    places = [hit.place for hit in case.options[0][1]]
    first = max(places, key=_size)
    if first.kind == "country" or any(first.distance(place) > 60 for place in places):
        return None
    return first


def _ranked(query: Query, hits: list[Hit], evidence: Counter[str], near: list[Place]) -> list[PlaceEntry]:
    """Entries of the candidates, best first, their scores shared with "none of these"."""
    total = sum(count for count in evidence.values() if count > 0)
    logits = [_logit(query, hit, evidence, total, near) for hit in hits]
    highest = max([*logits, NONE])
    weights = [math.exp(logit - highest) for logit in logits]
    whole = sum(weights) + math.exp(NONE - highest)
    certainty = {1: 0.98, 2: 0.9, 3: 0.88}[query.precision]
    best: dict[str, PlaceEntry] = {}
    for hit, weight in zip(hits, weights, strict=True):
        score = certainty * weight / whole * (0.7 if hit.spelling == "skeleton" else 1.0)
        entry = _entry(hit.place, query.precision, score)
        if entry.id not in best or best[entry.id].score < score:
            best[entry.id] = entry
    return sorted(best.values(), key=lambda entry: (-entry.score, entry.id))


def _logit(query: Query, hit: Hit, evidence: Counter[str], total: int, near: Iterable[Place]) -> float:
    """How much speaks for a candidate."""
    place = hit.place
    fits = FITS.get(query.category) if query.category else None
    if fits:
        sure, possible = fits
        logit = 2.0 if place.kind in sure else 0.5 if place.kind in possible else -3.0
        if query.has_noun:
            logit = max(logit, BARE.get(place.kind, -1.0))
    elif query.category is None:
        logit = BARE.get(place.kind, -1.0)
    else:
        logit = 2.0 if place.kind == query.category else -1.0
    count = max(0, sum(evidence[country] for country in TOLD_TOGETHER.get(place.country, (place.country,))))
    if count:
        logit += 2.5 * (count / total) ** 0.5
    elif total and place.kind != "country":
        logit -= 5.5 - 0.55 * min(7.0, _size(place)) + (1.5 if query.precision == 2 else 0.0)
    if place.is_capital:
        logit += 1.5
    if place.country in query.countries:
        logit += 2.0
    logit += 0.3 * _size(place)
    logit += {"exact": 0.7, "loose": 0.0, "skeleton": -0.5}[hit.spelling] + (0.2 if hit.is_main else 0.0)
    if place.kind != "country":
        closest = min((place.distance(other) for other in near), default=math.inf)
        logit += 1.5 * math.exp(-closest / 80)
    return logit


def _size(place: Place) -> float:
    return math.log10(place.population + 1) if place.population else SIZES.get(place.kind, 3.0)


def _mass(best: PlaceEntry, ranked: list[PlaceEntry]) -> float:
    """The score of the best with that of its namesakes nearby: its governorate, its seat."""
    return sum(
        entry.score
        for entry in ranked
        if entry.country == best.country and abs(entry.lat - best.lat) < 1.5 and abs(entry.lon - best.lon) < 1.5
    )


def _twins(query: Query, ranked: list[PlaceEntry]) -> tuple[PlaceEntry, PlaceEntry] | None:
    """A city and a governorate among the likely where no noun decides between them."""
    best = ranked[0]
    if query.category is not None and (query.category != "area" or best.country == "SA"):
        return None
    own = [entry for entry in ranked if entry.country == best.country and entry.score >= 0.1 * best.score]
    cities = [entry for entry in own if entry.kind in ("city", "town")]
    areas = [entry for entry in own if entry.kind in ADMIN1]
    if not cities or not areas or best not in (cities[0], areas[0]):
        return None
    return cities[0], areas[0]


def _anaphor(
    case: _Case, cases: list[_Case], entries: Mapping[str, Entry], annotation: Annotation
) -> PlaceEntry | None:
    """What a bare noun with the article takes up: the only place of its kinds that was named shortly before."""
    words = fold(case.name.name).split()
    kinds = ANAPHORA.get(case.name.category or "")
    if len(words) != 1 or not words[0].startswith("ال") or kinds is None or words[0] in ("المدن", "القري", "البلدات"):
        return None
    if words[0].removeprefix("ال") in PLURALS or words[0] == "العاصمه":
        return None
    found: dict[str, PlaceEntry] = {}
    for before in cases:
        if before.mention.span.start >= case.mention.span.start:
            break
        entry = entries.get(before.mention.id)
        reach = case.mention.span.start - before.mention.span.end
        if is_generic(before.name):
            continue  # it takes up another itself
        if (
            isinstance(entry, PlaceEntry)
            and reach <= ANAPHORA_REACH
            and entry.kind in kinds
            and (entry.precision == 1 or kinds is ADMIN1)
        ):
            found[entry.id] = entry
    if len(found) != 1:
        return None
    (entry,) = found.values()
    return replace(entry, score=round(0.75 * entry.score, 4), alternatives=())


def _entry(place: Place, precision: int, score: float) -> PlaceEntry:
    if precision == 1 and place.kind in ADMIN1 | {"country", "region"}:
        precision = 3
    return PlaceEntry(
        place.id, place.name, place.name_en, place.kind, place.country, place.admin1, place.lat, place.lon,
        precision, round(score, 4),
    )  # fmt: skip


def _with_alternatives(best: PlaceEntry, others: list[PlaceEntry]) -> PlaceEntry:
    return replace(best, alternatives=tuple(entry for entry in others[:3] if entry.score >= 0.01))
