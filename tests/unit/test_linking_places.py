"""Place mentions to entries: what they resolve to, what stays open, and why."""

from typing import Any

import pytest

from saytara.document import Annotation, Document, Mention, PlaceEntry, Span
from saytara.errors import DataError
from saytara.linking.gazetteer import Gazetteer, Place, key, parse_places
from saytara.linking.link import default_linkers, link
from saytara.linking.names import clean_name
from saytara.linking.place_queries import demonym, is_generic, queries
from saytara.linking.places import PlaceLinker


def annotated(text: str, *places: str, meta: dict[str, Any] | None = None) -> Annotation:
    """An annotation of these places, each found after the one before it."""
    mentions, at = [], 0
    for number, place in enumerate(places, start=1):
        start = text.index(place, at)
        at = start + len(place)
        mentions.append(Mention(f"p{number}", "PLACE", Span(start, at)))
    return Annotation(Document(text, "r-1", meta=meta or {}), tuple(mentions))


def resolved(text: str, *places: str, meta: dict[str, Any] | None = None) -> list[PlaceEntry | None]:
    entries, _ = PlaceLinker().link(annotated(text, *places, meta=meta))
    found = [entries.get(f"p{number}") for number in range(1, len(places) + 1)]
    return [entry if isinstance(entry, PlaceEntry) else None for entry in found]


def ids(text: str, *places: str, meta: dict[str, Any] | None = None) -> list[str | None]:
    return [entry.id if entry else None for entry in resolved(text, *places, meta=meta)]


def warnings(text: str, *places: str) -> list[str]:
    return PlaceLinker().link(annotated(text, *places))[1]


@pytest.mark.parametrize(
    ("text", "place", "entry", "precision"),
    [
        ("قال الجيش السوري إنه دخل مدينة حمص", "مدينة حمص", "sy-homs", 1),
        ("قال الجيش السوري إنه دخل ريف حمص الشمالي", "ريف حمص الشمالي", "sy-homs", 3),
        ("سيطرت الفصائل السورية على محافظة إدلب", "محافظة إدلب", "sy-idlib-governorate", 3),
        ("سيطرت الفصائل السورية على أحياء حلب الشرقية", "أحياء حلب الشرقية", "sy-aleppo", 2),
        ("سيطرت قسد على أبو كمال", "أبو كمال", "sy-abu-kamal", 1),
        ("سيطرت قسد على البوكمال", "البوكمال", "sy-abu-kamal", 1),
        ("سيطر الجيش السوداني على مدينة بارا", "مدينة بارا", "sd-bara", 1),
        ("دخلت قوات الدعم السريع بابنوسة في السودان", "بابنوسة", "sd-babanusa", 1),
        ("أعلن الجيش السوداني استعادة القصر الجمهوري", "القصر الجمهوري", "sd-republican-palace-khartoum", 1),
        ("أعلن الجيش اليمني السيطرة على مطار الحديدة الدولي", "مطار الحديدة الدولي", "ye-hudaydah-airport", 1),
        ("أعلن الجيش اليمني السيطرة على ميناء نشطون الاستراتيجي", "ميناء نشطون الاستراتيجي", "ye-nishtun", 1),
        ("انسحبت القوات من معبر نصيب الحدودي", "معبر نصيب الحدودي", "sy-nasib-crossing", 1),
        ("سيطرت القوات العراقية على مركز مدينة تلعفر", "مركز مدينة تلعفر", "iq-tal-afar", 1),
        ("دخلت القوات العاصمة اليمنية صنعاء", "العاصمة اليمنية صنعاء", "ye-sanaa", 1),
        ("توغلت قوات داخل الأراضي العراقية", "الأراضي العراقية", "iq", 3),
        ("سيطر الليبيون على ميناءي السدرة", "ميناءي السدرة", "ly-es-sider-port", 1),
        ("تقدمت في وادي بردى", "وادي بردى", "sy-wadi-barada", 3),
        ("اقتحم الجيش الإسرائيلي مخيم جنين", "مخيم جنين", "ps-jenin-camp", 1),
        ("يسيطر الجيش الصومالي على سجن جوهر", "سجن جوهر", "so-jowhar", 2),
        ("انسحبوا من الولايات المتحدة", "الولايات المتحدة", "us", 3),
    ],
)
def test_mention_resolves(text: str, place: str, entry: str, precision: int) -> None:
    found = resolved(text, place)[0]
    assert found is not None
    assert (found.id, found.precision) == (entry, precision)


@pytest.mark.parametrize(
    "place",
    ["المدينة", "نقاط أمنية", "مناطق واسعة", "المواقع الاستراتيجية", "القرى المجاورة", "الأحياء الشرقية", "ومينائها"],
)
def test_generic_noun_stays_open(place: str) -> None:
    text = f"قال الجيش السوري إنه دخل {place}"
    assert ids(text, place) == [None]
    assert warnings(text, place) == ["p1: a generic noun, no named place"]


def test_unknown_name_stays_open_with_its_reason() -> None:
    text = "سيطر الجيش السوري على قرية زمرانة"
    assert ids(text, "قرية زمرانة") == [None]
    assert warnings(text, "قرية زمرانة") == ["p1: no place of that name in the gazetteer"]


def test_reasons_are_grouped() -> None:
    text = "دخلت نقاط أمنية ومواقع عسكرية"
    assert warnings(text, "نقاط أمنية", "ومواقع عسكرية") == ["p1, p2: a generic noun, no named place"]


def test_country_of_the_report_decides() -> None:
    assert ids("دخل الجيش اليمني البيضاء", "البيضاء") != ids("دخل الجيش الليبي البيضاء", "البيضاء")
    assert ids("دخلوا مدينة البيضاء", "مدينة البيضاء", meta={"country": "LY"}) == ["ly-al-bayda-libya"]


def test_other_places_of_the_report_decide() -> None:
    assert ids("دخلوا حي الزهراء قرب مدينة الموصل", "حي الزهراء", "مدينة الموصل")[0] == "iq-zahra-mosul"
    assert ids("دخلوا حي الزهراء قرب مدينة حمص", "حي الزهراء", "مدينة حمص")[0] == "sy-zahraa-homs"


def test_namesakes_of_two_countries_without_evidence_stay_open() -> None:
    two = [place("sy-x", "زمرانة", "SY", 34, 36), place("iq-x", "زمرانة", "IQ", 33, 44)]
    entries, found = PlaceLinker(Gazetteer(two)).link(annotated("دخلوا زمرانة", "زمرانة"))
    assert entries == {}
    assert found == ["p1: as likely in SY as in IQ"] or found == ["p1: as likely in IQ as in SY"]


def test_city_against_governorate_is_decided_and_flagged() -> None:
    text = "قال الجيش السوري إنه دخل درعا"
    (entry,) = resolved(text, "درعا")
    assert entry is not None
    assert entry.id == "sy-daraa"
    assert "sy-daraa-governorate" in [other.id for other in entry.alternatives]
    assert warnings(text, "درعا") == ["p1: a city and its governorate have one name, taken as the city"]


def test_noun_elsewhere_in_the_report_decides_for_the_governorate() -> None:
    text = "دخل الجيش السوري محافظة درعا ثم خرج من درعا"
    assert ids(text, "محافظة درعا", "درعا") == ["sy-daraa-governorate", "sy-daraa-governorate"]


def test_plural_noun_holds_for_the_next_of_a_coordination() -> None:
    text = "سيطرت القوات اليمنية على محافظات عدن ولحج وتعز"
    found = resolved(text, "محافظات عدن", "ولحج", "وتعز")
    assert [entry and entry.kind for entry in found] == ["governorate"] * 3


def test_singular_noun_does_not_hold_for_the_next() -> None:
    text = "سيطرت القوات السورية على محافظة درعا ومدينة حمص وتدمر"
    assert ids(text, "محافظة درعا", "ومدينة حمص", "وتدمر")[2] == "sy-palmyra"


def test_bare_noun_takes_up_the_only_place_of_its_kind() -> None:
    text = "دخل الجيش السوري مدينة تدمر فجر أمس، ثم أعلن السيطرة على المدينة"
    first, second = resolved(text, "مدينة تدمر", "المدينة")
    assert first is not None
    assert second is not None
    assert second.id == first.id
    assert second.score < first.score


def test_bare_noun_stays_open_between_two_places() -> None:
    text = "دخل الجيش السوري مدينة تدمر ومدينة حمص، ثم أعلن السيطرة على المدينة"
    assert ids(text, "مدينة تدمر", "ومدينة حمص", "المدينة")[2] is None


def test_spelling_that_varies_is_found() -> None:
    assert ids("في السودان سقطت مدينة الفاشر والابيض", "مدينة الفاشر", "والابيض") == ["sd-el-fasher", "sd-el-obeid"]


def test_foreign_name_is_found_by_its_consonants_only_in_a_country_of_the_report() -> None:
    assert ids("دخلت القوات الروسية والأوكرانية مدينة ماريابول", "مدينة ماريابول") == ["ua-mariupol"]
    assert ids("دخلت القوات السورية مدينة ماريابول", "مدينة ماريابول") == [None]


def test_scores_are_shares() -> None:
    (entry,) = resolved("دخل الجيش السوري حي الزهراء", "حي الزهراء")
    assert entry is not None
    every = [entry.score, *(other.score for other in entry.alternatives)]
    assert len(entry.alternatives) <= 3
    assert all(0 < score <= 1 for score in every)
    assert sum(every) <= 1


def test_no_place_no_work() -> None:
    assert PlaceLinker().link(Annotation(Document("لا شيء", "r-1"))) == ({}, [])


def test_default_linkers_link_places() -> None:
    linked = link(annotated("دخل الجيش السوري مدينة تدمر", "مدينة تدمر"), default_linkers())
    entry = linked.entries["p1"]
    assert isinstance(entry, PlaceEntry)
    assert entry.country == "SY"


def test_answer_is_the_same_every_time() -> None:
    annotation = annotated("دخل الجيش السوري حي الزهراء في مدينة حمص", "حي الزهراء", "مدينة حمص")
    assert PlaceLinker().link(annotation) == PlaceLinker().link(annotation)


@pytest.mark.parametrize(
    ("mention", "expected"),
    [
        ("المدينة", True),
        ("مواقع عسكرية", True),
        ("قرى", True),
        ("حي القدم", False),
        ("جبل سنجار", False),
        ("الرمادي", False),
        ("مدينة الرمادي", False),
    ],
)
def test_generic_nouns_are_told_from_names(mention: str, expected: bool) -> None:
    assert is_generic(clean_name(mention, "PLACE")) is expected


def test_whole_name_is_looked_up_first() -> None:
    assert queries(clean_name("مطار الضمير العسكري", "PLACE"))[0].text == "مطار الضمير العسكري"


@pytest.mark.parametrize(
    ("word", "country"), [("السوريه", "SY"), ("لليمنيين", "YE"), ("والليبيه", "LY"), ("المدينه", None)]
)
def test_adjective_tells_the_country(word: str, country: str | None) -> None:
    assert demonym(word) == country


def test_key_ignores_articles_and_gaps() -> None:
    assert key("ابو كمال") == key("ابوكمال")
    assert key("الرقه") == key("رقه")


def test_distance_is_in_kilometres() -> None:
    damascus, aleppo = place("a", "دمشق", "SY", 33.51, 36.29), place("b", "حلب", "SY", 36.20, 37.16)
    assert damascus.distance(aleppo) == pytest.approx(309, abs=3)


def test_wrong_columns_are_refused() -> None:
    with pytest.raises(DataError, match="the table of places has the columns"):
        parse_places("id\tname\n1\tx\n")


def place(identifier: str, name: str, country: str, lat: float, lon: float) -> Place:
    return Place(identifier, (name,), "X", "town", country, None, lat, lon, None, None, False)
