"""Clean names: a mention without attached clitics, quotation marks and, for places, its category noun.

A letter is taken off only on evidence: the rest is a known name and the whole is not, the article
follows, or the same document spells the name without it. Looks up no entries.
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass
from functools import cache
from importlib import resources

from saytara.arabic.fold import fold
from saytara.document import Annotation

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
    "احيا": ("quarter", False),  # quarters, of a city or by name
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
    "مرفا": ("port", False),  # harbour
    "ميناي": ("port", False),  # two ports, and so on
    "مطاري": ("airport", False),
    "قاعدتي": ("base", False),
    "معسكري": ("base", False),
    "معبري": ("crossing", False),
    "مخيمي": ("camp", False),
    "حقلي": ("field", False),
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
_OPENING = "\u0640\"«“'("
_SHORT_HEADS = frozenset({"حي", "تل", "سد", "ام"})
"""First words of two letters of place names, quarter, hill, dam and "mother of", from which a clitic is cut."""
_BETWEEN = " \u00a0،,\"«»“”'()"
"""What may stand between the mentions of a coordination."""


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


def clean_name(text: str, label: str, *, seen: Set[str] = frozenset(), is_joined: bool = False) -> Name:
    """Clean the mention `text` of that label.

    Args:
        seen: folded first words of the document's other mentions, as evidence for cutting a clitic.
        is_joined: it follows another mention at once, so that a `و` in front is likely "and".

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
    short = _SHORT_HEADS if label == "PLACE" and text[first_end:end].strip() else frozenset()
    cut, restored = _clitics(text[start:first_end], seen | short, is_joined)
    name = restored + text[start + cut : end]
    start += cut
    while start < end and text[start] in _OPENING:  # بـ«حمص»
        start += 1
        name = text[start:end]
    if label != "PLACE":
        return Name(name, start, end)
    return _without_category(name, text, start, end)


def clean_names(annotation: Annotation) -> dict[str, Name]:
    """Clean names of all mentions of an annotation by id, each with the others as evidence."""
    text = annotation.document.text
    firsts = {mention.id: _first_word(annotation.text_of(mention.span)) for mention in annotation.mentions}
    seen = frozenset(firsts.values())
    names = {}
    previous_end: int | None = None
    for mention in sorted(annotation.mentions, key=lambda mention: mention.span):
        between = "x" if previous_end is None else text[previous_end : mention.span.start]
        is_joined = not between.strip(_BETWEEN) and between != ""
        names[mention.id] = clean_name(annotation.text_of(mention.span), mention.label, seen=seen, is_joined=is_joined)
        previous_end = mention.span.end
    return {mention.id: names[mention.id] for mention in annotation.mentions}


def _first_word(text: str) -> str:
    return fold(text).partition(" ")[0]


def _clitics(word: str, seen: Set[str], is_joined: bool) -> tuple[int, str]:
    """How many letters of the first word are clitics, and what must stand in front of the rest.

    The shortest clitic that leaves a known word is taken, so that `ولبنان` keeps its lam.
    """
    known = known_words()
    folded = fold(word)
    if len(folded) < MIN_REST or folded in known:
        return 0, ""
    swallowed = _swallowed(word, known)
    if swallowed is not None:
        return swallowed
    bare = word.replace("\u0640", "")
    for clitic, article in sorted(_CLITICS, key=lambda pair: len(pair[0]) - len(pair[1])):
        if not word.startswith(clitic):
            continue
        after = word[len(clitic) :]
        rest = article + fold(after)
        if not article and after[:1] in _OPENING and len(fold(after)) > 1:
            return len(clitic), ""  # a stroke or a quotation mark parts it from the name
        if not article and len(fold(after)) < MIN_REST and not (len(clitic) == 1 and (rest in known or rest in seen)):
            continue
        if article and len(fold(after)) < MIN_REST - 1:
            continue
        if not article and rest.startswith("ال") and clitic not in ("و", "ف"):
            continue  # the clitic with the article comes as one
        if rest in known or (article and fold(after) in known) or rest in seen:
            return _cut(clitic, article)
    for clitic, article in _CLITICS:
        if clitic in _SURE and bare.startswith(clitic) and len(fold(word[len(clitic) :])) >= MIN_REST:
            return _cut(clitic, article)
    if is_joined and bare.startswith("و") and len(folded) > MIN_REST + 1:
        return 1, ""
    return 0, ""


def _swallowed(word: str, known: Set[str]) -> tuple[int, str] | None:
    """What to cut off a word with two lams in front, of which one may belong to the name: `للبنان`, `للاذقية`."""
    for conjunction in ("", "و", "ف"):
        rest = word.removeprefix(conjunction)
        if not word.startswith(conjunction + "لل"):
            continue
        if fold(rest[1:]) in known:
            return len(conjunction) + 1, ""
        if fold("ا" + rest) in known:
            return len(conjunction), "ا"
    return None


def _cut(clitic: str, article: str) -> tuple[int, str]:
    if clitic.endswith("لل"):
        return len(clitic) - 1, "ا"
    return len(clitic) - len(article), ""


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


def _possessed(word: str) -> list[str]:
    """A folded noun with each possessive ending: `مدينه` to `مدينتها`, `مينا` to `مينايها`."""
    stem = word.removesuffix("ه") + "ت" if word.endswith("ه") else word
    stems = (stem, stem + "ي") if stem.endswith("ا") else (stem,)
    return [stem + ending for stem in stems for ending in ("ها", "هم", "ه", "هما", "نا")]


@cache
def known_words() -> frozenset[str]:
    """Folded first words of known names: gazetteers, category nouns, heads of actor mentions."""
    table = resources.files("saytara.linking").joinpath("tables", "known_words.txt")
    listed = table.read_text(encoding="utf-8").split("\n") if table.is_file() else []
    nouns = {form for word in CATEGORIES for form in (word, "ال" + word, *_possessed(word))}
    return frozenset(word for word in listed if word) | nouns
