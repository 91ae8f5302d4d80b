"""Cut a part out of a longer time: its beginning, a quarter, its last week.

Knows days only, no words and no report.
"""

from saytara.document import TimeValue
from saytara.linking.calendars import Day, days_away, months_away
from saytara.linking.time_nodes import LAST_DAY

_THIRDS = {"start": 1, "middle": 2, "end": 3}
_SHARES = {"half": 2, "third": 3, "quarter": 4}


def portion_of(whole: TimeValue, name: str, number: int, count: int) -> TimeValue | None:
    """The numbered part of `whole`; None where there is none.

    Beginning, middle and end are thirds: of a month days 1–10, 11–20 and 21 to the last; of a year four months each;
    of a week two, three and two days; of a decade three, four and three years.
    """
    if name in _THIRDS:
        return _share(whole, _THIRDS[name], 3)
    if name in _SHARES:
        share = _SHARES[name] if number == LAST_DAY else number
        return _share(whole, share, _SHARES[name]) if 1 <= share <= _SHARES[name] else None
    return _units(whole, name, number, count)


def _share(whole: TimeValue, share: int, shares: int) -> TimeValue | None:
    days = (whole.end - whole.start).days + 1
    if days == 7 and shares == 3:
        bounds: tuple[int, ...] = (0, 2, 5, 7)
    elif 28 <= days <= 31 and shares in (2, 3):
        bounds = (0, 15, days) if shares == 2 else (0, 10, 20, days)
    elif (months := _whole_months(whole)) == 120 and shares == 3:  # years 0 to 2, 3 to 6, 7 to 9
        years = (0, 3, 7, 10)
        return _until(months_away(whole.start, 12 * years[share - 1]), months_away(whole.start, 12 * years[share]))
    elif months and months % shares == 0:
        start = months_away(whole.start, months // shares * (share - 1))
        after = months_away(whole.start, months // shares * share)
        return _until(start, after)
    else:
        bounds = tuple(days * one // shares for one in range(shares + 1))
    return _until(days_away(whole.start, bounds[share - 1]), days_away(whole.start, bounds[share]))


def _units(whole: TimeValue, unit: str, number: int, count: int) -> TimeValue | None:
    """Units counted from the beginning, or the last ones."""
    after_whole = days_away(whole.end, 1)
    if after_whole is None:
        return None
    if number == LAST_DAY:
        start, after = _away(after_whole, unit, -count), after_whole
        return _until(start, after) if start and start >= whole.start else None
    start, end = _away(whole.start, unit, number - 1), _away(whole.start, unit, number - 1 + count)
    if start is None or end is None or start > whole.end:
        return None
    return _until(start, min(end, after_whole))


def _away(day: Day, unit: str, number: int) -> Day | None:
    match unit:
        case "day":
            return days_away(day, number)
        case "week":
            return days_away(day, 7 * number)
        case "month":
            return months_away(day, number)
        case _:
            return months_away(day, 12 * number)


def _until(start: Day | None, after: Day | None) -> TimeValue | None:
    end = days_away(after, -1) if after else None
    return TimeValue(start, end) if start and end and start <= end else None


def _whole_months(whole: TimeValue) -> int | None:
    """How many months of our calendar a time is made of; None where it begins or ends inside of one."""
    after = days_away(whole.end, 1)
    if after is None or whole.start.day != 1 or after.day != 1:
        return None
    return (after.year - whole.start.year) * 12 + after.month - whole.start.month
