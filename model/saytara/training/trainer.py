"""Train a joint model from a run config: transformers' Trainer with our loss, rates and dev evaluation.

The loop, precision, accumulation, resuming and logging are the Trainer's; choosing thresholds is `tuning`'s.
"""

import hashlib
import json
import logging
import random
import re
import resource
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import is_zipfile

import numpy as np
import torch
import yaml
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transformers import AutoTokenizer, Trainer, TrainerCallback, TrainingArguments, set_seed

import saytara
from saytara.arabic.normalize import NORMALIZATIONS, Normalization
from saytara.checkpoint import DECODING, METRICS, RUN_CONFIG, load_model, pack_rows, write_json
from saytara.configuration import SaytaraConfig
from saytara.corpus import read_annotations
from saytara.corpus.schemas import load_schema
from saytara.decoding import DecodingConfig
from saytara.document import Annotation
from saytara.encoding import DocumentEncoder
from saytara.errors import ConfigError, closest
from saytara.evaluation import evaluate
from saytara.files import atomic_write
from saytara.modeling import SaytaraModel
from saytara.pipeline import Extractor, ModelInfo
from saytara.provenance import provenance
from saytara.schema import Schema
from saytara.scoring import TorchScorer
from saytara.tags import tag_names
from saytara.training.config import TrainConfig
from saytara.training.distillation import read_soft_examples
from saytara.training.examples import Batcher, Example, make_examples
from saytara.training.losses import LossWeights, joint_loss
from saytara.training.tuning import choose_decoding, exclusive_roles

logger = logging.getLogger(__name__)
EPOCHS = "epochs.jsonl"
"""Dev scores of a run, one line an epoch."""
COST = "training.json"
"""What a run cost: steps, seconds and memory since it was last begun."""
HARMLESS = ("name", "keep_epochs", "report_to", "threads")
"""Settings that may change when an interrupted run goes on."""
STANDARDISED_ON = 400
"""Windows whose word vectors say what fresh heads are to subtract and scale by."""
COUNTED_FROM_PAD = ("roberta", "xlm-roberta", "camembert")
"""Architectures that number positions from the padding piece's id on."""
ADDED_MASK = ("bert", *COUNTED_FROM_PAD)
"""Architectures that add a mask of four dimensions to their attention scores as it is; others may read it otherwise."""


@dataclass(frozen=True, slots=True)
class Setup:
    """What a run config names: schema, tokenizer, encoders of texts, and the model to start from."""

    config: TrainConfig
    schema: Schema
    tokenizer: Any
    encoder: DocumentEncoder
    """Of training: windows of `max_pieces`."""
    reader: DocumentEncoder
    """Of the finished checkpoint: windows of `reading_pieces`."""
    model: SaytaraModel

    def extractor(self, network: Any, decoding: DecodingConfig) -> Extractor:
        """The extractor that ships, around a network of this run."""
        return Extractor(
            schema=self.schema,
            encoder=self.reader,
            scorer=TorchScorer(network, bf16=uses_bf16(self.config)),
            decoding=decoding,
            info=ModelInfo(self.config.name, None, saytara.__version__),
        )


def set_up(config: TrainConfig) -> Setup:
    """Load what `config` names; fresh heads draw on torch's random state."""
    schema = load_schema(config.schema)
    tokenizer = load_tokenizer(config.encoder, config.revision)
    model_config = make_model_config(config, schema)
    normalization = Normalization.from_dict(model_config.normalization)
    encoder, reader = (
        DocumentEncoder(tokenizer.backend_tokenizer, normalization, max_pieces=pieces, overlap_pieces=overlap)
        for pieces, overlap in (
            (config.max_pieces, config.overlap_pieces),
            (model_config.max_pieces, model_config.overlap_pieces),
        )
    )
    for windows in (encoder, reader):
        windows.encode("")  # sizes that do not go together are refused now, not after hours
    return Setup(config, schema, tokenizer, encoder, reader, start_model(config, model_config))


def train(config: TrainConfig) -> dict[str, Any]:
    """Run `config` to its end, going on from where an earlier, interrupted run of the same output stopped.

    Returns:
        The metrics that stand in the finished checkpoint's ``metrics.json``.
    """
    torch.set_num_threads(config.threads)
    set_seed(config.seed)
    setup = set_up(config)
    train_set = training_documents(config, setup.schema)
    dev_set = read_gold(config.dev_files, setup.schema)
    run = Path(config.output)
    model, tokenizer = setup.model, setup.tokenizer
    examples = make_examples(train_set, setup.encoder, setup.schema)
    for file in config.soft_files:
        examples += read_soft_examples(Path(file), setup.encoder, setup.schema)
    batcher = Batcher(
        setup.schema,
        pad_id=int(tokenizer.pad_token_id or 0),
        mask_id=tokenizer.mask_token_id,
        word_mask_probability=config.word_mask_probability,
    )
    if model.types and (config.fresh_heads or not starts_from_checkpoint(config)):
        standardise(model, batcher, examples)
    trainer = JointTrainer(
        run=config,
        batcher=batcher,
        dev=dev_set,
        extractor=setup.extractor,
        model=model,
        args=training_arguments(config, steps_per_epoch=-(-len(examples) // config.batch_size)),
        train_dataset=ExampleList(examples),
        data_collator=batcher,
    )
    state = last_complete_state(run)
    refuse_other_run(config, run, is_begun=state is not None)
    if trainer.is_world_process_zero():
        forget_after(run, 0 if state is None else step_of(state))
        write_run_config(run / RUN_CONFIG, config)
    done = trainer.train(resume_from_checkpoint=None if state is None else str(state))
    if not trainer.is_world_process_zero():
        return {}
    write_json(run / COST, _cost(trainer, done.metrics, model))
    model.load_state_dict(choose_weights(trainer, config))
    return finish(setup, model, train_set, dev_set)


def _cost(trainer: "JointTrainer", measured: dict[str, float], model: SaytaraModel) -> dict[str, Any]:
    return {
        "steps": trainer.state.global_step,
        "seconds": round(measured.get("train_runtime", 0.0), 1),
        "peak_megabytes": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        **provenance(),
    }


def finish(
    setup: Setup, model: SaytaraModel, train_set: Sequence[Annotation], dev_set: Sequence[Annotation]
) -> dict[str, Any]:
    """Calibrate, tune thresholds, measure on dev, and write the run's ``checkpoint`` folder."""
    config = setup.config
    extractor = setup.extractor(model, DecodingConfig())
    decoding = choose_decoding(extractor, dev_set, exclusive=exclusive_roles(train_set, setup.schema))
    metrics = {"dev": evaluate(extractor.with_decoding(decoding), dev_set), "dev_files": list(config.dev_files)}
    save_checkpoint(Path(config.output) / "checkpoint", model, setup.tokenizer, decoding, config, metrics)
    return metrics


def save_checkpoint(
    folder: Path,
    model: SaytaraModel,
    tokenizer: Any,
    decoding: DecodingConfig,
    config: TrainConfig,
    metrics: dict[str, Any],
) -> None:
    """Write a self-contained checkpoint, whole or not at all."""
    from saytara.card import render_card

    temporary = folder.with_name(f".{folder.name}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    model.save_pretrained(temporary)
    save_tokenizer(tokenizer, temporary)
    write_json(temporary / DECODING, decoding.to_dict())
    write_json(temporary / METRICS, metrics)
    write_run_config(temporary / RUN_CONFIG, config)
    with atomic_write(temporary / "README.md") as file:
        file.write(render_card(temporary).encode())
    old = folder.with_name(f".{folder.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    temporary.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def write_run_config(path: Path, config: TrainConfig) -> None:
    with atomic_write(path) as file:
        file.write(yaml.safe_dump(config.to_dict(), allow_unicode=True, sort_keys=False).encode())


def save_tokenizer(tokenizer: Any, folder: Path) -> None:
    """Write the fast tokenizer under a class name that every transformers version knows."""
    tokenizer.backend_tokenizer.save(str(folder / "tokenizer.json"))
    special = {
        f"{kind}_token": getattr(tokenizer, f"{kind}_token")
        for kind in ("bos", "eos", "cls", "sep", "pad", "unk", "mask")
        if getattr(tokenizer, f"{kind}_token", None)
    }
    write_json(
        folder / "tokenizer_config.json",
        {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": tokenizer.model_max_length, **special},
    )


def load_tokenizer(encoder: str, revision: str) -> Any:
    """The encoder's fast tokenizer; ConfigError where there is none."""
    try:
        tokenizer = AutoTokenizer.from_pretrained(encoder, **_revision(encoder, revision))
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"encoder {encoder!r} cannot be loaded ({error}). Give a folder or a Hub id; "
            "`saytara encoder build` makes the compact one."
        ) from error
    if not tokenizer.is_fast:
        raise ConfigError(f"encoder {encoder!r} has no fast tokenizer, which offsets need.")
    return tokenizer


def make_model_config(config: TrainConfig, schema: Schema) -> SaytaraConfig:
    if config.normalization not in NORMALIZATIONS:
        raise ConfigError(
            f"unknown normalization {config.normalization!r}; {closest(config.normalization, NORMALIZATIONS)}"
        )
    return SaytaraConfig(
        schema=schema.to_dict(),
        tags=tag_names(schema),
        roles=list(schema.roles),
        normalization=NORMALIZATIONS[config.normalization].to_dict(),
        max_pieces=config.max_pieces if config.reading_pieces is None else config.reading_pieces,
        overlap_pieces=config.overlap_pieces if config.reading_overlap is None else config.reading_overlap,
        relation_layers=config.relation_layers,
        relation_heads=config.relation_heads,
        relation_width=config.relation_width,
        head_width=config.head_width,
        dropout=config.dropout,
        saytara_version=saytara.__version__,
        name=config.name,
    )


def start_model(config: TrainConfig, model_config: SaytaraConfig) -> SaytaraModel:
    """Fresh heads on a pretrained encoder, or a finished saytara checkpoint of the same schema to train on."""
    if starts_from_checkpoint(config):
        model: SaytaraModel = load_model(Path(config.encoder))
        if model.config.schema != model_config.schema:
            raise ConfigError(f"checkpoint {config.encoder!r} has another schema than this run ({config.schema}).")
        if config.fresh_heads:
            model = with_fresh_heads(model, model_config)
        model.config.max_pieces, model.config.overlap_pieces = model_config.max_pieces, model_config.overlap_pieces
    else:
        model = SaytaraModel.from_encoder(config.encoder, model_config, **_revision(config.encoder, config.revision))
    model.encoder.config.hidden_dropout_prob = config.dropout
    for name, module in model.encoder.named_modules():
        if isinstance(module, nn.Dropout):
            module.p = config.attention_dropout if "attention.self" in name else config.dropout
    room = getattr(model.config.encoder, "max_position_embeddings", config.max_pieces)
    if model.config.encoder.model_type in COUNTED_FROM_PAD:
        room -= int(model.config.encoder.pad_token_id) + 1
    longest = max(config.max_pieces, model_config.max_pieces)
    if longest > room:
        raise ConfigError(f"windows are to hold {longest} pieces, but the encoder reads at most {room}.")
    return model


def with_fresh_heads(trained: SaytaraModel, model_config: SaytaraConfig) -> SaytaraModel:
    """The encoder and the tag head of a trained model under relation and factuality heads that know nothing yet."""
    model_config.encoder = trained.config.encoder
    model = SaytaraModel(model_config)
    model.encoder.load_state_dict(trained.encoder.state_dict())
    model.tagger.load_state_dict(trained.tagger.state_dict())
    return model


def starts_from_checkpoint(config: TrainConfig) -> bool:
    """Whether the run goes on from a finished saytara checkpoint, with its heads."""
    return (Path(config.encoder) / DECODING).exists()


@torch.no_grad()
def standardise(model: SaytaraModel, batcher: Batcher, examples: Sequence[Example]) -> None:
    """Show the model the word vectors that its encoder gives before training, on the first texts."""
    is_training = model.training
    model.eval()
    vectors = []
    for start in range(0, min(len(examples), STANDARDISED_ON), 4):
        batch: dict[str, Any] = batcher(examples[start : start + 4])
        hidden, _ = model.read(batch["input_ids"], batch["attention_mask"], batch["pool"])
        vectors.append(hidden[batch["word_mask"]])
    model.standardise(torch.cat(vectors).float())
    model.train(is_training)


def _revision(encoder: str, revision: str) -> dict[str, str]:
    return {} if Path(encoder).exists() else {"revision": revision}


def uses_bf16(config: TrainConfig) -> bool:
    """Whether to compute in bfloat16: as told, else where the processor multiplies it natively."""
    if config.bf16 is not None:
        return config.bf16
    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported())
    return bool(torch.cpu._is_avx512_bf16_supported())


def training_arguments(config: TrainConfig, *, steps_per_epoch: int) -> TrainingArguments:
    """Our run config in transformers' words."""
    return TrainingArguments(
        output_dir=str(Path(config.output) / "states"),
        num_train_epochs=config.epochs,
        per_device_train_batch_size=config.batch_size,
        gradient_accumulation_steps=config.accumulation_steps,
        learning_rate=config.encoder_lr,
        warmup_steps=config.warmup_steps,
        max_grad_norm=config.max_grad_norm,
        lr_scheduler_type="linear",
        optim="adamw_torch_fused",
        bf16=uses_bf16(config),
        use_cpu=not torch.cuda.is_available(),
        seed=config.seed,
        save_strategy="epoch",
        save_total_limit=max(config.keep_epochs, config.average_checkpoints),
        logging_steps=max(1, min(50, steps_per_epoch)),
        report_to=list(config.report_to),
        remove_unused_columns=False,
        dataloader_pin_memory=torch.cuda.is_available(),
        ddp_find_unused_parameters=True,
        disable_tqdm=False,
    )


def additive_mask(attention_mask: Tensor, *, bf16: bool) -> Tensor:
    """What eager attention adds to its scores ``[B, 1, 1, T]``, of their type; another takes a seventh more time."""
    hidden = (1 - attention_mask)[:, None, None, :]
    return hidden.to(torch.bfloat16 if bf16 else torch.float32) * -1e9


class ExampleList(torch.utils.data.Dataset[Example]):
    """Examples by index, with their lengths for bucketing."""

    def __init__(self, examples: Sequence[Example]) -> None:
        self.examples = list(examples)

    def __len__(self) -> int:
        return len(self.examples)

    def __getitem__(self, index: int) -> Example:
        return self.examples[index]


class JointTrainer(Trainer):  # type: ignore[misc,unused-ignore]
    """The Trainer with the joint loss, layer-wise rates, buckets by length, and dev scores from the `Extractor`."""

    def __init__(
        self, *, run: TrainConfig, batcher: Batcher, dev: Sequence[Annotation], extractor: Any, **kwargs: Any
    ) -> None:
        self.run = run
        self.batcher = batcher
        self.dev = dev
        self.make_extractor = extractor
        super().__init__(**kwargs, callbacks=[EpochScores(self)])
        self.weights = _loss_weights(run, batcher, self.args.device)

    optimizer: torch.optim.Optimizer | None

    def create_optimizer(self, *_: Any, **__: Any) -> torch.optim.Optimizer:
        if self.optimizer is None:
            groups = parameter_groups(self.model, self.run)
            self.optimizer = torch.optim.AdamW(groups, fused=True)
        return self.optimizer

    def compute_loss(self, model: nn.Module, inputs: dict[str, Any], return_outputs: bool = False, **_: Any) -> Any:
        examples: list[Example] = inputs["examples"]
        share = self.state.global_step / max(1, self.state.max_steps)
        chance = self.run.predicted_probability if share >= self.run.predicted_from else 0.0
        predicted = [random.random() < chance for _ in examples]
        output = model(
            input_ids=inputs["input_ids"],
            attention_mask=self.attention_mask(inputs["attention_mask"]),
            pool=inputs["pool"],
            word_mask=inputs["word_mask"],
            pairer=lambda tag_logits: self.batcher.pair(examples, tag_logits.detach(), predicted=predicted),
        )
        loss = joint_loss(
            output.tag_logits,
            inputs["targets"],
            output.role_logits,
            output.factuality_logits,
            output.relations,
            self.weights,
        )
        return (loss, output) if return_outputs else loss

    def attention_mask(self, mask: Tensor) -> Tensor:
        """The mask of pieces ``[B, T]``, as the encoder adds it where it is known to take that."""
        is_added = self.model.config.encoder.model_type in ADDED_MASK
        return additive_mask(mask, bf16=self.args.bf16) if is_added else mask

    def _get_train_sampler(self, *_: Any) -> torch.utils.data.Sampler[int]:
        lengths = [example.length for example in self.train_dataset.examples]
        return BucketSampler(lengths, self.args.train_batch_size, seed=self.run.seed, epoch=int(self.state.epoch or 0))


class BucketSampler(torch.utils.data.Sampler[int]):
    """Batches of nearly equal length in random order; the order depends on the seed and the epoch alone."""

    def __init__(self, lengths: Sequence[int], batch_size: int, *, seed: int, epoch: int = 0) -> None:
        self.lengths = np.array(lengths)
        self.batch_size = batch_size
        self.seed = seed
        self.epoch = epoch

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.lengths)

    def __iter__(self) -> Any:
        generator = np.random.default_rng((self.seed, self.epoch))
        order = generator.permutation(len(self.lengths))
        pool = self.batch_size * 50
        batches = []
        for start in range(0, len(order), pool):
            chunk = order[start : start + pool]
            chunk = chunk[np.argsort(self.lengths[chunk], kind="stable")]
            batches += [chunk[i : i + self.batch_size] for i in range(0, len(chunk), self.batch_size)]
        # a short last batch stays last, so that the Trainer's batches are these batches
        full = [batch for batch in batches if len(batch) == self.batch_size]
        short = [batch for batch in batches if len(batch) < self.batch_size]
        for index in generator.permutation(len(full)):
            yield from full[index].tolist()
        for batch in short:
            yield from batch.tolist()


class EpochScores(TrainerCallback):  # type: ignore[misc,unused-ignore]
    """Score each epoch on dev by running the extractor, and log it beside the run."""

    def __init__(self, trainer: JointTrainer) -> None:
        self.trainer = trainer

    def on_epoch_end(self, args: Any, state: Any, control: Any, model: Any = None, **_: Any) -> None:
        run = self.trainer.run
        if not self.trainer.dev or state.global_step < run.evaluate_from * state.max_steps:
            return
        result = evaluate(self.trainer.make_extractor(model, DecodingConfig()), self.trainer.dev, detail=False)
        model.train()
        score = result["event" if self.trainer.batcher.schema.events else "entity"]["f1"]
        if run.average_checkpoints == 1 and (state.best_metric is None or score >= state.best_metric):
            # the Trainer keeps the state of this step, however many follow
            state.best_metric, state.best_global_step = score, state.global_step
        if not state.is_world_process_zero:
            return
        line = {"step": state.global_step, "epoch": round(state.epoch, 3), **result}
        with (Path(run.output) / EPOCHS).open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        scores = " ".join(
            f"{name} {value['f1']:.3f}" for name, value in result.items() if isinstance(value, dict) and "f1" in value
        )
        logger.info("epoch %.2f step %d dev %s", state.epoch, state.global_step, scores)


def parameter_groups(model: SaytaraModel, run: TrainConfig) -> list[dict[str, Any]]:
    """Rates by depth (Howard and Ruder 2018) and no decay for biases, norms and embeddings."""
    layers = int(model.config.encoder.num_hidden_layers)
    groups: dict[tuple[float, float], list[Tensor]] = {}
    for name, parameter in model.named_parameters():
        if name.startswith("encoder."):
            match = re.search(r"\.layers?\.(\d+)\.", name)
            depth = layers - 1 - int(match.group(1)) if match else layers
            rate = run.encoder_lr * run.layer_decay**depth
        else:
            rate = run.head_lr
        decay = 0.0 if parameter.ndim < 2 or "embedding" in name or "_feature" in name else run.weight_decay
        groups.setdefault((rate, decay), []).append(parameter)
    return [{"params": tensors, "lr": rate, "weight_decay": decay} for (rate, decay), tensors in groups.items()]


def _loss_weights(run: TrainConfig, batcher: Batcher, device: torch.device) -> LossWeights:
    tags = None
    if run.trigger_weight != 1.0:
        events = batcher.schema.events
        tags = torch.tensor([run.trigger_weight if tag[2:] in events else 1.0 for tag in batcher.tags], device=device)
    values = batcher.schema.factuality
    given = run.factuality_class_weights
    if given and len(given) != len(values):
        raise ConfigError(f"factuality_class_weights has {len(given)} values; give {len(values)}: {', '.join(values)}")
    factuality = torch.tensor(given, device=device) if given else None
    return LossWeights(run.role_weight, run.factuality_weight, tags, factuality, run.label_smoothing)


def refuse_other_run(config: TrainConfig, run: Path, *, is_begun: bool) -> None:
    """ConfigError where `run` holds states of another run config: going on from them would be neither run."""
    path = run / RUN_CONFIG
    if not is_begun or not path.exists():
        return
    begun = yaml.safe_load(path.read_text(encoding="utf-8"))
    before = TrainConfig().to_dict() | begun  # a key that is younger than the run had its default
    changed = [key for key, value in config.to_dict().items() if before[key] != value and key not in HARMLESS]
    if changed:
        raise ConfigError(
            f"{run} holds a run with other settings (of {', '.join(changed)}), which cannot go on with these. "
            "Give another --output, or delete that folder."
        )


def step_of(state: Path) -> int:
    """Optimiser steps before a state: its folder is ``checkpoint-120``."""
    return int(state.name.split("-")[1])


def list_states(run: Path) -> list[Path]:
    """Folders of the run's states, oldest first."""
    return sorted((run / "states").glob("checkpoint-*"), key=step_of)


def last_complete_state(run: Path) -> Path | None:
    """Newest state that was written to its end; a half-written one is skipped."""
    return next((state for state in reversed(list_states(run)) if _is_complete(state)), None)


def _is_complete(state: Path) -> bool:
    """Whether every file that resuming reads is there and whole; the Trainer writes ``trainer_state.json`` last."""
    try:
        json.loads((state / "trainer_state.json").read_text(encoding="utf-8"))
        load_file(state / "model.safetensors")
    except (OSError, ValueError, SafetensorError):
        return False
    names = ["optimizer.pt", "scheduler.pt"]
    names += [path.name for path in state.glob("rng_state*.pth")] or ["rng_state.pth"]
    return all(is_zipfile(state / name) for name in names)  # a zip's directory stands at its end


def forget_after(run: Path, step: int) -> None:
    """Drop states and scores of steps after `step`: the run goes on from there and makes them again."""
    for state in list_states(run):
        if step_of(state) > step:
            logger.warning("%s is incomplete and is made again", state)
            shutil.rmtree(state)
    log = run / EPOCHS
    if log.exists():
        lines = [line for line in log.read_text(encoding="utf-8").splitlines(keepends=True) if _is_until(line, step)]
        with atomic_write(log) as file:
            file.write("".join(lines).encode())


def _is_until(line: str, step: int) -> bool:
    try:
        return bool(json.loads(line)["step"] <= step)
    except ValueError:  # half a line, of a killed run
        return False


def choose_weights(trainer: JointTrainer, config: TrainConfig) -> dict[str, Tensor]:
    """Weights of the best epoch by dev event F1 (entity F1 without events), or the average of the last ones."""
    states = list_states(Path(config.output))
    if config.average_checkpoints > 1 and len(states) > 1:
        return average_weights(states[-config.average_checkpoints :])
    best = [state for state in states if step_of(state) == trainer.state.best_global_step]
    if best:
        return load_file(best[0] / "model.safetensors")
    return {name: tensor.detach().cpu() for name, tensor in trainer.model.state_dict().items()}


def average_weights(folders: Sequence[Path]) -> dict[str, Tensor]:
    """Mean of the weights that lie in states or checkpoints (model soup, Wortsman et al. 2022)."""
    total: dict[str, Tensor] = {}
    for folder in folders:
        for name, tensor in load_file(folder / "model.safetensors").items():
            total[name] = total.get(name, torch.zeros_like(tensor)) + tensor / len(folders)
    return total


def training_documents(config: TrainConfig, schema: Schema) -> list[Annotation]:
    """The annotated reports that a run trains on, repeated as it repeats them."""
    documents = read_gold(config.train_files, schema) + config.extra_repeats * read_gold(
        config.extra_train_files, schema
    )
    if config.train_fraction < 1:
        documents = [d for d in documents if _share(d.document.id, config.seed) < config.train_fraction]
    if not documents:
        raise ConfigError("there is nothing to train on: train_files and extra_train_files hold no document.")
    return documents


def _share(document_id: str, seed: int) -> float:
    """A number in [0, 1) that depends on the id and the seed alone."""
    return int.from_bytes(hashlib.sha256(f"{seed}:{document_id}".encode()).digest()[:6], "big") / 2**48


def read_gold(files: Sequence[str], schema: Schema) -> list[Annotation]:
    return [annotation for file in files for annotation in read_annotations(Path(file), schema)]


def write_packed(folder: Path, target: Path) -> None:
    """Copy a checkpoint with its weights as int8 rows."""
    target.mkdir(parents=True, exist_ok=True)
    for path in folder.iterdir():
        if path.suffix in (".json", ".yaml", ".md"):
            shutil.copy(path, target / path.name)
    weights = target / "model.safetensors"
    save_file(pack_rows(load_file(folder / "model.safetensors")), weights, {"format": "pt"})
    weights.chmod(0o644)  # safetensors keeps new files to their owner
