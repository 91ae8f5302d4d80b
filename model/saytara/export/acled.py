"""Our event types and kinds of actor in the words of conflict data sets (ACLED's codebook of 2019 and later).

Maps values only; a table of records is built in `tables`.
"""

from collections.abc import Mapping, Sequence

from saytara.document import ActorEntry
from saytara.facts.records import Party

BATTLES, STRATEGIC = "Battles", "Strategic developments"
GOVERNMENT_REGAINS = "Government regains territory"
OTHERS_OVERTAKE = "Non-state actor overtakes territory"
"""ACLED counts a foreign state that takes territory here as well."""

SUB_EVENTS: Mapping[str, tuple[str, str | None]] = {
    # event type: (event_type, sub_event_type); None: decided by who gains
    "CAPTURE": (BATTLES, None),
    "RECAPTURE": (BATTLES, None),
    "WITHDRAWAL": (STRATEGIC, "Non-violent transfer of territory"),
    "HANDOVER": (STRATEGIC, "Non-violent transfer of territory"),
    "ADVANCE": (STRATEGIC, "Change to group/activity"),
    "SIEGE": (STRATEGIC, "Other"),
    "HOLD": (STRATEGIC, "Other"),
}
HELD_AGAINST = (BATTLES, "Armed clash")
"""A place held against an attacker who was repelled."""

FORCES: Mapping[str, str] = {
    # kind of actor: ACLED's inter code in words
    "state": "State forces",
    "police": "State forces",
    "rebel": "Rebel group",
    "militia": "Political militia",
    "party": "Political militia",
    "organisation": "Political militia",
    "tribe": "Identity militia",
    "coalition": "External/Other forces",
    "foreign": "External/Other forces",
    "peacekeeper": "External/Other forces",
}
EXTERNAL = "External/Other forces"
_STATE_KINDS = frozenset({"state", "police"})


def event_types(
    event_type: str,
    factuality: str,
    controllers: Sequence[Party],
    displaced: Sequence[Party],
    country: str | None,
) -> tuple[str | None, str | None]:
    """ACLED's ``event_type`` and ``sub_event_type``; None where nothing happened or the actors do not decide it.

    A denied or expected event has neither, so that whoever counts by them counts only what somebody says happened.

    Args:
        country: code of the country of the place.
    """
    if factuality != "actual" or event_type not in SUB_EVENTS:
        return None, None
    if event_type == "HOLD" and displaced:
        return HELD_AGAINST
    kind, sub = SUB_EVENTS[event_type]
    return kind, sub or _territory(controllers, displaced, country)


def _territory(controllers: Sequence[Party], displaced: Sequence[Party], country: str | None) -> str | None:
    winner = _first_entry(controllers)
    if winner:
        return GOVERNMENT_REGAINS if _is_government(winner, country) else OTHERS_OVERTAKE
    loser = _first_entry(displaced)
    return OTHERS_OVERTAKE if loser and _is_government(loser, country) else None


def _first_entry(parties: Sequence[Party]) -> ActorEntry | None:
    return next((party.entry for party in parties if party.entry), None)


def _is_government(entry: ActorEntry, country: str | None) -> bool:
    """Whether it fights for the government of the place's country, as its forces or beside them."""
    return entry.side == "government" and (country is None or entry.country in (None, country))


def force(entry: ActorEntry | None, country: str | None) -> str | None:
    """ACLED's ``inter`` in words; a state's forces abroad are external.

    >>> force(ActorEntry("tr.army", "الجيش التركي", "government", "state", "TR", 0.9), "SY")
    'External/Other forces'
    """
    if entry is None:
        return None
    if entry.kind in _STATE_KINDS and country and entry.country not in (None, country):
        return EXTERNAL
    return FORCES.get(entry.kind, EXTERNAL)
