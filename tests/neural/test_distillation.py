"""Teachers annotate raw texts with probabilities, and a student learns them."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from saytara.checkpoint import load_extractor, load_model
from saytara.cli import main
from saytara.decoding import DecodingConfig
from saytara.document import Annotation, Document
from saytara.errors import ConfigError, DataError
from saytara.pairing import PairBuilder
from saytara.schema import CONTROL_CHANGE
from saytara.scoring import EnsembleScorer, TorchScorer
from saytara.tags import tag_names
from saytara.training.config import TrainConfig
from saytara.training.distillation import Passages, Teachers, cut_passages, distil, read_soft_examples
from saytara.training.examples import Batcher
from saytara.training.trainer import train


@pytest.fixture(scope="module")
def teachers(tiny_checkpoint: Path) -> Teachers:
    return Teachers([tiny_checkpoint])


@pytest.fixture
def texts(reports: dict[str, Annotation], tmp_path: Path) -> Path:
    path = tmp_path / "texts.jsonl"
    lines = [json.dumps({"text": report.document.text}, ensure_ascii=False) for report in reports.values()]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_soft_labels_agree_with_what_the_teacher_extracts(
    teachers: Teachers, tiny_checkpoint: Path, reports: dict[str, Annotation]
) -> None:
    shipped = load_extractor(str(tiny_checkpoint), revision=None, threads=1, engine="torch", is_linked=False)
    extractor = shipped.with_decoding(DecodingConfig())  # soft labels know no thresholds
    for report in reports.values():
        found = extractor.extract_document(report.document)
        record = teachers.annotate(report.document)
        assert record is not None
        words = teachers.encoder.encode(report.document.text).words
        spans = {(words[first].start, words[end - 1].end, label) for first, end, label in record["mentions"]}
        assert spans == {(m.span.start, m.span.end, m.label) for m in found.mentions}
        assert [label for _, label in record["triggers"]] == [event.type for event in found.events]
        for row in record["tags"]:
            assert sum(row.values()) == pytest.approx(1.0, abs=0.05)


def test_an_ensemble_gives_the_mean_probabilities_of_its_members(
    tiny_checkpoint: Path, teachers: Teachers, reports: dict[str, Annotation]
) -> None:
    first, second = load_model(tiny_checkpoint), load_model(tiny_checkpoint)
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in second.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    members = [TorchScorer(first), TorchScorer(second)]
    (window,) = teachers.encoder.encode(reports["capture"].document.text).windows
    hidden, logits = EnsembleScorer(members).read(window)
    answers = [member.read(window) for member in members]
    mean = np.mean([torch.from_numpy(tags).softmax(-1).numpy() for _, tags in answers], 0)
    np.testing.assert_allclose(np.exp(logits), mean, atol=1e-6)
    record = teachers.annotate(reports["capture"].document)
    assert record is not None
    (example,) = [read_one(record, teachers)]
    pairing = PairBuilder(CONTROL_CHANGE).build(example.mentions, example.triggers, window.sentences)
    roles, factuality = EnsembleScorer(members).relate(hidden, pairing)
    related = [member.relate(vectors, pairing) for member, (vectors, _) in zip(members, answers, strict=True)]
    np.testing.assert_allclose(
        1 / (1 + np.exp(-roles)), np.mean([torch.from_numpy(r).sigmoid().numpy() for r, _ in related], 0), atol=1e-6
    )
    np.testing.assert_allclose(
        np.exp(factuality), np.mean([torch.from_numpy(f).softmax(-1).numpy() for _, f in related], 0), atol=1e-6
    )


def read_one(record: dict[str, Any], teachers: Teachers) -> Any:
    from saytara.training.distillation import _example

    return _example(record, teachers.encoder.encode(record["text"]).windows[0], CONTROL_CHANGE)


def test_what_is_written_is_what_is_learnt(teachers: Teachers, texts: Path, tmp_path: Path) -> None:
    found = distil(teachers, [texts], tmp_path / "soft.jsonl", limit=100, passages=Passages(words=400, per_text=1))
    examples = read_soft_examples(tmp_path / "soft.jsonl", teachers.encoder, CONTROL_CHANGE)
    assert found["kept"] == len(examples) > 3
    batcher = Batcher(CONTROL_CHANGE, pad_id=0, mask_id=4, word_mask_probability=0.0)
    batch: dict[str, Any] = batcher(examples)
    record = json.loads((tmp_path / "soft.jsonl").read_text().splitlines()[0])
    names = tag_names(CONTROL_CHANGE)
    for word, row in enumerate(record["tags"]):
        assert {names[i]: pytest.approx(float(v)) for i, v in enumerate(batch["targets"][0, word]) if v} == row
    assert not batch["targets"][~batch["word_mask"]].any()
    logits = torch.zeros(*batch["targets"].shape)
    relations = batcher.pair(examples[:1], logits[:1], predicted=[False])
    roles = list(CONTROL_CHANGE.roles)
    pairs = PairBuilder(CONTROL_CHANGE).build(examples[0].mentions, examples[0].triggers, examples[0].window.sentences)
    known = {(trigger, mention): row for trigger, mention, row in record["roles"]}
    for target, pair, mention in zip(relations.role_targets, pairs.pairs, pairs.mentions, strict=True):
        row = {roles[i]: pytest.approx(float(v)) for i, v in enumerate(target) if v}
        assert row == known.get((int(pair[0]), int(mention)), {})
    values = list(CONTROL_CHANGE.factuality)
    for target, row in zip(relations.factuality_targets, record["factuality"], strict=True):
        assert {values[i]: pytest.approx(float(v)) for i, v in enumerate(target) if v} == row


def test_a_student_learns_from_soft_labels_alone_what_its_teacher_knows(
    teachers: Teachers, texts: Path, tiny_run: TrainConfig, reports: dict[str, Annotation], tmp_path: Path
) -> None:
    distil(teachers, [texts], tmp_path / "soft.jsonl", limit=100, passages=Passages(words=400, per_text=1))
    one = tmp_path / "one.jsonl"
    one.write_text(Path(tiny_run.train_files[0]).read_text(encoding="utf-8").splitlines()[0] + "\n", encoding="utf-8")
    config = replace(
        tiny_run, train_files=(str(one),), soft_files=(str(tmp_path / "soft.jsonl"),), output=str(tmp_path / "student")
    )
    metrics = train(config)["dev"]
    assert metrics["entity"]["f1"] > 0.8
    assert metrics["argument"]["f1"] > 0.6


def test_the_command_writes_passages_and_says_how_many(
    tiny_checkpoint: Path, texts: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "soft.jsonl"
    command = ["distil", str(texts), "--teacher", str(tiny_checkpoint), "--output", str(output), "--limit", "2"]
    assert main(command) == 0
    assert "2 kept" in capsys.readouterr().out
    assert len(output.read_text(encoding="utf-8").splitlines()) == 2


def test_passages_are_whole_sentences_spread_over_the_text() -> None:
    sentence = "دخلت القوات القرية بعد ظهر اليوم من جهة النهر. "
    document = Document(sentence * 30, "long")
    passages = list(cut_passages(document, Passages(words=40, per_text=3)))
    assert len(passages) == 3
    assert all(passage.text.startswith("دخلت") and passage.text.endswith(".") for passage in passages)
    assert len({passage.id for passage in passages}) == 3
    assert all(len(passage.text.split()) <= 49 for passage in passages)
    assert list(cut_passages(Document("", "empty"), Passages())) == []


def test_texts_without_events_are_a_share_only(
    teachers: Teachers, tmp_path: Path, reports: dict[str, Annotation]
) -> None:
    path = tmp_path / "texts.jsonl"
    lines = [{"text": reports["capture"].document.text}] + [{"text": "كلمات لا شيء فيها أبدا"}] * 20
    path.write_text("\n".join(json.dumps(line, ensure_ascii=False) for line in lines), encoding="utf-8")
    none = Passages(words=4, per_text=1, without_events=0.0)
    distil(teachers, [path], tmp_path / "soft.jsonl", limit=50, passages=none)
    records = [json.loads(line) for line in (tmp_path / "soft.jsonl").read_text(encoding="utf-8").splitlines()]
    assert all(record["triggers"] for record in records)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda line: "no json", "Expecting value"),
        (lambda line: line.replace("B-ACTOR", "B-OTHER"), "OTHER"),
        (lambda line: json.dumps({"text": "نص"}), "tags"),
    ],
)
def test_a_spoilt_line_is_named(
    spoil: Callable[[str], str], said: str, teachers: Teachers, texts: Path, tmp_path: Path
) -> None:
    path = tmp_path / "soft.jsonl"
    distil(teachers, [texts], path, limit=3, passages=Passages(words=400, per_text=1))
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([lines[0], spoil(lines[1]), *lines[2:]]), encoding="utf-8")
    with pytest.raises(DataError, match=said) as caught:
        read_soft_examples(path, teachers.encoder, CONTROL_CHANGE)
    assert f"{path}:2" in str(caught.value)


def test_a_text_with_line_breaks_of_its_own_is_one_record(teachers: Teachers, tmp_path: Path) -> None:
    path = tmp_path / "texts.jsonl"
    path.write_text(json.dumps({"text": "دخلت القوات\u2028القرية\x85ثم خرجت"}, ensure_ascii=False), encoding="utf-8")
    plan = Passages(without_events=1.0)
    assert distil(teachers, [path], tmp_path / "soft.jsonl", limit=5, passages=plan)["kept"] == 1
    assert len(read_soft_examples(tmp_path / "soft.jsonl", teachers.encoder, CONTROL_CHANGE)) == 1


def test_a_passage_that_is_more_than_a_window_is_counted(tiny_checkpoint: Path, tmp_path: Path) -> None:
    path = tmp_path / "texts.jsonl"
    path.write_text(json.dumps({"text": "كلمة " * 3000}, ensure_ascii=False), encoding="utf-8")
    found = distil(Teachers([tiny_checkpoint]), [path], tmp_path / "soft.jsonl", limit=5)
    assert (found["read"], found["unfit"], found["kept"]) == (1, 1, 0)


@pytest.mark.parametrize("change", [{"normalization": {"tatweel": False}}, {"encoder": {"hidden_size": 96}}])
def test_teachers_of_different_encoders_are_refused(
    change: dict[str, dict[str, Any]], tiny_checkpoint: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    for name in ("tokenizer.json", "decoding.json"):
        (other / name).write_bytes((tiny_checkpoint / name).read_bytes())
    config = json.loads((tiny_checkpoint / "config.json").read_text(encoding="utf-8"))
    for key, values in change.items():
        config[key] |= values
    (other / "config.json").write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(ConfigError, match="different encoders"):
        Teachers([tiny_checkpoint, other])


def test_teachers_of_different_schemas_are_refused(tiny_checkpoint: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    for name in ("tokenizer.json", "decoding.json", "config.json"):
        (other / name).write_bytes((tiny_checkpoint / name).read_bytes())
    config = json.loads((other / "config.json").read_text(encoding="utf-8"))
    config["schema"]["events"] = config["schema"]["events"][:-1]
    (other / "config.json").write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(ConfigError, match="schemas"):
        Teachers([tiny_checkpoint, other])
