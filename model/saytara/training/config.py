"""Run configs: typed, one YAML a run, unknown keys refused.

Trains nothing; knows no torch.
"""

import typing
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, asdict, dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

import yaml

from saytara.errors import ConfigError, closest

C = TypeVar("C")


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """One training run. A YAML file holds differences from these defaults only."""

    name: str = "saytara"
    """Name of the checkpoint."""
    encoder: str = "runs/encoder"
    """Folder or Hub id of the pretrained encoder, or the folder of a finished saytara checkpoint to train on."""
    fresh_heads: bool = False
    """Of a finished checkpoint, keep the encoder and the tag head only; relation and factuality heads start anew."""
    revision: str = "main"
    """Branch, tag or commit of a Hub encoder."""
    normalization: str = "compact"
    """Normalisation that the encoder was pretrained with: a name of `NORMALIZATIONS`."""
    schema: str = "control-change"
    """``control-change``, ``ner``, or a JSON file with a schema."""
    train_files: tuple[str, ...] = ("data/train.jsonl",)
    """Annotated reports to train on: ``.jsonl``, or ``.txt``/``.conll`` in CoNLL form for a schema without events."""
    extra_train_files: tuple[str, ...] = ()
    """More of the same, such as a real set that is not redistributed."""
    extra_repeats: int = 1
    """How often an epoch sees `extra_train_files`."""
    soft_files: tuple[str, ...] = ()
    """Texts that teachers annotated with probabilities (``saytara distil``), learnt beside the annotated reports."""
    train_fraction: float = 1.0
    """Share of the training documents that is used (by a hash of the seed), for learning curves."""
    dev_files: tuple[str, ...] = ("data/dev.jsonl",)
    """Annotated reports to choose the best checkpoint, thresholds and calibration on."""
    output: str = "runs/saytara"
    """Folder of the run; the finished checkpoint is its folder ``checkpoint``."""
    max_pieces: int = 448
    """Pieces of a window in training."""
    overlap_pieces: int = 160
    """Pieces that neighbouring windows share at most."""
    reading_pieces: int | None = None
    """Pieces of a window of the finished checkpoint; None: as in training. Long reports are read better in windows of
    the size that most training passages have (benchmarks/windows.py)."""
    reading_overlap: int | None = None
    """Pieces that its neighbouring windows share at most; None: `overlap_pieces`."""
    relation_layers: int = 2
    """Light transformer layers over marked words, for the relation and factuality heads."""
    relation_heads: int = 6
    """Attention heads of a relation layer; must divide the encoder's size."""
    relation_width: int = 768
    """Inner width of a relation layer."""
    head_width: int = 384
    """Hidden units of the relation and factuality heads."""
    dropout: float = 0.1
    """Dropout of the heads and of the encoder's hidden states."""
    attention_dropout: float = 0.0
    """Dropout of the encoder's attention."""
    epochs: float = 10.0
    """Passes over the training documents."""
    batch_size: int = 2
    """Windows of one step on one device."""
    accumulation_steps: int = 1
    """Batches of one optimiser step."""
    encoder_lr: float = 2e-4
    """Peak learning rate of the encoder's last layer."""
    layer_decay: float = 1.0
    """Each encoder layer below the last learns at this share of the rate of the layer above it."""
    head_lr: float = 1e-3
    """Peak learning rate of the heads."""
    weight_decay: float = 0.01
    """AdamW weight decay, off biases, norms and embeddings of features."""
    warmup_steps: int = 100
    """Steps of linear warm-up; then linear decay to 0."""
    max_grad_norm: float = 1.0
    """Gradient norm is clipped to this."""
    role_weight: float = 3.0
    """Weight of the role loss."""
    factuality_weight: float = 0.3
    """Weight of the factuality loss."""
    trigger_weight: float = 1.0
    """Weight of trigger words in the tag loss."""
    factuality_class_weights: tuple[float, ...] = ()
    """Weight of each factuality value in its loss, in the schema's order; empty: all 1."""
    label_smoothing: float = 0.0
    """Of the tag loss."""
    word_mask_probability: float = 0.05
    """Share of the words whose pieces are masked in training."""
    predicted_probability: float = 0.3
    """Share of the windows whose relations are learnt over predicted instead of gold spans, at the end of training."""
    predicted_from: float = 0.3
    """Share of the training after which predicted spans come in."""
    average_checkpoints: int = 1
    """How many of the last epochs' weights are averaged into the finished checkpoint; 1: the best epoch alone."""
    evaluate_from: float = 0.0
    """Share of the training after which epochs are scored on dev."""
    seed: int = 1
    """Seed of everything random."""
    threads: int = 1
    """Threads of torch on a CPU."""
    bf16: bool | None = None
    """Compute in bfloat16; None: where the processor has it."""
    keep_epochs: int = 3
    """How many epochs' states are kept on disk."""
    report_to: tuple[str, ...] = ("tensorboard",)
    """Trackers of transformers."""

    def to_dict(self) -> dict[str, Any]:
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}


def load_config(cls: type[C], path: Path, overrides: Sequence[str] = ()) -> C:
    """Read a run config of dataclass `cls` from YAML, with ``--key value`` overrides.

    Raises:
        ConfigError: a file that is no mapping, an unknown key, or a value of the wrong type.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot be read ({error.strerror}). Give the path of a run config, such as configs/smoke.yaml."
        ) from error
    try:
        values = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: is not valid YAML: {error}") from error
    if not isinstance(values, dict):
        raise ConfigError(f"{path}: must hold `key: value` lines, not a {type(values).__name__}")
    return make_config(cls, {**values, **parse_overrides(cls, overrides)}, where=str(path))


def parse_overrides(cls: type[Any], arguments: Sequence[str]) -> dict[str, Any]:
    """Read ``--some-key value`` or ``--some_key=value`` arguments; a tuple takes several values."""
    types = typing.get_type_hints(cls)
    values: dict[str, Any] = {}
    key: str | None = None
    for argument in arguments:
        if argument.startswith("--"):
            name, has_value, value = argument[2:].partition("=")
            key = name.replace("-", "_")
            if key not in types:
                raise ConfigError(f"unknown key --{name}; {closest(key, types)}")
            values[key] = [] if _is_tuple(types[key]) else None
            if not has_value:
                continue
            argument = value
        if key is None:
            raise ConfigError(f"{argument!r} follows no --key")
        parsed = (
            argument
            if types[key] is str or (_is_tuple(types[key]) and str in typing.get_args(types[key]))
            else yaml.safe_load(argument)
        )
        if _is_tuple(types[key]):
            values[key].append(parsed)
        elif values[key] is not None:
            raise ConfigError(f"--{key} takes one value, got {values[key]!r} and {argument!r}")
        else:
            values[key] = parsed
    return values


def make_config(cls: type[C], values: Mapping[str, Any], *, where: str) -> C:
    """Build `cls` from plain values; ConfigError names the file, the key and what it takes."""
    types = typing.get_type_hints(cls)
    made: dict[str, Any] = {}
    for key, value in values.items():
        if key not in types:
            raise ConfigError(f"{where}: unknown key {key!r}; {closest(str(key), types)}")
        made[key] = _convert(value, types[key], f"{where}: {key}")
    for item in fields(cls):  # type: ignore[arg-type]
        if item.name not in made and item.default is MISSING and item.default_factory is MISSING:
            raise ConfigError(f"{where}: the key {item.name!r} is missing")
    return cls(**made)


def _is_tuple(kind: Any) -> bool:
    return typing.get_origin(kind) is tuple


def _convert(value: Any, kind: Any, where: str) -> Any:
    if _is_tuple(kind):
        items = value if isinstance(value, list | tuple) else [value]
        return tuple(_convert(item, typing.get_args(kind)[0], where) for item in items)
    options = typing.get_args(kind) or (kind,)
    if value is None and type(None) in options:
        return None
    if isinstance(value, str) and float in options:
        try:
            return float(value)  # YAML reads 2e-4 as text
        except ValueError:
            pass
    if float in options and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if Path in options and isinstance(value, str):
        return Path(value)
    if any(option is type(value) for option in options):
        return value
    names = " or ".join(getattr(option, "__name__", str(option)) for option in options)
    raise ConfigError(f"{where} takes {names}, got {value!r}")
