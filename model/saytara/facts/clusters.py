"""One event, once: cluster records of the same event, in a report and across reports, and find contradictions.

Resolves no names; two records are compared by family, place, parties and time only.
"""

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from saytara.arabic.fold import fold, without_article
from saytara.document import PlaceEntry
from saytara.facts.records import Party, Record, Site, Voice

MAX_GAP_DAYS = {1: 1, 2: 2}
"""How many days may lie between two records, by the worse of their date precisions (3, unknown, fits any)."""
REGION_KINDS = frozenset({"governorate", "state", "province", "region", "country", "district"})


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Two records of a cluster that cannot both be true, each with who says so."""

    claim: str
    """Id of the record that asserts the event."""
    denial: str
    """Id of the record that denies it."""
    claimed_by: str | None
    denied_by: str


@dataclass(frozen=True, slots=True)
class EventCluster:
    """All records of one event."""

    id: str
    """Id of its earliest record."""
    family: str
    type: str
    factuality: str
    """``actual``, ``prospective``, or ``denied`` where no record asserts it."""
    records: tuple[Record, ...]
    start: datetime.date | None
    end: datetime.date | None
    origins: tuple[str, ...]
    """Independent origins: who asserts it first-hand; a report that names nobody is an origin itself."""
    contradictions: tuple[Contradiction, ...]
    confidence: float

    @property
    def sites(self) -> tuple[Site, ...]:
        """Places of the event, the most precise one of each key."""
        return tuple({site.key: site for record in self.records for site in record.sites}.values())

    @property
    def controllers(self) -> tuple[Party, ...]:
        return tuple({p.key: p for record in self.records for p in record.controllers}.values())

    @property
    def displaced(self) -> tuple[Party, ...]:
        return tuple({p.key: p for record in self.records for p in record.displaced}.values())

    @property
    def status(self) -> str:
        """The first that holds: ``contradicted``, ``denied``, ``expected``, ``stated``, ``reported``, ``claimed``."""
        if self.contradictions:
            return "contradicted"
        if self.factuality != "actual":
            return {"denied": "denied", "prospective": "expected"}[self.factuality]
        said = {record.attribution for record in self.records if record.factuality == "actual"}
        return next(value for value in ("stated", "reported", "claimed") if value in said)


def cluster(records: Iterable[Record]) -> list[EventCluster]:
    """Cluster records greedily in the order of their days; deterministic for any order of the input.

    A record joins the cluster that it fits best, where it fits every member (complete linkage): asserted and denied
    records of an event come together, expected ones stay among themselves.
    """
    groups: list[list[Record]] = []
    groups_of: dict[str, set[int]] = {}
    for record in sorted(records, key=_order):
        tokens = _tokens(record)
        near = sorted({index for token in tokens for index in groups_of.get(token, ())})
        fits = [(min(fit(record, member) for member in groups[index]), -index) for index in near]
        best, index = max(fits, default=(0.0, 0))
        if best > 0:
            number = -index
            groups[number].append(record)
        else:
            number = len(groups)
            groups.append([record])
        for token in tokens:
            groups_of.setdefault(token, set()).add(number)
    return [_build(group) for group in groups]


def _tokens(record: Record) -> set[str]:
    """Keys of which two records must share one to be compared: places, their regions, and the report itself."""
    tokens = {f"{record.family}:report:{record.report}"}
    for site in record.sites:
        tokens.add(f"{record.family}:{site.key}")
        tokens.add(f"{record.family}:{without_article(fold(site.name))}")
        if site.entry and site.entry.admin1:
            tokens.add(f"{record.family}:{site.entry.country}:{site.entry.admin1}")
        if site.entry and site.entry.kind in REGION_KINDS:
            tokens.add(f"{record.family}:{site.entry.country}:{site.entry.name_en}")
    return tokens


def _order(record: Record) -> tuple[datetime.date, str, int]:
    return record.start or record.report_date or datetime.date.max, record.report, record.trigger.start


def fit(first: Record, second: Record) -> float:
    """How well two records can be one event: 0 if they cannot, else up to 1."""
    if first.family != second.family or (first.factuality == "prospective") != (second.factuality == "prospective"):
        return 0.0
    place = _place_fit(first, second)
    parties = min(_party_fit(first.controllers, second.controllers), _party_fit(first.displaced, second.displaced))
    time = _time_fit(first, second)
    return place * parties * time


def _place_fit(first: Record, second: Record) -> float:
    if not first.sites and not second.sites:
        return 0.5 if first.report == second.report else 0.0
    if not first.sites or not second.sites:
        return 0.4 if first.report == second.report else 0.0
    return max(_same_place(a, b) for a in first.sites for b in second.sites)


def _same_place(first: Site, second: Site) -> float:
    if first.key == second.key:
        return 1.0
    if first.entry and second.entry:
        return 0.6 if _contains(first.entry, second.entry) or _contains(second.entry, first.entry) else 0.0
    return 0.9 if _same_name(first.name, second.name) else 0.0


def _contains(outer: PlaceEntry, inner: PlaceEntry) -> bool:
    """Whether `outer` is the region, but not the whole country, in which `inner` lies."""
    return (
        outer.kind in REGION_KINDS
        and outer.kind != "country"
        and outer.country == inner.country
        and inner.kind not in REGION_KINDS
        and inner.admin1 is not None
        and inner.admin1 in (outer.admin1, outer.name_en)
    )


def _party_fit(first: Sequence[Party], second: Sequence[Party]) -> float:
    if not first or not second:
        return 0.8
    return max(_same_party(a, b) for a in first for b in second)


def _same_party(first: Party, second: Party) -> float:
    if first.key == second.key or _same_name(first.name, second.name):
        return 1.0
    if first.entry and second.entry:
        same_side = first.entry.side is not None and (first.entry.side, first.entry.country) == (
            second.entry.side,
            second.entry.country,
        )
        return 0.7 if same_side else 0.0
    return 0.6  # `its forces`, `the attackers`: may be anyone


def _same_name(first: str, second: str) -> bool:
    return without_article(fold(first)) == without_article(fold(second))


def _time_fit(first: Record, second: Record) -> float:
    if first.start is None or second.start is None or first.end is None or second.end is None:
        return 0.7
    gap = max((max(first.start, second.start) - min(first.end, second.end)).days, 0)
    allowed = MAX_GAP_DAYS.get(max(first.date_precision, second.date_precision), 2)
    return 1.0 - 0.3 * gap / (allowed + 1) if gap <= allowed else 0.0


def _build(group: Sequence[Record]) -> EventCluster:
    asserted = [record for record in group if record.factuality != "denied"]
    contradictions = tuple(find_contradictions(group))
    leading = asserted or group
    types = [record.type for record in leading]
    origins = tuple(dict.fromkeys(record.origin or f"report:{record.report}" for record in leading))
    days = [record for record in leading if record.start and record.end]
    precise = [record for record in days if record.date_precision == 1] or days
    return EventCluster(
        id=group[0].id,
        family=group[0].family,
        type=max(dict.fromkeys(types), key=types.count),
        factuality=leading[0].factuality,
        records=tuple(group),
        start=min((record.start for record in precise if record.start), default=None),
        end=max((record.end for record in precise if record.end), default=None),
        origins=origins,
        contradictions=contradictions,
        confidence=_confidence(leading, contradicted=bool(contradictions)),
    )


def find_contradictions(group: Sequence[Record]) -> list[Contradiction]:
    """Pairs in which a claimant denies what another voice, or another report, asserts.

    A denial without a claimant is the narrator's and contradicts nobody.
    """
    found = []
    for denial in group:
        deniers = [voice for voice in denial.voices if voice.role == "claimant"]
        if denial.factuality != "denied" or not deniers:
            continue
        for claim in group:
            is_said = bool(claim.voices) or claim.report != denial.report
            if claim.factuality == "actual" and is_said and not _same_voice(claim.voices[:1], deniers):
                found.append(Contradiction(claim.id, denial.id, claim.origin, deniers[0].key))
    return found


def _same_voice(first: Sequence[Voice], second: Sequence[Voice]) -> bool:
    return bool({voice.key for voice in first} & {voice.key for voice in second})


def _confidence(records: Sequence[Record], *, contradicted: bool) -> float:
    """Noisy-or of the best score of each independent origin, halved where contradicted."""
    best: dict[str, float] = {}
    for record in records:
        origin = record.origin or f"report:{record.report}"
        best[origin] = max(best.get(origin, 0.0), record.score)
    doubt = 1.0
    for score in best.values():
        doubt *= 1.0 - score
    return (1.0 - doubt) * (0.5 if contradicted else 1.0)


def b_cubed(gold: Sequence[frozenset[str]], predicted: Sequence[frozenset[str]]) -> tuple[float, float, float]:
    """B³ precision, recall and F1 over the items of both clusterings (Bagga and Baldwin 1998)."""
    gold_of = {item: group for group in gold for item in group}
    predicted_of = {item: group for group in predicted for item in group}
    items = sorted(gold_of.keys() & predicted_of.keys())
    if not items:
        return 0.0, 0.0, 0.0
    precision = sum(len(gold_of[i] & predicted_of[i]) / len(predicted_of[i]) for i in items) / len(items)
    recall = sum(len(gold_of[i] & predicted_of[i]) / len(gold_of[i]) for i in items) / len(items)
    return precision, recall, 2 * precision * recall / (precision + recall)
