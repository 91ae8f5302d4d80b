"""Read a whole time expression: days with their weekdays and parts, distances, stretches, ranges and lists.

Computes no day; what it cannot read to the last token, it does not read.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

from saytara.linking.calendars import Calendar
from saytara.linking.time_dates import Tokens, date, feast, is_kind, is_unit, number, period, skip
from saytara.linking.time_nodes import (
    Amount,
    Between,
    Date,
    Distance,
    Night,
    Node,
    RelativeDay,
    Several,
    Stretch,
    Weekday,
)
from saytara.linking.time_tokens import Kind

_DAY_BEGINS = (Kind.PART_OF_DAY, Kind.DAY, Kind.WEEKDAY, Kind.THIS, Kind.UNIT, Kind.DIGITS, Kind.ORDINAL)
_SIGNS = (Kind.SLASH, Kind.DASH)


def parse(tokens: Tokens) -> Node | None:
    """What the tokens say, where they say one thing that is understood to the end."""
    at = 0
    while is_kind(tokens, at, Kind.AND):
        at += 1
    for rule in _RULES:
        found = rule(tokens, at)
        if found and found[1] == len(tokens):
            return found[0]
    return None


def parts_of_day(tokens: Tokens, at: int) -> int:
    """The place after the parts of a day, the hours and the clock times, which do not change the day."""
    start = at
    while True:
        if is_kind(tokens, at, Kind.PART_OF_DAY, Kind.TIME_OF_CLOCK, Kind.ZONE, Kind.EARLY_LATE):
            at += 1
        elif is_kind(tokens, at, Kind.CLOCK) and (after := _clock(tokens, at + 1)):
            at = after
        elif is_kind(tokens, at, Kind.AGO, Kind.AFTER) and _is_part_of_day(tokens, at + 1):
            at += 1  # afternoon
        elif is_unit(tokens, at, "hour", value=0) and (after := _hours(tokens, at + 1)):
            at = after
        elif _is_of_a_day(tokens, at) or (at > start and _is_joined(tokens, at)):
            at += 1
        else:
            return at


def _is_part_of_day(tokens: Tokens, at: int) -> bool:
    return is_kind(tokens, skip(tokens, at, Kind.PORTION), Kind.PART_OF_DAY)


def _is_of_a_day(tokens: Tokens, at: int) -> bool:
    """Whether there is the middle, beginning or end of a day or night."""
    is_day = is_kind(tokens, at + 1, Kind.PART_OF_DAY, Kind.DAY) or is_unit(tokens, at + 1, "day")
    return is_kind(tokens, at, Kind.PORTION) and is_day


def _is_joined(tokens: Tokens, at: int) -> bool:
    """Whether there is the ``of`` before a day, or the ``first`` after the hours of a part of one."""
    if is_kind(tokens, at, Kind.FROM):
        return is_kind(tokens, at + 1, *_DAY_BEGINS)
    return is_kind(tokens, at, Kind.ORDINAL) and not is_unit(tokens, at + 1) and date(tokens, at) is None


def _clock(tokens: Tokens, at: int) -> int | None:
    """The place after ``السابعة والنصف``, ``6:30``, ``التاسعة والدقيقة الثلاثين``."""
    if is_kind(tokens, at, Kind.TIME_OF_CLOCK):
        return at + 1
    found = number(tokens, at)
    if found is None:
        return None
    at = found[1]
    while is_kind(tokens, at, Kind.AND, Kind.LESS):
        after = skip(tokens, at + 1, Kind.FRACTION)
        if is_unit(tokens, after, "minute") and (minutes := number(tokens, after + 1)):
            after = minutes[1]
        elif (minutes := number(tokens, after)) and is_unit(tokens, minutes[1], "minute"):
            after = minutes[1] + 1
        if after == at + 1:
            return at
        at = after
    return at


def _hours(tokens: Tokens, at: int) -> int | None:
    """The place before the part of the day in ``ساعات الفجر``, ``الساعات الأولى من صباح``."""
    while is_kind(tokens, at, Kind.ORDINAL, Kind.EARLY_LATE, Kind.LAST):
        at += 1
    after = skip(tokens, at, Kind.FROM)
    return after if is_kind(tokens, after, Kind.PART_OF_DAY, Kind.DAY) else None


def day(tokens: Tokens, at: int) -> tuple[Node, int] | None:
    """One day: relative, of the week, of a month, or several of these ways together."""
    if is_kind(tokens, at, Kind.THIS) and is_kind(tokens, at + 1, Kind.PART_OF_DAY):  # this morning
        return _relative(tokens, at + 2, 0)
    at = skip(tokens, parts_of_day(tokens, at), Kind.THIS)
    if is_unit(tokens, at, "day") and not tokens[at].is_definite:
        at += 1
    if is_kind(tokens, at, Kind.DAY):
        return _relative(tokens, at + 1, tokens[at].value)
    if is_kind(tokens, at, Kind.WEEKDAY):
        return _weekday(tokens, at)
    found = date(tokens, at)
    return _dated(tokens, *found) if found else feast(tokens, at)


def _relative(tokens: Tokens, at: int, offset: int) -> tuple[Node, int]:
    at = parts_of_day(tokens, at)
    after = at + 1 if is_unit(tokens, at, "day") else at
    if is_kind(tokens, after, Kind.WEEKDAY):
        weekday = tokens[after].value
        named = _weekday(tokens, after)
        if isinstance(named[0], Date):
            return named
        return RelativeDay(offset, weekday), parts_of_day(tokens, after + 1)
    if found := date(tokens, skip(tokens, after, Kind.MATCHING)):
        return _dated(tokens, *found)
    return RelativeDay(offset), at


def _weekday(tokens: Tokens, at: int) -> tuple[Node, int]:
    node = Weekday(tokens[at].value)
    at += 1
    if is_kind(tokens, at, Kind.SHIFT):
        node = replace(node, shift=tokens[at].value)
        at += 1
    after = skip(tokens, at, Kind.FROM)
    after_this = skip(tokens, after, Kind.THIS)
    if is_unit(tokens, after_this, "week", value=1) and tokens[after_this].is_definite:
        at = after_this + 1
        has_shift = is_kind(tokens, at, Kind.SHIFT)
        return replace(node, week=tokens[at].value if has_shift else 0), at + has_shift
    at = parts_of_day(tokens, at)
    if found := date(tokens, skip(tokens, at, Kind.MATCHING)):
        return _dated(tokens, replace(found[0], weekday=node.weekday), found[1])
    return node, at


def _dated(tokens: Tokens, node: Date, at: int) -> tuple[Node, int]:
    """A date, and the same day by another calendar, of which ours is kept."""
    at = parts_of_day(tokens, at)
    if found := date(tokens, skip(tokens, at, Kind.MATCHING)):
        other, after = found
        if {node.calendar, other.calendar} == set(Calendar):
            node = other if other.calendar is Calendar.GREGORIAN else node
            at = parts_of_day(tokens, after)
    return node, at


def _night(tokens: Tokens, at: int) -> tuple[Node, int] | None:
    """``ليل الجمعة السبت``, ``ليل السبت – الأحد``."""
    after = parts_of_day(tokens, at)
    is_night = after > at
    at = after + 1 if is_unit(tokens, after, "day") else after
    if not is_kind(tokens, at, Kind.WEEKDAY):
        return None
    after = skip(tokens, at + 1, *_SIGNS, *((Kind.AND, Kind.UNTIL) if is_night else ()))
    after = parts_of_day(tokens, after)
    if not is_kind(tokens, after, Kind.WEEKDAY) or tokens[after].value != (tokens[at].value + 1) % 7:
        return None
    node = Night(tokens[at].value)
    if is_kind(tokens, after + 1, Kind.SHIFT):
        return replace(node, shift=tokens[after + 1].value), after + 2
    return node, after + 1


def _distance(tokens: Tokens, at: int) -> tuple[Node, int] | None:
    """``قبل ثلاثة أيام``, ``منذ نحو عام ونصف``, ``بعد أسبوع من الآن``."""
    if not is_kind(tokens, at, Kind.AGO, Kind.SINCE, Kind.AFTER):
        return None
    is_ahead = tokens[at].kind is Kind.AFTER
    after = skip(tokens, at + 1, Kind.ABOUT)
    is_about = after > at + 1
    first = _amount(tokens, after, is_about=is_about)
    if first is None:
        return None
    amounts = [first[0]]
    at = first[1]
    while is_kind(tokens, at, Kind.AND):
        if is_kind(tokens, at + 1, Kind.FRACTION):
            amounts.append(Amount(1 / tokens[at + 1].value, amounts[-1].unit))
            at += 3 if is_unit(tokens, at + 2) else 2
        elif found := _amount(tokens, at + 1):
            amounts.append(found[0])
            at = found[1]
        else:
            return None
    after = skip(tokens, skip(tokens, at, Kind.ABOUT), Kind.ERA)
    is_about = is_about or is_kind(tokens, at, Kind.ABOUT)
    from_today = skip(tokens, after, Kind.FROM)
    if is_kind(tokens, after, Kind.NOW):
        after += 1
    elif from_today > after and is_kind(tokens, from_today, Kind.DAY) and tokens[from_today].value == 0:
        after = from_today + 1
    elif is_ahead:
        return None  # after something else that is told
    return Distance(tuple(amounts), is_ahead, is_about), after


def _amount(tokens: Tokens, at: int, *, is_about: bool = False) -> tuple[Amount, int] | None:
    """``ثلاثة أيام``, ``يومين``, ``أسبوع واحد``, ``نصف قرن``."""
    if is_kind(tokens, at, Kind.FRACTION) and is_unit(tokens, at + 1, value=1):
        return Amount(1 / tokens[at].value, tokens[at + 1].name), at + 2
    if found := number(tokens, at):
        value, after = found
        return (Amount(value, tokens[after].name), after + 1) if is_unit(tokens, after) else None
    if not is_unit(tokens, at) or tokens[at].value == 0 or (tokens[at].is_definite and not is_about):
        return None
    unit = tokens[at]
    repeats = is_kind(tokens, at + 1, Kind.NUMBER) and tokens[at + 1].value == unit.value
    return Amount(unit.value, unit.name), at + 1 + repeats


def _stretch(tokens: Tokens, at: int) -> tuple[Node, int] | None:
    """``الأيام الثلاثة الماضية``, ``48 ساعة الماضية``, ``آخر 24 ساعة``, ``اليومين المقبلين``."""
    after = skip(tokens, at, Kind.LAST)
    is_told = after > at
    if found := number(tokens, after):
        value, after = found
        is_hour = is_kind(tokens, after, Kind.CLOCK)  # the same word as the hour
        if not is_hour and not is_unit(tokens, after):
            return None
        amount, at = Amount(value, "hour" if is_hour else tokens[after].name), after + 1
    elif is_unit(tokens, after) and tokens[after].value != 1:
        unit = tokens[after]
        found = number(tokens, after + 1) or ((unit.value, after + 1) if unit.value else None)
        if found is None:
            return None
        amount, at = Amount(found[0], unit.name), found[1]
    else:
        return None
    if is_kind(tokens, at, Kind.SHIFT) and tokens[at].value in (-1, 1):
        return Stretch(amount, is_ahead=tokens[at].value > 0), at + 1
    if is_kind(tokens, at, Kind.LAST):
        return Stretch(amount), at + 1
    return (Stretch(amount), at) if is_told else None


def _items(tokens: Tokens, at: int) -> Iterator[tuple[Node, int]]:
    """Every reading of one member of a range or list; a day's number may stand alone, its month follows."""
    if is_unit(tokens, at, "day", "month", "year") and tokens[at].value != 1:
        at += 1  # the two days, months, years
    for rule in (day, period):
        if found := rule(tokens, at):
            yield found
    alone = number(tokens, parts_of_day(tokens, at))
    if alone and 1 <= alone[0] <= 31:
        yield Date(alone[0]), skip(tokens, alone[1], Kind.OF_IT)


def _between(tokens: Tokens, at: int) -> tuple[Node, int] | None:
    """``من 1 إلى 5 ديسمبر``, ``بين عامي 2011 و2014``, ``1950-1953``, ``من الجمعة حتى الأحد``."""
    start = skip(tokens, at, Kind.FROM, Kind.BETWEEN, Kind.SINCE)
    is_between = is_kind(tokens, at, Kind.BETWEEN)
    for first, after in _items(tokens, start):
        at = skip(tokens, after, Kind.AND)
        if is_kind(tokens, at, Kind.UNTIL, *_SIGNS):
            at = skip(tokens, at + 1, Kind.UNTIL)
        elif at == after or not is_between:
            continue
        for last, end in _items(tokens, at):
            if end == len(tokens):
                return Between(*_shared([first, last])), end
    return None


def _several(tokens: Tokens, at: int) -> tuple[Node, int] | None:
    """``الثلاثاء والأربعاء``, ``عامي 2012 و2013``, ``1 و2 ديسمبر``."""
    items: list[Node] = []
    while at < len(tokens):
        options = list(_items(tokens, at))
        fitting = [one for one in options if one[1] == len(tokens) or is_kind(tokens, one[1], Kind.AND)]
        if not fitting:
            return None
        item, at = fitting[0]
        items.append(item)
        at = skip(tokens, at, Kind.AND)
    return (Several(tuple(_shared(items))), at) if len(items) > 1 else None


def _shared(items: list[Node]) -> list[Node]:
    """The items with what only the last one says (month, year, last or next), or only the first one (its month)."""
    shared = [items[-1]]
    for item in reversed(items[:-1]):
        after = shared[0]
        if isinstance(item, Date) and isinstance(after, Date):
            if item.month is None and item.shift is None:
                item = replace(after, day=item.day, weekday=None)
            elif after.month is None and after.shift is None:
                shared[0] = replace(item, day=after.day, weekday=None)
            elif _is_bare(item) and item.calendar == after.calendar and item.month and after.month:
                is_later = (item.month, item.day or 0) > (after.month, after.day or 99)
                year = after.year - is_later if after.year else None
                item = replace(item, year=year, year_shift=after.year_shift, shift=after.shift)
        elif isinstance(item, Weekday) and isinstance(after, Weekday) and item.shift is None:
            item = replace(item, shift=after.shift)
        shared.insert(0, item)
    return shared


def _within(tokens: Tokens, at: int) -> tuple[Node, int] | None:
    """``وقت سابق من هذا الأسبوع``."""
    after = parts_of_day(tokens, at)
    return period(tokens, skip(tokens, after, Kind.FROM)) if after > at else None


def _is_bare(node: Date) -> bool:
    return node.year is None and node.year_shift is None and node.shift is None


def _since(tokens: Tokens, at: int) -> tuple[Node, int] | None:
    """What follows ``منذ`` or ``من`` where that is no distance: since Friday, since 2011."""
    if not is_kind(tokens, at, Kind.SINCE, Kind.FROM):
        return None
    return next((found for found in _items(tokens, at + 1) if found[1] == len(tokens)), None)


_RULES: tuple[Callable[[Tokens, int], tuple[Node, int] | None], ...] = (
    _distance,
    _night,
    day,
    _stretch,
    period,
    _within,
    _between,
    _several,
    _since,
)
