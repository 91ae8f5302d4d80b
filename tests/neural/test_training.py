"""Training learns, counts its steps, and goes on after `kill -9` as if nothing had happened."""

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from torch import Tensor, nn

from saytara.checkpoint import load_model
from saytara.cli import main
from saytara.corpus.conll import write_conll
from saytara.corpus.jsonl import write_corpus
from saytara.document import Annotation, Document, Mention
from saytara.errors import ConfigError
from saytara.evaluation import evaluate
from saytara.pipeline import Extractor
from saytara.schema import CONTROL_CHANGE, NER
from saytara.training.config import TrainConfig, load_config
from saytara.training.examples import Batcher, Relations, make_examples
from saytara.training.losses import LossWeights, cross_entropy, joint_loss
from saytara.training.trainer import (
    BucketSampler,
    last_complete_state,
    list_states,
    make_model_config,
    parameter_groups,
    read_gold,
    set_up,
    standardise,
    start_model,
    step_of,
    train,
)

FOUR = ("capture", "denial", "self-claim", "across-sentences")


def write_yaml(path: Path, config: TrainConfig, **changes: Any) -> Path:
    path.write_text(yaml.safe_dump(replace(config, **changes).to_dict()), encoding="utf-8")
    return path


def last_state(run: Path) -> dict[str, Any]:
    """What the Trainer wrote of the newest state."""
    values: dict[str, Any] = json.loads((list_states(run)[-1] / "trainer_state.json").read_text())
    return values


def test_four_reports_are_learnt_by_heart(
    tiny_run: TrainConfig, reports: dict[str, Annotation], tmp_path: Path
) -> None:
    four = [reports[name] for name in FOUR]
    write_corpus(tmp_path / "four.jsonl", four, CONTROL_CHANGE)
    files = (str(tmp_path / "four.jsonl"),)
    config = replace(tiny_run, train_files=files, dev_files=files, output=str(tmp_path / "run"), epochs=40)
    metrics = train(replace(config, evaluate_from=1.0))
    assert metrics["dev"]["event"]["f1"] == metrics["dev"]["event-strict"]["f1"] == 1.0
    # the checkpoint on disk says the same as the model that was trained
    loaded = Extractor.from_pretrained(str(tmp_path / "run" / "checkpoint"))
    assert json.loads(json.dumps(evaluate(loaded, four))) == metrics["dev"]
    claim = loaded.extract(reports["self-claim"].document.text).events[0]
    assert claim.fillers("controller") == claim.fillers("claimant") != ()


def test_fresh_heads_stand_on_the_trained_encoder_and_read_standardised_vectors(
    tiny_run: TrainConfig, tmp_path: Path
) -> None:
    first = replace(tiny_run, output=str(tmp_path / "first"), epochs=3, dev_files=())
    train(first)
    again = replace(first, encoder=str(tmp_path / "first" / "checkpoint"), fresh_heads=True, relation_layers=2)
    setup = set_up(again)
    trained = load_model(tmp_path / "first" / "checkpoint")
    for name, tensor in trained.state_dict().items():
        if name.startswith(("encoder.", "tagger.")):
            assert torch.equal(setup.model.state_dict()[name], tensor), name
    assert len(setup.model.relation_layers) == 2
    assert not torch.equal(setup.model.relation_inner.weight, trained.relation_inner.weight)

    examples = make_examples(read_gold(again.train_files, setup.schema), setup.encoder, setup.schema)
    batcher = Batcher(setup.schema, pad_id=0, mask_id=None, word_mask_probability=0.0)
    standardise(setup.model, batcher, examples)
    batch: dict[str, Any] = batcher(examples)
    with torch.no_grad():
        hidden, _ = setup.model.eval().read(batch["input_ids"], batch["attention_mask"], batch["pool"])
    seen = (hidden[batch["word_mask"]] - setup.model.centre) * setup.model.scale
    assert seen.mean(0).abs().max() < 1e-3
    assert (seen.std(0) - 1).abs().max() < 1e-3

    # going on without fresh heads keeps what they were shown; a whole run with them shows them the new encoder's
    kept = set_up(replace(again, fresh_heads=False)).model
    assert torch.equal(kept.centre, trained.centre)
    train(replace(again, output=str(tmp_path / "second"), epochs=1))
    finished = load_model(tmp_path / "second" / "checkpoint")
    assert torch.allclose(finished.centre, setup.model.centre, atol=1e-5)
    assert not torch.allclose(finished.centre, trained.centre, atol=1e-3)


def test_a_checkpoint_reads_in_windows_of_its_own_size(tiny_run: TrainConfig, tmp_path: Path) -> None:
    first = replace(tiny_run, epochs=1, reading_pieces=60, reading_overlap=20, output=str(tmp_path / "first"))
    setup = set_up(first)
    assert (setup.encoder.max_pieces, setup.reader.max_pieces) == (first.max_pieces, 60)
    train(first)
    extractor = Extractor.from_pretrained(str(tmp_path / "first" / "checkpoint"), engine="torch", link=False)
    assert (extractor.encoder.max_pieces, extractor.encoder.overlap_pieces) == (60, 20)
    onward = replace(first, encoder=str(tmp_path / "first" / "checkpoint"), reading_pieces=None, reading_overlap=None)
    assert set_up(onward).model.config.max_pieces == first.max_pieces
    with pytest.raises(ConfigError, match="windows are to hold 9000 pieces"):
        set_up(replace(first, reading_pieces=9000))


# -- the loss --------------------------------------------------------------------------------------------------------


def certain(labels: Tensor, classes: int) -> Tensor:
    """Distributions of class numbers; zeros where the number is -100."""
    return nn.functional.one_hot(labels.clamp(min=0), classes) * (labels != -100)[..., None].float()


@pytest.mark.parametrize("classes", [None, torch.tensor([1.0, 3.0, 0.5, 2.0])])
def test_certain_targets_give_the_usual_cross_entropy(classes: Tensor | None) -> None:
    torch.manual_seed(0)
    logits, labels = torch.randn(2, 5, 4), torch.tensor([[0, 1, 2, 3, -100], [2, -100, 0, -100, -100]])
    usual = nn.functional.cross_entropy(logits.flatten(0, 1), labels.flatten(), weight=classes)
    torch.testing.assert_close(cross_entropy(logits, certain(labels, 4), classes), usual)


def test_spread_targets_are_learnt_as_they_are_spread() -> None:
    logits = torch.zeros(1, 3, requires_grad=True)
    targets = torch.tensor([[0.7, 0.2, 0.1]])
    optimizer = torch.optim.SGD([logits], lr=1.0)
    for _ in range(200):
        optimizer.zero_grad()
        cross_entropy(logits, targets, None).backward()
        optimizer.step()
    torch.testing.assert_close(logits.softmax(-1), targets, atol=1e-3, rtol=0)


def test_ignored_positions_do_not_move_the_loss() -> None:
    torch.manual_seed(0)
    weights = LossWeights(role=1.0, factuality=1.0, tag_classes=None, factuality_classes=None, label_smoothing=0.1)
    tags, labels = torch.randn(2, 5, 4), torch.tensor([[0, 1, 2, 3, -100], [2, -100, 0, -100, -100]])
    roles, factuality = torch.randn(3, 2), torch.randn(2, 3)
    roles[1, 0] = -30.0  # an illegal role
    relations = Relations(
        torch.zeros(0),
        torch.zeros(0),
        torch.zeros(0),
        torch.tensor([[1.0, 0], [0, 1], [0, 0]]),
        certain(torch.tensor([1, -100]), 3),
    )
    targets = certain(labels, 4)
    before = joint_loss(tags, targets, roles, factuality, relations, weights)
    tags[labels == -100] += 100 * torch.randn(4, 4)
    factuality[1] += 100
    assert torch.equal(joint_loss(tags, targets, roles, factuality, relations, weights), before)
    tags[0, 0] += torch.tensor([0.0, 1, 0, 0])
    assert joint_loss(tags, targets, roles, factuality, relations, weights) > before


def test_an_illegal_role_adds_nothing_to_the_loss() -> None:
    weights = LossWeights(role=1.0, factuality=1.0, tag_classes=None, factuality_classes=None, label_smoothing=0.0)
    tags = torch.zeros(1, 1, 2)
    relations = Relations(*[torch.zeros(0)] * 3, torch.tensor([[1.0, 0.0]]), torch.zeros(1, 3))  # type: ignore[arg-type]
    logits = torch.tensor([[2.0, -30.0]])
    loss = joint_loss(tags, torch.tensor([[[1.0, 0.0]]]), logits, torch.zeros(1, 3), relations, weights)
    role = nn.functional.binary_cross_entropy_with_logits(torch.tensor([2.0]), torch.tensor([1.0]))
    torch.testing.assert_close(loss, torch.tensor(2.0).log() + role)


# -- steps, rates, order ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("batch_size", "accumulation", "steps"), [(4, 1, 6), (4, 2, 4), (2, 4, 4), (5, 3, 2)])
def test_accumulated_batches_make_one_step(
    tiny_run: TrainConfig, tmp_path: Path, batch_size: int, accumulation: int, steps: int
) -> None:
    train(
        replace(
            tiny_run,
            dev_files=(),
            output=str(tmp_path),
            epochs=2,
            batch_size=batch_size,
            accumulation_steps=accumulation,
        )
    )
    assert last_state(tmp_path)["global_step"] == last_state(tmp_path)["max_steps"] == steps


def test_rates_fall_with_depth_and_small_tensors_do_not_decay(tiny_run: TrainConfig) -> None:
    config = replace(tiny_run, encoder_lr=0.4, layer_decay=0.5, head_lr=3.0, weight_decay=0.1)
    model = start_model(config, make_model_config(config, CONTROL_CHANGE))
    groups = parameter_groups(model, config)
    of = {id(tensor): group for group in groups for tensor in group["params"]}
    named = dict(model.named_parameters())
    assert len(of) == len(named) == sum(len(group["params"]) for group in groups)
    found = {name: (of[id(tensor)]["lr"], of[id(tensor)]["weight_decay"]) for name, tensor in named.items()}
    assert found["encoder.encoder.layer.1.output.dense.weight"] == (0.4, 0.1)
    assert found["encoder.encoder.layer.0.output.dense.weight"] == (0.2, 0.1)
    assert found["encoder.encoder.layer.0.output.dense.bias"] == (0.2, 0.0)
    assert found["encoder.encoder.layer.1.output.LayerNorm.weight"] == (0.4, 0.0)
    assert found["encoder.embeddings.word_embeddings.weight"] == (0.1, 0.0)
    assert found["tagger.weight"] == found["relation_outer.weight"] == (3.0, 0.1)
    assert found["tagger.bias"] == found["distance_feature.weight"] == (3.0, 0.0)


LENGTHS = [3 + (7 * number) % 41 for number in range(230)]


@pytest.mark.parametrize(("size", "batch_size"), [(1, 4), (4, 4), (7, 4), (230, 2), (230, 4), (229, 8)])
def test_the_sampler_gives_every_example_once(size: int, batch_size: int) -> None:
    sampler = BucketSampler(LENGTHS[:size], batch_size, seed=1)
    assert sorted(sampler) == list(range(size))
    assert len(sampler) == size


def test_the_order_depends_on_seed_and_epoch_alone() -> None:
    def order(seed: int, epoch: int) -> list[int]:
        sampler = BucketSampler(LENGTHS, 4, seed=seed)
        sampler.set_epoch(epoch)
        return list(sampler)

    first = order(1, 3)
    torch.manual_seed(99)
    assert order(1, 3) == first == list(BucketSampler(LENGTHS, 4, seed=1, epoch=3))
    assert order(1, 4) != first != order(2, 3)


def test_batches_hold_reports_of_nearly_equal_length() -> None:
    order = list(BucketSampler(LENGTHS, 4, seed=1))
    batches = [[LENGTHS[i] for i in order[start : start + 4]] for start in range(0, 200, 4)]
    assert sum(max(batch) - min(batch) for batch in batches) / len(batches) < 3


# -- run configs -----------------------------------------------------------------------------------------------------


def test_an_unknown_key_is_refused_with_the_nearest(tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    path.write_text("epoch: 3\n")
    with pytest.raises(ConfigError, match=r"run.yaml: unknown key 'epoch'; known: .*closest: epochs"):
        load_config(TrainConfig, path)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--head-rl", "0.1"], "unknown key --head-rl; .*closest: head_lr"),
        (["--epochs", "many"], "run.yaml: epochs takes float, got 'many'"),
        (["--batch_size", "2", "3"], "--batch_size takes one value"),
        (["3"], "'3' follows no --key"),
    ],
)
def test_a_wrong_override_is_refused(tmp_path: Path, arguments: list[str], message: str) -> None:
    path = tmp_path / "run.yaml"
    path.write_text("epochs: 3\n")
    with pytest.raises(ConfigError, match=message):
        load_config(TrainConfig, path, arguments)


def test_overrides_take_the_place_of_the_files_values(tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    path.write_text("epochs: 3\nencoder_lr: 2e-4\ntrain_files: [a.jsonl]\n")
    config = load_config(TrainConfig, path, ["--train-files", "b.jsonl", "c.jsonl", "--bf16=false", "--name", "7"])
    assert (config.epochs, config.encoder_lr, config.bf16, config.name) == (3.0, 2e-4, False, "7")
    assert config.train_files == ("b.jsonl", "c.jsonl")


def test_a_run_with_nothing_to_train_on_is_refused(tiny_run: TrainConfig, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nothing to train on"):
        train(replace(tiny_run, train_files=(), output=str(tmp_path)))


def test_a_missing_encoder_is_named(tiny_run: TrainConfig, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"encoder '.*nowhere' cannot be loaded .* `saytara encoder build`"):
        train(replace(tiny_run, encoder=str(tmp_path / "nowhere"), output=str(tmp_path)))


def test_factuality_weights_must_be_one_for_each_value(tiny_run: TrainConfig, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="factuality_class_weights has 2 values; give 3: actual, denied, prospective"):
        train(replace(tiny_run, factuality_class_weights=(1.0, 2.0), output=str(tmp_path)))


# -- going on after a kill -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shaky_run(tiny_run: TrainConfig, tmp_path_factory: pytest.TempPathFactory) -> TrainConfig:
    """A run with everything random in it: dropout, masked words, predicted spans, accumulation, dev scores."""
    return replace(
        tiny_run,
        output=str(tmp_path_factory.mktemp("unbroken")),
        epochs=14,
        batch_size=2,
        accumulation_steps=2,
        dropout=0.1,
        attention_dropout=0.1,
        word_mask_probability=0.2,
        predicted_probability=0.5,
        predicted_from=0.1,
        evaluate_from=0.0,
        keep_epochs=2,
    )


@pytest.fixture(scope="module")
def unbroken(shaky_run: TrainConfig) -> Path:
    """Folder of that run, never interrupted."""
    train(shaky_run)
    return Path(shaky_run.output)


@pytest.fixture(scope="module")
def killed(
    shaky_run: TrainConfig, root: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[Path, bytes]]:
    """Folder of the same run, killed in mid-training (its states and scores), and that folder's files."""
    run = tmp_path_factory.mktemp("killed")
    config = write_yaml(run / "config.yaml", shaky_run, output=str(run))
    process = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys; from saytara.cli import main; sys.exit(main(sys.argv[1:]))",
            "train",
            str(config),
        ],
        cwd=root,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    deadline = time.monotonic() + 90
    while process.poll() is None and time.monotonic() < deadline:
        if sum((state / "trainer_state.json").exists() for state in list_states(run)) >= 2:
            break
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    _, errors = process.communicate()
    assert process.returncode == -signal.SIGKILL, errors.decode()
    assert not (run / "checkpoint").exists()
    return run, {path.relative_to(run): path.read_bytes() for path in run.rglob("*") if path.is_file()}


def as_it_was(killed: tuple[Path, dict[Path, bytes]]) -> Path:
    """The killed run's folder, put back to the moment of the kill (its path is part of its config)."""
    run, files = killed
    shutil.rmtree(run)
    for path, content in files.items():
        (run / path).parent.mkdir(parents=True, exist_ok=True)
        (run / path).write_bytes(content)
    return run


def untouched(state: Path) -> None:
    """What is left where the kill falls between two states."""


def cut_weights(state: Path) -> None:
    path = state / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1000])
    for name in ("trainer_state.json", "optimizer.pt", "scheduler.pt", "rng_state.pth"):  # come later
        (state / name).unlink()


def cut_optimizer(state: Path) -> None:
    path = state / "optimizer.pt"
    path.write_bytes(path.read_bytes()[:-1000])
    (state / "trainer_state.json").unlink()


def cut_trainer_state(state: Path) -> None:
    path = state / "trainer_state.json"
    path.write_bytes(path.read_bytes()[:100])


def cut_last_file_on_power_loss(state: Path) -> None:
    (state / "rng_state.pth").write_bytes(b"")


@pytest.mark.parametrize(
    "damage", [cut_weights, cut_optimizer, cut_trainer_state, cut_last_file_on_power_loss], ids=lambda cut: cut.__name__
)
def test_a_half_written_state_is_not_gone_on_from(
    unbroken: Path, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    shutil.copytree(unbroken / "states", tmp_path / "states")
    older, newer = list_states(tmp_path)
    assert last_complete_state(tmp_path) == newer
    damage(newer)
    assert last_complete_state(tmp_path) == older


@pytest.mark.parametrize("damage", [untouched, cut_weights], ids=lambda damage: damage.__name__)
def test_a_killed_run_ends_like_an_unbroken_one(
    shaky_run: TrainConfig,
    unbroken: Path,
    killed: tuple[Path, dict[Path, bytes]],
    damage: Callable[[Path], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = as_it_was(killed)
    newest = list_states(run)[-1]
    damage(newest)
    with (run / "epochs.jsonl").open("a") as file:
        file.write('{"step": 99')  # and a half-written line
    complete = last_complete_state(run)
    assert complete is not None
    assert damage is untouched or complete != newest
    assert main(["train", str(run / "config.yaml")]) == 0
    assert f"checkpoint: {run / 'checkpoint'}" in capsys.readouterr().out
    for name in ("metrics.json", "decoding.json", "config.json", "model.safetensors"):
        expected = (unbroken / "checkpoint" / name).read_bytes()
        assert (run / "checkpoint" / name).read_bytes() == expected, name
    assert (run / "epochs.jsonl").read_text() == (unbroken / "epochs.jsonl").read_text()
    assert 0 < step_of(complete) < last_state(run)["max_steps"]  # it did go on, from the middle


def test_a_finished_run_is_finished_again_without_training(
    shaky_run: TrainConfig, unbroken: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = (unbroken / "checkpoint" / "model.safetensors").read_bytes()
    steps: list[object] = []
    monkeypatch.setattr("saytara.training.trainer.joint_loss", lambda *_: steps.append(1))
    train(shaky_run)
    assert steps == []
    assert (unbroken / "checkpoint" / "model.safetensors").read_bytes() == before


def test_states_of_another_config_are_not_gone_on_from(shaky_run: TrainConfig, unbroken: Path) -> None:
    with pytest.raises(ConfigError, match=r"holds a run with other settings \(of head_lr\)"):
        train(replace(shaky_run, head_lr=0.1))


def test_the_best_epoch_is_kept_and_chosen_however_long_ago(unbroken: Path) -> None:
    """Two states are kept here, and the best is one of them."""
    lines = [json.loads(line) for line in (unbroken / "epochs.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in lines] == list(range(1, 15))
    best = max(lines, key=lambda line: (line["event"]["f1"], line["step"]))["step"]
    assert {step_of(state) for state in list_states(unbroken)} == {best, lines[-1]["step"]} | (
        {lines[-2]["step"]} if best == lines[-1]["step"] else set()
    )
    chosen = (unbroken / "checkpoint" / "model.safetensors").read_bytes()
    assert chosen == (unbroken / "states" / f"checkpoint-{best}" / "model.safetensors").read_bytes()


# -- another schema ----------------------------------------------------------------------------------------------------


LABELS = {"ACTOR": "ORG", "PLACE": "LOC", "SOURCE": "PERS", "TIME": "MISC"}


def test_plain_ner_on_conll_trains_and_evaluates_by_the_same_commands(
    tiny_run: TrainConfig, reports: dict[str, Annotation], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    renamed = [
        replace(
            report,
            document=Document(report.document.text, report.document.id),
            mentions=tuple(Mention(f"n{i}", LABELS[m.label], m.span) for i, m in enumerate(report.mentions, 1)),
            events=(),
        )
        for report in reports.values()
    ]
    data = tmp_path / "news.conll"
    write_conll(data, renamed, NER)
    config = write_yaml(
        tmp_path / "ner.yaml", tiny_run, schema="ner", train_files=(str(data),), dev_files=(str(data),), epochs=12
    )
    assert main(["train", str(config), "--output", str(tmp_path / "run"), "--evaluate_from", "0.7"]) == 0
    checkpoint = tmp_path / "run" / "checkpoint"
    metrics = json.loads((checkpoint / "metrics.json").read_text())["dev"]
    assert metrics["entity"]["f1"] > 0.9
    assert "event" not in metrics
    capsys.readouterr()
    figures = tmp_path / "figures.json"
    assert main(["evaluate", "--model", str(checkpoint), "--data", str(data), "--output", str(figures)]) == 0
    table = capsys.readouterr().out
    assert "label:PERS" in table
    assert "trigger" not in table
    assert json.loads(figures.read_text())["entity"] == metrics["entity"]
    report = tmp_path / "report.txt"
    report.write_text(reports["handover"].document.text)
    assert main(["predict", "--model", str(checkpoint), "--quiet", str(report)]) == 0
    record = json.loads(capsys.readouterr().out)
    assert "events" not in record
    assert {entity["type"] for entity in record["entities"]} == {"ORG", "LOC", "PERS", "MISC"}
