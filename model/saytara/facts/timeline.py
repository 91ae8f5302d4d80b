"""Who holds a place, day by day: control states from event clusters.

Judges nobody: where voices disagree, each version stands with those who tell it.
"""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, replace

from saytara.facts.clusters import EventCluster
from saytara.facts.records import Party, Record

HOLDER, CONTESTED, BESIEGED, UNKNOWN = "holder", "contested", "besieged", "unknown"
_SETTLING = frozenset({"gain", "transfer", "hold", "loss"})
"""Families after which the controller holds the place, or nobody known where none is named."""


@dataclass(frozen=True, slots=True)
class Version:
    """What one group of voices says about who holds a place."""

    holders: tuple[str, ...]
    """Names; empty: nobody named."""
    according_to: tuple[str, ...]
    """Keys of voices, ``report:…`` for a report that names nobody."""
    is_denial: bool
    """Whether it only denies the other version."""


@dataclass(frozen=True, slots=True)
class ControlState:
    """The state of a place from a day on."""

    since: datetime.date | None
    until: datetime.date | None
    """First day of the next state, or None."""
    state: str
    """``holder``, ``contested``, ``besieged`` or ``unknown``."""
    versions: tuple[Version, ...]
    cluster: str
    type: str
    status: str
    confidence: float
    records: tuple[str, ...]
    date_precision: int
    is_open_contradiction: bool
    """Whether the voices still disagree: nothing later has settled it."""


def timeline(place: str, clusters: Sequence[EventCluster]) -> list[ControlState]:
    """States of the place with that key, in the order of days; expected events change nothing."""
    relevant = [c for c in clusters if c.factuality != "prospective" and any(s.key == place for s in c.sites)]
    relevant.sort(key=lambda c: (c.start or datetime.date.max, _rank(c), c.id))
    states: list[ControlState] = []
    holders: tuple[str, ...] = ()
    for event in relevant:
        state, versions = _state(event, holders)
        if state is None:
            continue
        if state == HOLDER:
            holders = versions[0].holders
        elif state == UNKNOWN:
            holders = ()
        states.append(
            ControlState(
                since=event.start,
                until=None,
                state=state,
                versions=versions,
                cluster=event.id,
                type=event.type,
                status=event.status,
                confidence=event.confidence,
                records=tuple(record.id for record in event.records),
                date_precision=min(record.date_precision for record in event.records),
                is_open_contradiction=bool(event.contradictions),
            )
        )
    return _closed(states)


def _rank(event: EventCluster) -> int:
    """Order on one day: approach and siege, then leaving, then taking, then holding."""
    return {"advance": 0, "siege": 1, "loss": 2, "gain": 3, "transfer": 3, "hold": 4}.get(event.family, 5)


def _state(event: EventCluster, holders: tuple[str, ...]) -> tuple[str | None, tuple[Version, ...]]:
    asserted = [record for record in event.records if record.factuality == "actual"]
    denied = [record for record in event.records if record.factuality == "denied"]
    if not asserted:
        return None, ()  # a denial of something nobody claims here changes nothing
    told = _voices(asserted)
    if event.contradictions:
        return CONTESTED, (
            Version(_names(event.controllers), told, is_denial=False),
            Version(_denied_holders(event, holders), _voices(denied), is_denial=True),
        )
    if event.family in _SETTLING:
        names = _names(event.controllers)
        return (HOLDER if names else UNKNOWN), (Version(names, told, is_denial=False),)
    if event.family == "siege":
        return BESIEGED, (Version(_names(event.displaced) or holders, told, is_denial=False),)
    attackers = set(_names(event.controllers))
    if attackers and attackers == set(holders):
        return None, ()  # moving about in one's own place
    return CONTESTED, (Version(holders, told, is_denial=False),)


def _denied_holders(event: EventCluster, holders: tuple[str, ...]) -> tuple[str, ...]:
    """Who holds the place if the denial is right: the displaced party, else who held it before."""
    return _names(event.displaced) or holders


def _names(parties: Sequence[Party]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(party.entry.name if party.entry else party.name for party in parties))


def _voices(records: Sequence[Record]) -> tuple[str, ...]:
    """Names of the voices of the records, a report itself where it names nobody."""
    voices: dict[str, None] = {}
    for record in records:
        if not record.voices:
            voices[f"report:{record.report}"] = None
        for voice in record.voices:
            voices[voice.entry.name if voice.entry else voice.name] = None
    return tuple(voices)


def _closed(states: list[ControlState]) -> list[ControlState]:
    """Set each state's end; a contradiction stays open until a later, undisputed holder settles it."""
    closed = []
    for index, state in enumerate(states):
        following = states[index + 1] if index + 1 < len(states) else None
        is_settled = any(later.state == HOLDER and not later.is_open_contradiction for later in states[index + 1 :])
        closed.append(
            replace(
                state,
                until=following.since if following else None,
                is_open_contradiction=state.is_open_contradiction and not is_settled,
            )
        )
    return closed


def held_on(states: Sequence[ControlState], day: datetime.date) -> list[ControlState]:
    """States that answer who held the place on `day`: the last one begun by then, and with it every other of its day.

    States without a day are left out; the list is empty before the first one.
    """
    begun = [state for state in states if state.since is not None and state.since <= day]
    if not begun:
        return []
    last = begun[-1].since
    return [state for state in begun if state.since == last]
