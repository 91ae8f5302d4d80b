"""Pair triggers with the mentions that may fill a role of theirs, with the features of each pair.

Shared by training (gold or predicted spans) and inference; knows no text and computes no score.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from saytara.schema import Schema
from saytara.tags import WordSpan, tag_names, to_tags

LABEL = 3
"""Column of `Pairing.pairs` that holds the mention's label."""
DISTANCE_EDGES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96)
"""Upper word distances (exclusive) of the distance buckets on either side of a trigger."""
DISTANCE_BUCKETS = 2 * (len(DISTANCE_EDGES) + 1)
RANK_BUCKETS = 10
"""Rank of a mention among those of its label on the same side of the trigger: 0-4 behind, 5-9 before it."""
SENTENCE_BUCKETS = 7
"""Sentence of the mention minus that of the trigger, cut to -3…3."""


@dataclass(frozen=True, slots=True)
class Pairing:
    """Spans and pairs of one window, as arrays.

    `pairs` holds rows (trigger number, first word, last word, mention label, distance, rank, sentence).
    """

    tags: NDArray[np.int64]
    """Tag index of each word, ``[W]``."""
    triggers: NDArray[np.int64]
    """Rows (word, event type index), ``[E, 2]``."""
    pairs: NDArray[np.int64]
    """``[P, 7]``."""
    mentions: NDArray[np.int64]
    """Mention number of each pair, ``[P]``."""


class PairBuilder:
    """Build pairings for one schema."""

    def __init__(self, schema: Schema) -> None:
        self.labels = {label: index for index, label in enumerate(schema.mentions)}
        self.types = {event: index for index, event in enumerate(schema.events)}
        self.tag_index = {tag: index for index, tag in enumerate(tag_names(schema))}
        self.pairable = frozenset(label for labels in schema.roles.values() for label in labels)

    def build(
        self, mentions: Sequence[WordSpan], triggers: Sequence[WordSpan], sentences: NDArray[np.int64]
    ) -> Pairing:
        """Pair every trigger with every mention that some role allows.

        Args:
            mentions, triggers: labelled ranges of window words, in order of their start.
            sentences: sentence number of each word, ``[W]``.
        """
        tags = to_tags([*mentions, *triggers], len(sentences))
        rows: list[tuple[int, ...]] = []
        numbers: list[int] = []
        for trigger_number, trigger in enumerate(triggers):
            ranks = self._ranks(mentions, trigger)
            for mention_number, mention in enumerate(mentions):
                if mention.label not in self.pairable:
                    continue
                gap = int(sentences[mention.start] - sentences[trigger.start])
                rows.append(
                    (
                        trigger_number,
                        mention.start,
                        mention.end - 1,
                        self.labels[mention.label],
                        _distance_bucket(mention, trigger),
                        ranks[mention_number],
                        max(-3, min(3, gap)) + 3,
                    )
                )
                numbers.append(mention_number)
        return Pairing(
            tags=np.array([self.tag_index[tag] for tag in tags], np.int64),
            triggers=np.array([(t.start, self.types[t.label]) for t in triggers], np.int64).reshape(-1, 2),
            pairs=np.array(rows, np.int64).reshape(-1, 7),
            mentions=np.array(numbers, np.int64),
        )

    @staticmethod
    def _ranks(mentions: Sequence[WordSpan], trigger: WordSpan) -> list[int]:
        """Rank bucket of each mention: how many of its label lie between it and the trigger."""
        ranks = [0] * len(mentions)
        half = RANK_BUCKETS // 2
        seen: dict[str, int] = {}
        for number, mention in enumerate(mentions):
            if mention.start > trigger.start:
                ranks[number] = min(seen.get(mention.label, 0), half - 1)
                seen[mention.label] = seen.get(mention.label, 0) + 1
        seen = {}
        for number in range(len(mentions) - 1, -1, -1):
            mention = mentions[number]
            if mention.start <= trigger.start:
                ranks[number] = half + min(seen.get(mention.label, 0), half - 1)
                seen[mention.label] = seen.get(mention.label, 0) + 1
        return ranks


def _distance_bucket(mention: WordSpan, trigger: WordSpan) -> int:
    """Bucket of the words between the two; the lower half for mentions behind the trigger."""
    is_behind = mention.start > trigger.start
    between = mention.start - trigger.end if is_behind else trigger.start - mention.end
    bucket = sum(between >= edge for edge in DISTANCE_EDGES)
    return bucket if is_behind else bucket + len(DISTANCE_EDGES) + 1
