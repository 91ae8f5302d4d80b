"""Actor linking: names under any spelling, descriptions by country and context, nothing guessed."""

from datetime import date

import pytest

from builders import annotate
from saytara.document import ActorEntry, Annotation, PlaceEntry
from saytara.linking.actor_names import parse
from saytara.linking.actor_table import actor_table, key, parse_years, with_keys, years_of
from saytara.linking.actors import ActorLinker, report_years

LINKER = ActorLinker()


def linked(annotation: Annotation) -> dict[str, str]:
    entries, _ = LINKER.link(annotation)
    return {id: entry.id for id, entry in entries.items() if isinstance(entry, ActorEntry)}


def only(mention: str, *, text: str = "", **header: object) -> str | None:
    """Id that a mention gets in front of `text`."""
    day = header.pop("date", date(2017, 5, 1))
    return linked(annotate(f"قالت [{mention}|a1:ACTOR] {text}", date=day, **header)).get("a1")


@pytest.mark.parametrize(
    ("mention", "id"),
    [
        ("قسد", "sy.sdf"),
        ("ولقوات سوريا الديموقراطية", "sy.sdf"),
        ("لتنظيم داعش", "is"),
        ("ميليشيات الحوثي الإيرانية", "ye.houthi"),
        ("مليشيا الحوثي الانقلابية", "ye.houthi"),
        ("المتمردون الحوثيون", "ye.houthi"),
        ("للمتمردين الحوثيين", "ye.houthi"),
        ("مقاتلو قوات سوريا الديمقراطية", "sy.sdf"),
        ("مسلحي حركة طالبان", "af.taliban"),
        ("عصابات الأسد", "sy.army"),
        ("القوات التركية", "tr.army"),
        ("قوات أميركية", "us.army"),
        ("الجيش الأوكراني", "ua.army"),
        ("وزارة الدفاع الفرنسية", "fr.mod"),
        ("الشرطة الكينية", "ke.police"),
        ("#قوات_الدعم_السريع", "sd.rsf"),
        ("حركة «حماس", "ps.hamas"),
        ("ﻗﻮﺍﺕ ﺍﻟﺪﻋﻢ ﺍﻟﺴﺮﻳﻊ", "sd.rsf"),
        ("متمردو إم 23", "cd.m23"),
        ("هيئة تحرير الشام التابعة لأحد الفصائل", "sy.hts"),
    ],
)
def test_name_is_found_under_any_spelling(mention: str, id: str) -> None:
    assert only(mention) == id


@pytest.mark.parametrize("mention", ["اتحاد الكتاب", "لواء الزيتونة الخضراء", "جبهة تحرير الزيتون"])
def test_unknown_name_stays_open_with_its_reason(mention: str) -> None:
    entries, warnings = LINKER.link(annotate(f"قال [{mention}|a1:ACTOR] ذلك"))
    assert entries == {}
    assert warnings == [f'a1: "{mention}": no actor of that name in the gazetteer']


@pytest.mark.parametrize(
    ("mention", "text", "id"),
    [
        ("قوات النظام", "إنها دخلت بلدة في سوريا", "sy.army"),
        ("المتمردون", "إنهم باقون في اليمن", "ye.houthi"),
        ("الجيش", "إنه باق في السودان", "sd.army"),
        ("الجيش", "إنه باق في مالي", "ml.army"),
        ("التحالف", "إنه قصف مواقع في اليمن", "ye.coalition"),
        ("التحالف", "إنه قصف مواقع في سوريا", "coalition.is"),
        ("الحكومة", "إنها باقية في الصومال", "so.gov"),
        ("الجيش الوطني", "إنه دخل بلدة في ليبيا", "ly.lna"),
        ("الجيش الوطني", "إنه دخل بلدة في اليمن", "ye.army"),
    ],
)
def test_description_takes_the_country_of_the_report(mention: str, text: str, id: str) -> None:
    assert only(mention, text=text) == id


@pytest.mark.parametrize("mention", ["الجيش", "المتمردون", "الحكومة", "الجيش الوطني", "القوات الحكومية"])
def test_description_without_a_country_stays_open(mention: str) -> None:
    assert only(mention, text="إنها باقية في البلدة") is None


def test_description_with_two_countries_alike_stays_open() -> None:
    assert only("الجيش", text="إنه باق بين السودان وسوريا") is None


def test_country_of_the_meta_decides() -> None:
    assert only("الجيش", country="SD") == "sd.army"


def test_country_of_linked_places_decides() -> None:
    annotation = annotate("قال [الجيش|a1:ACTOR] إنه دخل [الزيتونة|p1:PLACE]", date=date(2024, 5, 1))
    place = PlaceEntry("1", "الزيتونة", "Zaytuna", "city", "SD", None, 15.0, 32.0, 1, 0.9)
    placed = Annotation(annotation.document, annotation.mentions, entries={"p1": place})
    assert linked(placed) == {"a1": "sd.army"}


@pytest.mark.parametrize(
    ("day", "id"),
    [(date(2016, 3, 1), "sy.army"), (date(2025, 6, 1), "sy.newarmy")],
)
def test_date_of_the_report_decides_between_holders_of_a_name(day: date, id: str) -> None:
    assert only("الجيش السوري", date=day) == id


@pytest.mark.parametrize(("day", "id"), [(date(2010, 3, 1), "af.army"), (date(2024, 3, 1), "af.taliban")])
def test_forces_of_a_state_follow_its_change_of_power(day: date, id: str) -> None:
    assert only("القوات الأفغانية", date=day) == id


def test_pointer_repeats_the_nearest_actor_that_is_called_so() -> None:
    annotation = annotate(
        "قصف [الجيش العراقي|a1:ACTOR] مواقع [تنظيم داعش|a2:ACTOR]. "
        "وخسر [التنظيم|a3:ACTOR] بلدتين، وفر [عناصر التنظيم|a4:ACTOR].",
        date=date(2016, 1, 1),
    )
    assert linked(annotation) == {"a1": "iq.army", "a2": "is", "a3": "is", "a4": "is"}


def test_pointer_prefers_the_mention_of_the_same_word() -> None:
    annotation = annotate(
        "هاجمت [ميليشيا الحوثي|a1:ACTOR] و[قوات صالح|a2:ACTOR] البلدة، ثم انسحبت [الميليشيا|a3:ACTOR] منها.",
        date=date(2016, 1, 1),
    )
    assert linked(annotation)["a3"] == "ye.houthi"


def test_pointer_without_anything_to_point_to_stays_open() -> None:
    entries, warnings = LINKER.link(annotate("خسر [التنظيم|a1:ACTOR] بلدتين"))
    assert entries == {}
    assert warnings == ['a1: "التنظيم": points back to an actor that the text does not name']


def test_pronoun_means_the_only_actor_of_its_sentence() -> None:
    annotation = annotate("أعلن [الجيش السوداني|a1:ACTOR] أن [قواته|a2:ACTOR] دخلت البلدة.", date=date(2024, 1, 1))
    entries, _ = LINKER.link(annotation)
    assert linked(annotation) == {"a1": "sd.army", "a2": "sd.army"}
    assert entries["a2"].score < entries["a1"].score  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "text",
    [
        "قاتل [الجيش السوداني|a1:ACTOR] [قوات الدعم السريع|a2:ACTOR] ثم سحب [قواته|a9:ACTOR] منها.",  # two actors
        "دخل [الجيش السوداني|a1:ACTOR] البلدة. وانسحبت [قواته|a9:ACTOR] منها.",  # another sentence
        "أعلن [الجيش السوداني|a1:ACTOR] أن [قواتها|a9:ACTOR] انسحبت.",  # no agreement
        "قال [القائد سالم|s1:SOURCE] عن [الجيش السوداني|a1:ACTOR] إن [قواته|a9:ACTOR] انسحبت.",  # whose?
        "قال [الجيش السوداني|a1:ACTOR] إن [قواتنا|a9:ACTOR] باقية.",
    ],
)
def test_pronoun_without_a_single_owner_stays_open(text: str) -> None:
    assert "a9" not in linked(annotate(text, date=date(2024, 1, 1)))


@pytest.mark.parametrize(
    ("source", "id"),
    [
        ("المتحدث باسم الجيش السوداني", "sd.army"),
        ("مصدر عسكري في قوات سوريا الديمقراطية", "sy.sdf"),
        ("وزارة الدفاع الروسية", "ru.mod"),
        ("وكالة الأنباء", None),
        ("ناشطون", None),
        ("مصدر طبي في سوريا", None),
        ("المرصد السوري لحقوق الإنسان", None),
    ],
)
def test_source_is_linked_where_it_speaks_for_an_actor(source: str, id: str | None) -> None:
    assert linked(annotate(f"قال [{source}|s1:SOURCE] ذلك", date=date(2024, 1, 1))).get("s1") == id


def test_warnings_are_grouped_by_reason() -> None:
    _, warnings = LINKER.link(annotate("فر [المسلحون|a1:ACTOR] و[الإرهابيون|a2:ACTOR] و[المسلحون|a3:ACTOR]"))
    assert warnings == ['a1, a2, a3: "المسلحون", "الإرهابيون": a generic description']


def test_scores_and_alternatives_are_bounded_and_ordered() -> None:
    annotation = annotate("دخل [داعش|a1:ACTOR] بلدة في ليبيا قرب حدود مصر والنيجر ومالي", date=date(2016, 1, 1))
    entry = LINKER.link(annotation)[0]["a1"]
    assert isinstance(entry, ActorEntry)
    assert entry.side == "is"
    assert 1 <= len(entry.alternatives) <= 3
    assert all(
        0 <= other.score <= 1 and not other.alternatives for other in (entry, *entry.alternatives) if other is not entry
    )
    assert entry.id not in {other.id for other in entry.alternatives}


def test_entry_takes_the_country_that_the_report_is_about() -> None:
    for country, code in (("سوريا", "SY"), ("العراق", "IQ")):
        entry = LINKER.link(annotate(f"دخل [تنظيم داعش|a1:ACTOR] بلدة في {country}", date=date(2015, 1, 1)))[0]["a1"]
        assert isinstance(entry, ActorEntry)
        assert entry.country == code


def test_period_stands_in_for_a_date() -> None:
    years = report_years(annotate("نص", period="2009-2010").document)
    assert years == parse_years("2009-2010")
    assert report_years(annotate("نص").document) is None


@pytest.mark.parametrize(
    ("text", "day", "overlaps"),
    [
        ("1970-2024.12", date(2024, 12, 7), True),
        ("1970-2024.12", date(2025, 1, 1), False),
        ("2024.12-", date(2024, 11, 30), False),
        ("2024.12-", date(2024, 12, 9), True),
        ("", date(1900, 1, 1), True),
    ],
)
def test_years_overlap_to_the_month(text: str, day: date, overlaps: bool) -> None:
    assert parse_years(text).overlaps(years_of(day)) is overlaps


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("المتمردون الحوثيون", "متمردين حوثيين"),
        ("ميليشيات الحوثي", "مليشيا الحوثي"),
        ("القوات الأميركية", "القوات الأمريكية"),
        ("عبدالملك الحوثي", "عبد الملك الحوثي"),
        ("أبو سياف", "أبي سياف"),
        ("حركة ٢٣ مارس", "حركة 23 مارس"),
        ("قوات البشمركة", "قوات البيشمركة"),
    ],
)
def test_key_is_the_same_for_spellings_of_one_name(first: str, second: str) -> None:
    assert key(first) == key(second)


@pytest.mark.parametrize(("first", "second"), [("حزب الله", "حزب البعث"), ("الجيش السوري", "الجيش السوداني")])
def test_key_keeps_names_apart(first: str, second: str) -> None:
    assert key(first) != key(second)


def test_marks_survive_packing() -> None:
    row = with_keys({"id": "x", "name": "الجيش الأزرق", "aliases": "~الجيش|?الأزرق|الجيش الأزرق"})
    assert row["keys"] == "جيش ازرق|~جيش|?ازرق"
    assert "aliases" not in row


def test_demonym_in_a_mention_rules_out_other_countries() -> None:
    parsed = parse("الجيش الوطني اليمني", actor_table())
    assert {reading.actor.id for reading in parsed.readings} == {"ye.army"}


def test_linker_keeps_to_mentions_and_is_repeatable() -> None:
    annotation = annotate("دخلت [قسد|a1:ACTOR] [الرقة|p1:PLACE] [أمس|t1:TIME]", date=date(2017, 1, 1))
    assert set(linked(annotation)) == {"a1"}
    assert LINKER.link(annotation) == LINKER.link(annotation)
