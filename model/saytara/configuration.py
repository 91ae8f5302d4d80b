"""The architecture of a saytara model, as a transformers config.

Knows transformers only, so that the Hub can copy this file beside a checkpoint.
"""

import json
from typing import Any

from transformers import AutoConfig, PretrainedConfig
from transformers.models.auto.configuration_auto import CONFIG_MAPPING


class SaytaraConfig(PretrainedConfig):  # type: ignore[misc,unused-ignore]
    """Encoder config, schema and the sizes of the heads.

    Args:
        encoder: config of the encoder (`AutoConfig`) or its dict with a ``model_type``.
        schema: `Schema.to_dict()` of what the heads label.
        tags, roles: names of tags and roles, in the order of their logits.
        normalization: `Normalization.to_dict()` of the text that the encoder reads.
        max_pieces, overlap_pieces: size and overlap of windows, in pieces.
        relation_layers, relation_heads, relation_width: transformer layers over word vectors and markers
            of types that the relation and factuality heads read, and the inner width of those layers.
        head_width: hidden units of the relation and factuality heads.
        dropout: of the heads.
    """

    model_type = "saytara"
    sub_configs = {"encoder": AutoConfig}  # noqa: RUF012

    def __init__(
        self,
        encoder: PretrainedConfig | dict[str, Any] | None = None,
        schema: dict[str, Any] | None = None,
        tags: list[str] | None = None,
        roles: list[str] | None = None,
        normalization: dict[str, bool] | None = None,
        max_pieces: int = 448,
        overlap_pieces: int = 160,
        relation_layers: int = 2,
        relation_heads: int = 6,
        relation_width: int = 768,
        head_width: int = 384,
        dropout: float = 0.1,
        saytara_version: str = "",
        **kwargs: Any,
    ) -> None:
        if isinstance(encoder, dict):
            values = dict(encoder)
            encoder = CONFIG_MAPPING[values.pop("model_type")](**values)
        self.encoder = encoder if encoder is not None else CONFIG_MAPPING["bert"]()
        self.schema = schema or {}
        self.tags = tags or []
        self.roles = roles or list(self.schema.get("roles", {}))
        self.normalization = normalization or {}
        self.max_pieces = max_pieces
        self.overlap_pieces = overlap_pieces
        self.relation_layers = relation_layers
        self.relation_heads = relation_heads
        self.relation_width = relation_width
        self.head_width = head_width
        self.dropout = dropout
        self.saytara_version = saytara_version
        super().__init__(**kwargs)

    def to_json_string(self, *args: Any, **kwargs: Any) -> str:
        """As transformers writes it, but with the schema in its own order, which the logits follow."""
        values = json.loads(super().to_json_string(*args, **kwargs))
        return json.dumps({**values, "schema": self.schema}, indent=2) + "\n"
