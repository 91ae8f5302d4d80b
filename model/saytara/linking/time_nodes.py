"""What a time expression says, before the report's date turns it into days.

Holds values only.
"""

from dataclasses import dataclass

from saytara.linking.calendars import Calendar

LAST_DAY = -1
"""As the day of a month: its last."""


@dataclass(frozen=True, slots=True)
class RelativeDay:
    """Today, yesterday, tomorrow, …, perhaps with the name of the weekday."""

    offset: int
    weekday: int | None = None


@dataclass(frozen=True, slots=True)
class Weekday:
    """A day of the week; Monday is 0."""

    weekday: int
    shift: int | None = None
    """-1 last, -2 the one before last, 0 of this week, 1 next."""
    week: int | None = None
    """The same for a week that is named besides it."""


@dataclass(frozen=True, slots=True)
class Date:
    """A day of a month, or a month; what is None is not said."""

    day: int | None = None
    month: int | None = None
    year: int | None = None
    shift: int | None = None
    """Of the month: -1 last, 0 this, 1 next."""
    year_shift: int | None = None
    calendar: Calendar = Calendar.GREGORIAN
    weekday: int | None = None
    length: int = 1
    """Days from the day on; more than one for feasts."""


@dataclass(frozen=True, slots=True)
class Unit:
    """This, last or next week, month, year, century; or a year or century by its number."""

    unit: str
    shift: int = 0
    number: int | None = None
    calendar: Calendar | None = Calendar.GREGORIAN
    """Of a year; None where its number may be of either."""


@dataclass(frozen=True, slots=True)
class Season:
    """Three months from the one that `month` numbers."""

    month: int
    shift: int | None = None
    year: int | None = None
    year_shift: int | None = None


@dataclass(frozen=True, slots=True)
class Decade:
    """The twenties to the nineties of a century; of the latest one where none is said."""

    tens: int
    century: Unit | None = None


@dataclass(frozen=True, slots=True)
class Portion:
    """Beginning, middle, end or a numbered part of something longer."""

    whole: "Node"
    name: str
    """``start``, ``middle``, ``end``, ``half``, ``third``, ``quarter``, or a unit."""
    number: int = 1
    """Which one; `LAST_DAY` for the last."""
    count: int = 1
    """How many of them."""


@dataclass(frozen=True, slots=True)
class Amount:
    """A number of units, such as three months."""

    number: float
    unit: str


@dataclass(frozen=True, slots=True)
class Distance:
    """The day that lies so far from the report's."""

    amounts: tuple[Amount, ...]
    is_ahead: bool = False
    is_about: bool = False


@dataclass(frozen=True, slots=True)
class Stretch:
    """The last or the next so many units, counted from the report's day."""

    amount: Amount
    is_ahead: bool = False


@dataclass(frozen=True, slots=True)
class Night:
    """From one weekday to the next one."""

    first: int
    shift: int | None = None


@dataclass(frozen=True, slots=True)
class Between:
    """From the first to the last."""

    first: "Node"
    last: "Node"


@dataclass(frozen=True, slots=True)
class Several:
    """All of the items, which must touch to be one range of days."""

    items: tuple["Node", ...]


Node = (
    RelativeDay | Weekday | Date | Unit | Season | Decade | Portion | Distance | Stretch | Night | Between | Several
)
