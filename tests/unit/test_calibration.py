"""Fitting of calibrations, sound where scores mean something, harmless elsewhere; roles that exclude each other."""

import math

import numpy as np
import pytest

from builders import annotate
from saytara.decoding import Calibration
from saytara.document import Annotation
from saytara.schema import CONTROL_CHANGE
from saytara.training.tuning import exclusive_roles, fit_platt


def draw(scale: float, shift: float, size: int = 4000) -> list[tuple[float, bool]]:
    """Scores whose true probability of being right is ``sigmoid(scale * logit + shift)``."""
    random = np.random.default_rng(5)
    logits = random.normal(0, 2, size)
    right = random.random(size) < 1 / (1 + np.exp(-(scale * logits + shift)))
    return list(zip((1 / (1 + np.exp(-logits))).tolist(), right.tolist(), strict=True))


@pytest.mark.parametrize(("scale", "shift"), [(1.0, 0.0), (0.5, 0.7), (2.0, -1.0)])
def test_scale_and_shift_are_found_again(scale: float, shift: float) -> None:
    found = fit_platt(draw(scale, shift))
    assert found.scale == pytest.approx(scale, rel=0.12)
    assert found.shift == pytest.approx(shift, abs=0.12)


@pytest.mark.parametrize("outcome", [True, False])
def test_scores_that_were_all_right_or_all_wrong_are_left_alone(outcome: bool) -> None:
    assert fit_platt([(0.99, outcome)] * 200 + [(0.4, not outcome)] * 3) == Calibration()


def test_scores_that_rank_backwards_are_left_alone() -> None:
    assert fit_platt(draw(-1.0, 0.0)) == Calibration()


@pytest.mark.parametrize("scores", [(0.0, 1.0), (1e-9, 1 - 1e-9), (0.5, 0.5)])
def test_certain_and_equal_scores_give_a_finite_fit(scores: tuple[float, float]) -> None:
    low, high = scores
    found = fit_platt([(low, False)] * 30 + [(high, True)] * 30)
    assert math.isfinite(found.scale)
    assert math.isfinite(found.shift)
    assert 0 <= found(low) <= found(high) <= 1


@pytest.mark.parametrize("calibration", [Calibration(1e6, 0), Calibration(1, 1e6), Calibration(1, -1e6)])
@pytest.mark.parametrize("probability", [0.0, 1e-13, 0.5, 1.0])
def test_calibrating_never_overflows(calibration: Calibration, probability: float) -> None:
    assert 0 <= calibration(probability) <= 1


def copies(count: int, markup: str, line: str) -> list[Annotation]:
    return [annotate(markup, line, id=f"{line}-{number}") for number in range(count)]


def test_roles_that_never_meet_in_a_mention_are_exclusive() -> None:
    left = "[انسحب|e1:WITHDRAWAL] [الجيش|a1:ACTOR] وقالت [الفصائل|a2:ACTOR]"
    one = copies(1000, left, "e1 actual displaced=a1 controller=a2 claimant=a2")
    assert exclusive_roles(one[:99], CONTROL_CHANGE) == ()  # too few to say
    assert exclusive_roles(one[:99] * 2, CONTROL_CHANGE) == ()  # the same reports again say nothing more
    found = (("controller", "displaced"), ("displaced", "claimant"))
    assert exclusive_roles(one[:100], CONTROL_CHANGE) == found
    slips = copies(10, "[سيطر|e1:CAPTURE] [الجيش|a1:ACTOR]", "e1 actual controller=a1 displaced=a1")
    assert exclusive_roles(one + slips[:1], CONTROL_CHANGE) == found
    assert exclusive_roles(one + slips, CONTROL_CHANGE) == found[1:]
