"""Resolve time expressions of the news to days, counted from the report's date.

Joins tokens, grammar and calendar; the words are in the packaged table, the rules in the modules that it calls.
"""

from dataclasses import dataclass

from saytara.document import Annotation, Entry, TimeValue
from saytara.linking.calendars import Day
from saytara.linking.time_dates import Tokens, is_kind
from saytara.linking.time_grammar import parse, parts_of_day
from saytara.linking.time_nodes import Distance, Node, Portion
from saytara.linking.time_tokens import Kind, tokens
from saytara.linking.time_values import Unresolved, value_of

MAX_CHARACTERS = 400
"""No time expression is longer; what is, is not read."""


@dataclass(frozen=True, slots=True)
class Resolution:
    """The days of a time expression, or the reason why there are none."""

    value: TimeValue | None
    reason: str | None = None
    precision: int | None = None
    """1: a day or a night, 2: some days or about that day, 3: weeks and more, or a day counted in months or years."""


def resolve(text: str, anchor: Day | None) -> Resolution:
    """Resolve one time expression; `anchor` is the report's date, without which only full dates have a value.

    >>> import datetime
    >>> resolve("فجر الجمعة", datetime.date(2024, 12, 8)).value
    TimeValue(start=datetime.date(2024, 12, 6), end=datetime.date(2024, 12, 6))
    """
    if len(text) > MAX_CHARACTERS:
        return Resolution(None, "too long for a time expression")
    found = tokens(text)
    node = parse(found)
    if node is None:
        return Resolution(None, _why_not(found))
    try:
        value = value_of(node, anchor)
    except Unresolved as error:
        return Resolution(None, str(error))
    return Resolution(value, None, _precision(node, value))


def _precision(node: Node, value: TimeValue) -> int:
    if isinstance(node, Distance):
        units = {amount.unit for amount in node.amounts}
        if not units <= {"minute", "hour", "day", "week"}:
            return 3
        return 2 if node.is_about or "week" in units else 1
    days = (value.end - value.start).days + 1
    return 1 if days <= 2 and not isinstance(node, Portion) else 2 if days <= 11 else 3


_REASONS: tuple[tuple[str, tuple[Kind, ...]], ...] = (
    ("vague", (Kind.VAGUE,)),
    ("comes again and again", (Kind.EACH,)),
    ("depends on a time told elsewhere", (Kind.SAME,)),
    ("gives only a limit", (Kind.BOUND,)),
    ("gives no count", (Kind.SOME,)),
    ("counts from another event", (Kind.AFTER,)),
)


def _why_not(found: Tokens) -> str:
    """A reason for tokens that the grammar does not read."""
    kinds = {token.kind for token in found}
    start = 1 if is_kind(found, 0, Kind.AND) else 0
    if found and parts_of_day(found, start) == len(found):
        return "names no day"
    for reason, telling in _REASONS:
        if not kinds.isdisjoint(telling):
            return reason
    unknown = [token.text for token in found if token.kind is Kind.UNKNOWN]
    if unknown:
        return f'unknown word "{unknown[0]}"'
    begins = {token.kind for token in found[start : start + 1]}
    if not begins.isdisjoint({Kind.AGO, Kind.UNTIL}) and Kind.UNIT not in kinds:
        return "gives only a limit"
    if Kind.UNIT in kinds:
        uncounted = any(token.kind is Kind.UNIT and token.value == 0 for token in found)
        has_number = not kinds.isdisjoint({Kind.DIGITS, Kind.NUMBER})
        return "gives no count" if uncounted and not has_number else "a duration, no date"
    return "not understood"


class TimeLinker:
    """Gives TIME mentions their days, counted from the document's date."""

    def link(self, annotation: Annotation) -> tuple[dict[str, Entry], list[str]]:
        """Entries by mention id, and one warning for each reason why mentions have no days."""
        entries: dict[str, Entry] = {}
        reasons: dict[str, list[tuple[str, str]]] = {}
        for mention in annotation.mentions:
            if mention.label != "TIME":
                continue
            text = annotation.text_of(mention.span)
            resolution = resolve(text, annotation.document.date)
            if resolution.value:
                entries[mention.id] = resolution.value
            else:
                reasons.setdefault(resolution.reason or "not understood", []).append((mention.id, text))
        return entries, [_warning(reason, mentions) for reason, mentions in reasons.items()]


def _warning(reason: str, mentions: list[tuple[str, str]]) -> str:
    ids = ", ".join(id for id, _ in mentions)
    texts = ", ".join(dict.fromkeys(f'"{text}"' for _, text in mentions))
    return f"{ids}: {texts}: {reason}"
