"""The joint loss of tags, roles and factuality.

Weights only; runs no model.
"""

from dataclasses import dataclass

from torch import Tensor, nn

from saytara.training.examples import Relations


@dataclass(frozen=True, slots=True)
class LossWeights:
    """Weights of the parts of the loss."""

    role: float
    factuality: float
    tag_classes: Tensor | None
    """``[L]``"""
    factuality_classes: Tensor | None
    """``[F]``"""
    label_smoothing: float


def joint_loss(
    tag_logits: Tensor,
    targets: Tensor,
    role_logits: Tensor | None,
    factuality_logits: Tensor | None,
    relations: Relations | None,
    weights: LossWeights,
) -> Tensor:
    """Tag cross-entropy over words, role cross-entropy over legal pairs, factuality cross-entropy over triggers.

    Args:
        tag_logits: ``[B, W, L]``; targets: probabilities ``[B, W, L]``, zeros where nothing is learnt.
        role_logits: ``[P, R]``; illegal ones hold a large negative number and add nothing.
    """
    smoothed = targets
    if weights.label_smoothing:
        spread = targets.sum(-1, keepdim=True) / targets.shape[-1]
        smoothed = (1 - weights.label_smoothing) * targets + weights.label_smoothing * spread
    loss = cross_entropy(tag_logits, smoothed, weights.tag_classes)
    if relations is None or role_logits is None or factuality_logits is None:
        return loss
    if len(role_logits):
        legal = role_logits > -29.0
        each = nn.functional.binary_cross_entropy_with_logits(role_logits, relations.role_targets, reduction="none")
        loss = loss + weights.role * (each * legal).sum() / legal.sum().clamp(min=1)
    if bool(relations.factuality_targets.any()):
        loss = loss + weights.factuality * cross_entropy(
            factuality_logits, relations.factuality_targets, weights.factuality_classes
        )
    return loss


def cross_entropy(logits: Tensor, targets: Tensor, classes: Tensor | None) -> Tensor:
    """Weighted mean cross-entropy from distributions ``[…, C]``; rows of zeros add nothing.

    Torch's own leaves weights out of the mean's divisor for such targets; for certain ones this equals its other form.
    """
    weighted = targets if classes is None else targets * classes
    return -(weighted * logits.log_softmax(-1)).sum() / weighted.sum().clamp(min=1e-6)
