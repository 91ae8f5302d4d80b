"""The control states of a place as one strip of SVG, the earliest on the right as the page is read.

Draws only; the states come from `facts.timeline`.
"""

import datetime
import itertools
from collections.abc import Mapping, Sequence

from saytara.export.elements import Safe, tag
from saytara.export.labels import STATES, label
from saytara.facts.timeline import CONTESTED, HOLDER, ControlState

LEAST_SHARE = 9.0
"""Smallest width of a state, in per cent of the strip."""
TICK_SHARE = 21.0
"""Smallest distance of two dates below the strip, so that they can be read on a phone."""
COLOURS = 6


def colours_of(states: Sequence[ControlState]) -> dict[str, int]:
    """A colour's number for each holder, in the order in which they come up."""
    holders = [name for state in states for version in state.versions for name in version.holders[:1]]
    return {name: number % COLOURS for number, name in enumerate(dict.fromkeys(holders))}


def draw_timeline(states: Sequence[ControlState], colours: Mapping[str, int], title: str) -> Safe | None:
    """The strip, or None where no state has a day.

    Args:
        title: what it shows, for those who do not see it.
    """
    dated = [state for state in states if state.since]
    if not dated:
        return None
    widths = _widths(dated)
    pieces, ticks = [], []
    position, last_tick = 0.0, -100.0
    for state, width in zip(dated, widths, strict=True):
        pieces.append(_state(state, position, width, colours))
        if position - last_tick >= TICK_SHARE:
            ticks.append(_tick(str(state.since), position))
            last_tick = position
        position += width
    return tag("svg", *pieces, *ticks, class_="strip", width="100%", height="64", role="img", aria_label=title)


def _widths(states: Sequence[ControlState]) -> list[float]:
    """Share of each state in per cent: by its days, but none too small to be seen; the last one is open."""
    since = [state.since for state in states if state.since]
    lengths = [float((after - before).days) for before, after in itertools.pairwise(since)]
    lengths.append(max(sum(lengths) * 0.2, 1.0))
    least = min(LEAST_SHARE, 60 / len(lengths))
    rest = 100 - least * len(lengths)
    return [least + rest * length / sum(lengths) for length in lengths]


def _state(state: ControlState, position: float, width: float, colours: Mapping[str, int]) -> Safe:
    names = [" + ".join(version.holders) for version in state.versions if version.holders]
    word = label(STATES, state.state)[0]
    shown = " / ".join(dict.fromkeys(names)) if state.state in (HOLDER, CONTESTED) and names else word
    if state.state not in (HOLDER, CONTESTED) and names:
        shown = f"{word}: {names[0]}"
    mark = "≠ " if state.is_open_contradiction else ""
    colour = colours.get(state.versions[0].holders[0], 0) if state.versions and state.versions[0].holders else None
    look = (
        "state "
        + state.state
        + (f" c{colour}" if colour is not None else "")
        + (" open" if state.is_open_contradiction else "")
    )
    return tag(
        "svg",
        tag("title", f"{mark}{word} · {shown} · {_until(state)}"),
        tag("rect", width="100%", height="100%", class_="ground"),
        tag("rect", width="100%", height="100%", class_="pattern"),
        tag("text", mark + shown, x="100%", dx="-8", y="22", text_anchor="end"),
        x=f"{100 - position - width:.2f}%",
        y="2",
        width=f"{width:.2f}%",
        height="34",
        class_=look,
    )


def _until(state: ControlState) -> str:
    end = (
        state.until - datetime.timedelta(days=1)
        if state.until and state.since and state.until > state.since
        else state.until
    )
    return f"{state.since} – {end or '…'}"


def _tick(day: str, position: float) -> Safe:
    x = f"{100 - position:.2f}%"
    is_far = position > 100 - TICK_SHARE
    text = tag("text", day, x="0%" if is_far else x, y="58", text_anchor="start" if is_far else "end", class_="day")
    return tag("g", tag("line", x1=x, x2=x, y1="36", y2="45"), text, class_="tick")
