"""Masked-LM adaptation learns, masks whole words, and goes on after `kill -9` as if nothing had happened."""

import gzip
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from tokenizers import Regex, Tokenizer, models, pre_tokenizers, processors
from transformers import AutoModel, AutoTokenizer, BertConfig, BertModel, PreTrainedTokenizerFast

from saytara.arabic.normalize import Normalization
from saytara.errors import CheckpointError, ConfigError, DataError
from saytara.inputs import read_texts
from saytara.training.adapt import AdaptConfig, adapt
from saytara.training.masked_text import (
    IGNORED,
    MaskedSequences,
    Masking,
    SpecialPieces,
    mask_words,
    tokenize_files,
)

SUBJECTS = ("الجيش", "الحزب", "الوفد", "الفريق")  # army, party, delegation, team
VERBS = {"دخل": "المدينة", "غادر": "القرية", "زار": "الميناء", "حاصر": "القلعة"}  # entered the town, …
LETTERS = sorted({letter for word in (*SUBJECTS, *VERBS, *VERBS.values()) for letter in word})


@pytest.fixture
def encoder(tmp_path: Path) -> Path:
    """A BERT of two small layers whose WordPiece tokenizer cuts places into two pieces."""
    places = [place[:3] for place in VERBS.values()] + ["##" + place[3:] for place in VERBS.values()]
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "،", ".", *SUBJECTS, *VERBS, *dict.fromkeys(places)]
    backend = Tokenizer(models.WordPiece({word: number for number, word in enumerate(words)}, unk_token="[UNK]"))
    backend.pre_tokenizer = pre_tokenizers.Split(Regex(r"\w+|[^\w\s]"), behavior="removed", invert=True)
    backend.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    folder = tmp_path / "base"
    PreTrainedTokenizerFast(
        tokenizer_object=backend,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
    ).save_pretrained(folder)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
    )
    BertModel(config, add_pooling_layer=False).save_pretrained(folder)
    (folder / "NOTICE").write_text("whose weights these are")
    return folder


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    """120 documents in which the verb tells the place."""
    random = np.random.default_rng(0)
    verbs = list(VERBS)
    path = tmp_path / "texts.jsonl.gz"
    with gzip.open(path, "wt", encoding="utf-8") as file:
        for _ in range(120):
            sentences = []
            for _ in range(6):
                verb = verbs[random.integers(len(verbs))]
                sentences.append(f"{verb} {SUBJECTS[random.integers(len(SUBJECTS))]} {VERBS[verb]}.")
            file.write(json.dumps({"text": " ".join(sentences)}) + "\n")
    return path


@pytest.fixture
def config(encoder: Path, texts: Path, tmp_path: Path) -> AdaptConfig:
    return AdaptConfig(
        encoder=str(encoder),
        files=(str(texts),),
        output=str(tmp_path / "run"),
        max_pieces=32,
        batch_size=8,
        steps=30,
        warmup_steps=5,
        learning_rate=3e-3,
        precision="fp32",
        held_out=0.1,
        dropout=0.1,
        log_steps=5,
        seed=3,
    )


def log_of(output: str | Path) -> list[dict[str, float | str]]:
    path = Path(output) / "log.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_held_out_loss_falls_below_what_piece_frequencies_give(config: AdaptConfig) -> None:
    easy = {"batch_size": 16, "dropout": 0.0, "head_learning_rate": 3e-3, "mask_probability": 0.3}
    report = adapt(replace(config, steps=320, **easy))
    assert report["finished"]
    # It starts at the frequencies, 2.5 nats. The place tells the verb and the reverse, so context must have been read.
    assert report["held_out_loss_end"] < 0.7 * report["held_out_loss_start"]
    losses = [float(line["loss"]) for line in log_of(config.output) if "loss" in line]
    assert np.mean(losses[-5:]) < 0.7 * np.mean(losses[:5])


def test_bf16_learns_as_fp32_does(config: AdaptConfig) -> None:
    reports = [
        adapt(replace(config, precision=precision, output=f"{config.output}-{precision}"))
        for precision in ("fp32", "bf16")
    ]
    full, half = (report["held_out_loss_start"] - report["held_out_loss_end"] for report in reports)
    assert full > 0.02
    assert half == pytest.approx(full, rel=0.2)


def test_result_is_a_plain_encoder_folder_with_the_notices_of_its_base(config: AdaptConfig, encoder: Path) -> None:
    report = adapt(replace(config, steps=3))
    base, adapted = AutoModel.from_pretrained(encoder), AutoModel.from_pretrained(report["encoder"])
    assert type(adapted) is type(base)
    assert adapted.config.hidden_dropout_prob == base.config.hidden_dropout_prob
    assert not torch.equal(base.embeddings.word_embeddings.weight, adapted.embeddings.word_embeddings.weight)
    text = "دخل الجيش المدينة."
    assert AutoTokenizer.from_pretrained(report["encoder"])(text) == AutoTokenizer.from_pretrained(encoder)(text)
    assert {path.name for path in Path(report["encoder"]).iterdir()} == {path.name for path in encoder.iterdir()}
    assert "pooler.dense.weight" not in load_file(Path(report["encoder"]) / "model.safetensors")
    again = adapt(replace(config, encoder=report["encoder"], output=config.output + "-2", steps=3))
    assert again["finished"]


def test_run_killed_in_mid_training_ends_with_the_same_weights(config: AdaptConfig, tmp_path: Path) -> None:
    unbroken = adapt(config)
    broken = replace(config, output=str(tmp_path / "broken"), save_minutes=0.0, log_steps=1)
    program = f"from saytara.training.adapt import *\nadapt({broken!r})"
    process = subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.DEVNULL)
    state = Path(broken.output) / "state.safetensors"
    deadline = time.monotonic() + 60
    while len(log_of(broken.output)) < 8 and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert state.exists()
    assert not (Path(broken.output) / "encoder").exists(), "the run ended before it was killed"
    (Path(broken.output) / "state.safetensors.tmp").write_bytes(b"half a state")  # as a kill in mid-save leaves

    resumed = adapt(broken)
    assert 5 < next(int(line["step"]) for line in log_of(broken.output) if line.get("event") == "resume") < 30
    assert resumed["held_out_loss_start"] == unbroken["held_out_loss_start"]
    assert resumed["held_out_loss_end"] == unbroken["held_out_loss_end"]
    weights = [load_file(Path(run["encoder"]) / "model.safetensors") for run in (unbroken, resumed)]
    assert weights[0].keys() == weights[1].keys()
    for name, tensor in weights[0].items():
        assert torch.equal(tensor, weights[1][name]), name


def test_run_in_pieces_stops_at_its_minutes_and_ends_with_the_same_weights(config: AdaptConfig, tmp_path: Path) -> None:
    unbroken = adapt(replace(config, steps=4))
    piecewise = replace(config, steps=4, output=str(tmp_path / "pieces"), max_minutes=0.0)
    reports = [adapt(piecewise) for _ in range(4)]
    assert [report["step"] for report in reports] == [1, 2, 3, 4]
    assert [report["finished"] for report in reports] == [False, False, False, True]
    weights = [load_file(Path(run["encoder"]) / "model.safetensors") for run in (unbroken, reports[-1])]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


def test_schedule_in_minutes_adds_up_the_pieces_of_a_run(config: AdaptConfig) -> None:
    timed = replace(config, steps=None, minutes=0.05, log_steps=1)
    first = adapt(replace(timed, max_minutes=0.0))
    assert not first["finished"]
    second = adapt(timed)
    assert second["finished"]
    assert 3.0 <= second["seconds"] < 6.0
    rates = [float(line["rate"]) for line in log_of(config.output) if "rate" in line]
    assert max(rates) <= config.learning_rate
    assert rates[-1] < 0.1 * max(rates)


def test_output_of_another_run_is_refused(config: AdaptConfig) -> None:
    adapt(replace(config, steps=2))
    with pytest.raises(CheckpointError, match="another run with other mask_probability, steps"):
        adapt(replace(config, steps=3, mask_probability=0.3))


def test_damaged_state_is_named(config: AdaptConfig) -> None:
    adapt(replace(config, steps=2))
    state = Path(config.output) / "state.safetensors"
    state.write_bytes(state.read_bytes()[:1000])
    with pytest.raises(CheckpointError, match=r"state\.safetensors: damaged"):
        adapt(replace(config, steps=2))


def test_missing_encoder_is_named(config: AdaptConfig, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(CheckpointError, match="empty: no encoder can be loaded"):
        adapt(replace(config, encoder=str(tmp_path / "empty")))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda config: replace(config, minutes=1.0), "steps, minutes: give one of the two"),
        (lambda config: replace(config, steps=None), "steps, minutes: give one of the two"),
        (lambda config: replace(config, files=()), "files: nothing to read"),
        (lambda config: replace(config, repeats=(1, 2)), "repeats: needs one number"),
        (lambda config: replace(config, precision="fp16"), "precision: 'fp16'; known: bf16, fp32; closest: "),
        (lambda config: replace(config, normalization="compct"), "closest: compact"),
        (lambda config: replace(config, mask_probability=1.0), "mask_probability: 1.0 does not lie"),
        (lambda config: replace(config, batch_size=0), "batch_size: 0 is not above 0"),
    ],
)
def test_impossible_config_is_refused(
    config: AdaptConfig, change: Callable[[AdaptConfig], AdaptConfig], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        change(config)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.jsonl", '{"text": "نص"}\n{"body": "نص"}\n', r'a\.jsonl:2: no "text"'),
        ("a.jsonl", '{"text": \n', r"a\.jsonl:1: not JSON"),
        ("a.csv", "text\n", r"a\.csv: unknown kind of file"),
    ],
)
def test_malformed_texts_are_refused_with_their_line(tmp_path: Path, name: str, content: str, message: str) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=message):
        list(read_texts(tmp_path / name))


def test_texts_are_normalised_and_words_begin_where_they_should(tmp_path: Path, encoder: Path) -> None:
    (tmp_path / "a.txt").write_text("دَخَلَ الجيــش المدينة، زار", encoding="utf-8")
    (tmp_path / "b.txt").write_text("غادر الوفد القرية.", encoding="utf-8")
    tokenizer = AutoTokenizer.from_pretrained(encoder).backend_tokenizer
    pieces = tokenize_files([tmp_path / "a.txt", tmp_path / "b.txt"], tokenizer, Normalization())
    names = [tokenizer.id_to_token(int(number)) for number in pieces.ids]
    assert names[:6] == ["دخل", "الجيش", "الم", "##دينة", "،", "زار"]
    assert pieces.word_starts[:6].tolist() == [True, True, True, False, True, True]
    assert pieces.documents.tolist() == [0, 6, 11]
    assert pieces.files.tolist() == [0, 1]


def test_words_are_masked_whole_and_special_pieces_never() -> None:
    special = SpecialPieces(start=0, end=1, mask=2, vocabulary=50, never_masked=(0, 1, 2))
    ids = np.array([0, *range(10, 40), 1], dtype=np.int64)
    begins = np.array([True, *([True, False, False] * 10), True])
    share = []
    for seed in range(200):
        masked, labels = mask_words(ids, begins, np.random.default_rng(seed), special=special, probability=0.3)
        asked = labels != IGNORED
        assert not asked[0]
        assert not asked[-1]
        by_word = asked[1:-1].reshape(10, 3)
        assert (by_word.all(axis=1) | ~by_word.any(axis=1)).all()
        assert asked.any()
        assert np.array_equal(labels[asked], ids[asked])
        assert np.array_equal(masked[~asked], ids[~asked])
        share.append(asked[1:-1].mean())
    assert 0.27 < np.mean(share) < 0.35


def test_an_epoch_reads_every_piece_once_in_full_sequences(tmp_path: Path, encoder: Path, texts: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(encoder).backend_tokenizer
    pieces = tokenize_files([texts], tokenizer, Normalization())
    special = SpecialPieces(start=2, end=3, mask=4, vocabulary=tokenizer.get_vocab_size(), never_masked=(2, 3, 4))
    masking = Masking(max_pieces=32, probability=0.2, seed=0)
    sequences = MaskedSequences(pieces, np.arange(120), special, masking)
    ids, labels = sequences.batch(range(sequences.per_epoch))
    assert ids.shape == labels.shape == (sequences.per_epoch, 32)
    original = torch.where(labels == IGNORED, ids, labels)[:, 1:-1].flatten().numpy()
    original = original[original != special.end]
    assert len(pieces.ids) - len(original) < 32  # only the last, unfilled sequence is left out
    counts = [np.bincount(row, minlength=special.vocabulary) for row in (original, pieces.ids)]
    assert np.abs(counts[0] - counts[1]).sum() < 32
    later, _ = sequences.batch(range(sequences.per_epoch, 2 * sequences.per_epoch))
    assert not torch.equal(ids, later)  # another order and other masks
