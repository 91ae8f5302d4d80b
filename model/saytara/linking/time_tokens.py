"""Cut a time expression into tokens whose meaning the packaged table of time words tells.

Knows single words and fixed sequences only; what they say together is for the grammar.
"""

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from importlib import resources

from saytara.arabic.fold import fold
from saytara.arabic.normalize import NORMALIZATIONS, normalize


class Kind(StrEnum):
    """What a token is; the kinds of the table ``time_words.tsv``, and those that need no table."""

    WEEKDAY = "weekday"
    MONTH = "month"
    HIJRI_MONTH = "hijri_month"
    FEAST = "feast"
    NUMBER = "number"
    ORDINAL = "ordinal"
    MONTH_DAY = "month_day"
    UNIT = "unit"
    DAY = "day"
    PART_OF_DAY = "part_of_day"
    EARLY_LATE = "early_late"
    SHIFT = "shift"
    LAST = "last"
    THIS = "this"
    PORTION = "portion"
    FRACTION = "fraction"
    SEASON = "season"
    SEASON_WORD = "season_word"
    DECADE = "decade"
    ERA = "era"
    AGO = "ago"
    SINCE = "since"
    AFTER = "after"
    NOW = "now"
    UNTIL = "until"
    FROM = "from"
    BETWEEN = "between"
    AND = "and"
    OF_IT = "of_it"
    MATCHING = "matching"
    CLOCK = "clock"
    LESS = "less"
    ZONE = "zone"
    ABOUT = "about"
    BOUND = "bound"
    SOME = "some"
    SAME = "same"
    EACH = "each"
    VAGUE = "vague"
    FILLER = "filler"
    DIGITS = "digits"
    NUMERIC_DATE = "numeric_date"
    TIME_OF_CLOCK = "time_of_clock"
    SLASH = "slash"
    DASH = "dash"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Token:
    """A word, number or sign with what it means."""

    kind: Kind
    text: str
    value: int = 0
    name: str = ""
    """Of a unit, portion, calendar."""
    numbers: tuple[int, ...] = ()
    is_definite: bool = False


_PIECE = re.compile(
    r"""
    (?P<date>(?<![0-9])[0-9]{1,4}\s?(?P<sign>[/.\-])\s?[0-9]{1,2}\s?(?P=sign)\s?[0-9]{1,4}(?![0-9]))  # 7/12/2024
    | (?P<clock>(?<![0-9])[0-9]{1,2}\s?:\s?[0-9]{2}(?::[0-9]{2})?(?![0-9]))                         # 18:44
    | (?P<digits>[0-9]+)
    | (?P<word>[^\W\d_]+)
    | (?P<slash>/)
    | (?P<dash>[-\u2010-\u2015\u2212])
    | (?P<nothing>[\s()\[\],.:;\u060c\u061b"'\u00ab\u00bb\u2018-\u201f_]+)
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
MAX_DIGITS = 6


def tokens(text: str) -> list[Token]:
    """The tokens of a time expression, without punctuation and words that say nothing about the day.

    >>> [token.kind.value for token in tokens("وفجر الجمعة")]
    ['and', 'part_of_day', 'weekday']
    """
    found: list[Token] = []
    words: list[str] = []
    for match in _PIECE.finditer(normalize(text, NORMALIZATIONS["compact"]).text):
        kind, piece = match.lastgroup, match.group()
        if kind == "word":
            if word := fold(piece):
                words.append(word)
            continue
        if kind == "nothing":
            continue
        found += _of_words(words)
        words = []
        numbers = tuple(int(number) for number in re.findall(r"[0-9]+", piece)) if len(piece) < 20 else ()
        match kind:
            case "date":
                found.append(Token(Kind.NUMERIC_DATE, piece, numbers=numbers))
            case "clock":
                found.append(Token(Kind.TIME_OF_CLOCK, piece, numbers=numbers))
            case "digits" if len(piece) <= MAX_DIGITS:
                found.append(Token(Kind.DIGITS, piece, value=numbers[0]))
            case "slash" | "dash":
                found.append(Token(Kind(kind), piece))
            case _:
                found.append(Token(Kind.UNKNOWN, piece))
    found += _of_words(words)
    return [token for token in found if token.kind is not Kind.FILLER]


def _of_words(words: list[str]) -> list[Token]:
    """Tokens of adjacent folded words: the longest entry of the table at each place."""
    found: list[Token] = []
    at = 0
    while at < len(words):
        has_and, token, length = _longest(words, at)
        if has_and:
            found.append(Token(Kind.AND, "و"))  # and
        found.append(token)
        at += length
    return found


def _longest(words: list[str], at: int) -> tuple[bool, Token, int]:
    table = _table()
    for has_and, first in _without_clitics(words[at]):
        best: tuple[int, Token] | None = None
        for form in (first, _bare(first)):
            for rest, token in table.get(form, ()):
                after = words[at + 1 : at + 1 + len(rest)]
                fits = len(after) == len(rest) and all(
                    key in (word, _bare(word)) for key, word in zip(rest, after, strict=True)
                )
                if fits and (best is None or 1 + len(rest) > best[0]):
                    text = " ".join(words[at : at + 1 + len(rest)])
                    best = 1 + len(rest), replace(token, text=text, is_definite=first.startswith("ال"))
        if best:
            return has_and, best[1], best[0]
    return False, Token(Kind.UNKNOWN, words[at]), 1


def _without_clitics(word: str) -> list[tuple[bool, str]]:
    """The readings of a word, the likeliest first: as it is, without ``و`` or ``ف``, without a preposition.

    A joined ``و`` counts as a token of its own. A final alef may be that of an adverb.
    """
    readings = [(False, word)]
    for joined in ("و", "ف"):  # and, so
        if word.startswith(joined) and len(word) > 2:
            readings.append((joined == "و", word[1:]))
    for has_and, rest in tuple(readings):
        if rest.startswith("لل") and len(rest) > 4:  # for the
            readings.append((has_and, "ال" + rest[2:]))
        if rest[0] in "بلك" and len(rest) > 2:  # in, for, as
            readings.append((has_and, rest[1:]))
    return readings + [(has_and, rest[:-1]) for has_and, rest in readings if rest.endswith("ا") and len(rest) > 3]


def _bare(word: str) -> str:
    return word[2:] if word.startswith("ال") and len(word) > 3 else word


@cache
def _table() -> dict[str, list[tuple[tuple[str, ...], Token]]]:
    """First folded word of an entry to the others and the token.

    An entry written with the article needs it, one without may have it.
    """
    table: dict[str, list[tuple[tuple[str, ...], Token]]] = {}
    text = resources.files("saytara.linking").joinpath("tables", "time_words.tsv").read_text(encoding="utf-8")
    for line in text.splitlines()[1:]:
        kind, value, _, spellings = line.split("\t")
        fields = value.split()
        name = next((field for field in fields if not field.lstrip("-").isdigit()), "")
        numbers = tuple(int(field) for field in fields if field.lstrip("-").isdigit())
        token = Token(Kind(kind), "", numbers[0] if numbers else 0, name, numbers)
        for spelling in dict.fromkeys(fold(spelling) for spelling in spellings.split("|")):
            first, *rest = spelling.split(" ")
            table.setdefault(first, []).append((tuple(rest), token))
    return table
