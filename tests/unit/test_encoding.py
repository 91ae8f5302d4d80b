"""Encoded windows point back into the untouched text, for any text."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from arabic_texts import ARABIC
from saytara.arabic.normalize import Normalization
from saytara.encoding import DocumentEncoder, EncodedDocument
from saytara.errors import CheckpointError


def unigram_tokenizer() -> Tokenizer:
    """A tokenizer with bare word-boundary pieces, as XLM-R's; its unknown piece stands for any letter."""
    pieces = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -1.0), ("سيطر", -1.0), ("ت", -1.5)]
    tokenizer = Tokenizer(models.Unigram([*pieces, ("▁حمص", -1.0), ("،", -1.0), ("▁على", -1.0)], unk_id=3))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    return tokenizer


def encode(text: str, *, max_pieces: int = 24, overlap_pieces: int = 8) -> EncodedDocument:
    encoder = DocumentEncoder(
        unigram_tokenizer(), Normalization(), max_pieces=max_pieces, overlap_pieces=overlap_pieces
    )
    return encoder.encode(text)


def test_pieces_belong_to_the_words_that_they_overlap() -> None:
    (window,) = encode("سيطرت على حمص،").windows
    assert window.ids.tolist() == [0, 4, 5, 6, 9, 7, 8, 2]
    assert [(w.start, w.end) for w in window.words] == [(0, 5), (6, 9), (10, 13), (13, 14)]
    assert window.piece_words.tolist() == [[1, 0], [2, 0], [3, 0], [4, 1], [5, 2], [6, 3]]


def test_pool_averages_the_pieces_of_each_word() -> None:
    (window,) = encode("سيطرت على").windows
    assert np.allclose(window.pool().sum(1), 1.0)
    assert np.allclose(window.pool()[0, 1:4], 1 / 3)
    assert window.pool(10, 5).shape == (5, 10)


def test_offsets_are_those_of_the_text_before_normalisation() -> None:
    text = "\u200fسَيْطَرَت\u200e  على حمـص"
    words = [text[w.start : w.end] for w in encode(text).words]
    assert words == ["سَيْطَرَت", "على", "حمـص"]


@given(ARABIC)
def test_any_text_is_covered_by_words_with_ranges_of_its_own(text: str) -> None:
    encoded = encode(text)
    end = 0
    for word in encoded.words:
        assert 0 <= word.start < word.end <= len(text)
        assert word.start >= end or word.end == end  # two words out of one ligature share its range
        end = word.end
    owned = [w.first + index for w in encoded.windows for index in range(*w.owned)]
    assert owned == list(range(len(encoded.words)))


@given(st.text(alphabet="سيطرتحمص على.\n", max_size=400), st.integers(8, 40))
def test_windows_hold_at_most_their_pieces(text: str, max_pieces: int) -> None:
    for window in encode(text, max_pieces=max_pieces, overlap_pieces=3).windows:
        assert len(window.ids) <= max_pieces or len(window.words) == 1
        assert window.ids[0] == 0
        assert window.ids[-1] == 2


def test_marks_are_told_from_words() -> None:
    text = "سيطرت على حمص. " * 10 + "«حَمص» 2014."
    windows = encode(text).windows
    assert len(windows) > 1
    for window in windows:
        words = [text[word.start : word.end] for word in window.words]
        assert window.marks.tolist() == [word in ("«", "»", ".") for word in words]


def test_a_blob_of_letters_is_one_word_and_one_unknown_piece() -> None:
    encoded = encode("دخلت " + "ا" * 1_000_000 + " حمص")
    (window,) = encoded.windows
    assert [len(word) for word in encoded.words] == [4, 1_000_000, 3]
    assert window.ids.tolist()[-3:] == [3, 7, 2]  # unknown, then what follows, then the end


def test_sentences_are_numbered_through_the_document() -> None:
    windows = encode("حمص. " * 30, max_pieces=12, overlap_pieces=4).windows
    assert len(windows) > 2
    assert windows[-1].sentences[-1] == 29
    assert [w.first for w in windows] == sorted({w.first for w in windows})


def test_a_tokenizer_without_special_pieces_is_refused() -> None:
    tokenizer = unigram_tokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(single="$A", special_tokens=[])
    with pytest.raises(CheckpointError, match="puts 0 special pieces"):
        DocumentEncoder(tokenizer, Normalization(), max_pieces=24, overlap_pieces=8)
