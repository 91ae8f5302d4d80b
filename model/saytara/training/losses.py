"""The joint loss of tags, roles and factuality.

Weights only; runs no model.
"""

from dataclasses import dataclass

from torch import Tensor, nn

from saytara.training.examples import IGNORED, Relations


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
    labels: Tensor,
    role_logits: Tensor | None,
    factuality_logits: Tensor | None,
    relations: Relations | None,
    weights: LossWeights,
) -> Tensor:
    """Tag cross-entropy over words, role cross-entropy over legal pairs, factuality cross-entropy over triggers.

    Args:
        tag_logits: ``[B, W, L]``; labels: ``[B, W]``, -100 where nothing is learnt.
        role_logits: ``[P, R]``; illegal ones hold a large negative number and add nothing.
    """
    loss = nn.functional.cross_entropy(
        tag_logits.flatten(0, 1),
        labels.flatten(),
        weight=weights.tag_classes,
        ignore_index=IGNORED,
        label_smoothing=weights.label_smoothing,
    )
    if relations is None or role_logits is None or factuality_logits is None:
        return loss
    if len(role_logits):
        legal = role_logits > -29.0
        each = nn.functional.binary_cross_entropy_with_logits(role_logits, relations.role_targets, reduction="none")
        loss = loss + weights.role * (each * legal).sum() / legal.sum().clamp(min=1)
    if bool((relations.factuality_targets != IGNORED).any()):
        loss = loss + weights.factuality * nn.functional.cross_entropy(
            factuality_logits, relations.factuality_targets, weight=weights.factuality_classes, ignore_index=IGNORED
        )
    return loss
