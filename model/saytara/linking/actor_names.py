"""Read an actor mention: the names of the gazetteer in it, or the noun by which it points back.

Works on one mention alone; chooses between no two actors.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from saytara.linking.actor_table import GENERIC, ActorTable, Reading, key

MEMBERS = frozenset(
    # nouns in front of a name that say "people of", "parts of": fighters, elements, men, troops, leaders, aircraft …
    """مقاتلو مقاتلي مقاتلين عناصر عنصر افراد رجال مسلحو مسلحي مسلحين جنود مجندي ارهابيو ارهابيي متمردو متمردي متشددو
    متشددي مجاهدو مجاهدي ثوار قوات قوه وحدات وحده كتايب كتيبه فصايل فصيل مجموعات مجموعه ميليشيا جماعه جماعات تنظيم
    حركه حزب جبهه جيش تشكيلات فلول بقايا خلايا خليه قيادات قيادي قياده قاده كوادر اعضا انصار اتباع مرتزقه عصابات عصابه
    طيران طايرات مقاتلات دوريات دوريه تعزيزات حشود ارتال دبابات مدفعيه حواجز نقاط قناصه قناصو متطوعو متطوعي ابنا
    مقاتل سرايا لوا الويه فرقه فرق فيلق نظام حكومه سلطات كيان شبكه منظمه هييه غرفه جهاز ضباط عسكريو عسكريي اجهزه
    ايتلاف تحالف دول اطراف مجلس الجانب جانب رييس عقيد قايد زعيم مليشياوي بعثه قبايل قبيله عشاير قناص عموم دعم""".split()
)
SLANTS = frozenset(
    # adjectives behind a name that tell nothing but the writer's view, or that all of its kind share
    """ارهابي ارهابيه ارهابيين متطرف متطرفه متطرفين متشدد متشدده متشددين انقلابي انقلابيه انقلابيين متمرد متمرده
    متمردين مسلح مسلحه مسلحين محظور محظوره انفصالي انفصاليه انفصاليين اجرامي اجراميه مجرم مجرمه غاشم غاشمه بايد
    مخلوع اسلامي اسلاميه اسلاميين شيعي شيعيه شيعيين سني سنيه جهادي جهاديه جهاديين تكفيري تكفيريه تكفيريين معارض معارضه
    معارضين باسل باسله شرعي شرعيه وطني وطنيه نظامي نظاميه حكومي حكوميه عسكري عسكريه امني امنيه محلي محليه مقاتل مقاتله
    اجنبي اجنبيه مركزي مركزيه حاكم حاكمه سابق سابقه غازيه غازي مهاجم مهاجمه برمته كافه نفسه نفسها مذكور كردي كرديه
    شقيق صديق مشترك مشتركه يساري يساريه صهيوني صهيونيه حليف حليفه موقت موقته جديد جديده مارق مارقه""".split()
)
"""A bare "the organisation" may carry them too; `كردي` and such only ever follow a name that is whole without."""
PARTICIPLES = frozenset(
    # "belonging to", "loyal to", "backed by", "led by", "deployed", "known as": what follows is no part of the name
    """تابع تابعه تابعين موالي مواليه موالين موال مدعوم مدعومه مدعومين بقياده بزعامه منتشره متمركزه مرتبط مرتبطه معروف معروفه
    بقيادته بدعم متحالف متحالفه متحالفين مناهض مناهضه مسمي مسماه متواجده متواجد في من علي مع جناح فرع""".split()
)
POINTERS = frozenset(
    # definite nouns that point back to a named actor
    """تنظيم حركه جماعه ميليشيا حزب جبهه هييه تحالف جيش فصيل كتيبه لوا فرقه فيلق ايتلاف منظمه مقاومه متمردين تمرد
    انقلابيين ثوار انفصاليين حشد وحدات مجلس""".split()
)
WIDE_POINTERS = frozenset({"قوات", "قوه", "مقاتلين", "جنود", "فصايل", "كتايب"})
"""Nouns so common that they point back only where a text has one actor to point to."""
DESCRIPTIONS = frozenset(
    # nouns of some party or other: sides, organisations, attackers, soldiers, rebellion, terror, powers, brigades
    """تنظيمات منظمات مهاجمين قوي تمرد ارهاب طرفين طرفي جانبين جهات عسكريين جيوش الويه فرق افواج فوج دروع مدرعات
    متحصنين معتدين جهاديين مجاهدين محتلين اعدا حلفا ضباط متحاربين متصارعين مقاومين دبابات امن حرس مهاجمه""".split()
)
OWNED = ("قوات", "عناصر", "مقاتلي", "مقاتلو", "مسلحي", "مسلحو", "جيش", "جنود", "رجال", "وحدات", "ميليشيات", "ميليشيا", "مليشيات")
"""What belongs to someone when a pronoun follows: forces, elements, fighters, gunmen, army, soldiers, men, units."""
SUFFIXES = ("هما", "هم", "ها", "ه", "نا")
OTHERS = ("حلفا", "حلفاو", "حلفاي", "حليف", "حكومت", "جماعت", "حركت", "خصوم", "وكلا", "مخابرات", "بحريت", "انصار")
"""What is someone else than the pronoun's owner: allies, government, group, opponents, proxies, supporters."""
_CLITICS = ("وبال", "ولل", "فلل", "وال", "بال", "فال", "كال", "لل", "وب", "ول", "فل", "و", "ف", "ب", "ل", "ك")
_WORDS = 12


class Gap(Enum):
    """Why a mention names nobody by itself."""

    UNKNOWN = "no actor of that name in the gazetteer"
    GENERIC = "a generic description"
    POINTER = "points back to an actor that the text does not name"
    PRONOUN = "its pronoun has no single actor to stand for"
    NO_COUNTRY = "shared by several countries, and the text shows none of them"
    CLOSE = "fits several actors about equally"
    ELSEWHERE = "named only for other countries"


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a mention says by itself."""

    readings: tuple[Reading, ...] = ()
    quality: float = 1.0
    """How much of the mention the name covers, from 0.6 to 1."""
    countries: frozenset[str] = frozenset()
    """Countries that adjectives in the mention tell."""
    pointer: str | None = None
    """Noun by which a bare definite mention points back."""
    suffix: str | None = None
    """Pronoun of an owned noun: ``ها`` of `قواتها`."""
    gap: Gap = Gap.UNKNOWN

    @property
    def is_generic(self) -> bool:
        return all(reading.mark == GENERIC for reading in self.readings)


def parse(name: str, table: ActorTable) -> Parsed:
    """The reading of a clean mention that leaves the fewest words out."""
    best: Parsed | None = None
    for spelled in spellings(name):
        words = spelled.split(" ")[:_WORDS]
        for start, end in _ranges(len(words)):
            found = _at(words, start, end, table)
            if found and (best is None or found.quality > best.quality):
                best = found
            if best and best.quality == 1.0:
                return best
    return best or _pointing(name, table)


def spellings(name: str) -> Iterator[str]:
    """Keys of a mention, as written and without each clitic that its first word may carry."""
    yield key(name)
    first, gap, rest = name.strip("#\"'«»“”() ").partition(" ")
    for clitic in _CLITICS:
        bare = first.removeprefix(clitic)
        if bare != first and len(bare) >= 3:
            yield key(bare + gap + rest)


def _ranges(count: int) -> Iterator[tuple[int, int]]:
    """Ranges of words, long before short."""
    for length in range(count, 0, -1):
        for start in range(count - length + 1):
            yield start, start + length


def _at(words: list[str], start: int, end: int, table: ActorTable) -> Parsed | None:
    """The reading of words[start:end] as a name, if what stands before and behind it allows one."""
    name = " ".join(words[start:end])
    readings = table.readings.get(name)
    if not readings or not _are_members(words[:start], table):
        return None
    countries, cost = _tail(words[end:], name, readings, table)
    if cost is None:
        return None
    # a bare noun that describes several actors ("the army") may as well point back to one of another description
    pointer = name if name in POINTERS and all(reading.mark == GENERIC for reading in readings) else None
    return Parsed(readings, round(1.0 - 0.02 * start - cost, 3), countries, pointer)


def _are_members(words: list[str], table: ActorTable) -> bool:
    return all(word in MEMBERS or (place and word in SLANTS | table.adjectives.keys()) for place, word in enumerate(words))


def _tail(
    words: list[str], name: str, readings: tuple[Reading, ...], table: ActorTable
) -> tuple[frozenset[str], float | None]:
    """Countries that the words behind a name tell, and what the words cost; None where they rule the name out."""
    countries: set[str] = set()
    cost = 0.0
    for place, word in enumerate(words):
        rest = " ".join(words[place:])
        if word in PARTICIPLES or word.startswith(("تابع", "موال")):
            return frozenset(countries), cost + 0.1
        if word in table.adjectives:
            countries.add(table.adjectives[word])
            cost += 0.03
        elif rest in table.nouns:
            countries.add(table.nouns[rest])
            return frozenset(countries), cost + 0.03
        elif word in SLANTS:
            cost += 0.03
        elif _share_an_actor(table.readings.get(rest, ()), readings):
            return frozenset(countries), cost
        else:
            is_whole = " " in name and not all(reading.mark == GENERIC for reading in readings)
            return frozenset(countries), (cost + 0.3 if is_whole and len(words) - place <= 4 else None)
    return frozenset(countries), cost


def _share_an_actor(first: tuple[Reading, ...], second: tuple[Reading, ...]) -> bool:
    return bool({reading.actor.id for reading in first} & {reading.actor.id for reading in second})


def _pointing(name: str, table: ActorTable) -> Parsed:
    """A mention with no name in it: a pronoun's, a pointer, a description, or a name that the table lacks."""
    for spelled in spellings(name):
        words = spelled.split(" ")
        if suffix := _owner(words[0], OWNED):
            return Parsed(suffix=suffix if len(words) == 1 else None, gap=Gap.PRONOUN)
        if _owner(words[0], OTHERS):
            return Parsed(gap=Gap.PRONOUN)
    for spelled in spellings(name):
        words = spelled.split(" ")
        while len(words) > 1 and words[0] in MEMBERS and words[1] in POINTERS:
            words = words[1:]
        if words[0] not in POINTERS | WIDE_POINTERS | MEMBERS | SLANTS | DESCRIPTIONS:
            continue
        adjectives = [word for word in words[1:] if word in table.adjectives]
        if all(word in SLANTS or word in table.adjectives for word in words[1:]):
            countries = frozenset(table.adjectives[word] for word in adjectives)
            if words[0] in POINTERS | WIDE_POINTERS and _is_definite(name):
                return Parsed(pointer=words[0], countries=countries, gap=Gap.POINTER)
            return Parsed(countries=countries, gap=Gap.GENERIC)
    return Parsed(gap=Gap.UNKNOWN)


def _is_definite(name: str) -> bool:
    """Whether the article is on one of the first two words ("the group", "fighters of the group")."""
    return any(word.lstrip("#\"'«“").startswith(("ال", "وال", "بال", "لل", "فال", "ولل", "كال")) for word in name.split()[:2])


def _owner(word: str, nouns: tuple[str, ...]) -> str | None:
    """The pronoun on one of the nouns.

    >>> _owner("قواتها", OWNED)
    'ها'
    """
    for noun in nouns:
        if word.startswith(noun) and word.removeprefix(noun) in SUFFIXES:
            return word.removeprefix(noun)
    return None
