"""Turn a document into windows of piece ids, words and sentences, all with document offsets.

The one encoder of training and inference; decides nothing and knows no torch.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from saytara.arabic.normalize import Normalization, normalize
from saytara.arabic.segment import find_sentences, find_words, is_mark
from saytara.document import Span
from saytara.errors import CheckpointError
from saytara.windows import Window, plan_windows

MAX_CHUNK_CHARS = 200
"""Words without white space between them are tokenised together, up to this length. A single word that is longer
(a pasted blob) is no word of a language and is read as one unknown piece."""


@dataclass(frozen=True, slots=True)
class EncodedWindow:
    """One window: what the encoder reads and where each word stands."""

    ids: NDArray[np.int64]
    """Piece ids with the special pieces around them, ``[T]``."""
    piece_words: NDArray[np.int64]
    """Rows (piece, word), one for each overlap of a piece with a word of the window."""
    words: tuple[Span, ...]
    """Document ranges of the window's words, ``W`` of them."""
    sentences: NDArray[np.int64]
    """Sentence number in the document of each word, ``[W]``."""
    marks: NDArray[np.bool_]
    """Whether each word is a punctuation mark, ``[W]``."""
    first: int
    """Index in the document of the window's first word."""
    owned: tuple[int, int]
    """Half-open range of window words that are decided in this window."""

    @property
    def end(self) -> int:
        """Index in the document of the word behind the window's last."""
        return self.first + len(self.words)

    def pool(self, pieces: int | None = None, words: int | None = None) -> NDArray[np.float32]:
        """Weights that average the pieces of each word, ``[words, pieces]``; padded with zeros."""
        weights = np.zeros((words or len(self.words), pieces or len(self.ids)), dtype=np.float32)
        if len(self.piece_words):
            weights[self.piece_words[:, 1], self.piece_words[:, 0]] = 1.0
        sums: NDArray[np.float32] = np.maximum(weights.sum(axis=1, keepdims=True), np.float32(1.0))
        return weights / sums


@dataclass(frozen=True, slots=True)
class EncodedDocument:
    """A document's words and the windows in which they are read."""

    words: tuple[Span, ...]
    windows: tuple[EncodedWindow, ...]


class TextEncoder(Protocol):
    """What the extractor asks of an encoder of texts."""

    def encode(self, text: str) -> EncodedDocument:
        """Encode a whole text."""
        ...


class DocumentEncoder:
    """Normalise, cut and tokenise documents as one checkpoint expects it.

    Args:
        tokenizer: a fast tokenizer; its post-processor gives the special pieces.
        normalization: what the encoder was trained with.
        max_pieces: size of a window, special pieces included.
        overlap_pieces: how many pieces neighbouring windows share at most.
    """

    def __init__(
        self, tokenizer: Tokenizer, normalization: Normalization, *, max_pieces: int, overlap_pieces: int
    ) -> None:
        tokenizer.no_padding()
        tokenizer.no_truncation()
        self.tokenizer = tokenizer
        self.normalization = normalization
        frame: list[int] = tokenizer.encode("").ids
        if len(frame) != 2:
            raise CheckpointError(
                f"the tokenizer puts {len(frame)} special pieces around a text, expected 2 (as BERT and XLM-R do)."
            )
        self.opening, self.closing = frame
        self.unknown: int = (tokenizer.encode("\U000f0000", add_special_tokens=False).ids or frame)[-1]
        self.max_pieces = max_pieces
        self.overlap_pieces = overlap_pieces
        self._pieces = lru_cache(maxsize=50_000)(self._tokenize)

    def encode(self, text: str) -> EncodedDocument:
        """Encode a whole text; every word stands in at least one window."""
        normalized = normalize(text, self.normalization)
        ranges = find_words(normalized.text)
        sentences = find_sentences(normalized.text, ranges)
        words = tuple(Span(*normalized.source(start, end)) for start, end in ranges)
        ids, piece_first, piece_last = self._tokenize_words(normalized.text, ranges)
        piece_counts = np.bincount(piece_first, minlength=len(ranges)).tolist() if len(ranges) else []
        plan = plan_windows(piece_counts, sentences, max_pieces=self.max_pieces - 2, overlap_pieces=self.overlap_pieces)
        sentence_of_word = np.zeros(len(ranges), dtype=np.int64)
        for number, (start, end) in enumerate(sentences):
            sentence_of_word[start:end] = number
        marks = np.array([is_mark(normalized.text[start]) for start, _ in ranges], dtype=bool)
        windows = tuple(
            self._window(window, words, ids, piece_first, piece_last, sentence_of_word, marks) for window in plan
        )
        return EncodedDocument(words, windows)

    def _tokenize_words(
        self, text: str, ranges: Sequence[tuple[int, int]]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Piece ids of the text with the first and the last word that each piece overlaps."""
        ids: list[int] = []
        firsts: list[int] = []
        lasts: list[int] = []
        start = 0
        while start < len(ranges):
            end = start + 1
            while (
                end < len(ranges)
                and ranges[end][0] == ranges[end - 1][1]
                and ranges[end][1] - ranges[start][0] <= MAX_CHUNK_CHARS
            ):
                end += 1
            base = ranges[start][0]
            for piece, piece_start, piece_end in self._pieces(text[base : ranges[end - 1][1]]):
                first = start
                while first + 1 < end and ranges[first][1] - base <= piece_start:
                    first += 1
                last = first
                while last + 1 < end and ranges[last + 1][0] - base < piece_end:
                    last += 1
                ids.append(piece)
                firsts.append(first)
                lasts.append(last)
            start = end
        return np.array(ids, np.int64), np.array(firsts, np.int64), np.array(lasts, np.int64)

    def _tokenize(self, chunk: str) -> tuple[tuple[int, int, int], ...]:
        """Ids and ranges of a chunk's pieces. A bare word-boundary piece gets the range of what follows it."""
        if len(chunk) > MAX_CHUNK_CHARS:  # one word, since a chunk of several is shorter
            return ((self.unknown, 0, len(chunk)),)
        encoding = self.tokenizer.encode(chunk, add_special_tokens=False)
        return tuple((piece, start, end) for piece, (start, end) in zip(encoding.ids, encoding.offsets, strict=True))

    def _window(
        self,
        window: Window,
        words: tuple[Span, ...],
        ids: NDArray[np.int64],
        piece_first: NDArray[np.int64],
        piece_last: NDArray[np.int64],
        sentence_of_word: NDArray[np.int64],
        marks: NDArray[np.bool_],
    ) -> EncodedWindow:
        start, end = np.searchsorted(piece_first, [window.first, window.end])
        rows = []
        for piece in range(start, end):
            for word in range(piece_first[piece], min(piece_last[piece] + 1, window.end)):
                rows.append((piece - start + 1, word - window.first))
        return EncodedWindow(
            ids=np.concatenate(([self.opening], ids[start:end], [self.closing])).astype(np.int64),
            piece_words=np.array(rows, np.int64).reshape(-1, 2),
            words=words[window.first : window.end],
            sentences=sentence_of_word[window.first : window.end],
            marks=marks[window.first : window.end],
            first=window.first,
            owned=(window.owned_first - window.first, window.owned_end - window.first),
        )
