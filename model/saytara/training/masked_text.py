"""Raw texts as masked sequences: read, normalised, tokenised once, packed without padding, whole words masked.

Knows no model and no run: everything follows from the texts, a seed and a sequence's number.
"""

import hashlib
import json
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from safetensors import SafetensorError
from safetensors.numpy import load_file, save
from tokenizers import Tokenizer

from saytara.arabic.normalize import Normalization, normalize
from saytara.arabic.segment import find_words
from saytara.errors import DataError
from saytara.files import atomic_write
from saytara.inputs import read_texts

IGNORED = -100
UNCHANGED_SHARE = 0.1  # of the masked words: Devlin et al. 2019 keep a tenth and swap a tenth for random pieces
RANDOM_SHARE = 0.1
CHUNKS_AT_ONCE = 10_000


@dataclass(frozen=True)
class Pieces:
    """Texts as one long row of piece ids, and where documents and words begin in it."""

    ids: npt.NDArray[np.int32]
    word_starts: npt.NDArray[np.bool_]
    documents: npt.NDArray[np.int64]
    """Boundaries, one more than documents: document i is `ids[documents[i]:documents[i + 1]]`."""
    files: npt.NDArray[np.int64]
    """Number of the file that each document came from."""


@dataclass(frozen=True)
class SpecialPieces:
    """Ids that frame and mask sequences."""

    start: int
    end: int
    mask: int
    vocabulary: int
    never_masked: tuple[int, ...] = ()


def cached_pieces(files: Sequence[Path], tokenizer: Tokenizer, normalization: Normalization, cache: Path) -> Pieces:
    """Tokenise the texts, or take them from the cache if texts, tokenizer and normalisation are still the same."""
    known = hashlib.sha256(tokenizer.to_str().encode())
    known.update(json.dumps(asdict(normalization)).encode())
    for path in files:
        if not path.is_file():
            raise DataError("no such file. Check `files`.", where=str(path))
        known.update(f"{path} {path.stat().st_size} {path.stat().st_mtime_ns}".encode())
    names = [entry.name for entry in fields(Pieces)]
    digest = np.frombuffer(known.digest(), dtype=np.uint8)
    if cache.exists():
        try:
            arrays = load_file(cache)
        except SafetensorError:
            arrays = {}
        if "digest" in arrays and np.array_equal(arrays["digest"], digest):
            return Pieces(**{name: arrays[name] for name in names})
    pieces = tokenize_files(files, tokenizer, normalization)
    with atomic_write(cache) as file:
        file.write(save({**{name: getattr(pieces, name) for name in names}, "digest": digest.copy()}))
    return pieces


def tokenize_files(files: Sequence[Path], tokenizer: Tokenizer, normalization: Normalization) -> Pieces:
    """Tokenise every document as inference does: normalised, cut at white space, each chunk on its own."""
    tokenizer.no_padding()
    tokenizer.no_truncation()
    chunk_numbers: dict[str, int] = {}
    documents: list[npt.NDArray[np.int64]] = []  # numbers of the chunks of each document
    owners: list[int] = []
    for number, path in enumerate(files):
        for text in read_texts(path):
            chunks = normalize(text, normalization).text.split()
            if chunks:
                documents.append(np.array([chunk_numbers.setdefault(chunk, len(chunk_numbers)) for chunk in chunks]))
                owners.append(number)
    if len(documents) < 2:
        raise DataError("fewer than two documents with text. Name more files.", where=", ".join(map(str, files)))
    ids: list[npt.NDArray[np.int32]] = []
    starts: list[npt.NDArray[np.bool_]] = []
    chunks = list(chunk_numbers)
    for first in range(0, len(chunks), CHUNKS_AT_ONCE):
        batch = chunks[first : first + CHUNKS_AT_ONCE]
        for chunk, encoding in zip(batch, tokenizer.encode_batch(batch, add_special_tokens=False), strict=True):
            words = [start for start, _ in find_words(chunk)]
            owner = np.array([bisect_right(words, end - 1) for _, end in encoding.offsets], dtype=np.int64)
            ids.append(np.array(encoding.ids, dtype=np.int32))
            starts.append(np.diff(owner, prepend=-1) != 0)
    counts = np.array([len(row) for row in ids])
    begins = np.concatenate([[0], np.cumsum(counts)])
    all_ids, all_starts = np.concatenate(ids), np.concatenate(starts)
    rows, row_starts, lengths = [], [], []
    for document in documents:
        where = ranges(begins[document], counts[document])
        rows.append(all_ids[where])
        row_starts.append(all_starts[where])
        lengths.append(len(where))
    return Pieces(
        ids=np.concatenate(rows),
        word_starts=np.concatenate(row_starts),
        documents=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        files=np.array(owners, dtype=np.int64),
    )


def ranges(begins: npt.NDArray[np.int64], counts: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Concatenate the ranges [begin, begin + count).

    >>> ranges(np.array([5, 0]), np.array([2, 3])).tolist()
    [5, 6, 0, 1, 2]
    """
    total = int(counts.sum())
    shift = np.repeat(begins - np.concatenate([[0], np.cumsum(counts)[:-1]]), counts)
    return np.asarray(np.arange(total) + shift, dtype=np.int64)


def split_documents(pieces: Pieces, *, share: float, seed: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Numbers of the documents to train on and of those held out, at least one each."""
    count = len(pieces.files)
    order = np.random.default_rng([seed, 0]).permutation(count)
    held = max(1, round(count * share))
    return np.sort(order[held:]), np.sort(order[:held])


@dataclass(frozen=True, kw_only=True)
class Masking:
    """How sequences are made."""

    max_pieces: int
    """Length of a sequence, special pieces included."""
    probability: float
    """Share of the words that are masked."""
    seed: int
    """Seed of order and masks."""


class MaskedSequences:
    """An endless, seekable supply of masked sequences of equal length; holds no state but a cache.

    Args:
        pieces: the tokenised texts.
        documents: numbers of the documents to use; a number twice is read twice an epoch.
        special: ids that frame and mask sequences.
        masking: how sequences are made.
    """

    def __init__(
        self, pieces: Pieces, documents: npt.NDArray[np.int64], special: SpecialPieces, masking: Masking
    ) -> None:
        self.pieces = pieces
        self.documents = documents
        self.special = special
        self.masking = masking
        self.room = masking.max_pieces - 2
        lengths = pieces.documents[documents + 1] - pieces.documents[documents] + 1  # and a separator
        self.per_epoch = int(lengths.sum()) // self.room
        if self.per_epoch == 0:
            raise DataError(
                f"{int(lengths.sum())} pieces of {len(documents)} documents do not fill one sequence of "
                f"{masking.max_pieces}. Add texts or lower max_pieces."
            )
        self._epoch: tuple[int, npt.NDArray[np.int32], npt.NDArray[np.bool_]] | None = None

    def batch(self, numbers: Sequence[int]) -> tuple[torch.Tensor, torch.Tensor]:
        """Ids [B, T] and labels [B, T] of sequences, counted on through the epochs; -100 where nothing is masked."""
        rows = [self._masked(number) for number in numbers]
        ids = torch.from_numpy(np.stack([ids for ids, _ in rows]))
        labels = torch.from_numpy(np.stack([labels for _, labels in rows]))
        return ids, labels

    def _masked(self, number: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        epoch, place = divmod(number, self.per_epoch)
        ids, starts = self._stream(epoch)
        window = slice(place * self.room, (place + 1) * self.room)
        row = np.concatenate([[self.special.start], ids[window], [self.special.end]]).astype(np.int64)
        begins = np.concatenate([[True], starts[window], [True]])
        begins[1] = True
        random = np.random.default_rng([self.masking.seed, 2, number])
        masked, labels = mask_words(row, begins, random, special=self.special, probability=self.masking.probability)
        return masked, labels

    def _stream(self, epoch: int) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.bool_]]:
        """All documents of an epoch in its order, each followed by a separator."""
        if self._epoch is None or self._epoch[0] != epoch:
            order = np.random.default_rng([self.masking.seed, 1, epoch]).permutation(self.documents)
            ids, starts = [], []
            separator = np.array([self.special.end], dtype=np.int32)
            for document in order:
                where = slice(self.pieces.documents[document], self.pieces.documents[document + 1])
                ids += [self.pieces.ids[where], separator]
                starts += [self.pieces.word_starts[where], np.array([True])]
            self._epoch = (epoch, np.concatenate(ids), np.concatenate(starts))
        return self._epoch[1], self._epoch[2]


def mask_words(
    ids: npt.NDArray[np.int64],
    begins: npt.NDArray[np.bool_],
    random: np.random.Generator,
    *,
    special: SpecialPieces,
    probability: float,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Mask whole words of one sequence; special pieces are left alone, at least one word is chosen.

    Returns:
        The ids to read [T] and the labels [T], -100 where nothing is asked.
    """
    word = np.cumsum(begins) - 1  # [T], number of the word that each piece belongs to
    words = int(word[-1]) + 1
    usable = np.ones(words, dtype=bool)
    usable[word[np.isin(ids, special.never_masked)]] = False
    draws = random.random(words)
    draws[~usable] = 2.0
    chosen = draws < max(probability, float(draws.min()) + 1e-12) if usable.any() else np.zeros(words, dtype=bool)
    fate = random.random(words)
    noise = random.integers(0, special.vocabulary, size=len(ids))
    labels = np.where(chosen[word], ids, IGNORED)
    kept = fate < UNCHANGED_SHARE
    swapped = ~kept & (fate < UNCHANGED_SHARE + RANDOM_SHARE)
    masked = np.where((chosen & ~kept & ~swapped)[word], special.mask, ids)
    return np.where((chosen & swapped)[word], noise, masked), labels
