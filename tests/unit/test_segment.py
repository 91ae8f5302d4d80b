"""Words and sentences as offsets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saytara.arabic.segment import find_sentences, find_words


def words_of(text: str) -> list[str]:
    return [text[start:end] for start, end in find_words(text)]


def sentences_of(text: str) -> list[str]:
    words = find_words(text)
    return [text[words[first][0] : words[end - 1][1]] for first, end in find_sentences(text, words)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("دخلت حمص.", ["دخلت", "حمص", "."]),
        ("«داعش»،", ["«", "داعش", "»", "،"]),
        ("حِمْص", ["حِمْص"]),  # marks stay with their letters
        ("3.5", ["3", ".", "5"]),
        ("", []),
        (" \n ", []),
    ],
)
def test_words_are_letters_with_their_marks_or_single_punctuation(text: str, expected: list[str]) -> None:
    assert words_of(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("دخل. خرج.", ["دخل.", "خرج."]),
        ("قال: «دخلنا.» ثم خرج", ["قال: «دخلنا.»", "ثم خرج"]),
        ("عنوان\nنص", ["عنوان", "نص"]),
        ("بلغ 3.5 كم", ["بلغ 3.5 كم"]),
        ("example.com هنا", ["example.com هنا"]),
        ("هل دخل؟ نعم", ["هل دخل؟", "نعم"]),
    ],
)
def test_a_sentence_ends_at_a_line_end_or_a_mark_before_space(text: str, expected: list[str]) -> None:
    assert sentences_of(text) == expected


@given(st.text())
def test_words_cover_everything_but_space_and_sentences_cover_all_words(text: str) -> None:
    words = find_words(text)
    covered = {index for start, end in words for index in range(start, end)}
    assert [char for index, char in enumerate(text) if index not in covered and not char.isspace()] == []
    sentences = find_sentences(text, words)
    assert [index for first, end in sentences for index in range(first, end)] == list(range(len(words)))
