"""Windows cover every word, hold whole sentences where they fit, and decide each word once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saytara.errors import ConfigError
from saytara.windows import Window, plan_windows


@st.composite
def reports(draw: st.DrawFn) -> tuple[list[int], list[tuple[int, int]]]:
    lengths = draw(st.lists(st.integers(1, 12), max_size=25))
    pieces = draw(st.lists(st.integers(0, 6), min_size=sum(lengths), max_size=sum(lengths)))
    sentences, first = [], 0
    for length in lengths:
        sentences.append((first, first + length))
        first += length
    return pieces, sentences


@given(reports(), st.integers(6, 40), st.integers(0, 5))
def test_every_word_is_read_and_decided_once(
    report: tuple[list[int], list[tuple[int, int]]], max_pieces: int, overlap: int
) -> None:
    pieces, sentences = report
    windows = plan_windows(pieces, sentences, max_pieces=max_pieces, overlap_pieces=overlap)
    assert [word for w in windows for word in range(w.owned_first, w.owned_end)] == list(range(len(pieces)))
    for window in windows:
        assert window.first <= window.owned_first <= window.owned_end <= window.end
        assert sum(pieces[window.first : window.end]) <= max_pieces


def test_a_short_report_is_one_window() -> None:
    assert plan_windows([1] * 9, [(0, 4), (4, 9)], max_pieces=9, overlap_pieces=3) == [Window(0, 9, 0, 9)]


def test_neighbours_share_whole_sentences_and_split_them_in_the_middle() -> None:
    windows = plan_windows([1] * 12, [(i, i + 2) for i in range(0, 12, 2)], max_pieces=8, overlap_pieces=4)
    assert windows == [Window(0, 8, 0, 6), Window(4, 12, 6, 12)]


def test_a_sentence_longer_than_a_window_is_cut_at_words() -> None:
    windows = plan_windows([3] * 5, [(0, 5)], max_pieces=7, overlap_pieces=0)
    assert [(w.first, w.end) for w in windows] == [(0, 2), (2, 4), (4, 5)]


def test_an_overlap_as_large_as_a_window_is_refused() -> None:
    with pytest.raises(ConfigError, match="overlap_pieces"):
        plan_windows([1], [(0, 1)], max_pieces=4, overlap_pieces=4)
