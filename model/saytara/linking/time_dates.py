"""Read dates, months, years and longer periods from the tokens of a time expression.

Each function takes the tokens and a place and gives a value with the place after it, or None; it computes no day.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from saytara.linking.calendars import Calendar
from saytara.linking.time_nodes import LAST_DAY, Date, Decade, Node, Portion, Season, Unit
from saytara.linking.time_tokens import Kind, Token

Tokens = Sequence[Token]
MONTH_KINDS = (Kind.MONTH, Kind.HIJRI_MONTH)
HIJRI_YEARS = range(1343, 1501)
"""Years of the tables of Umm al-Qura; as years of our era, nothing that the news tells of."""
_FRACTIONS = {2: "half", 3: "third", 4: "quarter"}
_PERIODS = ("week", "month", "year")


def is_kind(tokens: Tokens, at: int, *kinds: Kind) -> bool:
    return at < len(tokens) and tokens[at].kind in kinds


def is_unit(tokens: Tokens, at: int, *names: str, value: int | None = None) -> bool:
    """Whether there is one of these units, in the singular (1), dual (2) or plural (0) where `value` says so."""
    if not is_kind(tokens, at, Kind.UNIT):
        return False
    return (not names or tokens[at].name in names) and value in (None, tokens[at].value)


def skip(tokens: Tokens, at: int, *kinds: Kind) -> int:
    """The place after one token of these kinds, or the same place."""
    return at + 1 if is_kind(tokens, at, *kinds) else at


def number(tokens: Tokens, at: int) -> tuple[int, int] | None:
    """A number in digits or words, cardinal or ordinal: ``الحادي والعشرين`` is 21."""
    if not is_kind(tokens, at, Kind.DIGITS, Kind.NUMBER, Kind.ORDINAL):
        return None
    total = last = tokens[at].value
    at += 1
    if tokens[at - 1].kind is Kind.DIGITS:
        return total, at
    while True:
        if last < 10 and is_kind(tokens, at, Kind.NUMBER) and tokens[at].value == 10:  # thirteen
            total, last, at = total + 10, 10, at + 1
        elif is_kind(tokens, at, Kind.AND) and is_kind(tokens, at + 1, Kind.NUMBER, Kind.ORDINAL):
            value = tokens[at + 1].value
            if not (20 <= value <= 90 if last < 10 else last >= 100 and value < last):
                return total, at
            total, last, at = total + value, value, at + 2
        else:
            return total, at


def month(tokens: Tokens, at: int) -> tuple[Date, int] | None:
    """A month's name, or the same month by two names (``ديسمبر/كانون الأول``)."""
    if is_unit(tokens, at, "month", value=1) and is_kind(tokens, at + 1, *MONTH_KINDS):
        at += 1
    if not is_kind(tokens, at, *MONTH_KINDS):
        return None
    first = tokens[at]
    at += 1
    while True:
        after = skip(tokens, at, Kind.SLASH, Kind.DASH)
        if is_kind(tokens, after, first.kind) and tokens[after].value == first.value:
            at = after + 1
        elif is_kind(tokens, at, Kind.SLASH) and is_kind(tokens, after, *MONTH_KINDS):
            return None  # two months where one was meant
        else:
            calendar = Calendar.HIJRI if first.kind is Kind.HIJRI_MONTH else Calendar.GREGORIAN
            return Date(month=first.value, calendar=calendar), at


def year(tokens: Tokens, at: int) -> tuple[Unit, int] | None:
    """A year by its number or distance: ``عام 2014``, ``2014``, ``من العام الماضي``, ``هذا العام``."""
    at = skip(tokens, at, Kind.FROM)
    after_this = skip(tokens, at, Kind.THIS)
    if not is_unit(tokens, after_this, "year", value=1):
        return _year_number(tokens, at)
    is_this_one = after_this > at or tokens[after_this].is_definite
    at = after_this + 1
    if named := _year_number(tokens, at):
        return named
    if is_kind(tokens, at, Kind.SHIFT):
        return _year_number(tokens, at + 1) or (Unit("year", tokens[at].value), at + 1)
    return (Unit("year"), at) if is_this_one else None


def _year_number(tokens: Tokens, at: int) -> tuple[Unit, int] | None:
    found = number(tokens, at)
    if found is None or not 1000 <= found[0] <= 2999:
        return None
    value, at = found
    if is_kind(tokens, at, Kind.ERA):
        return Unit("year", number=value, calendar=Calendar(tokens[at].name)), at + 1
    return Unit("year", number=value, calendar=None if value in HIJRI_YEARS else Calendar.GREGORIAN), at


def date(tokens: Tokens, at: int) -> tuple[Date, int] | None:
    """A day of a month: by name, by number, or of a month told by its distance (``العاشر من الشهر الجاري``)."""
    if is_kind(tokens, at, Kind.NUMERIC_DATE):
        numeric = _numeric(tokens[at].numbers)
        return (numeric, skip(tokens, at + 1, Kind.ERA)) if numeric else None
    if is_kind(tokens, at, Kind.MONTH_DAY):
        day, after_day = tokens[at].value, at + 1
    elif found := number(tokens, at):
        day, after_day = found
    else:
        return None
    if not LAST_DAY <= day < 1000:
        return None
    at = skip(tokens, after_day, Kind.FROM)
    if named := month(tokens, at):
        return _tail(tokens, replace(named[0], day=day), named[1])
    after_this = skip(tokens, at, Kind.THIS)
    if is_unit(tokens, after_this, "month", value=1) and (after_this > at or tokens[after_this].is_definite):
        at = after_this + 1
        has_shift = is_kind(tokens, at, Kind.SHIFT)
        return Date(day, shift=tokens[at].value if has_shift else 0), at + has_shift
    if is_kind(tokens, at, Kind.SHIFT):  # 18 of the current one
        return Date(day, shift=tokens[at].value), at + 1
    if is_kind(tokens, after_day, Kind.SLASH) and is_kind(tokens, after_day + 1, Kind.DIGITS):  # 7/12
        return (Date(day, tokens[after_day + 1].value), after_day + 2) if tokens[after_day + 1].value <= 12 else None
    return None


def _numeric(numbers: tuple[int, ...]) -> Date | None:
    """``7/12/2024`` or ``2024-12-07``; a year of two digits is of the years 1970 to 2069."""
    day, month_number, year_number = numbers
    if day >= 1000:
        day, year_number = year_number, day
    elif year_number < 100:
        year_number += 1900 if year_number >= 70 else 2000
    if day > 99 or not 1000 <= year_number <= 2999:
        return None
    calendar = Calendar.HIJRI if year_number in HIJRI_YEARS else Calendar.GREGORIAN
    return Date(day, month_number, year_number, calendar=calendar)


def _tail(tokens: Tokens, node: Date, at: int) -> tuple[Date, int]:
    """What follows a month: last, current or next, and a year."""
    if is_kind(tokens, at, Kind.SHIFT):
        node = replace(node, shift=tokens[at].value)
        at += 1
    if found := year(tokens, at):
        unit, at = found
        node = replace(node, year=unit.number, year_shift=None if unit.number else unit.shift)
    return node, at


def period(tokens: Tokens, at: int) -> tuple[Node, int] | None:
    """Anything longer than a day that is no range: a month, a year, a season, a part of one."""
    for rule in _PERIOD_RULES:
        if found := rule(tokens, at):
            return found
    return None


def _month_alone(tokens: Tokens, at: int) -> tuple[Node, int] | None:
    named = month(tokens, at)
    return _tail(tokens, *named) if named else None


def _unit(tokens: Tokens, at: int) -> tuple[Node, int] | None:
    """``الأسبوع الماضي``, ``هذا الشهر``, ``القرن التاسع عشر``."""
    after_this = skip(tokens, at, Kind.THIS)
    if not is_unit(tokens, after_this, "week", "month", "century", value=1):
        return None
    unit = tokens[after_this]
    is_this_one = after_this > at or unit.is_definite
    at = after_this + 1
    if not is_this_one:
        return None
    if is_kind(tokens, at, Kind.SHIFT):
        return Unit(unit.name, tokens[at].value), at + 1
    if unit.name == "century":
        found = number(tokens, at)
        return (Unit("century", number=found[0]), found[1]) if found else None
    return Unit(unit.name), at


def _season(tokens: Tokens, at: int) -> tuple[Node, int] | None:
    at = skip(tokens, skip(tokens, at, Kind.THIS), Kind.SEASON_WORD)
    if not is_kind(tokens, at, Kind.SEASON):
        return None
    node = Season(tokens[at].value)
    is_definite = tokens[at].is_definite
    at += 1
    if is_kind(tokens, at, Kind.SHIFT):
        return replace(node, shift=tokens[at].value), at + 1
    if found := year(tokens, at):
        unit, at = found
        node = replace(node, year=unit.number, year_shift=None if unit.number else unit.shift)
        if node.year and is_kind(tokens, at, Kind.SLASH, Kind.DASH) and is_kind(tokens, at + 1, Kind.DIGITS):
            is_next = tokens[at + 1].value % 100 == (node.year + 1) % 100  # winter 2016/2017
            return node, at + 2 if is_next else at
        return node, at
    return (node, at) if is_definite else None


def _decade(tokens: Tokens, at: int) -> tuple[Node, int] | None:
    if not is_kind(tokens, at, Kind.DECADE):
        return None
    node = Decade(tokens[at].value)
    after = skip(tokens, at + 1, Kind.FROM)
    if is_unit(tokens, after, "century") and (found := _unit(tokens, after)) and isinstance(found[0], Unit):
        return replace(node, century=found[0]), found[1]
    return node, at + 1


def feast(tokens: Tokens, at: int) -> tuple[Node, int] | None:
    """A feast, or the first, second, … of its days."""
    which = None
    if is_kind(tokens, at, Kind.ORDINAL) and is_unit(tokens, at + 1, "day") and is_kind(tokens, at + 2, Kind.FEAST):
        which, at = tokens[at].value, at + 2
    if not is_kind(tokens, at, Kind.FEAST):
        return None
    month_number, day, length = tokens[at].numbers
    node = Date(day, month_number, calendar=Calendar(tokens[at].name), length=length)
    if which is not None:
        if which > length:
            return None
        node = replace(node, day=day + which - 1, length=1)
    return _tail(tokens, node, at + 1)


def _portion(tokens: Tokens, at: int) -> tuple[Node, int] | None:
    """``مطلع 2014``, ``الربع الأول من العام``, ``الأسبوع الأخير من ديسمبر``, ``الأشهر التسعة الأولى من 2018``."""
    if is_kind(tokens, at, Kind.PORTION):
        return _whole(tokens, at + 1, Portion(Unit("year"), tokens[at].name))
    if is_kind(tokens, at, Kind.ORDINAL, Kind.LAST) and is_unit(tokens, at + 1, *_PERIODS, value=1):
        name = "end" if tokens[at].kind is Kind.LAST else "start"  # the end, the first of the month
        is_first = tokens[at].value in (0, 1) and tokens[at + 1].is_definite
        return _whole(tokens, at + 1, Portion(Unit("year"), name)) if is_first else None
    if is_kind(tokens, at, Kind.FRACTION):
        name, at = _FRACTIONS[tokens[at].value], at + 1
    elif is_unit(tokens, at, *_PERIODS, value=1):
        name, at = tokens[at].name, at + 1
    elif is_unit(tokens, at, "day", *_PERIODS, value=0):
        name = tokens[at].name
        found = number(tokens, at + 1)
        if found is None or not is_kind(tokens, found[1], Kind.ORDINAL, Kind.LAST):
            return None
        which = LAST_DAY if tokens[found[1]].kind is Kind.LAST else 1
        return _whole(tokens, found[1] + 1, Portion(Unit("year"), name, which, found[0]))
    else:
        return None
    if is_kind(tokens, at, Kind.LAST):
        return _whole(tokens, at + 1, Portion(Unit("year"), name, LAST_DAY))
    if is_kind(tokens, at, Kind.ORDINAL) and (found := number(tokens, at)):
        return _whole(tokens, found[1], Portion(Unit("year"), name, found[0]))
    return None


def _whole(tokens: Tokens, at: int, portion: Portion) -> tuple[Node, int] | None:
    """The portion of the period that follows."""
    found = period(tokens, skip(tokens, at, Kind.FROM))
    return (replace(portion, whole=found[0]), found[1]) if found else None


_PERIOD_RULES: tuple[Callable[[Tokens, int], tuple[Node, int] | None], ...] = (
    _portion,
    _month_alone,
    feast,
    _season,
    _decade,
    _unit,
    year,
)
