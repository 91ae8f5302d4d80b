"""Clean names: a mention without attached clitics and quotation marks.

Looks nothing up in a gazetteer.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Name:
    """A cleaned mention with its range inside the mention."""

    name: str
    start: int
    end: int


def clean_name(text: str, label: str) -> Name:
    """Strip quotation marks around a mention."""
    start, end = 0, len(text)
    while start < end and text[start] in "\"'«»“”()[] ":
        start += 1
    while end > start and text[end - 1] in "\"'«»“”()[] ":
        end -= 1
    return Name(text[start:end], start, end)
