"""Clean names: what is cut off a mention, and what must stay on."""

import pytest

from saytara.document import Annotation, Document, Mention, Span
from saytara.linking.names import Name, clean_name, clean_names


def cleaned(text: str, label: str = "PLACE") -> str:
    return clean_name(text, label).name


@pytest.mark.parametrize(
    "name",
    [
        "بغداد", "لبنان", "كركوك", "وادي بردى", "فلسطين", "ليبيا", "الفلوجة", "كوباني", "بيروت", "بنغازي", "بابنوسة",
        "بارا", "بعقوبة", "بيجي", "الباب", "باب الهوى", "باب المندب", "فرنسا", "كابل", "كردفان", "كسلا", "كادوقلي",
        "وادي حلفا", "واو", "واغادوغو", "ود مدني", "ودان", "لحج", "لودر", "لاسعانود", "اللاذقية", "الوازعية",
        "البوكمال", "كفرنبل", "بصر الحرير", "فوكة",
    ],
)  # fmt: skip
def test_letters_of_a_name_stay(name: str) -> None:
    assert cleaned(name) == name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("وتلبيسة", "تلبيسة"),
        ("ولحمص", "حمص"),
        ("بحمص", "حمص"),
        ("فالموصل", "الموصل"),
        ("بالفاشر", "الفاشر"),
        ("وبالفاشر", "الفاشر"),
        ("لليمن", "اليمن"),
        ("ولليمن", "اليمن"),
        ("للبنان", "لبنان"),
        ("ولبنان", "لبنان"),
        ("للاذقية", "اللاذقية"),
        ("لليبيا", "ليبيا"),
        ("وبغداد", "بغداد"),
        ("لكركوك", "كركوك"),
        ("ووادي بردى", "وادي بردى"),
        ("وفلسطين", "فلسطين"),
        ("وإب", "إب"),
        ("وكفريا", "كفريا"),
        ("وبعلبك", "بعلبك"),
        ("ولحج", "لحج"),
        ("وأم درمان", "أم درمان"),
        ("بـ«حمص»", "حمص"),
        ("«درنة»", "درنة"),
        ("#الحديدة", "الحديدة"),
    ],
)
def test_clitics_and_quotes_are_cut_off_places(text: str, name: str) -> None:
    assert cleaned(text) == name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("وقوات النظام", "قوات النظام"),
        ("لقوات الدعم السريع", "قوات الدعم السريع"),
        ("للجيش", "الجيش"),
        ("بالجيش الوطني", "الجيش الوطني"),
        ("«داعش»", "داعش"),
        ('لـ"تحرير الشام"', "تحرير الشام"),
        ("فصائل المعارضة", "فصائل المعارضة"),
        ("كتائب القسام", "كتائب القسام"),
        ("لواء التوحيد", "لواء التوحيد"),
        ("وحدات حماية الشعب", "وحدات حماية الشعب"),
        ("ووحدات حماية الشعب", "وحدات حماية الشعب"),
        ("بيشمركة", "بيشمركة"),
        ("ولواء التوحيد", "لواء التوحيد"),
        ("والحوثيين", "الحوثيين"),
    ],
)
def test_clitics_and_quotes_are_cut_off_actors(text: str, name: str) -> None:
    assert cleaned(text, "ACTOR") == name


@pytest.mark.parametrize(
    "text",
    ["وكالة الأنباء الرسمية", "والي شمال كردفان", "وزير الدفاع", "ناطق عسكري", "بيان للجيش", "لجنة الأمن"],
)
def test_heads_of_sources_stay(text: str) -> None:
    assert cleaned(text, "SOURCE") == text


@pytest.mark.parametrize(
    ("text", "name", "category"),
    [
        ("وبمدينة حمص", "حمص", "city"),
        ("لبلدة نصيب", "نصيب", "town"),
        ("ومحافظة درعا", "درعا", "governorate"),
        ("ولاية النيل الأبيض", "النيل الأبيض", "state"),
        ("وحي النشوة", "النشوة", "quarter"),
        ("وسد الفرات", "سد الفرات", "dam"),
        ("مطار الضمير العسكري", "مطار الضمير العسكري", "airport"),
        ("ريف حمص الشمالي", "ريف حمص الشمالي", "countryside"),
        ("المدينة", "المدينة", "city"),
        ("وتل أبيض", "تل أبيض", "hill"),
        ("حمص", "حمص", None),
    ],
)
def test_category_noun_is_kept_apart(text: str, name: str, category: str | None) -> None:
    found = clean_name(text, "PLACE")
    assert (found.name, found.category) == (name, category)


@pytest.mark.parametrize("text", ["وبمدينة حمص", "بـ«حمص»", "وتلبيسة", "«درنة»", "ولاية كسلا", "المدينة"])
def test_range_points_at_the_name(text: str) -> None:
    found = clean_name(text, "PLACE")
    assert text[found.start : found.end] == found.name


def test_range_of_a_swallowed_article_begins_at_its_lam() -> None:
    assert clean_name("للجيش", "ACTOR") == Name("الجيش", 1, 5)


def test_unknown_name_keeps_its_first_letter() -> None:
    assert cleaned("وزمرانة") == "وزمرانة"


def test_other_mentions_are_evidence() -> None:
    text = "سيطروا على زمرانة وقالوا إن الطريق لزمرانة مفتوح"
    names = clean_names(annotated(text, "زمرانة", "لزمرانة"))
    assert [name.name for name in names.values()] == ["زمرانة", "زمرانة"]


def test_conjunction_after_a_mention_is_cut_off_an_unknown_name() -> None:
    text = "سيطروا على قرية زمرانة وعشتارية"
    names = clean_names(annotated(text, "قرية زمرانة", "وعشتارية"))
    assert [name.name for name in names.values()] == ["زمرانة", "عشتارية"]


def test_empty_and_bare_quotes_come_back_unchanged() -> None:
    assert cleaned("«»") == "«»"


def annotated(text: str, *places: str) -> Annotation:
    """An annotation of these places, each found after the one before it."""
    mentions, at = [], 0
    for number, place in enumerate(places, start=1):
        start = text.index(place, at)
        at = start + len(place)
        mentions.append(Mention(f"p{number}", "PLACE", Span(start, at)))
    return Annotation(Document(text, "r-1"), tuple(mentions))
