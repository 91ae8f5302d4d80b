"""Plan the windows in which a report is read: whole sentences, overlapping, nothing left out.

Counts pieces only; knows no text and no tensors.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from saytara.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Window:
    """Words ``[first, end)`` are read together; of these ``[owned_first, owned_end)`` are decided here.

    Owned ranges of a document's windows follow each other and cover every word once.
    """

    first: int
    end: int
    owned_first: int
    owned_end: int


def plan_windows(
    pieces: Sequence[int], sentences: Sequence[tuple[int, int]], *, max_pieces: int, overlap_pieces: int
) -> list[Window]:
    """Plan windows of at most `max_pieces` pieces.

    Args:
        pieces: number of pieces of each word.
        sentences: half-open ranges of word indices that cover all words in order.
        max_pieces: room for words in a window (special pieces not counted).
        overlap_pieces: how many pieces two neighbouring windows share at most.

    >>> plan_windows([2, 2, 2], [(0, 2), (2, 3)], max_pieces=4, overlap_pieces=0)
    [Window(first=0, end=2, owned_first=0, owned_end=2), Window(first=2, end=3, owned_first=2, owned_end=3)]
    """
    if overlap_pieces >= max_pieces:
        raise ConfigError(f"overlap_pieces ({overlap_pieces}) must be smaller than max_pieces ({max_pieces})")
    sums = [0, *accumulate(pieces)]
    units = [unit for sentence in sentences for unit in _split(sentence, pieces, max_pieces)]
    ranges: list[tuple[int, int]] = []  # of unit indices
    first = 0
    while first < len(units):
        end = first + 1
        while end < len(units) and sums[units[end][1]] - sums[units[first][0]] <= max_pieces:
            end += 1
        ranges.append((first, end))
        if end == len(units):
            break
        first = end  # go back over whole sentences, as far as the overlap and the next sentence leave room
        while (
            first - 1 > ranges[-1][0]
            and sums[units[end - 1][1]] - sums[units[first - 1][0]] <= overlap_pieces
            and sums[units[end][1]] - sums[units[first - 1][0]] <= max_pieces
        ):
            first -= 1
    return _owned(ranges, units, sums)


def _split(sentence: tuple[int, int], pieces: Sequence[int], max_pieces: int) -> list[tuple[int, int]]:
    """Cut a sentence that is longer than a window at words."""
    units = []
    first, size = sentence[0], 0
    for word in range(*sentence):
        if size and size + pieces[word] > max_pieces:
            units.append((first, word))
            first, size = word, 0
        size += pieces[word]
    units.append((first, sentence[1]))
    return units


def _owned(ranges: list[tuple[int, int]], units: list[tuple[int, int]], sums: list[int]) -> list[Window]:
    """Give each shared sentence to the window in which it stands farther from the edge."""
    windows = []
    owned_first = 0
    for index, (first, end) in enumerate(ranges):
        owned_end = units[end - 1][1]
        if index + 1 < len(ranges):
            next_first = ranges[index + 1][0]
            middle = (sums[units[next_first][0]] + sums[units[end - 1][1]]) / 2 if next_first < end else None
            for unit in units[next_first:end]:
                if middle is not None and sums[unit[1]] > middle:
                    owned_end = unit[0]
                    break
        windows.append(Window(units[first][0], units[end - 1][1], owned_first, owned_end))
        owned_first = owned_end
    return windows
