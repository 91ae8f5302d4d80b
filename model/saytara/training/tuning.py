"""Fit calibration and choose thresholds on dev.

Trains no weights; what it finds lives in the checkpoint's decoding config.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saytara.decoding import Calibration, DecodingConfig
from saytara.document import Annotation
from saytara.encoding import EncodedWindow, TextEncoder
from saytara.metrics import add_up, outcomes, score_document
from saytara.pairing import Pairing
from saytara.pipeline import Extractor
from saytara.schema import Schema
from saytara.scoring import Floats, Scorer

ROLE_GRID = (0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6)
FALLBACK_GRID = (None, 0.1, 0.2, 0.3)
FURTHER_GRID = (None, 0.4, 0.5, 0.6, 0.7, 0.8)
BIAS_GRID = (-1.0, -0.5, 0.0, 0.5, 1.0)
COMMON = 100
"""Roles must be filled so often in training before the absence of a mention that fills both says something."""
SLIPS = 0.002
"""Share of a role's fillers that may fill the other by an annotator's slip."""
MIN_OUTCOMES = 5
"""Calibrating takes at least so many right and so many wrong predictions."""
RIDGE = 1e-3
"""Pull of a calibration towards leaving scores as they are."""
PASSES = 2
"""How often all settings are gone through: what one is worth depends on the others."""
MIN_GAIN = 0.001
"""A setting is changed only for at least this much F1, so that noise on dev moves nothing."""


def choose_decoding(
    extractor: Extractor, gold: Sequence[Annotation], *, exclusive: Sequence[tuple[str, str]]
) -> DecodingConfig:
    """All that is chosen on `gold`: calibration, biases, thresholds; with roles that are known to be `exclusive`.

    Choose with the form of the network that answers later: another's rounding moves what lies near a threshold.
    """
    decoding = DecodingConfig(exclusive=exclusive)
    for step in (calibrate, tune, recalibrate):
        decoding = step(extractor.with_decoding(decoding), gold)
    return decoding


def calibrate(extractor: Extractor, gold: Sequence[Annotation]) -> DecodingConfig:
    """Platt-scale mention, trigger, argument, factuality and event scores on `gold`."""
    config = extractor.decoding
    if not gold:
        return config
    # arguments are judged at every score, not only above the threshold
    open_roles = dict.fromkeys(extractor.schema.roles, 0.02)
    wide = extractor.with_decoding(
        replace(config, thresholds={**config.thresholds, **open_roles}, fallbacks={}, further={}, exclusive=())
    )
    return replace(config, calibration=_fit(wide, gold, ("mention", "argument", "factuality")))


def recalibrate(extractor: Extractor, gold: Sequence[Annotation]) -> DecodingConfig:
    """Platt-scale again what chosen biases have moved and no threshold is compared with; event scores last, as they
    follow from the others."""
    config = extractor.decoding
    for kinds in (("mention", "factuality"), ("event",)):
        moved = {*kinds, "trigger"} if "mention" in kinds else set(kinds)
        others = {kind: value for kind, value in config.calibration.items() if kind not in moved}
        fitted = _fit(extractor.with_decoding(replace(config, calibration=others)), gold, kinds)
        config = replace(config, calibration={**config.calibration, **fitted})
    return config


def _fit(extractor: Extractor, gold: Sequence[Annotation], kinds: Sequence[str]) -> dict[str, Calibration]:
    """Calibrations of the scores that `extractor` gives on `gold`; of triggers, that of mentions."""
    results = [outcomes(annotation, extractor.extract_document(annotation.document)) for annotation in gold]
    found = {kind: [pair for result in results for pair in result[kind]] for kind in kinds}
    fitted = {kind: fit_platt(pairs) for kind, pairs in found.items() if len(pairs) >= 20}
    return fitted | ({"trigger": fitted["mention"]} if "mention" in fitted else {})


def fit_platt(pairs: Sequence[tuple[float, bool]], *, steps: int = 100) -> Calibration:
    """Scale and shift of log-odds that minimise the log-loss: Newton's method with Platt's (1999) smoothed targets."""
    scores = np.clip(np.array([score for score, _ in pairs]), 1e-6, 1 - 1e-6)
    right = np.array([outcome for _, outcome in pairs], dtype=float)
    positive, negative = right.sum(), len(right) - right.sum()
    if min(positive, negative) < MIN_OUTCOMES:
        return Calibration()  # all right or all wrong: any score would do, and the scale would fall to 0
    target = np.where(right > 0, (positive + 1) / (positive + 2), 1 / (negative + 2))
    features = np.stack([np.log(scores / (1 - scores)), np.ones_like(scores)], 1)
    start = np.array([1.0, 0.0])

    def loss(weights: NDArray[np.float64]) -> float:
        logits = features @ weights
        return float((np.logaddexp(0, logits) - target * logits).sum() + RIDGE / 2 * ((weights - start) ** 2).sum())

    weights, best = start, loss(start)
    for _ in range(steps):
        probability = 1 / (1 + np.exp(-np.clip(features @ weights, -500, 500)))
        gradient = features.T @ (probability - target) + RIDGE * (weights - start)
        hessian = (features * (probability * (1 - probability))[:, None]).T @ features + RIDGE * np.eye(2)
        step = np.linalg.solve(hessian, gradient)
        while np.abs(step).max() > 1e-9 and loss(weights - step) > best:
            step = step / 2  # far from the optimum, a whole Newton step may overshoot
        if np.abs(step).max() < 1e-6:
            break
        weights, best = weights - step, loss(weights - step)
    if not (math.isfinite(weights[0]) and weights[0] > 0):
        return Calibration()  # scores that rank backwards are left as they are
    return Calibration(float(weights[0]), float(weights[1]))


def exclusive_roles(training: Iterable[Annotation], schema: Schema) -> tuple[tuple[str, str], ...]:
    """Pairs of roles that a label may fill both, but that hardly any mention of `training` does, common as each is."""
    filled: Counter[str] = Counter()
    together: Counter[tuple[str, ...]] = Counter()
    for annotation in {annotation.document.id: annotation for annotation in training}.values():
        for event in annotation.events:
            roles: dict[str, list[str]] = {}
            for argument in event.arguments:
                filled[argument.role] += 1
                roles.setdefault(argument.mention, []).append(argument.role)
            for held in roles.values():
                together.update(combinations(sorted(held), 2))
    return tuple(
        (one, other)
        for one, other in combinations(schema.roles, 2)
        if set(schema.roles[one]) & set(schema.roles[other])
        and min(filled[one], filled[other]) >= COMMON
        and together[tuple(sorted((one, other)))] <= SLIPS * min(filled[one], filled[other])
    )


def tune(extractor: Extractor, gold: Sequence[Annotation]) -> DecodingConfig:
    """Choose tag and factuality biases, role thresholds, fallbacks and further thresholds, one after the other.

    What is maximised on `gold` is the mean F1 of entities, triggers, arguments, events and strict events.
    """
    config = extractor.decoding
    if not gold:
        return config
    cached = Extractor(
        schema=extractor.schema,
        encoder=CachedEncoder(extractor.encoder),
        scorer=CachedScorer(extractor.scorer),
        decoding=config,
        info=extractor.info,
    )

    def quality(candidate: DecodingConfig) -> float:
        trial = cached.with_decoding(candidate)
        total = add_up(score_document(a, trial.extract_document(a.document), trial.schema) for a in gold)
        if not trial.schema.events:
            return total["entity"].f1
        return (
            total["entity"].f1
            + total["trigger"].f1
            + total["argument"].f1
            + total["event"].f1
            + total["event-strict"].f1
        ) / 5

    best = quality(config)
    for _ in range(PASSES):
        before = config
        for name in [*extractor.schema.mentions, *extractor.schema.events]:
            config, best = _better(config, best, quality, BIAS_GRID, _setting("tag_bias", name))
        for value in extractor.schema.factuality if extractor.schema.events else ():
            config, best = _better(config, best, quality, BIAS_GRID, _setting("factuality_bias", value))
        for role in extractor.schema.roles:
            config, best = _better(config, best, quality, ROLE_GRID, _setting("thresholds", role))
            config, best = _better(config, best, quality, FALLBACK_GRID, _setting("fallbacks", role))
            config, best = _better(config, best, quality, FURTHER_GRID, _setting("further", role))
        if config == before:
            break
    return config


def _setting(field: str, name: str) -> Callable[[DecodingConfig, float | None], DecodingConfig]:
    """A change of the entry `name` of a field of the config; None takes it out."""

    def change(config: DecodingConfig, value: float | None) -> DecodingConfig:
        entries = {key: kept for key, kept in getattr(config, field).items() if key != name}
        changed: dict[str, Any] = {field: entries if value is None else {**entries, name: value}}
        return replace(config, **changed)

    return change


def _better(
    config: DecodingConfig,
    best: float,
    quality: Callable[[DecodingConfig], float],
    grid: Sequence[float | None],
    change: Callable[[DecodingConfig, float | None], DecodingConfig],
) -> tuple[DecodingConfig, float]:
    """The best of `config` and its changes over `grid`."""
    winner = config
    for value in grid:
        candidate = change(config, value)
        if candidate == config:
            continue
        result = quality(candidate)
        if result > best + (MIN_GAIN if winner is config else 0.0):
            winner, best = candidate, result
    return winner, best


class CachedEncoder:
    """Remember encoded texts, so that a grid of settings encodes each once."""

    def __init__(self, encoder: TextEncoder) -> None:
        self.encode = lru_cache(maxsize=None)(encoder.encode)


class CachedScorer:
    """Remember what a scorer said, so that a grid of settings runs the network once."""

    def __init__(self, scorer: Scorer) -> None:
        self.scorer = scorer
        self._read: dict[bytes, tuple[Floats, Floats]] = {}
        self._related: dict[tuple[bytes, bytes], tuple[Floats, Floats]] = {}

    def read(self, window: EncodedWindow) -> tuple[Floats, Floats]:
        key = window.ids.tobytes() + window.piece_words.tobytes()
        if key not in self._read:
            self._read[key] = self.scorer.read(window)
        return self._read[key]

    def relate(self, hidden: Floats, pairing: Pairing) -> tuple[Floats, Floats]:
        key = (hidden.tobytes(), pairing.tags.tobytes() + pairing.triggers.tobytes() + pairing.pairs.tobytes())
        if key not in self._related:
            self._related[key] = self.scorer.relate(hidden, pairing)
        return self._related[key]
