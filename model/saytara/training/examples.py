"""Training examples: encoded windows with spans, roles and factuality to learn, and their batches.

What is to be learnt of a word, pair or trigger is a distribution: all on one value where people annotated it, spread
where teachers gave it (`saytara.training.distillation`). Computes no loss; what a window cannot hold is counted here
and reported once.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from saytara.document import Annotation
from saytara.encoding import DocumentEncoder, EncodedWindow
from saytara.pairing import PairBuilder, Pairing
from saytara.pipeline import word_spans
from saytara.schema import Schema
from saytara.tags import WordSpan, tag_names, to_spans, to_tags

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Example:
    """One window of an annotated document."""

    window: EncodedWindow
    mentions: tuple[WordSpan, ...]
    triggers: tuple[WordSpan, ...]
    roles: Mapping[tuple[int, int], NDArray[np.float32]]
    """(trigger, mention) numbers to the probability of each role ``[R]``; absent: unrelated."""
    factuality: NDArray[np.float32]
    """Probability of each value for each trigger, ``[E, F]``."""
    tags: NDArray[np.float32]
    """Probability of each tag for each word, ``[W, L]``."""

    @property
    def length(self) -> int:
        return len(self.window.ids)


def make_examples(annotations: Sequence[Annotation], encoder: DocumentEncoder, schema: Schema) -> list[Example]:
    """Encode gold documents, one example a window."""
    examples: list[Example] = []
    arguments = lost_arguments = lost_spans = 0
    for annotation in annotations:
        encoded = encoder.encode(annotation.document.text)
        spans = word_spans(annotation, encoded, schema)
        lost_spans += len(annotation.mentions) + len(annotation.events) - len(spans)
        for window in encoded.windows:
            example, lost, seen = _example(annotation, window, encoder, schema)
            examples.append(example)
            lost_arguments += lost
            arguments += seen
    if lost_arguments or lost_spans:
        logger.warning(
            "%d of %d arguments stand in another window than their trigger, %d spans hold no word; they are not learnt",
            lost_arguments,
            arguments,
            lost_spans,
        )
    return examples


def _example(
    annotation: Annotation, window: EncodedWindow, encoder: DocumentEncoder, schema: Schema
) -> tuple[Example, int, int]:
    located = {}
    starts = np.array([word.start for word in window.words] or [0])
    ends = np.array([word.end for word in window.words] or [0])
    for key, span, label in [
        *((mention.id, mention.span, mention.label) for mention in annotation.mentions),
        *(((event.id,), event.trigger, event.type) for event in annotation.events),
    ]:
        first = int(np.searchsorted(ends, span.start, "right"))
        end = int(np.searchsorted(starts, span.end, "left"))
        if window.words and first < end and starts[0] < span.end and span.start < ends[-1]:
            located[key] = WordSpan(first, end, label)
    mention_keys = sorted((m.id for m in annotation.mentions if m.id in located), key=lambda key: located[key])
    events = sorted((e for e in annotation.events if (e.id,) in located), key=lambda event: located[(event.id,)])
    number = {key: index for index, key in enumerate(mention_keys)}
    role_index = {role: index for index, role in enumerate(schema.roles)}
    roles: dict[tuple[int, int], NDArray[np.float32]] = {}
    lost = seen = 0
    for index, event in enumerate(events):
        owned = window.owned[0] <= located[(event.id,)].start < window.owned[1]
        for argument in event.arguments:
            seen += owned
            if argument.mention not in number:
                lost += owned
                continue
            vector = roles.setdefault((index, number[argument.mention]), np.zeros(len(role_index), np.float32))
            vector[role_index[argument.role]] = 1.0
    triggers = tuple(
        WordSpan(located[(event.id,)].start, located[(event.id,)].start + 1, event.type) for event in events
    )
    factuality = np.zeros((len(events), len(schema.factuality)), np.float32)
    for row, event in zip(factuality, events, strict=True):
        row[schema.factuality.index(event.factuality)] = 1.0
    mentions = tuple(located[key] for key in mention_keys)
    names = tag_names(schema)
    tags = np.zeros((len(window.words), len(names)), np.float32)
    for row, tag in zip(tags, to_tags([*mentions, *triggers], len(window.words)), strict=True):
        row[names.index(tag)] = 1.0
    example = Example(window, mentions, triggers, roles, factuality, tags)
    return example, lost, seen


@dataclass(frozen=True, slots=True)
class Relations:
    """Pairs of a batch as tensors, with what is to be learnt of them."""

    tags: Tensor
    triggers: Tensor
    pairs: Tensor
    role_targets: Tensor
    """``[P, R]``"""
    factuality_targets: Tensor
    """``[E, F]``, zeros where the trigger is none that is to be learnt"""


class Batcher:
    """Collate examples; also the pairer that the model calls back.

    Args:
        pad_id, mask_id: pieces for padding and for masked words.
    """

    def __init__(self, schema: Schema, *, pad_id: int, mask_id: int | None, word_mask_probability: float) -> None:
        self.schema = schema
        self.builder = PairBuilder(schema)
        self.tags = list(self.builder.tag_index)
        self.pad_id = pad_id
        self.mask_id = pad_id if mask_id is None else mask_id
        self.word_mask_probability = 0.0 if mask_id is None else word_mask_probability

    def __call__(self, examples: Sequence[Example]) -> dict[str, object]:
        """Pad to ``[B, T]`` pieces and ``[B, W]`` words.

        ``targets`` holds the probability of each tag ``[B, W, L]``, zeros for padding; ``examples`` the examples.
        """
        pieces = max(example.length for example in examples)
        words = max(1, *(len(example.window.words) for example in examples))
        ids = np.full((len(examples), pieces), self.pad_id, np.int64)
        mask = np.zeros((len(examples), pieces), np.int64)
        pool = np.zeros((len(examples), words, pieces), np.float32)
        word_mask = np.zeros((len(examples), words), bool)
        targets = np.zeros((len(examples), words, len(self.tags)), np.float32)
        for row, example in enumerate(examples):
            size = example.length
            ids[row, :size] = self._masked(example.window)
            mask[row, :size] = 1
            pool[row] = example.window.pool(pieces, words)
            count = len(example.window.words)
            word_mask[row, :count] = True
            targets[row, :count] = example.tags
        return {
            "input_ids": torch.from_numpy(ids),
            "attention_mask": torch.from_numpy(mask),
            "pool": torch.from_numpy(pool),
            "word_mask": torch.from_numpy(word_mask),
            "targets": torch.from_numpy(targets),
            "examples": list(examples),
        }

    def _masked(self, window: EncodedWindow) -> NDArray[np.int64]:
        if not self.word_mask_probability:
            return window.ids
        chosen = torch.rand(len(window.words)).numpy() < self.word_mask_probability
        ids = window.ids.copy()
        if len(window.piece_words):
            ids[window.piece_words[chosen[window.piece_words[:, 1]], 0]] = self.mask_id
        return ids

    def pair(self, examples: Sequence[Example], tag_logits: Tensor, *, predicted: Sequence[bool]) -> Relations:
        """Pairs over gold spans, or over the spans that `tag_logits` name where `predicted` says so."""
        words = tag_logits.shape[1]
        best = tag_logits.argmax(-1).cpu().numpy() if any(predicted) else None
        tags = np.zeros((len(examples), words), np.int64)
        triggers, pairs, roles, factuality = [], [], [], []
        trigger_count = 0
        for row, example in enumerate(examples):
            mentions, heads = list(example.mentions), list(example.triggers)
            if predicted[row] and best is not None:
                mentions, heads = self._spans(best[row, : len(example.window.words)])
            pairing = self.builder.build(mentions, heads, example.window.sentences)
            tags[row, : len(pairing.tags)] = pairing.tags
            triggers.append(np.concatenate([np.full((len(heads), 1), row), pairing.triggers], 1))
            moved = pairing.pairs.copy()
            moved[:, 0] += trigger_count
            trigger_count += len(heads)
            pairs.append(moved)
            row_roles, row_factuality = self._targets(example, mentions, heads, pairing)
            roles.append(row_roles)
            factuality.append(row_factuality)
        device = tag_logits.device
        return Relations(
            torch.from_numpy(tags).to(device),
            torch.from_numpy(np.concatenate(triggers)).to(device),
            torch.from_numpy(np.concatenate(pairs)).to(device),
            torch.from_numpy(np.concatenate(roles)).to(device),
            torch.from_numpy(np.concatenate(factuality)).to(device),
        )

    def _spans(self, best: NDArray[np.int64]) -> tuple[list[WordSpan], list[WordSpan]]:
        spans = to_spans([self.tags[tag] for tag in best])
        mentions = [span for span in spans if span.label in self.schema.mentions]
        return mentions, [span for span in spans if span.label in self.schema.events]

    def _targets(
        self, example: Example, mentions: Sequence[WordSpan], heads: Sequence[WordSpan], pairing: Pairing
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Roles of each pair and factuality of each trigger; a predicted span stands for the known one it overlaps."""
        gold_trigger = {trigger.start: number for number, trigger in enumerate(example.triggers)}
        gold_mention = {
            number: match
            for number, mention in enumerate(mentions)
            if (match := _overlapping(mention, example.mentions)) is not None
        }
        roles = np.zeros((len(pairing.pairs), len(self.schema.roles)), np.float32)
        for row, (pair, mention) in enumerate(zip(pairing.pairs, pairing.mentions, strict=True)):
            trigger = gold_trigger.get(heads[pair[0]].start)
            key = (trigger, gold_mention.get(int(mention)))
            if None not in key and key in example.roles:
                roles[row] = example.roles[key]  # type: ignore[index]
        factuality = np.zeros((len(heads), len(self.schema.factuality)), np.float32)
        for row, head in enumerate(heads):
            if head.start in gold_trigger:
                factuality[row] = example.factuality[gold_trigger[head.start]]
        return roles, factuality


def _overlapping(span: WordSpan, gold: Sequence[WordSpan]) -> int | None:
    """The gold mention of the same label that `span` equals or overlaps most."""
    best, most = None, 0
    for number, other in enumerate(gold):
        shared = min(span.end, other.end) - max(span.start, other.start)
        if other.label == span.label and shared > most:
            best, most = number, shared
    return best
