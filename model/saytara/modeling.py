"""The joint model: one encoder, a tag head, a relation head and a factuality head.

Knows torch and transformers only; builds no pairs, decodes nothing, reads no text.

The heads follow the span-and-marker family of joint extractors (Wadden et al. 2019, DyGIE++; Zhong and
Chen 2021, PURE): the tag head labels words; the relation head reads word vectors again, now with a marker
of the type of each span, through a few light transformer layers, and scores each role of each pair on its own.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel, PreTrainedModel, initialization
from transformers.utils import ModelOutput

from .configuration import SaytaraConfig

DISTANCE_BUCKETS, RANK_BUCKETS, SENTENCE_BUCKETS = 28, 10, 7
FEATURE_SIZE = 24
RELATIVE_WORDS = 24
"""Relative positions are told apart up to this many words."""
CONTEXT_BEFORE, CONTEXT_AFTER = 6, 4
"""Words around a trigger that the factuality head averages."""
ILLEGAL = -30.0


@dataclass
class SaytaraOutput(ModelOutput):  # type: ignore[misc,unused-ignore]
    """Logits of one batch: ``B`` windows, ``W`` words, ``E`` triggers, ``P`` pairs."""

    tag_logits: Tensor | None = None
    """``[B, W, L]``"""
    hidden: Tensor | None = None
    """``[B, W, H]``, the word vectors"""
    role_logits: Tensor | None = None
    """``[P, R]``"""
    factuality_logits: Tensor | None = None
    """``[E, F]``"""
    relations: Any = None
    """What the `pairer` returned."""


class WordAttentionLayer(nn.Module):
    """A transformer layer over words with a learned bias for relative positions (pre-norm)."""

    def __init__(self, size: int, heads: int, width: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.norm_attention = nn.LayerNorm(size)
        self.query_key_value = nn.Linear(size, 3 * size)
        self.output = nn.Linear(size, size)
        self.relative = nn.Embedding(2 * RELATIVE_WORDS + 1, heads)
        self.norm_inner = nn.LayerNorm(size)
        self.inner = nn.Linear(size, width)
        self.outer = nn.Linear(width, size)
        self.dropout = nn.Dropout(dropout)

    def forward(self, hidden: Tensor, word_mask: Tensor) -> Tensor:
        batch, words, size = hidden.shape
        states = self.query_key_value(self.norm_attention(hidden))
        states = states.view(batch, words, 3, self.heads, size // self.heads).permute(2, 0, 3, 1, 4)
        query, key, value = states[0], states[1], states[2]  # [B, heads, W, size / heads]
        positions = torch.arange(words, device=hidden.device)
        distance = (positions[None, :] - positions[:, None]).clamp(-RELATIVE_WORDS, RELATIVE_WORDS) + RELATIVE_WORDS
        bias = self.relative(distance).permute(2, 0, 1)[None]  # [1, heads, W, W]
        scores = query @ key.transpose(-1, -2) * (size // self.heads) ** -0.5 + bias
        scores = scores.float().masked_fill(~word_mask[:, None, None, :], -1e9)
        mixed = scores.softmax(-1).to(value.dtype) @ value  # [B, heads, W, size / heads]
        hidden = hidden + self.dropout(self.output(mixed.permute(0, 2, 1, 3).reshape(batch, words, size)))
        inner = nn.functional.gelu(self.inner(self.norm_inner(hidden)))
        result: Tensor = hidden + self.dropout(self.outer(inner))
        return result


class SaytaraModel(PreTrainedModel):  # type: ignore[misc,unused-ignore]
    """Encoder with a tag head and, for a schema with events, relation and factuality heads."""

    config_class = SaytaraConfig
    base_model_prefix = "saytara"
    main_input_name = "input_ids"
    supports_gradient_checkpointing = True

    def __init__(self, config: SaytaraConfig) -> None:
        super().__init__(config)
        encoder_config: Any = config.encoder
        encoder_config._attn_implementation = "eager"
        # positional pooling layers of BERT are of no use here
        self.encoder = AutoModel.from_config(encoder_config, **_encoder_options(encoder_config))
        size = int(encoder_config.hidden_size)
        schema = config.schema
        self.labels = list(schema.get("mentions", {}))
        self.types = list(schema.get("events", ()))
        self.roles = list(schema.get("roles", {}))
        self.dropout = nn.Dropout(config.dropout)
        self.tagger = nn.Linear(size, len(config.tags))
        if self.types:
            self._add_event_heads(config, size)
        self.post_init()

    def _add_event_heads(self, config: SaytaraConfig, size: int) -> None:
        roles = config.schema["roles"]
        legal = [[label in roles[role] for role in self.roles] for label in self.labels]
        self.register_buffer("legal_roles", torch.tensor(legal), persistent=False)  # [labels, R]
        self.marker = nn.Embedding(len(config.tags), size)
        self.register_buffer("centre", torch.zeros(size))
        self.register_buffer("scale", torch.ones(size))
        self.relation_layers = nn.ModuleList(
            WordAttentionLayer(size, config.relation_heads, config.relation_width, config.dropout)
            for _ in range(config.relation_layers)
        )
        self.relation_norm = nn.LayerNorm(size)
        self.label_feature = nn.Embedding(len(self.labels), FEATURE_SIZE)
        self.type_feature = nn.Embedding(len(self.types), FEATURE_SIZE)
        self.distance_feature = nn.Embedding(DISTANCE_BUCKETS, FEATURE_SIZE)
        self.rank_feature = nn.Embedding(RANK_BUCKETS, FEATURE_SIZE)
        self.sentence_feature = nn.Embedding(SENTENCE_BUCKETS, FEATURE_SIZE)
        width = config.head_width
        self.relation_inner = nn.Linear(6 * size + 5 * FEATURE_SIZE, width)
        self.relation_outer = nn.Linear(width, len(self.roles))
        self.factuality_inner = nn.Linear(3 * size + FEATURE_SIZE, width)
        self.factuality_outer = nn.Linear(width, len(config.schema["factuality"]))

    def _init_weights(self, module: nn.Module) -> None:
        # these leave alone what was loaded, which plain assignments would overwrite in transformers 5.0
        if isinstance(module, nn.Linear):
            initialization.normal_(module.weight, std=0.02)
            if module.bias is not None:
                initialization.zeros_(module.bias)
        elif isinstance(module, nn.Embedding):
            initialization.normal_(module.weight, std=0.02)
        elif isinstance(module, nn.LayerNorm):
            initialization.ones_(module.weight)
            initialization.zeros_(module.bias)
        if module is self and self.types:  # buffers that are not saved
            roles = self.config.schema["roles"]
            legal = [[label in roles[role] for role in self.roles] for label in self.labels]
            self.legal_roles = torch.tensor(legal)

    @classmethod
    def from_encoder(cls, encoder: str, config: SaytaraConfig, **kwargs: Any) -> "SaytaraModel":
        """Start training from a pretrained encoder (folder or Hub id) with fresh heads."""
        config.encoder = AutoConfig.from_pretrained(encoder, **kwargs)
        model = cls(config)
        pretrained = AutoModel.from_pretrained(
            encoder, attn_implementation="eager", **_encoder_options(config.encoder), **kwargs
        )
        model.encoder.load_state_dict(pretrained.state_dict())
        return model

    def read(self, input_ids: Tensor, attention_mask: Tensor, pool: Tensor) -> tuple[Tensor, Tensor]:
        """One encoder pass.

        Args:
            input_ids: ``[B, T]``; attention_mask: ``[B, T]``, 1 keeps; pool: ``[B, W, T]``, averages pieces to words.

        Returns:
            Word vectors ``[B, W, H]`` and tag logits ``[B, W, L]``.
        """
        pieces = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state  # [B, T, H]
        hidden = pool.to(pieces.dtype) @ pieces  # [B, W, H]
        return hidden, self.tagger(self.dropout(hidden)).float()

    @torch.no_grad()
    def standardise(self, hidden: Tensor) -> None:
        """Let the relation and factuality heads read word vectors with mean 0 and deviation 1 in each dimension.

        Vectors of one encoder share much of their direction (Ethayarajh 2019, anisotropy), which slows fresh heads.

        Args:
            hidden: word vectors of some texts, ``[N, H]``.
        """
        self.centre.copy_(hidden.mean(0))
        self.scale.copy_(1 / hidden.std(0).clamp(min=1e-3))

    def relate(
        self, hidden: Tensor, word_mask: Tensor, tags: Tensor, triggers: Tensor, pairs: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Score roles and factuality; no second encoder pass.

        Args:
            hidden: ``[B, W, H]``; word_mask: bool ``[B, W]``; tags: tag index of each word ``[B, W]``.
            triggers: rows (window, word, event type), ``[E, 3]``.
            pairs: rows (trigger, first word, last word, label, distance, rank, sentence), ``[P, 7]``.

        Returns:
            Role logits ``[P, R]`` and factuality logits ``[E, F]``.
        """
        context = ((hidden.float() - self.centre) * self.scale).to(hidden.dtype) + self.marker(tags)
        for layer in self.relation_layers:
            context = layer(context, word_mask)
        context = self.dropout(self.relation_norm(context))
        padded = nn.functional.pad(context.float(), (0, 0, 1, 0)).cumsum(1)  # [B, W + 1, H], sums up to a word
        window, word, event_type = triggers.unbind(1)
        trigger = context[window, word]  # [E, H]
        last = word_mask.sum(1)[window]  # [E], words before the padding
        around = [
            _mean(padded, window, (word - CONTEXT_BEFORE).clamp(min=0), word),
            _mean(padded, window, torch.minimum(word + 1, last), torch.minimum(word + 1 + CONTEXT_AFTER, last)),
        ]
        factuality = self.factuality_outer(
            nn.functional.gelu(
                self.factuality_inner(
                    torch.cat(
                        [trigger, *(mean.to(trigger.dtype) for mean in around), self.type_feature(event_type)], -1
                    )
                )
            )
        )
        number, first, final, label, distance, rank, sentence = pairs.unbind(1)
        pair_window, pair_word, pair_trigger = window[number], word[number], trigger[number]
        span = _mean(padded, pair_window, first, final + 1).to(trigger.dtype)
        is_behind = first > pair_word
        between = _mean(
            padded,
            pair_window,
            torch.where(is_behind, pair_word + 1, final + 1),
            torch.where(is_behind, first, pair_word),
        ).to(trigger.dtype)
        features = torch.cat(
            [
                pair_trigger,
                context[pair_window, first],
                context[pair_window, final],
                span,
                pair_trigger * span,
                between,
                self.label_feature(label),
                self.type_feature(event_type[number]),
                self.distance_feature(distance),
                self.rank_feature(rank),
                self.sentence_feature(sentence),
            ],
            -1,
        )
        roles = self.relation_outer(self.dropout(nn.functional.gelu(self.relation_inner(features)))).float()
        return roles.masked_fill(~self.legal_roles[label], ILLEGAL), factuality.float()

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        pool: Tensor,
        word_mask: Tensor | None = None,
        pairer: Callable[[Tensor], Any] | None = None,
    ) -> SaytaraOutput:
        """Tag words and, given a `pairer`, score the pairs that it makes of the tag logits.

        `pairer` takes the tag logits ``[B, W, L]`` and returns an object with the tensors ``tags``,
        ``triggers`` and ``pairs`` of `relate`; without it only tags are scored.
        """
        hidden, tag_logits = self.read(input_ids, attention_mask, pool)
        if pairer is None or not self.types:
            return SaytaraOutput(tag_logits=tag_logits, hidden=hidden)
        if word_mask is None:
            word_mask = pool.sum(-1) > 0
        relations = pairer(tag_logits)
        roles, factuality = self.relate(hidden, word_mask, relations.tags, relations.triggers, relations.pairs)
        return SaytaraOutput(tag_logits, hidden, roles, factuality, relations)


def _mean(sums: Tensor, window: Tensor, start: Tensor, end: Tensor) -> Tensor:
    """Mean vector of the words ``[start, end)`` from running sums; zeros for an empty range."""
    total = sums[window, end] - sums[window, start]
    return total / (end - start).clamp(min=1)[:, None].to(total.dtype)


def _encoder_options(config: Any) -> dict[str, Any]:
    """Leave out the pooler where the architecture has one."""
    return {"add_pooling_layer": False} if config.model_type in ("bert", "roberta", "xlm-roberta", "camembert") else {}


AutoConfig.register("saytara", SaytaraConfig)
AutoModel.register(SaytaraConfig, SaytaraModel)
