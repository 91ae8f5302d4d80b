"""Turn what a time expression says into days, counted from the report's date where that is needed.

Reads no words; the conventions are those of data/gold/README.md.
"""

import datetime
import itertools
import math
from collections.abc import Callable, Iterable
from dataclasses import replace

from saytara.document import TimeValue
from saytara.errors import SaytaraError
from saytara.linking.calendars import (
    Calendar,
    Day,
    day_of,
    days_away,
    month_away,
    month_length,
    months_away,
    split,
    week_of,
    weekday_after,
    weekday_until,
)
from saytara.linking.time_nodes import (
    LAST_DAY,
    Amount,
    Between,
    Date,
    Decade,
    Distance,
    Night,
    Node,
    Portion,
    RelativeDay,
    Season,
    Several,
    Stretch,
    Unit,
    Weekday,
)
from saytara.linking.time_portions import portion_of

NEAR_DAYS = 60
"""How far ahead a date without a year may lie that its weekday, and nothing else, puts there."""
_MONTHS = {"month": 1, "year": 12, "decade": 120, "century": 1200}
_DAYS = {"minute": 1 / 1440, "hour": 1 / 24, "day": 1.0, "week": 7.0}
LAST_HIJRI_YEAR = 1500
"""A later year is one of our era, whatever the month."""
_YEARS_TO_TRY = 9
"""The 29th of February may be eight years away, the 30th of a Hijri month fewer."""


class Unresolved(SaytaraError):
    """A time expression that is understood but names no days; says why."""


def value_of(node: Node, anchor: Day | None) -> TimeValue:
    """The days that `node` names.

    Raises:
        Unresolved: there are none, or they cannot be told.
    """
    match node:
        case RelativeDay():
            return _single(_relative(node, _known(anchor)))
        case Weekday():
            return _single(_weekday(node, _known(anchor)))
        case Night():
            first = _weekday(Weekday(node.first, node.shift), _known(anchor))
            return _range(first, days_away(first, 1))
        case Date():
            return _date(node, anchor, lambda whole: whole)
        case Portion():
            return _portion(node, anchor)
        case Unit():
            return _unit(node, anchor)
        case Season():
            return _season(node, anchor)
        case Decade():
            return _decade(node, anchor)
        case Distance():
            return _single(_away(node.amounts, _known(anchor), 1 if node.is_ahead else -1))
        case Stretch():
            return _stretch(node, _known(anchor))
        case Between():
            return _between(node, anchor)
        case Several():
            return _several(node, anchor)


def _known(anchor: Day | None) -> Day:
    if anchor is None:
        raise Unresolved("needs the report's date, which is unknown")
    return anchor


def _told(day: Day | None) -> Day:
    if day is None:
        raise Unresolved("no such day")
    return day


def _single(day: Day | None) -> TimeValue:
    return TimeValue(_told(day), _told(day))


def _range(start: Day | None, end: Day | None) -> TimeValue:
    if _told(start) > _told(end):
        raise Unresolved("ends before it begins")
    return TimeValue(_told(start), _told(end))


def _relative(node: RelativeDay, anchor: Day) -> Day:
    day = _told(days_away(anchor, node.offset))
    if node.weekday is None or day.weekday() == node.weekday:
        return day
    for near in (days_away(day, -1), days_away(day, 1)):  # the report's date is a day off, as across time zones
        if near and near.weekday() == node.weekday:
            return near
    raise Unresolved("the weekday contradicts the report's date")


def _weekday(node: Weekday, anchor: Day) -> Day:
    if node.week is not None or node.shift == 0:
        saturday = _told(week_of(anchor))
        return _told(days_away(saturday, 7 * (node.week or 0) + (node.weekday - saturday.weekday()) % 7))
    if node.shift is None:
        return _told(weekday_until(anchor, node.weekday))
    if node.shift > 0:
        return _told(days_away(_told(weekday_after(anchor, node.weekday)), 7 * (node.shift - 1)))
    last = _told(weekday_until(_told(days_away(anchor, -1)), node.weekday))
    return _told(days_away(last, 7 * (node.shift + 1)))


Cut = Callable[[TimeValue], TimeValue | None]
"""From a month to the part of it that is meant."""


def _date(node: Date, anchor: Day | None, cut: Cut) -> TimeValue:
    def in_year(year: int) -> TimeValue | None:
        return _in_month(node, year, node.month or 0, cut)

    if node.year is not None and node.calendar is Calendar.HIJRI and node.year > LAST_HIJRI_YEAR:  # Ramadan 2024
        ends = (datetime.date(node.year, 1, 1), datetime.date(node.year, 12, 31))
        years = range(_parts(ends[0], node.calendar)[0], _parts(ends[1], node.calendar)[0] + 1)
        return _found(_first(map(in_year, years), lambda value: value.start.year == node.year))
    if node.year is not None:
        return _found(in_year(node.year))
    year, month, _ = _parts(_known(anchor), node.calendar)
    if node.month is None:
        if node.shift is None:
            raise Unresolved("a day without a month")
        return _found(_in_month(node, *month_away(year, month, node.shift), cut))
    if node.year_shift is not None:
        return _found(in_year(year + node.year_shift))
    match node.shift:
        case None:
            return _without_year(node, _known(anchor), in_year)
        case 0:
            if node.month != month:
                raise Unresolved("not the month of the report's date")
            return _found(in_year(year))
        case shift if shift < 0:
            return _found(in_year(year + shift + (node.month < month)))
        case shift:
            if node.day is not None and shift == 1:
                return _found(_first(map(in_year, _coming(year)), lambda value: value.start > _known(anchor)))
            return _found(in_year(year + shift - (node.month > month)))


def _without_year(node: Date, anchor: Day, in_year: Callable[[int], TimeValue | None]) -> TimeValue:
    """The latest that has begun; the coming one where only that falls on the weekday that is named."""
    year, *_ = _parts(anchor, node.calendar)
    latest = _found(_first(map(in_year, _past(year)), lambda value: value.start <= anchor))
    if node.weekday is not None and latest.start.weekday() != node.weekday:
        coming = _first(map(in_year, _coming(year)), lambda value: value.start > anchor)
        if coming and coming.start.weekday() == node.weekday and (coming.start - anchor).days <= NEAR_DAYS:
            return coming
    return latest


def _past(year: int) -> range:
    return range(year, year - _YEARS_TO_TRY, -1)


def _coming(year: int) -> range:
    return range(year, year + _YEARS_TO_TRY)


def _first(values: Iterable[TimeValue | None], fits: Callable[[TimeValue], bool]) -> TimeValue | None:
    return next((value for value in values if value is not None and fits(value)), None)


def _found(value: TimeValue | None) -> TimeValue:
    if value is None:
        raise Unresolved("no such day")
    return value


def _parts(day: Day, calendar: Calendar) -> tuple[int, int, int]:
    parts = split(day, calendar)
    if parts is None:
        raise Unresolved("outside of the calendar's tables")
    return parts


def _in_month(node: Date, year: int, month: int, cut: Cut) -> TimeValue | None:
    """The day or month of `node` in this month; None where there is none."""
    length = month_length(year, month, node.calendar)
    if length is None:
        return None
    if node.day is None:
        whole = TimeValue(*map(_told, (day_of(year, month, n, node.calendar) for n in (1, length))))
        return cut(whole)
    start = day_of(year, month, length if node.day == LAST_DAY else node.day, node.calendar)
    end = days_away(start, node.length - 1) if start else None
    return TimeValue(start, end) if start and end else None


def _portion(node: Portion, anchor: Day | None) -> TimeValue:
    def cut(whole: TimeValue) -> TimeValue | None:
        return portion_of(whole, node.name, node.number, node.count)

    if isinstance(node.whole, Date):
        return _date(node.whole, anchor, cut)
    part = cut(value_of(node.whole, anchor))
    if part is None:
        raise Unresolved("no such part")
    return part


def _unit(node: Unit, anchor: Day | None) -> TimeValue:
    if node.number is not None and node.unit == "year":
        if node.calendar is None:
            raise Unresolved("a year of an unclear calendar")
        start = day_of(node.number, 1, 1, node.calendar)
        length = month_length(node.number, 12, node.calendar)
        return _range(start, day_of(node.number, 12, length, node.calendar) if length else None)
    if node.unit == "century":
        century = _century(node, anchor)
        return _range(_year_start(100 * century - 99), _year_end(100 * century))
    day = _known(anchor)
    match node.unit:
        case "week":
            start = _told(days_away(_told(week_of(day)), 7 * node.shift))
            return _range(start, days_away(start, 6))
        case "month":
            return value_of(Date(shift=node.shift), anchor)
        case _:
            return _range(_year_start(day.year + node.shift), _year_end(day.year + node.shift))


def _century(node: Unit, anchor: Day | None) -> int:
    return node.number if node.number is not None else (_known(anchor).year + 99) // 100 + node.shift


def _year_start(year: int) -> Day | None:
    return day_of(year, 1, 1, Calendar.GREGORIAN)


def _year_end(year: int) -> Day | None:
    return day_of(year, 12, 31, Calendar.GREGORIAN)


def _season(node: Season, anchor: Day | None) -> TimeValue:
    def in_year(year: int) -> TimeValue | None:
        start = day_of(year, node.month, 1, Calendar.GREGORIAN)
        after = months_away(start, 3) if start else None
        end = days_away(after, -1) if after else None
        return TimeValue(start, end) if start and end else None

    if node.year is not None:
        return _found(in_year(node.year))
    day = _known(anchor)
    if node.year_shift is not None:
        return _found(in_year(day.year + node.year_shift))
    match node.shift:
        case None:
            return _found(_first(map(in_year, _past(day.year)), lambda value: value.start <= day))
        case 0:
            current = _first(map(in_year, _past(day.year)), lambda value: value.start <= day <= value.end)
            if current is None:
                raise Unresolved("not the season of the report's date")
            return current
        case shift if shift < 0:
            return _found(_first(map(in_year, _past(day.year + shift + 1)), lambda value: value.end < day))
        case shift:
            return _found(_first(map(in_year, _coming(day.year + shift - 1)), lambda value: value.start > day))


def _decade(node: Decade, anchor: Day | None) -> TimeValue:
    if node.century:
        start = 100 * (_century(node.century, anchor) - 1) + node.tens
    else:
        start = _known(anchor).year // 100 * 100 + node.tens
        start -= 100 if start > _known(anchor).year else 0
    return _range(_year_start(start), _year_end(start + 9))


def _away(amounts: Iterable[Amount], anchor: Day, sign: int) -> Day:
    """The day that lies so far from `anchor`: months by the calendar first, then whole days."""
    months, days = 0, 0.0
    for amount in amounts:
        if amount.unit in _MONTHS:
            exact = amount.number * _MONTHS[amount.unit]
            months += math.floor(exact)
            days += 30 * (exact - math.floor(exact))
        else:
            days += amount.number * _DAYS[amount.unit]
    day = _told(months_away(anchor, sign * months))
    return _told(days_away(day, sign * math.floor(days + 1e-6)))


def _stretch(node: Stretch, anchor: Day) -> TimeValue:
    amount = node.amount
    if amount.unit in ("minute", "hour"):  # a day that it reaches into counts
        amount = Amount(math.ceil(amount.number * _DAYS[amount.unit] - 1e-6), "day")
    far = _away([amount], anchor, 1 if node.is_ahead else -1)
    return _range(anchor, far) if node.is_ahead else _range(far, anchor)


def _between(node: Between, anchor: Day | None) -> TimeValue:
    """From the first to the last; where no year is named, each is the nearest that keeps the order."""
    first, last = node.first, node.last
    if isinstance(first, Weekday) and isinstance(last, Weekday) and first.week is None and last.week is None:
        if last.shift is not None and last.shift > 0:
            start = _weekday(first, _known(anchor))
            return _range(start, weekday_after(start, last.weekday))
        end = _weekday(last, _known(anchor))
        return _range(weekday_until(end, first.weekday), end)
    if isinstance(first, Date) and isinstance(last, Date) and last.month and last.year is None:
        if last.year_shift is None and last.shift is None:
            start = value_of(first, anchor).start
            year, *_ = _parts(start, last.calendar)
            values = (_in_month(last, one, last.month, lambda whole: whole) for one in _coming(year))
            return _range(start, _found(_first(values, lambda value: value.end >= start)).end)
        if last.shift is not None and first.year is None and first.month:
            until = value_of(last, anchor).end
            return _range(value_of(replace(first, shift=None), until).start, until)
    return _range(value_of(first, anchor).start, value_of(last, anchor).end)


def _several(node: Several, anchor: Day | None) -> TimeValue:
    """The range of all items, which must follow each other without a gap."""
    values: list[TimeValue] = []
    for item in reversed(node.items):
        if values and isinstance(item, Weekday) and item.week is None:
            item_value = _single(weekday_until(_told(days_away(values[0].start, -1)), item.weekday))
        elif values and isinstance(item, Date) and item.year is None and item.year_shift is None and item.month:
            item_value = value_of(replace(item, shift=None), values[0].end)
        else:
            item_value = value_of(item, anchor)
        values.insert(0, item_value)
    for before, after in itertools.pairwise(values):
        if not 0 <= (after.start - before.end).days <= 1:
            raise Unresolved("names times that do not touch")
    return _range(values[0].start, values[-1].end)
