"""What the pages call things, in Arabic and in English.

Tables only, and the element that shows a pair.
"""

from collections.abc import Mapping

from saytara.export.elements import Safe, join, tag

Label = tuple[str, str]
"""Arabic and English."""

TYPES: Mapping[str, Label] = {
    "CAPTURE": ("سيطرة", "Capture"),
    "RECAPTURE": ("استعادة", "Recapture"),
    "WITHDRAWAL": ("انسحاب", "Withdrawal"),
    "HANDOVER": ("تسليم", "Handover"),
    "ADVANCE": ("تقدّم", "Advance"),
    "SIEGE": ("حصار", "Siege"),
    "HOLD": ("سيطرة قائمة", "Hold"),
}
MENTIONS: Mapping[str, Label] = {
    "ACTOR": ("طرف", "Actor"),
    "PLACE": ("مكان", "Place"),
    "SOURCE": ("مصدر", "Source"),
    "TIME": ("زمن", "Time"),
}
ROLES: Mapping[str, Label] = {
    "controller": ("المسيطر", "Controller"),
    "displaced": ("الخاسر", "Displaced"),
    "place": ("المكان", "Place"),
    "time": ("الزمن", "Time"),
    "claimant": ("القائل", "Claimant"),
    "reporter": ("الناقل", "Reporter"),
}
FACTUALITY: Mapping[str, Label] = {
    "actual": ("واقع", "Actual"),
    "denied": ("منفي", "Denied"),
    "prospective": ("متوقَّع", "Expected"),
}
ATTRIBUTION: Mapping[str, Label] = {
    "claimed": ("قول طرف", "Claimed"),
    "reported": ("منقول", "Reported"),
    "stated": ("بلا إسناد", "Stated"),
}
STATUS: Mapping[str, Label] = {
    "contradicted": ("متناقَض فيه", "Contradicted"),
    "denied": ("منفي", "Denied"),
    "expected": ("متوقَّع", "Expected"),
    **ATTRIBUTION,
}
CLAIM_BY: Mapping[str, Label] = {
    "winner": ("قاله الرابح", "by the winner"),
    "loser": ("قاله الخاسر", "by the loser"),
    "neither": ("قاله غيرهما", "by neither side"),
}
STATES: Mapping[str, Label] = {
    "holder": ("سيطرة", "Held"),
    "contested": ("متنازَع عليه", "Contested"),
    "besieged": ("محاصَر", "Besieged"),
    "unknown": ("غير معروف", "Unknown"),
}
KINDS: Mapping[str, Label] = {
    # kinds of place
    "city": ("مدينة", "city"),
    "town": ("بلدة", "town"),
    "village": ("قرية", "village"),
    "quarter": ("حي", "quarter"),
    "governorate": ("محافظة", "governorate"),
    "state": ("ولاية", "state"),
    "province": ("مقاطعة", "province"),
    "oblast": ("مقاطعة", "oblast"),
    "district": ("مديرية", "district"),
    "subdistrict": ("ناحية", "subdistrict"),
    "region": ("منطقة", "region"),
    "area": ("منطقة", "area"),
    "countryside": ("ريف", "countryside"),
    "country": ("بلد", "country"),
    "base": ("قاعدة", "base"),
    "airport": ("مطار", "airport"),
    "crossing": ("معبر", "crossing"),
    "camp": ("مخيم", "camp"),
    "port": ("ميناء", "port"),
    "prison": ("سجن", "prison"),
    "dam": ("سد", "dam"),
    "field": ("حقل", "field"),
    "refinery": ("مصفاة", "refinery"),
    "road": ("طريق", "road"),
    "junction": ("مفرق", "junction"),
    "bridge": ("جسر", "bridge"),
    "river": ("نهر", "river"),
    "lake": ("بحيرة", "lake"),
    "mountain": ("جبل", "mountain"),
    "hill": ("تل", "hill"),
    "valley": ("وادٍ", "valley"),
    "island": ("جزيرة", "island"),
    "building": ("مبنى", "building"),
}
PRECISION: Mapping[int, Label] = {
    1: ("الموقع نفسه", "the place itself"),
    2: ("تقريبي", "near it, or part of it"),
    3: ("منطقة", "a region"),
}
DATE_FROM: Mapping[int, Label] = {
    1: ("بحسب النص", "the text's time"),
    2: ("تاريخ التقرير", "the report's date"),
    3: ("غير معروف", "unknown"),
}


def label(table: Mapping[str, Label], value: str) -> Label:
    """The label of a value; the value itself where the table, of another schema, lacks it."""
    return table.get(value, (value, ""))


def both(pair: Label) -> Safe:
    """Arabic, then English in small."""
    arabic, english = pair
    return join([arabic, *([" ", tag("span", english, class_="en", lang="en", dir="ltr")] if english else [])])
