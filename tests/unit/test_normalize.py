"""Normalisation: each rule by example, and offsets that survive anything."""

import pytest
from hypothesis import given

from arabic_texts import ARABIC
from saytara.arabic.normalize import NORMALIZATIONS, Normalization, normalize
from saytara.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("سَيْطَرَ", "سيطر"),  # took control, with vowels
        ("حمـــص", "حمص"),  # stretched
        ("\u0627\u0655دلب", "إدلب"),  # hamza written apart
        ("\ufefb", "لا"),  # lam-alef ligature
        ("٢٠٢٤ و۱۴", "2024 و14"),  # Arabic-Indic and Persian digits
        ("\u200fحمص\u200e", "حمص"),  # direction marks
        ("a\u00a0b\tc", "a b c"),
        ("سطر\r\nسطر\rسطر", "سطر\nسطر\nسطر"),
        ("\x00\ud800", " \ufffd"),
    ],
)
def test_normalize_applies_each_rule(text: str, expected: str) -> None:
    assert normalize(text, Normalization()).text == expected


def test_arabert_folds_persian_letters_and_compact_leaves_them() -> None:
    assert normalize("کابل", NORMALIZATIONS["arabert"]).text == "كابل"
    assert normalize("کابل", NORMALIZATIONS["compact"]).text == "کابل"


def test_a_mark_belongs_to_the_letter_before_it() -> None:
    normalized = normalize("في حِمْصٍ.", Normalization())
    start = normalized.text.index("حمص")
    assert normalized.source(start, start + 3) == (3, 9)


@given(ARABIC)
def test_every_character_has_an_ordered_source_range(text: str) -> None:
    normalized = normalize(text, Normalization())
    assert len(normalized.text) == len(normalized.starts) == len(normalized.ends)
    previous = 0
    for start, end in zip(normalized.starts, normalized.ends, strict=True):
        assert 0 <= start < end <= len(text)
        assert start >= previous
        previous = start


@given(ARABIC)
def test_normalizing_twice_changes_nothing(text: str) -> None:
    once = normalize(text, Normalization()).text
    assert normalize(once, Normalization()).text == once


def test_an_unknown_rule_is_refused_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match="closest: strip_tatweel"):
        Normalization.from_dict({"strip_tatwil": True})
