"""Pairs of triggers and mentions, and their features."""

import numpy as np

from saytara.pairing import DISTANCE_BUCKETS, DISTANCE_EDGES, RANK_BUCKETS, SENTENCE_BUCKETS, PairBuilder
from saytara.schema import CONTROL_CHANGE, Schema
from saytara.tags import WordSpan

BUILDER = PairBuilder(CONTROL_CHANGE)
ACTOR, PLACE = BUILDER.labels["ACTOR"], BUILDER.labels["PLACE"]


def test_each_trigger_is_paired_with_each_mention() -> None:
    mentions = [WordSpan(0, 2, "ACTOR"), WordSpan(4, 5, "PLACE"), WordSpan(6, 7, "PLACE")]
    triggers = [WordSpan(3, 4, "CAPTURE"), WordSpan(8, 9, "HOLD")]
    pairing = BUILDER.build(mentions, triggers, np.array([0] * 6 + [1] * 4))
    assert pairing.triggers.tolist() == [[3, 0], [8, 6]]
    assert pairing.mentions.tolist() == [0, 1, 2, 0, 1, 2]
    half = RANK_BUCKETS // 2
    before = len(DISTANCE_EDGES) + 1
    assert pairing.pairs.tolist() == [
        [0, 0, 1, ACTOR, before + 1, half, 3],  # one word between, nearest actor before, same sentence
        [0, 4, 4, PLACE, 0, 0, 3],
        [0, 6, 6, PLACE, 2, 1, 4],  # second place behind, next sentence
        [1, 0, 1, ACTOR, before + 5, half, 2],
        [1, 4, 4, PLACE, before + 3, half + 1, 2],
        [1, 6, 6, PLACE, before + 1, half, 3],
    ]


def test_features_stay_in_their_buckets_however_far() -> None:
    mentions = [WordSpan(i, i + 1, "PLACE") for i in range(0, 400, 2)]
    sentences = np.arange(401) // 10
    pairing = BUILDER.build(mentions, [WordSpan(201, 202, "HOLD")], sentences)
    assert pairing.pairs[:, 4].max() < DISTANCE_BUCKETS
    assert pairing.pairs[:, 5].max() == RANK_BUCKETS - 1
    assert set(pairing.pairs[:, 6]) == set(range(SENTENCE_BUCKETS))


def test_labels_that_no_role_takes_are_not_paired() -> None:
    schema = Schema("s", {"A": "a", "B": "b"}, events=("E",), roles={"r": ("A",)}, factuality=("actual",))
    mentions = [WordSpan(0, 1, "A"), WordSpan(1, 2, "B")]
    pairing = PairBuilder(schema).build(mentions, [WordSpan(2, 3, "E")], np.zeros(3, np.int64))
    assert pairing.mentions.tolist() == [0]


def test_no_trigger_gives_empty_arrays_of_the_right_width() -> None:
    pairing = BUILDER.build([WordSpan(0, 1, "ACTOR")], [], np.zeros(2, np.int64))
    assert pairing.pairs.shape == (0, 7)
    assert pairing.triggers.shape == (0, 2)
