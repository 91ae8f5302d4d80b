"""Adapt an encoder to raw text: masked-language modelling with whole words masked, resumable after a kill.

Does not label anything and does not build encoders; the result is a plain `AutoModel` folder like its start.
"""

import json
import os
import shutil
import tempfile
import time
from contextlib import nullcontext
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn
from transformers import AutoModel, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from saytara.arabic.normalize import NORMALIZATIONS
from saytara.errors import CheckpointError, ConfigError, closest
from saytara.files import atomic_write
from saytara.training.masked_text import (
    IGNORED,
    MaskedSequences,
    Masking,
    Pieces,
    SpecialPieces,
    cached_pieces,
    ranges,
    split_documents,
)

STATE_FILE = "state.safetensors"
PIECES_FILE = "pieces.safetensors"
LOG_FILE = "log.jsonl"
REPORT_FILE = "report.json"
ENCODER_FOLDER = "encoder"
OPTIMIZER_KEYS = ("step", "exp_avg", "exp_avg_sq")
# What may change between two pieces of one run: where and how long it runs, not what it computes.
FREE_FIELDS = frozenset({"output", "threads", "save_minutes", "max_minutes", "log_steps"})


@dataclass(frozen=True, kw_only=True)
class AdaptConfig:
    """A masked-LM adaptation, from start to end."""

    encoder: str
    """Folder or Hub id of the encoder to start from; any `AutoModel` with a fast tokenizer that has a mask piece."""
    files: tuple[str, ...]
    """Raw texts: .jsonl or .jsonl.gz with a `text` key, one document a line, or .txt, one document a file."""
    repeats: tuple[int, ...] = ()
    """Times that each file's documents are read in an epoch, one number a file; empty: once each."""
    output: str
    """Folder of the run: state, log, report, and the adapted encoder in `encoder/`."""
    normalization: str = "compact"
    """Name of the normalisation that texts go through first, one of `saytara.arabic.normalize.NORMALIZATIONS`."""
    revision: str = "main"
    """Revision of the encoder on the Hub."""
    max_pieces: int = 192
    """Length of every sequence in pieces, special pieces included."""
    batch_size: int = 10
    """Sequences in an optimiser step."""
    learning_rate: float = 3e-4
    """Peak learning rate of the encoder."""
    head_learning_rate: float = 1e-3
    """Peak learning rate of the masked-LM head, which starts fresh and is thrown away."""
    weight_decay: float = 0.01
    """Weight decay (AdamW), biases and layer norms excepted."""
    warmup_steps: int = 100
    """Optimiser steps over which the rate rises to its peak."""
    steps: int | None = None
    """Optimiser steps of the run, over which the rate falls to 0; give this or `minutes`."""
    minutes: float | None = None
    """Minutes of training, pieces of the run added up, over which the rate falls to 0; give this or `steps`."""
    max_minutes: float | None = None
    """Minutes after which this piece of the run saves and stops; the same command goes on. `None`: no limit."""
    save_minutes: float = 5.0
    """Minutes between two saved states."""
    log_steps: int = 20
    """Optimiser steps between two lines of the log."""
    mask_probability: float = 0.15
    """Share of the words that are masked."""
    dropout: float = 0.0
    """Dropout in the encoder; 0 suits a run that reads a text hardly twice."""
    held_out: float = 0.01
    """Share of the documents that is never trained on, for the loss before and after."""
    eval_sequences: int = 128
    """Held-out sequences that are measured, at most."""
    precision: str = "bf16"
    """Number format of the matrix products, `bf16` or `fp32`; bf16 is faster on processors that have it."""
    seed: int = 0
    """Seed of held-out choice, order, masks, fresh weights and dropout."""
    threads: int = 1
    """Threads of the process."""

    def __post_init__(self) -> None:
        if not self.files:
            raise ConfigError("files: nothing to read. Name at least one text file.")
        if self.repeats and (len(self.repeats) != len(self.files) or min(self.repeats) < 1):
            raise ConfigError("repeats: needs one number from 1 up for each of `files`, or none at all.")
        if (self.steps is None) == (self.minutes is None):
            raise ConfigError("steps, minutes: give one of the two, it ends the run and its learning-rate decay.")
        if self.normalization not in NORMALIZATIONS:
            raise ConfigError(f"normalization: {self.normalization!r}; {closest(self.normalization, NORMALIZATIONS)}")
        if self.precision not in ("bf16", "fp32"):
            raise ConfigError(f"precision: {self.precision!r}; {closest(self.precision, ['bf16', 'fp32'])}")
        if self.max_pieces < 8:
            raise ConfigError(f"max_pieces: {self.max_pieces} is too short. Use 8 or more.")
        for name in ("batch_size", "log_steps", "threads", "eval_sequences", "learning_rate", "head_learning_rate"):
            if getattr(self, name) <= 0:
                raise ConfigError(f"{name}: {getattr(self, name)} is not above 0.")
        for name in ("mask_probability", "held_out"):
            if not 0 < getattr(self, name) < 1:
                raise ConfigError(f"{name}: {getattr(self, name)} does not lie between 0 and 1.")


@dataclass(frozen=True)
class Progress:
    """How far a run has come."""

    step: int = 0
    seconds: float = 0.0
    first_loss: float | None = None
    """Held-out loss before the first step."""


class MaskedHead(nn.Module):
    """BERT's masked-LM head, given only the hidden states of masked positions; the decoder is the word embedding."""

    def __init__(self, bias: torch.Tensor, hidden_size: int) -> None:
        super().__init__()
        self.dense = nn.Linear(hidden_size, hidden_size)
        # Hidden states of an encoder lie near the embeddings of their pieces: 21 steps from the identity measured lower
        # (held-out loss 7.04) than 43 steps from a random projection (7.30).
        nn.init.eye_(self.dense.weight)
        nn.init.zeros_(self.dense.bias)
        self.norm = nn.LayerNorm(hidden_size)
        self.bias = nn.Parameter(bias)

    def forward(self, hidden: torch.Tensor, embedding: torch.Tensor) -> torch.Tensor:
        """From hidden [M, H] and embedding [V, H] to logits [M, V]."""
        transformed = self.norm(nn.functional.gelu(self.dense(hidden)))
        return nn.functional.linear(transformed, embedding) + self.bias


def adapt(config: AdaptConfig) -> dict[str, Any]:
    """Train until the run or this piece of it ends; called again with the same config, go on where it stopped.

    Returns:
        step, finished, seconds, pieces_per_second, held-out loss at the start and the end, and the encoder's folder.

    Raises:
        DataError: a text file is missing, malformed or too small.
        CheckpointError: the encoder cannot be used, or the output belongs to another run.
    """
    began = time.monotonic()
    torch.set_num_threads(config.threads)
    output = Path(config.output)
    output.mkdir(parents=True, exist_ok=True)
    tokenizer, encoder = load_encoder(config)
    special = special_pieces(tokenizer, config.encoder)
    normalization = NORMALIZATIONS[config.normalization]
    files = [Path(name) for name in config.files]
    pieces = cached_pieces(files, tokenizer.backend_tokenizer, normalization, output / PIECES_FILE)
    training, held_out = split_documents(pieces, share=config.held_out, seed=config.seed)
    masking = Masking(max_pieces=config.max_pieces, probability=config.mask_probability, seed=config.seed)
    repeats = np.array(config.repeats or [1] * len(config.files))[pieces.files[training]]
    sequences = MaskedSequences(pieces, np.repeat(training, repeats), special, masking)
    measured = MaskedSequences(pieces, held_out, special, masking)

    torch.manual_seed(config.seed)
    head = MaskedHead(log_frequencies(pieces, training, _embedding(encoder).shape[0]), _embedding(encoder).shape[1])
    optimizer = make_optimizer(encoder, head, config)
    encoder.train(False)
    run = _fingerprint(config)
    progress = load_state(output / STATE_FILE, encoder, head, optimizer, run=run) or Progress()
    if progress.first_loss is None:
        progress = replace(progress, first_loss=held_out_loss(encoder, head, measured, config))
        _log(output, {"event": "start", "held_out_loss": progress.first_loss, "documents": len(pieces.documents) - 1})
    else:
        _log(output, {"event": "resume", "step": progress.step, "seconds": progress.seconds})
    first_step = progress.step
    train_began = time.monotonic()
    progress = _train(config, encoder, head, optimizer, sequences, progress, piece_began=began)
    train_seconds = time.monotonic() - train_began

    save_state(output / STATE_FILE, encoder, head, optimizer, progress, run=run)
    export_encoder(encoder, tokenizer, config, output / ENCODER_FOLDER)
    report = {
        "step": progress.step,
        "finished": _fraction(config, progress) >= 1,
        "seconds": round(progress.seconds, 1),
        "pieces_per_second": round(
            (progress.step - first_step) * config.batch_size * config.max_pieces / max(train_seconds, 1e-9), 1
        ),
        "epochs": round(progress.step * config.batch_size / sequences.per_epoch, 3),
        "held_out_loss_start": progress.first_loss,
        "held_out_loss_end": held_out_loss(encoder, head, measured, config),
        "encoder": str(output / ENCODER_FOLDER),
        "config": {**asdict(config), "files": list(config.files), "repeats": list(config.repeats)},
    }
    _log(output, {"event": "end", **{key: value for key, value in report.items() if key != "config"}})
    with atomic_write(output / REPORT_FILE) as file:
        file.write(json.dumps(report, ensure_ascii=False, indent=2).encode() + b"\n")
    return report


def _train(
    config: AdaptConfig,
    encoder: PreTrainedModel,
    head: MaskedHead,
    optimizer: torch.optim.Optimizer,
    sequences: "MaskedSequences",
    progress: Progress,
    *,
    piece_began: float,
) -> Progress:
    """Step until the schedule or this piece ends, saving and logging on the way."""
    output = Path(config.output)
    offset = progress.seconds
    began = saved = logged = time.monotonic()
    losses: list[float] = []
    encoder.train()
    while _fraction(config, progress) < 1:
        # Seeded by step, so that a resumed run draws the same dropout.
        torch.manual_seed(config.seed * 1_000_003 + progress.step)
        rate = _rate(config, progress)
        for group in optimizer.param_groups:
            group["lr"] = group["peak"] * rate
        first = progress.step * config.batch_size
        batch = sequences.batch(range(first, first + config.batch_size))
        loss = masked_loss(encoder, head, *batch, precision=config.precision)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_([*encoder.parameters(), *head.parameters()], 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        now = time.monotonic()
        progress = replace(progress, step=progress.step + 1, seconds=offset + now - began)
        losses.append(loss.item())
        if progress.step % config.log_steps == 0:
            speed = len(losses) * config.batch_size * config.max_pieces / max(now - logged, 1e-9)
            line = {"step": progress.step, "seconds": round(progress.seconds, 1), "loss": float(np.mean(losses))}
            _log(output, {**line, "rate": config.learning_rate * rate, "pieces_per_second": round(speed, 1)})
            losses, logged = [], now
        if config.max_minutes is not None and now - piece_began >= config.max_minutes * 60:
            break
        if now - saved >= config.save_minutes * 60:
            save_state(output / STATE_FILE, encoder, head, optimizer, progress, run=_fingerprint(config))
            saved = time.monotonic()
    encoder.train(False)
    return progress


def _fraction(config: AdaptConfig, progress: Progress) -> float:
    """Share of the run that is done, by whichever unit ends it."""
    if config.steps is not None:
        return progress.step / config.steps
    return progress.seconds / 60 / (config.minutes or 1.0)


def _rate(config: AdaptConfig, progress: Progress) -> float:
    """Factor on the peak rate: linear warm-up, then linear decay to 0 at the end of the run."""
    warm = min(1.0, (progress.step + 1) / max(1, config.warmup_steps))
    return warm * max(0.0, 1.0 - _fraction(config, progress))


def load_encoder(config: AdaptConfig) -> tuple[PreTrainedTokenizerBase, PreTrainedModel]:
    """Load tokenizer and encoder, without a pooler, with the run's dropout.

    Raises:
        CheckpointError: nothing usable is there.
    """
    try:
        tokenizer = AutoTokenizer.from_pretrained(config.encoder, revision=config.revision)
        encoder = AutoModel.from_pretrained(
            config.encoder,
            revision=config.revision,
            attn_implementation="eager",  # faster than the fused kernels for bf16 training on a CPU
            dtype=torch.float32,
        )
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{config.encoder}: no encoder can be loaded ({error}). Check `encoder`.") from error
    longest = getattr(encoder.config, "max_position_embeddings", config.max_pieces)
    if config.max_pieces > longest:
        raise ConfigError(f"max_pieces: {config.max_pieces} is more than the encoder's {longest}. Lower it.")
    if getattr(encoder, "pooler", None) is not None:
        encoder.pooler = None
    for module in encoder.modules():
        if isinstance(module, nn.Dropout):
            module.p = config.dropout
    return tokenizer, encoder


def special_pieces(tokenizer: PreTrainedTokenizerBase, name: str) -> SpecialPieces:
    """The pieces that frame a sequence, and the mask piece.

    Raises:
        CheckpointError: the tokenizer has no mask piece or frames texts otherwise.
    """
    frame = tokenizer("")["input_ids"]
    if tokenizer.mask_token_id is None or len(frame) != 2 or not tokenizer.is_fast:
        raise CheckpointError(
            f"{name}: the tokenizer must be fast, with a mask piece and one piece on each side of a text."
        )
    return SpecialPieces(
        start=frame[0],
        end=frame[1],
        mask=tokenizer.mask_token_id,
        vocabulary=len(tokenizer),
        never_masked=tuple(sorted(set(tokenizer.all_special_ids))),
    )


def _embedding(encoder: PreTrainedModel) -> torch.Tensor:
    """The word embedding, [V, H]."""
    weight = encoder.get_input_embeddings().weight
    if not isinstance(weight, torch.Tensor):
        raise CheckpointError(f"{type(encoder).__name__} has no word embedding matrix. Choose another encoder.")
    return weight


def log_frequencies(pieces: Pieces, documents: npt.NDArray[np.int64], vocabulary: int) -> torch.Tensor:
    """Smoothed log-frequency of each piece, [V]: where the decoder's bias starts."""
    begins = pieces.documents[documents]
    where = ranges(begins, pieces.documents[documents + 1] - begins)
    counts = np.bincount(pieces.ids[where], minlength=vocabulary).astype(np.float64) + 0.1
    return torch.from_numpy(np.log(counts / counts.sum()).astype(np.float32))


def masked_loss(
    encoder: PreTrainedModel, head: MaskedHead, ids: torch.Tensor, labels: torch.Tensor, *, precision: str
) -> torch.Tensor:
    """Mean cross-entropy over the masked positions of ids [B, T]; only those go through the decoder."""
    asked = labels != IGNORED  # [B, T]
    with torch.autocast("cpu", dtype=torch.bfloat16) if precision == "bf16" else nullcontext():
        hidden = encoder(input_ids=ids).last_hidden_state  # [B, T, H]
        logits = head(hidden[asked], _embedding(encoder))  # [M, V]
    return nn.functional.cross_entropy(logits.float(), labels[asked])


def held_out_loss(encoder: PreTrainedModel, head: MaskedHead, measured: MaskedSequences, config: AdaptConfig) -> float:
    """Masked-LM loss on held-out sequences, always the same ones with the same masks."""
    count = min(measured.per_epoch, config.eval_sequences)
    total = asked = 0.0
    encoder.train(False)
    with torch.inference_mode():
        for first in range(0, count, config.batch_size):
            ids, labels = measured.batch(range(first, min(count, first + config.batch_size)))
            positions = int((labels != IGNORED).sum())
            total += positions * float(masked_loss(encoder, head, ids, labels, precision=config.precision))
            asked += positions
    return total / max(asked, 1.0)


def make_optimizer(encoder: PreTrainedModel, head: MaskedHead, config: AdaptConfig) -> torch.optim.AdamW:
    """AdamW with four groups: encoder and head, each with and without weight decay."""
    groups = []
    for module, peak in ((encoder, config.learning_rate), (head, config.head_learning_rate)):
        parameters = [parameter for parameter in module.parameters() if parameter.requires_grad]
        for decay, chosen in (
            (config.weight_decay, [parameter for parameter in parameters if parameter.ndim > 1]),
            (0.0, [parameter for parameter in parameters if parameter.ndim <= 1]),
        ):
            groups.append({"params": chosen, "weight_decay": decay, "peak": peak, "lr": peak})
    return torch.optim.AdamW(groups, betas=(0.9, 0.98), eps=1e-6, fused=True)


def _fingerprint(config: AdaptConfig) -> str:
    """What makes two pieces one run: every field that changes what is computed."""
    values = {name: value for name, value in asdict(config).items() if name not in FREE_FIELDS}
    return json.dumps({**values, "files": list(config.files), "repeats": list(config.repeats)}, sort_keys=True)


def _modules(encoder: PreTrainedModel, head: MaskedHead) -> dict[str, nn.Parameter]:
    return {
        f"{name}.{key}": parameter
        for name, module in (("encoder", encoder), ("head", head))
        for key, parameter in module.named_parameters()
    }


def save_state(
    path: Path,
    encoder: PreTrainedModel,
    head: MaskedHead,
    optimizer: torch.optim.Optimizer,
    progress: Progress,
    *,
    run: str,
) -> None:
    """Write weights, optimiser and progress into one file that is whole or absent."""
    tensors: dict[str, torch.Tensor] = {}
    for name, parameter in _modules(encoder, head).items():
        tensors[f"weight.{name}"] = parameter.detach()
        for key, value in optimizer.state.get(parameter, {}).items():
            tensors[f"{key}.{name}"] = value
    temporary = path.with_name(path.name + ".tmp")
    save_file(tensors, temporary, metadata={"progress": json.dumps(asdict(progress)), "run": run})
    with temporary.open("rb") as file:
        os.fsync(file.fileno())
    temporary.replace(path)


def load_state(
    path: Path, encoder: PreTrainedModel, head: MaskedHead, optimizer: torch.optim.Optimizer, *, run: str
) -> Progress | None:
    """Put a saved state back; `None` if there is none.

    Raises:
        CheckpointError: the state is damaged or belongs to a run with other settings.
    """
    if not path.exists():
        return None
    try:
        with safe_open(path, framework="pt") as state:
            metadata = state.metadata() or {}
            tensors = {name: state.get_tensor(name) for name in state.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise CheckpointError(f"{path}: damaged ({error}). Remove it to start the run anew.") from error
    if metadata.get("run") != run:
        theirs, ours = json.loads(metadata.get("run", "{}")), json.loads(run)
        changed = sorted(key for key in {*theirs, *ours} if theirs.get(key) != ours.get(key))
        raise CheckpointError(
            f"{path}: another run with other {', '.join(changed)}. Restore these settings or choose another output."
        )
    with torch.no_grad():
        for name, parameter in _modules(encoder, head).items():
            parameter.copy_(tensors[f"weight.{name}"])
            keys = [key for key in OPTIMIZER_KEYS if f"{key}.{name}" in tensors]
            if keys:
                optimizer.state[parameter] = {key: tensors[f"{key}.{name}"] for key in keys}
    return Progress(**json.loads(metadata["progress"]))


def export_encoder(
    encoder: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, config: AdaptConfig, folder: Path
) -> None:
    """Write the encoder as a plain `AutoModel` folder, with the tokenizer files and notices it came with."""
    building = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        encoder.save_pretrained(building)
        source = Path(config.encoder)
        if source.is_dir():
            weights = (".safetensors", ".bin")
            for path in sorted(source.iterdir()):
                if path.is_file() and path.suffix not in weights and not (building / path.name).exists():
                    shutil.copyfile(path, building / path.name)
        else:
            tokenizer.save_pretrained(building)
        publish_folder(building, folder)
    finally:
        shutil.rmtree(building, ignore_errors=True)


def publish_folder(building: Path, folder: Path) -> None:
    """Put a finished temporary folder in the place of `folder`, readable by everyone."""
    for path in building.iterdir():
        path.chmod(0o644)
    building.chmod(0o755)
    if folder.exists():
        shutil.rmtree(folder)
    building.replace(folder)


def _log(output: Path, line: dict[str, Any]) -> None:
    """Add a line to the run's log."""
    with (output / LOG_FILE).open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
