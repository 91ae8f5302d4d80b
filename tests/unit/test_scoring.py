"""What a word gets that several windows read."""

import numpy as np

from saytara.document import Span
from saytara.encoding import EncodedDocument, EncodedWindow
from saytara.scoring import log_softmax, read_windows


def window(first: int, end: int) -> EncodedWindow:
    words = tuple(Span(2 * word, 2 * word + 1) for word in range(first, end))
    size = end - first
    none = np.zeros((0, 2), np.int64)
    return EncodedWindow(np.zeros(size, np.int64), none, words, np.zeros(size, np.int64), none > 0, first, (0, size))


class Numbered:
    """Says of word `w` in its `n`-th window what stands at ``answers[n][w]``; notes what it read."""

    def __init__(self, answers: list[dict[int, tuple[float, float]]]) -> None:
        self.answers = answers
        self.read_so_far = 0

    def read(self, window: EncodedWindow) -> tuple[np.ndarray, np.ndarray]:
        answer = self.answers[self.read_so_far]
        self.read_so_far += 1
        logits = np.array([answer[word] for word in range(window.first, window.end)], np.float32)
        return np.full((len(logits), 1), self.read_so_far, np.float32), logits


def test_a_word_of_two_windows_gets_the_mean_of_their_probabilities() -> None:
    sure, unsure = (0.0, 20.0), (0.0, 0.0)
    scorer = Numbered([{0: sure, 1: sure}, {1: unsure, 2: unsure}])
    encoded = EncodedDocument(tuple(Span(2 * w, 2 * w + 1) for w in range(3)), (window(0, 2), window(1, 3)))
    (_, _, left), (_, _, right) = read_windows(scorer, encoded)
    np.testing.assert_allclose(np.exp(left[:, 1]), [1.0, 0.75], atol=1e-6)
    np.testing.assert_allclose(np.exp(right[:, 1]), [0.75, 0.5], atol=1e-6)


def test_a_word_of_one_window_keeps_what_it_said_however_unlikely() -> None:
    scorer = Numbered([{0: (0.0, -400.0)}])
    ((_, vectors, tags),) = read_windows(scorer, EncodedDocument((Span(0, 1),), (window(0, 1),)))
    np.testing.assert_allclose(tags, log_softmax(np.array([[0.0, -400.0]])), rtol=1e-6)
    assert vectors.tolist() == [[1.0]]


def test_windows_come_as_soon_as_no_later_one_shares_a_word() -> None:
    ranges = [(0, 4), (2, 6), (3, 8), (8, 9)]
    scorer = Numbered([dict.fromkeys(range(9), (0.0, 0.0))] * 4)
    encoded = EncodedDocument(tuple(Span(2 * w, 2 * w + 1) for w in range(9)), tuple(window(*r) for r in ranges))
    seen = [(found.first, scorer.read_so_far) for found, _, _ in read_windows(scorer, encoded)]
    assert seen == [(0, 3), (2, 3), (3, 3), (8, 4)]
