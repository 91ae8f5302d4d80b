"""Arithmetic of the Gregorian and the Umm al-Qura calendar, and of weeks from Saturday to Friday.

Knows no words; a day that a calendar does not have is None.
"""

import datetime
from calendar import monthrange
from enum import StrEnum

Day = datetime.date
SATURDAY = 5
"""By the count of `datetime`, where Monday is 0."""


class Calendar(StrEnum):
    """Which calendar a year, a month and a day belong to."""

    GREGORIAN = "g"
    HIJRI = "h"


def split(day: Day, calendar: Calendar) -> tuple[int, int, int] | None:
    """Year, month and day of the month; None outside of the tables of Umm al-Qura (1924 to 2077)."""
    if calendar is Calendar.GREGORIAN:
        return day.year, day.month, day.day
    from hijridate import Gregorian

    try:
        year, month, number = Gregorian.fromdate(day).to_hijri().datetuple()
    except OverflowError:
        return None
    return year, month, number


def day_of(year: int, month: int, number: int, calendar: Calendar) -> Day | None:
    """The day of a year, month and number; None where there is no such day.

    >>> day_of(1446, 9, 1, Calendar.HIJRI)
    datetime.date(2025, 3, 1)
    """
    try:
        if calendar is Calendar.GREGORIAN:
            return datetime.date(year, month, number)
        from hijridate import Hijri

        return datetime.date.fromordinal(Hijri(year, month, number).to_gregorian().toordinal())
    except (ValueError, OverflowError):
        return None


def month_length(year: int, month: int, calendar: Calendar) -> int | None:
    """Days of a month; None where the calendar does not have it."""
    if day_of(year, month, 1, calendar) is None:
        return None
    if calendar is Calendar.GREGORIAN:
        return monthrange(year, month)[1]
    from hijridate import Hijri

    return Hijri(year, month, 1).month_length()


def month_away(year: int, month: int, months: int) -> tuple[int, int]:
    """Year and month so many months later (earlier where negative)."""
    years, index = divmod(year * 12 + month - 1 + months, 12)
    return years, index + 1


def days_away(day: Day, days: int) -> Day | None:
    """The day so many days later; None where the calendar has ended."""
    try:
        return day + datetime.timedelta(days=days)
    except OverflowError:
        return None


def months_away(day: Day, months: int) -> Day | None:
    """The day so many months later, cut to the month's last day where it is shorter.

    >>> months_away(datetime.date(2024, 3, 31), -1)
    datetime.date(2024, 2, 29)
    """
    year, month = month_away(day.year, day.month, months)
    length = month_length(year, month, Calendar.GREGORIAN)
    return datetime.date(year, month, min(day.day, length)) if length else None


def week_of(day: Day) -> Day | None:
    """The Saturday on which the week of a day begins."""
    return days_away(day, -((day.weekday() - SATURDAY) % 7))


def weekday_until(day: Day, weekday: int) -> Day | None:
    """The latest such weekday that is not after `day`."""
    return days_away(day, -((day.weekday() - weekday) % 7))


def weekday_after(day: Day, weekday: int) -> Day | None:
    """The first such weekday after `day`."""
    return days_away(day, (weekday - day.weekday() - 1) % 7 + 1)
