"""Measures of bare texts: their sentences, runs of words, and which texts are nearly the same.

Knows no annotation.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache

from saytara.arabic.fold import fold
from saytara.arabic.segment import find_sentences, find_words
from saytara.document import Span

WORD = re.compile(r"[^\W_]+")
"""``حمص``"""
SHINGLE_WORDS = 3
"""Length of the runs of words by which texts are compared."""
CONTAINED = 0.6
"""Share of the smaller text's runs from which it is a piece of the larger."""


@lru_cache(maxsize=16)
def sentence_spans(text: str) -> tuple[Span, ...]:
    """The sentences of a text, without the white space between them."""
    words = find_words(text)
    return tuple(Span(words[first][0], words[last - 1][1]) for first, last in find_sentences(text, words))


def sentence_around(text: str, span: Span) -> Span:
    """The sentence that holds a span, or the several that it touches."""
    touched = [sentence for sentence in sentence_spans(text) if sentence.overlaps(span)]
    return Span(touched[0].start, touched[-1].end) if touched else span


def word_shingles(text: str, *, size: int) -> set[tuple[str, ...]]:
    """The runs of `size` words of a text, without its punctuation.

    >>> sorted(word_shingles("one two, three", size=2))
    [('one', 'two'), ('two', 'three')]
    """
    words = WORD.findall(text)
    return {tuple(words[i : i + size]) for i in range(len(words) - size + 1)}


def similar_pairs(
    texts: Sequence[str], *, threshold: float, contained: float = CONTAINED
) -> Iterator[tuple[int, int, float]]:
    """Pairs of texts, by index, whose word runs have at least that Jaccard similarity, or one holds the other.

    Exact: an inverted index counts the runs that each pair shares.
    """
    shingles = [word_shingles(text, size=SHINGLE_WORDS) for text in texts]
    index: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for i, own in enumerate(shingles):
        shared = Counter(j for shingle in own for j in index[shingle])
        for j, common in sorted(shared.items()):
            jaccard = common / (len(own) + len(shingles[j]) - common)
            if jaccard >= threshold or common >= contained * min(len(own), len(shingles[j])):
                yield j, i, jaccard
        for shingle in own:
            index[shingle].append(i)


def index_runs(texts: Sequence[str], *, size: int) -> dict[tuple[str, ...], list[int]]:
    """The runs of `size` words, folded, with the indices of the texts that hold them."""
    owners: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for index, text in enumerate(texts):
        for run in word_shingles(fold(text), size=size):
            owners[run].append(index)
    return owners


def shared_runs(
    owners: Mapping[tuple[str, ...], Sequence[int]], others: Iterable[str], *, size: int
) -> dict[int, set[str]]:
    """Indexed runs that stand in one of `others` too, by the index of the text; `others` may be large.

    >>> shared_runs(index_runs(["دخلت القوات حماة فجراً"], size=3), ["القوات: حماه فجرا"], size=3)
    {0: {'القوات حماه فجرا'}}
    """
    found: dict[int, set[str]] = defaultdict(set)
    for other in others:
        for run in word_shingles(fold(other), size=size) & owners.keys():
            for index in owners[run]:
                found[index].add(" ".join(run))
    return dict(found)
