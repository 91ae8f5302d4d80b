"""From logits to labelled word ranges and scored roles: legal transitions, thresholds, calibration.

Tensors stop here; knows no text, no documents and no files.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saytara.errors import ConfigError, closest
from saytara.schema import Schema
from saytara.scoring import log_softmax, sigmoid
from saytara.tags import WordSpan, is_legal, tag_names, to_spans

Floats = NDArray[np.float32] | NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Calibration:
    """Platt scaling (Platt 1999) of a probability's log-odds: ``sigmoid(scale * logit(p) + shift)``."""

    scale: float = 1.0
    shift: float = 0.0

    def __call__(self, probability: float) -> float:
        clipped = min(max(probability, 1e-6), 1 - 1e-6)
        logit = self.scale * math.log(clipped / (1 - clipped)) + self.shift
        return 1 / (1 + math.exp(-min(max(logit, -500.0), 500.0)))


@dataclass(frozen=True, slots=True)
class DecodingConfig:
    """How logits become answers; chosen on dev, kept in the checkpoint, overridable at prediction.

    Scores that thresholds are compared with are the calibrated ones, those of the output.
    """

    tag_bias: Mapping[str, float] = field(default_factory=dict)
    """Added to the tag logits of a mention label or event type before decoding."""
    factuality_bias: Mapping[str, float] = field(default_factory=dict)
    """Added to the logit of a factuality value."""
    thresholds: Mapping[str, float] = field(default_factory=dict)
    """Lowest score of a mention label, event type or role (roles: 0.5 where not named; others: 0)."""
    fallbacks: Mapping[str, float] = field(default_factory=dict)
    """Role to a lower score at which its best filler still counts where no filler reaches the threshold."""
    further: Mapping[str, float] = field(default_factory=dict)
    """Role to a higher score that every filler but its best one needs."""
    exclusive: Sequence[tuple[str, str]] = ()
    """Roles that one mention never fills together: it keeps the one with the higher score."""
    calibration: Mapping[str, Calibration] = field(default_factory=dict)
    """Of ``mention``, ``trigger``, ``argument``, ``factuality`` and ``event`` scores."""

    def calibrate(self, kind: str, probability: float) -> float:
        return self.calibration.get(kind, _IDENTITY)(probability)

    def override(self, thresholds: Mapping[str, float], schema: Schema) -> "DecodingConfig":
        """The same with other thresholds; ConfigError for a name that the schema lacks."""
        known = [*schema.mentions, *schema.events, *schema.roles]
        for name, value in thresholds.items():
            if name not in known:
                raise ConfigError(f"no threshold can be set for {name!r}; {closest(name, known)}")
            if not 0 <= value <= 1:
                raise ConfigError(f"threshold of {name!r} is {value}; give a score between 0 and 1")
        fallbacks, further = (
            {role: value for role, value in values.items() if role not in thresholds}
            for values in (self.fallbacks, self.further)
        )
        return replace(self, thresholds={**self.thresholds, **thresholds}, fallbacks=fallbacks, further=further)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "DecodingConfig":
        known = [field.name for field in fields(cls)]
        for key in values:
            if key not in known:
                raise ConfigError(f"unknown decoding key {key!r}; {closest(key, known)}")
        calibration = {kind: Calibration(**value) for kind, value in values.get("calibration", {}).items()}
        exclusive = tuple((one, other) for one, other in values.get("exclusive", ()))
        return cls(**{**values, "calibration": calibration, "exclusive": exclusive})


_IDENTITY = Calibration()


@dataclass(frozen=True, slots=True)
class ScoredSpan:
    """A labelled range of window words with its calibrated score."""

    span: WordSpan
    score: float


class Decoder:
    """Decode logits of one schema."""

    def __init__(self, schema: Schema, config: DecodingConfig) -> None:
        self.schema = schema
        self.config = config
        self.tags = tag_names(schema)
        self.roles = list(schema.roles)
        self._excluded = [
            {two for one, two in (*config.exclusive, *(pair[::-1] for pair in config.exclusive)) if one == role}
            for role in self.roles
        ]
        self._fills = [[label in labels for label in schema.mentions] for labels in schema.roles.values()]
        names = [tag[2:] for tag in self.tags]
        self._bias = np.array([config.tag_bias.get(name, 0.0) for name in names])
        self._factuality_bias = np.array([config.factuality_bias.get(value, 0.0) for value in schema.factuality])
        self._start = np.array([0.0 if is_legal(None, tag) else -np.inf for tag in self.tags])
        self._transitions = np.array(
            [[0.0 if is_legal(previous, tag) else -np.inf for tag in self.tags] for previous in self.tags]
        )
        # no span begins with a punctuation mark, and none ends with one: not before another tag, nor before the end
        inside = np.array([tag.startswith("I-") for tag in self.tags])
        self._of_mark = np.where([tag.startswith("B-") for tag in self.tags], -np.inf, 0.0)
        self._after_mark = np.where(inside[:, None] & ~inside, -np.inf, self._transitions)
        self._of_last_mark = np.where(inside, -np.inf, self._of_mark)

    def spans(self, tag_logits: Floats, marks: NDArray[np.bool_]) -> list[ScoredSpan]:
        """Best legal tag sequence, as spans; triggers are one word each.

        Args:
            tag_logits: ``[W, L]``; marks: whether each word is a punctuation mark ``[W]``: spans neither begin nor
                end with one, which its logits may not tell where it shares a piece with the word beside it.
        """
        if not len(tag_logits):
            return []
        log_probabilities = log_softmax(tag_logits.astype(np.float64) + self._bias)
        allowed = log_probabilities + np.where(marks[:, None], self._of_mark, 0.0)
        if marks[-1]:
            allowed[-1] = log_probabilities[-1] + self._of_last_mark
        transitions = np.where(marks[:-1, None, None], self._after_mark, self._transitions)
        path = viterbi(allowed, self._start, transitions)
        probabilities = np.exp(log_probabilities[np.arange(len(path)), path])
        found = []
        for span in to_spans([self.tags[tag] for tag in path]):
            kind = "trigger" if span.label in self.schema.events else "mention"
            score = self.config.calibrate(kind, float(probabilities[span.start : span.end].min()))
            if score >= self.config.thresholds.get(span.label, 0.0):
                found.append(ScoredSpan(span, score))
        return found

    def fillers(
        self, role_logits: Floats, mentions: Sequence[int], labels: Sequence[int]
    ) -> list[tuple[str, int, float]]:
        """Fillers of one trigger's roles, of labels that may fill them only; the likeliest are taken first.

        Args:
            role_logits: ``[P, R]``, the pairs of one trigger.
            mentions, labels: mention number and index of its label, of each pair.

        Returns:
            (role, mention number, score), in the order of roles and of mentions.
        """
        candidates = [
            (self.config.calibrate("argument", probability), index, mention)
            for index in range(len(self.roles))
            for mention, label, probability in zip(
                mentions, labels, sigmoid(role_logits[:, index]).tolist(), strict=True
            )
            if self._fills[index][label]
        ]
        found: list[tuple[int, int, float]] = []
        for score, index, mention in sorted(candidates, key=lambda candidate: -candidate[0]):
            is_first = all(other != index for other, _, _ in found)
            if score < self._least(self.roles[index], is_first=is_first):
                continue
            held = {self.roles[other] for other, holder, _ in found if holder == mention}
            if not held & self._excluded[index]:
                found.append((index, mention, score))
        return [(self.roles[index], mention, score) for index, mention, score in sorted(found)]

    def _least(self, role: str, *, is_first: bool) -> float:
        """The score that a role's best filler needs, or a further one."""
        threshold = self.config.thresholds.get(role, 0.5)
        if is_first:
            return min(threshold, self.config.fallbacks.get(role, threshold))
        return max(threshold, self.config.further.get(role, threshold))

    def factuality(self, logits: Floats) -> tuple[str, float]:
        """Value and score of one trigger's ``[F]`` logits."""
        probabilities = np.exp(log_softmax(logits[None].astype(np.float64) + self._factuality_bias))[0]
        best = int(probabilities.argmax())
        return self.schema.factuality[best], self.config.calibrate("factuality", float(probabilities[best]))


def viterbi(scores: Floats, start: Floats, transitions: Floats) -> NDArray[np.int64]:
    """Best path of ``[W, L]`` scores under start ``[L]`` and transition ``[W - 1, L, L]`` scores (Viterbi 1967)."""
    best = scores[0] + start
    back = np.zeros(scores.shape, np.int64)
    for word in range(1, len(scores)):
        candidates = best[:, None] + transitions[word - 1]  # [L previous, L]
        back[word] = candidates.argmax(0)
        best = candidates.max(0) + scores[word]
    path = np.empty(len(scores), np.int64)
    path[-1] = best.argmax()
    for word in range(len(scores) - 1, 0, -1):
        path[word - 1] = back[word, path[word]]
    return path
