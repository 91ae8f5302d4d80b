"""Clean names: a mention without attached clitics, quotation marks and, for places, its category noun.

A letter is taken off only on evidence: the rest is a known name and the whole is not, the article
follows, or the same document spells the name without it. Looks up no entries.
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass
from functools import cache
from importlib import resources

from saytara.arabic.fold import fold

_QUOTES = frozenset("#_\"'«»“”‘’()[]{}<> \u00a0،.:;؛-–—")

CATEGORIES: Mapping[str, tuple[str, bool]] = {
    # category noun (folded): (category, whether the name stands without it)
    "مدينه": ("city", True),  # city
    "مدينتي": ("city", True),  # two cities
    "مدينتا": ("city", True),
    "مدن": ("city", True),
    "بلده": ("town", True),  # town
    "بلدتي": ("town", True),
    "بلدتا": ("town", True),
    "بلدات": ("town", True),
    "قريه": ("village", True),  # village
    "قريتي": ("village", True),
    "قريتا": ("village", True),
    "قري": ("village", True),
    "محافظه": ("governorate", True),  # governorate
    "محافظتي": ("governorate", True),
    "محافظتا": ("governorate", True),
    "محافظات": ("governorate", True),
    "ولايه": ("state", True),  # state of Sudan, wilaya
    "ولايتي": ("state", True),
    "ولايتا": ("state", True),
    "ولايات": ("state", True),
    "اقليم": ("region", True),  # region
    "مقاطعه": ("province", True),  # province, oblast
    "مقاطعتي": ("province", True),
    "قضا": ("district", True),  # district of Iraq, Lebanon
    "مديريه": ("district", True),  # district of Yemen
    "مديريتي": ("district", True),
    "مديريات": ("district", True),
    "محليه": ("district", True),  # locality of Sudan
    "ناحيه": ("subdistrict", True),  # subdistrict
    "منطقه": ("area", True),  # area
    "منطقتي": ("area", True),
    "مناطق": ("area", False),
    "حي": ("quarter", True),  # quarter
    "حيي": ("quarter", True),
    "احيا": ("quarter", True),
    "ضاحيه": ("suburb", True),  # suburb
    "عاصمه": ("city", False),  # capital
    "ريف": ("countryside", False),  # countryside
    "ارياف": ("countryside", False),
    "مخيم": ("camp", False),  # refugee camp
    "مطار": ("airport", False),  # airport
    "قاعده": ("base", False),  # base
    "معسكر": ("base", False),
    "ثكنه": ("base", False),
    "لوا": ("base", False),  # the barracks of a brigade
    "كتيبه": ("base", False),
    "معبر": ("crossing", False),  # crossing
    "منفذ": ("crossing", False),
    "ميناء": ("port", False),  # port
    "مينا": ("port", False),
    "سجن": ("prison", False),  # prison
    "سد": ("dam", False),  # dam
    "حقل": ("field", False),  # oil field
    "حقول": ("field", False),
    "مصفاه": ("refinery", False),  # refinery
    "طريق": ("road", False),  # road
    "اوتوستراد": ("road", False),
    "شارع": ("road", False),
    "جسر": ("bridge", False),  # bridge
    "نهر": ("river", False),  # river
    "جبل": ("mountain", False),  # mountain
    "جبال": ("mountain", False),
    "تل": ("hill", False),  # hill
    "تله": ("hill", False),
    "وادي": ("valley", False),  # valley
    "جزيره": ("island", False),  # island
    "محور": ("front", False),  # front line
    "جبهه": ("front", False),
    "حاجز": ("checkpoint", False),  # checkpoint
    "قصر": ("building", False),  # palace
    "مبني": ("building", False),
    "مقر": ("building", False),  # headquarters
    "مستشفي": ("building", False),
    "قطاع": ("region", False),  # strip
    "شبه": ("region", False),  # (penin)sula
}

_CLITICS = (
    # clitics, longest first, with what they leave in front of the rest
    ("وبال", "ال"), ("ولل", "ال"), ("فبال", "ال"), ("وكال", "ال"), ("فلل", "ال"), ("وال", "ال"), ("بال", "ال"),
    ("فال", "ال"), ("كال", "ال"), ("لل", "ال"),
    ("وب", ""), ("ول", ""), ("وك", ""), ("فب", ""), ("فل", ""), ("و", ""), ("ف", ""), ("ب", ""), ("ل", ""), ("ك", ""),
)  # fmt: skip
_SURE = frozenset({"وبال", "ولل", "فبال", "وكال", "فلل", "وال", "بال", "لل"})
"""Clitics with the article, which are taken off even an unknown name."""
MIN_REST = 3


@dataclass(frozen=True, slots=True)
class Name:
    """A cleaned mention with its range inside the mention.

    Where `ل` has swallowed the alef of the article (`للجيش`), the name has it back (`الجيش`), and the range, which
    can only point at written letters, begins at the second lam.
    """

    name: str
    start: int
    end: int
    category: str | None = None
    """Kind of place that its category noun tells, or None."""


def clean_name(text: str, label: str, *, seen: Set[str] = frozenset()) -> Name:
    """Clean the mention `text` of that label.

    Args:
        seen: folded first words of the document's other mentions, as evidence for cutting a clitic.

    >>> clean_name("وبمدينة حمص", "PLACE")
    Name(name='حمص', start=8, end=11, category='city')
    """
    start, end = 0, len(text)
    while start < end and text[start] in _QUOTES:
        start += 1
    while end > start and text[end - 1] in _QUOTES:
        end -= 1
    if start == end:
        return Name(text, 0, len(text))
    first_end = start
    while first_end < end and not text[first_end].isspace():
        first_end += 1
    cut, restored = _clitics(text[start:first_end], seen)
    name = restored + text[start + cut : end]
    start += cut
    while start < end and text[start] in "\u0640\"«“'(":  # بـ«حمص»
        start += 1
        name = text[start:end]
    if label != "PLACE":
        return Name(name, start, end)
    return _without_category(name, text, start, end)


def _clitics(word: str, seen: Set[str]) -> tuple[int, str]:
    """How many letters of the first word are clitics, and what must stand in front of the rest."""
    known = known_words()
    folded = fold(word)
    if len(folded) < MIN_REST or folded in known:
        return 0, ""
    for clitic, article in _CLITICS:
        if not word.startswith(clitic):
            continue
        rest = article + fold(word[len(clitic) :])
        plain = rest.removeprefix("ال")
        if len(plain) < MIN_REST - 1 or (not article and len(plain) < MIN_REST):
            continue
        is_known = rest in known or fold(word[len(clitic) :]) in CATEGORIES or rest in seen
        if not article and rest.startswith("ال"):
            continue  # the clitic with the article comes first in the table
        if is_known or clitic in _SURE:
            swallowed = clitic.endswith("لل")
            cut = len(clitic) - (1 if swallowed else len(article))
            return cut, "ا" if swallowed else ""
    return 0, ""


def _without_category(name: str, text: str, start: int, end: int) -> Name:
    """Split a category noun off a place name, unless it is all there is or belongs to the name."""
    head, _, rest = name.partition(" ")
    folded = fold(head)
    category, is_apart = CATEGORIES.get(folded.removeprefix("ال"), (None, False))
    if category is None or not is_apart or not rest.strip() or folded.startswith("ال"):
        return Name(name, start, end, category)
    offset = text.index(rest, start)
    while offset < end and text[offset] in _QUOTES:
        offset += 1
    return Name(text[offset:end], offset, end, category)


@cache
def known_words() -> frozenset[str]:
    """Folded first words of known names: gazetteers, category nouns, heads of actor mentions."""
    table = resources.files("saytara.linking").joinpath("tables", "known_words.txt")
    listed = table.read_text(encoding="utf-8").split("\n") if table.is_file() else []
    return frozenset(word for word in listed if word) | frozenset(CATEGORIES) | frozenset("ال" + word for word in CATEGORIES)
