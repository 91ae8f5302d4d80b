"""Normalise Arabic text for an encoder and remember where every character came from.

Never changes the document itself and decides nothing about words or sentences.
"""

import re
import unicodedata
from array import array
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from saytara.errors import ConfigError, closest

TATWEEL = "\u0640"
MARKS = "\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed"
"""Tashkeel and Quranic marks, as the inside of a character class."""

_RULES: Mapping[str, tuple[str, str]] = {
    # option: (characters it is about, as a regular expression; what it does, for messages)
    "compose_hamza": (
        r"[\u0627\u0648\u064a][\u0653-\u0655]",
        "alef, waw or yeh followed by a combining hamza or madda",
    ),
    "strip_tashkeel": (rf"[{MARKS}]", "vowel marks"),
    "strip_tatweel": (TATWEEL, "the stretching stroke"),
    "strip_invisible": (
        r"[\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe00-\ufe0f\ufeff]",
        "bidirectional marks, joiners, soft hyphens, byte-order marks",
    ),
    "fold_presentation_forms": (
        r"[\ufb50-\ufdf9\ufdfb-\ufdfc\ufe70-\ufefc]",
        "shaped letters and ligatures of old encodings",
    ),
    "ascii_digits": (r"[\u0660-\u0669\u06f0-\u06f9]", "Arabic-Indic and Persian digits"),
    "arabic_letters": (r"[\u06a9\u06aa\u06cc\u06d2\u06c1\u06be\u06d5]", "Persian and Urdu forms of kaf, yeh and heh"),
    "plain_spaces": (r"[\t\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]", "odd spaces"),
    "plain_newlines": (r"\r\n|[\r\v\f\x85\u2028\u2029]", "line ends of other systems"),
    "no_controls": (
        r"[\x00-\x08\x0e-\x1f\x7f\x80-\x84\x86-\x9f\ud800-\udfff]",
        "control characters and lone surrogates",
    ),
}

_LETTERS = {
    "\u06a9": "\u0643",  # keheh -> kaf
    "\u06aa": "\u0643",  # swash kaf -> kaf
    "\u06cc": "\u064a",  # Farsi yeh -> yeh
    "\u06d2": "\u064a",  # yeh barree -> yeh
    "\u06c1": "\u0647",  # heh goal -> heh
    "\u06be": "\u0647",  # heh doachashmee -> heh
    "\u06d5": "\u0647",  # ae -> heh
}


@dataclass(frozen=True, slots=True)
class Normalization:
    """Which changes an encoder expects; a field of every checkpoint."""

    compose_hamza: bool = True
    strip_tashkeel: bool = True
    strip_tatweel: bool = True
    strip_invisible: bool = True
    fold_presentation_forms: bool = True
    ascii_digits: bool = True
    arabic_letters: bool = False
    plain_spaces: bool = True
    plain_newlines: bool = True
    no_controls: bool = True

    def to_dict(self) -> dict[str, bool]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Normalization":
        known = [field.name for field in fields(cls)]
        for key in values:
            if key not in known:
                raise ConfigError(f"unknown normalisation {key!r}; {closest(key, known)}")
        return cls(**{key: bool(value) for key, value in values.items()})


NORMALIZATIONS: Mapping[str, Normalization] = {
    # multilingual-e5-small (XLM-R vocabulary): letters left alone, hamza kept
    "compact": Normalization(),
    # AraBERT v02 (Antoun et al. 2020, `ArabertPreprocessor` without Farasa): digits stay as written there too,
    # but its vocabulary was built on text without tashkeel and tatweel
    "arabert": Normalization(ascii_digits=True, arabic_letters=True),
    # CAMeLBERT (Inoue et al. 2021): dediacritised, no letter folding
    "camelbert": Normalization(ascii_digits=False),
}


@dataclass(frozen=True, slots=True)
class NormalizedText:
    """Normalised text with, for each of its characters, the half-open source range it stands for."""

    text: str
    starts: "array[int]"
    ends: "array[int]"

    def source(self, start: int, end: int) -> tuple[int, int]:
        """Source range of the non-empty normalised range ``[start, end)``."""
        return self.starts[start], self.ends[end - 1]


def normalize(text: str, normalization: Normalization) -> NormalizedText:
    """Normalise `text`; linear time.

    >>> normalize("حِمْــص", Normalization()).text
    'حمص'
    """
    pattern, act = _compiled(normalization)
    pieces: list[str] = []
    starts, ends = array("q"), array("q")
    done = 0
    for match in pattern.finditer(text):
        _keep(text, done, match.start(), pieces, starts, ends)
        done = match.end()
        new = act(match)
        if new:
            pieces.append(new)
            starts.extend([match.start()] * len(new))
            ends.extend([match.end()] * len(new))
        elif ends and match.lastgroup in ("strip_tashkeel", "strip_tatweel") and ends[-1] == match.start():
            ends[-1] = match.end()  # a mark belongs to the letter that it follows
    _keep(text, done, len(text), pieces, starts, ends)
    return NormalizedText("".join(pieces), starts, ends)


def _keep(text: str, start: int, end: int, pieces: list[str], starts: "array[int]", ends: "array[int]") -> None:
    if end > start:
        pieces.append(text[start:end])
        starts.extend(range(start, end))
        ends.extend(range(start + 1, end + 1))


def _replacement(kind: str | None, found: str) -> str:
    match kind:
        case "compose_hamza":
            return unicodedata.normalize("NFC", found)
        case "strip_tashkeel" | "strip_tatweel" | "strip_invisible":
            return ""
        case "fold_presentation_forms":
            folded = unicodedata.normalize("NFKC", found)
            return "" if folded.startswith((" ", TATWEEL)) else re.sub(f"[{MARKS}]", "", folded)
        case "ascii_digits":
            return str(unicodedata.digit(found))
        case "arabic_letters":
            return _LETTERS[found]
        case "plain_newlines":
            return "\n"
        case "no_controls":
            return "\ufffd" if "\ud800" <= found <= "\udfff" else " "
        case _:
            return " "


_CACHE: dict[Normalization, re.Pattern[str]] = {}


def _compiled(normalization: Normalization) -> tuple[re.Pattern[str], Callable[[re.Match[str]], str]]:
    pattern = _CACHE.get(normalization)
    if pattern is None:
        groups = [f"(?P<{name}>{rule})" for name, (rule, _) in _RULES.items() if getattr(normalization, name)]
        pattern = _CACHE[normalization] = re.compile("|".join(groups) or r"(?!)")
    return pattern, lambda match: _replacement(match.lastgroup, match.group())
