"""The joint model: shapes, invariance, pair gathering, gradients, saving, encoders of other classes."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from torch import Tensor, nn
from transformers import (
    AutoModel,
    BertConfig,
    BertModel,
    PreTrainedTokenizerFast,
    RobertaConfig,
    RobertaModel,
    XLMRobertaConfig,
    XLMRobertaModel,
)

from saytara import modeling, pairing
from saytara.arabic.normalize import NORMALIZATIONS
from saytara.configuration import SaytaraConfig
from saytara.document import Annotation
from saytara.encoding import DocumentEncoder
from saytara.modeling import CONTEXT_AFTER, CONTEXT_BEFORE, ILLEGAL, SaytaraModel
from saytara.schema import CONTROL_CHANGE, NER
from saytara.tags import tag_names
from saytara.training.config import TrainConfig
from saytara.training.examples import Batcher, Example, Relations, make_examples
from saytara.training.losses import LossWeights, joint_loss
from saytara.training.trainer import ADDED_MASK, additive_mask, load_tokenizer, make_model_config, start_model

TAGS, ROLES, VALUES = len(tag_names(CONTROL_CHANGE)), len(CONTROL_CHANGE.roles), len(CONTROL_CHANGE.factuality)
PLAIN = LossWeights(role=3.0, factuality=0.3, tag_classes=None, factuality_classes=None, label_smoothing=0.0)


@pytest.fixture
def model(tiny_run: TrainConfig) -> SaytaraModel:
    torch.manual_seed(7)
    return start_model(tiny_run, make_model_config(tiny_run, CONTROL_CHANGE)).eval()


@pytest.fixture(scope="module")
def encoder(tiny_run: TrainConfig) -> DocumentEncoder:
    tokenizer = load_tokenizer(tiny_run.encoder, "main").backend_tokenizer
    return DocumentEncoder(tokenizer, NORMALIZATIONS["compact"], max_pieces=448, overlap_pieces=160)


@pytest.fixture(scope="module")
def examples(reports: dict[str, Annotation], encoder: DocumentEncoder) -> list[Example]:
    return make_examples(list(reports.values()), encoder, CONTROL_CHANGE)


@pytest.fixture(scope="module")
def batcher() -> Batcher:
    return Batcher(CONTROL_CHANGE, pad_id=0, mask_id=4, word_mask_probability=0.0)


def run(model: SaytaraModel, batcher: Batcher, examples: list[Example]) -> tuple[Any, dict[str, Any]]:
    """The model's output on a batch over gold spans, and the batch."""
    batch: dict[str, Any] = batcher(examples)
    gold = [False] * len(examples)
    keys = ("input_ids", "attention_mask", "pool", "word_mask")
    return model(
        **{key: batch[key] for key in keys}, pairer=lambda logits: batcher.pair(examples, logits, predicted=gold)
    ), batch


@torch.no_grad()
def test_logits_have_the_shapes_that_the_docstrings_say(
    model: SaytaraModel, batcher: Batcher, examples: list[Example]
) -> None:
    output, batch = run(model, batcher, examples)
    windows, words, pieces = batch["pool"].shape
    assert batch["input_ids"].shape == batch["attention_mask"].shape == (windows, pieces)
    assert output.tag_logits.shape == (windows, words, TAGS)
    assert output.hidden.shape == (windows, words, 48)
    assert output.role_logits.shape == (len(output.relations.pairs), ROLES)
    assert output.factuality_logits.shape == (sum(len(example.triggers) for example in examples), VALUES)
    assert output.tag_logits.dtype == output.role_logits.dtype == torch.float32


@torch.no_grad()
def test_logits_do_not_depend_on_the_rest_of_the_batch(
    model: SaytaraModel, batcher: Batcher, examples: list[Example]
) -> None:
    together, _ = run(model, batcher, examples)
    pairs = triggers = 0
    for row, example in enumerate(examples):
        alone, _ = run(model, batcher, [example])
        words = len(example.window.words)
        torch.testing.assert_close(alone.tag_logits[0], together.tag_logits[row, :words], rtol=0, atol=1e-5)
        end_pairs, end_triggers = pairs + len(alone.role_logits), triggers + len(alone.factuality_logits)
        torch.testing.assert_close(alone.role_logits, together.role_logits[pairs:end_pairs], rtol=0, atol=1e-5)
        torch.testing.assert_close(
            alone.factuality_logits, together.factuality_logits[triggers:end_triggers], rtol=0, atol=1e-5
        )
        pairs, triggers = end_pairs, end_triggers
    assert pairs == len(together.role_logits)


@torch.no_grad()
def test_padding_does_not_move_logits(model: SaytaraModel, batcher: Batcher, examples: list[Example]) -> None:
    example = max(examples, key=lambda candidate: candidate.length)
    batch: dict[str, Any] = batcher([example])
    output, _ = run(model, batcher, [example])
    pad = nn.functional.pad
    padded = model(
        pad(batch["input_ids"], (0, 9), value=17),  # any piece may stand where the mask says no
        pad(batch["attention_mask"], (0, 9)),
        pad(batch["pool"], (0, 9, 0, 5)),
        pad(batch["word_mask"], (0, 5)),
        pairer=lambda logits: batcher.pair([example], logits, predicted=[False]),
    )
    words = len(example.window.words)
    torch.testing.assert_close(padded.tag_logits[:, :words], output.tag_logits, rtol=0, atol=1e-5)
    torch.testing.assert_close(padded.role_logits, output.role_logits, rtol=0, atol=1e-5)
    torch.testing.assert_close(padded.factuality_logits, output.factuality_logits, rtol=0, atol=1e-5)


def relate_by_loop(
    model: SaytaraModel, hidden: Tensor, mask: Tensor, tags: Tensor, triggers: Tensor, pairs: Tensor
) -> tuple[Tensor, Tensor]:
    """`SaytaraModel.relate` with a plain loop over triggers and pairs."""
    context = hidden + model.marker(tags)
    for layer in model.relation_layers:
        context = layer(context, mask)
    context = model.relation_norm(context)
    zeros = torch.zeros(hidden.shape[-1])

    def mean(window: int, start: int, end: int) -> Tensor:
        return context[window, start:end].mean(0) if start < end else zeros

    factuality = []
    for window, word, kind in triggers.tolist():
        last = mask.shape[1]
        parts = [
            context[window, word],
            mean(window, max(0, word - CONTEXT_BEFORE), word),
            mean(window, min(last, word + 1), min(last, word + 1 + CONTEXT_AFTER)),
            model.type_feature.weight[kind],
        ]
        factuality.append(model.factuality_outer(nn.functional.gelu(model.factuality_inner(torch.cat(parts)))))
    roles = []
    for number, first, final, label, distance, rank, sentence in pairs.tolist():
        window, word, kind = triggers[number].tolist()
        trigger, span = context[window, word], mean(window, first, final + 1)
        between = mean(window, word + 1, first) if first > word else mean(window, final + 1, word)
        parts = [
            trigger,
            context[window, first],
            context[window, final],
            span,
            trigger * span,
            between,
            model.label_feature.weight[label],
            model.type_feature.weight[kind],
            model.distance_feature.weight[distance],
            model.rank_feature.weight[rank],
            model.sentence_feature.weight[sentence],
        ]
        logits = model.relation_outer(nn.functional.gelu(model.relation_inner(torch.cat(parts))))
        allowed = [list(CONTROL_CHANGE.mentions)[label] in labels for labels in CONTROL_CHANGE.roles.values()]
        roles.append(torch.where(torch.tensor(allowed), logits, torch.tensor(ILLEGAL)))
    return torch.stack(roles), torch.stack(factuality)


@torch.no_grad()
def test_vectorised_pair_gathering_equals_a_plain_loop(
    model: SaytaraModel, batcher: Batcher, examples: list[Example]
) -> None:
    output, batch = run(model, batcher, examples)
    found = output.relations
    roles, factuality = relate_by_loop(
        model, output.hidden, batch["word_mask"], found.tags, found.triggers, found.pairs
    )
    torch.testing.assert_close(output.role_logits, roles, rtol=0, atol=1e-5)
    torch.testing.assert_close(output.factuality_logits, factuality, rtol=0, atol=1e-5)


def loss_of(model: SaytaraModel, batcher: Batcher, examples: list[Example]) -> Tensor:
    output, batch = run(model, batcher, examples)
    return joint_loss(
        output.tag_logits, batch["targets"], output.role_logits, output.factuality_logits, output.relations, PLAIN
    )


def test_gradients_reach_the_encoder_and_every_head(
    model: SaytaraModel, batcher: Batcher, examples: list[Example]
) -> None:
    loss_of(model.train(), batcher, examples).backward()
    without = [
        name for name, parameter in model.named_parameters() if parameter.grad is None or not parameter.grad.any()
    ]
    assert without == []


def test_illegal_roles_are_masked_and_teach_nothing(
    model: SaytaraModel, batcher: Batcher, examples: list[Example]
) -> None:
    output, _ = run(model, batcher, examples)
    labels = [list(CONTROL_CHANGE.mentions)[index] for index in output.relations.pairs[:, 3].tolist()]
    for logits, label in zip(output.role_logits, labels, strict=True):
        for logit, allowed in zip(logits.tolist(), CONTROL_CHANGE.roles.values(), strict=True):
            assert (logit == ILLEGAL) == (label not in allowed)
    (gradient,) = torch.autograd.grad(output.role_logits.sum(), model.relation_outer.bias)
    legal = (output.role_logits != ILLEGAL).sum(0)
    torch.testing.assert_close(gradient, legal.float())


def test_a_mention_may_hold_two_roles(
    reports: dict[str, Annotation], encoder: DocumentEncoder, batcher: Batcher
) -> None:
    (example,) = make_examples([reports["self-claim"]], encoder, CONTROL_CHANGE)
    relations = batcher.pair([example], torch.zeros(1, len(example.window.words), TAGS), predicted=[False])
    roles = list(CONTROL_CHANGE.roles)
    found = [{roles[i] for i in np.flatnonzero(row)} for row in relations.role_targets.numpy()]
    assert found == [{"controller", "claimant"}, {"place"}, {"time"}]


def test_unrelated_pairs_are_targets_of_zeros(
    reports: dict[str, Annotation], encoder: DocumentEncoder, batcher: Batcher
) -> None:
    (example,) = make_examples([reports["capture"]], encoder, CONTROL_CHANGE)
    relations: Relations = batcher.pair([example], torch.zeros(1, len(example.window.words), TAGS), predicted=[False])
    assert len(relations.pairs) == 2 * 4  # every mention with every trigger
    withdrawal = relations.role_targets[relations.pairs[:, 0] == 1]
    # قوات النسر, بلدة الزيتونة, فجر الثلاثاء, كتيبة الصقر: the place and the party that left
    assert withdrawal.sum(1).tolist() == [0, 1, 0, 1]


def test_predicted_spans_take_the_targets_of_the_gold_spans_that_they_overlap(
    reports: dict[str, Annotation], encoder: DocumentEncoder, batcher: Batcher
) -> None:
    (example,) = make_examples([reports["denial"]], encoder, CONTROL_CHANGE)
    names = tag_names(CONTROL_CHANGE)
    logits = torch.zeros(1, len(example.window.words), TAGS)
    logits[..., names.index("O")] = 1.0
    claimant, trigger = example.mentions[0], example.triggers[0]
    logits[0, claimant.end - 1, names.index("B-ACTOR")] = 2.0  # the last word of the gold mention only
    logits[0, trigger.start, names.index("B-CAPTURE")] = 2.0
    logits[0, len(example.window.words) - 1, names.index("B-HOLD")] = 2.0  # no gold trigger
    relations = batcher.pair([example], logits, predicted=[True])
    assert relations.role_targets.sum(1).tolist() == [1.0, 0.0]
    assert relations.role_targets[0, list(CONTROL_CHANGE.roles).index("claimant")] == 1
    denied = [float(value == "denied") for value in CONTROL_CHANGE.factuality]
    assert relations.factuality_targets.tolist() == [denied, [0.0, 0.0, 0.0]]


def test_a_saved_model_loads_through_auto_model_bit_equal(
    model: SaytaraModel, batcher: Batcher, examples: list[Example], tmp_path: Path
) -> None:
    model.save_pretrained(tmp_path)
    loaded = AutoModel.from_pretrained(tmp_path).eval()
    assert type(loaded) is SaytaraModel
    assert loaded.config.to_dict() == AutoModel.from_pretrained(tmp_path).config.to_dict()
    assert loaded.config.schema == CONTROL_CHANGE.to_dict()
    with torch.no_grad():
        before, _ = run(model, batcher, examples)
        after, _ = run(loaded, batcher, examples)
    for name in ("tag_logits", "hidden", "role_logits", "factuality_logits"):
        assert torch.equal(before[name], after[name]), name


def test_a_schema_without_events_has_a_tag_head_only(tiny_run: TrainConfig) -> None:
    config = replace(tiny_run, schema="ner")
    model = start_model(config, make_model_config(config, NER)).eval()
    assert not hasattr(model, "relation_outer")
    output = model(torch.tensor([[2, 7, 3]]), torch.ones(1, 3, dtype=torch.long), torch.eye(3)[None, 1:2])
    assert output.tag_logits.shape == (1, 1, 9)
    assert output.role_logits is None


# -- encoders of other classes -----------------------------------------------------------------------------------------


def word_piece(texts: list[str]) -> tuple[Tokenizer, dict[str, str]]:
    """AraBERT's and CAMeLBERT's kind of tokenizer."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(strip_accents=False, lowercase=False)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer.train_from_iterator(
        texts, trainers.WordPieceTrainer(vocab_size=300, special_tokens=special, show_progress=False)
    )
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    names = ("pad_token", "unk_token", "cls_token", "sep_token", "mask_token")
    return tokenizer, dict(zip(names, special, strict=True))


def unigram(texts: list[str]) -> tuple[Tokenizer, dict[str, str]]:
    """XLM-R's and multilingual-e5's kind."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    tokenizer.train_from_iterator(
        texts,
        trainers.UnigramTrainer(vocab_size=200, special_tokens=special, unk_token="<unk>", show_progress=False),
    )
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
    names = ("cls_token", "pad_token", "sep_token", "unk_token", "mask_token")
    return tokenizer, dict(zip(names, special, strict=True))


def byte_level(texts: list[str]) -> tuple[Tokenizer, dict[str, str]]:
    """RoBERTa's kind."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    tokenizer.train_from_iterator(
        texts,
        trainers.BpeTrainer(
            vocab_size=400,
            special_tokens=special,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), trim_offsets=True)
    names = ("cls_token", "pad_token", "sep_token", "unk_token", "mask_token")
    return tokenizer, dict(zip(names, special, strict=True))


SMALL = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "max_position_embeddings": 130,
}
ENCODERS = {
    "bert": (BertConfig, BertModel, word_piece),
    "xlm-roberta": (XLMRobertaConfig, XLMRobertaModel, unigram),
    "roberta": (RobertaConfig, RobertaModel, byte_level),
}


@pytest.fixture(params=sorted(ENCODERS))
def other_encoder(request: pytest.FixtureRequest, reports: dict[str, Annotation], tmp_path: Path) -> Path:
    """A tiny pretrained encoder, saved as transformers saves it, with the pooler that published ones have."""
    make_config, make_model, make_tokenizer = ENCODERS[request.param]
    tokenizer, special = make_tokenizer([report.document.text for report in reports.values()])
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **special).save_pretrained(tmp_path)
    pad = tokenizer.token_to_id(special["pad_token"])
    make_model(make_config(vocab_size=tokenizer.get_vocab_size(), pad_token_id=pad, **SMALL)).save_pretrained(tmp_path)
    return tmp_path


def test_from_encoder_takes_encoders_of_other_classes(
    other_encoder: Path, tiny_run: TrainConfig, reports: dict[str, Annotation], tmp_path: Path
) -> None:
    run_config = replace(tiny_run, encoder=str(other_encoder), max_pieces=128, overlap_pieces=32, dropout=0.1)
    tokenizer = load_tokenizer(run_config.encoder, "main")
    encoder = DocumentEncoder(tokenizer.backend_tokenizer, NORMALIZATIONS["arabert"], max_pieces=128, overlap_pieces=32)
    model = start_model(run_config, make_model_config(run_config, CONTROL_CHANGE))
    pretrained = AutoModel.from_pretrained(other_encoder)
    for name, parameter in model.encoder.named_parameters():
        assert torch.equal(parameter, pretrained.get_parameter(name)), name
    examples = make_examples(list(reports.values()), encoder, CONTROL_CHANGE)
    spanned = [trigger for example in examples for trigger in example.triggers]
    assert len(spanned) == sum(len(report.events) for report in reports.values())
    batcher = Batcher(
        CONTROL_CHANGE, pad_id=tokenizer.pad_token_id, mask_id=tokenizer.mask_token_id, word_mask_probability=0.1
    )
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    losses = []
    for _ in range(20):
        loss = loss_of(model.train(), batcher, examples)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.8 * losses[0]
    model.save_pretrained(tmp_path / "saved")
    loaded = AutoModel.from_pretrained(tmp_path / "saved").eval()
    with torch.no_grad():
        before, _ = run(model.eval(), batcher, examples[:3])
        after, _ = run(loaded, batcher, examples[:3])
    assert before.tag_logits.shape == after.tag_logits.shape


@torch.no_grad()
def test_position_numbers_of_roberta_do_not_depend_on_padding(
    tiny_run: TrainConfig, other_encoder: Path, reports: dict[str, Annotation]
) -> None:
    run_config = replace(tiny_run, encoder=str(other_encoder), max_pieces=128, overlap_pieces=32)
    tokenizer = load_tokenizer(run_config.encoder, "main")
    encoder = DocumentEncoder(tokenizer.backend_tokenizer, NORMALIZATIONS["arabert"], max_pieces=128, overlap_pieces=32)
    model = start_model(run_config, make_model_config(run_config, CONTROL_CHANGE)).eval()
    batcher = Batcher(CONTROL_CHANGE, pad_id=tokenizer.pad_token_id, mask_id=None, word_mask_probability=0.0)
    examples = make_examples(list(reports.values()), encoder, CONTROL_CHANGE)
    together, _ = run(model, batcher, examples)
    for row, example in enumerate(examples):
        alone, _ = run(model, batcher, [example])
        words = len(example.window.words)
        torch.testing.assert_close(alone.tag_logits[0], together.tag_logits[row, :words], rtol=0, atol=1e-5)


@torch.no_grad()
def test_a_mask_that_is_added_hides_what_a_mask_of_pieces_hides(other_encoder: Path, tiny_run: TrainConfig) -> None:
    run_config = replace(tiny_run, encoder=str(other_encoder), max_pieces=60, overlap_pieces=0)
    model = start_model(run_config, make_model_config(run_config, CONTROL_CHANGE)).eval()
    assert model.config.encoder.model_type in ADDED_MASK
    ids, mask = torch.full((2, 12), 9), torch.ones(2, 12, dtype=torch.long)
    ids[:, 3], mask[1, 7:] = 5, 0
    plain = model.encoder(ids, mask).last_hidden_state
    added = model.encoder(ids, additive_mask(mask, bf16=False)).last_hidden_state
    torch.testing.assert_close(added[mask.bool()], plain[mask.bool()], rtol=0, atol=1e-5)
    assert not torch.allclose(model.encoder(ids).last_hidden_state[1, :7], plain[1, :7], atol=1e-4)


def test_windows_longer_than_the_encoders_positions_are_refused(other_encoder: Path, tiny_run: TrainConfig) -> None:
    from saytara.errors import ConfigError

    # BERT has 130 positions here; RoBERTa's kind loses two of them to its numbering from the padding piece on
    room = 130 if "Bert" in type(AutoModel.from_pretrained(other_encoder)).__name__[:5] else 128
    for size, fits in ((room, True), (room + 1, False)):
        run_config = replace(tiny_run, encoder=str(other_encoder), max_pieces=size, overlap_pieces=0)
        model_config = make_model_config(run_config, CONTROL_CHANGE)
        if fits:
            model = start_model(run_config, model_config)
            model.encoder(torch.full((1, size), 9), torch.ones(1, size, dtype=torch.long))
        else:
            with pytest.raises(ConfigError, match=f"hold {size} pieces, but the encoder reads at most {room}"):
                start_model(run_config, model_config)


def test_the_config_survives_a_round_trip(model: SaytaraModel, tmp_path: Path) -> None:
    model.config.save_pretrained(tmp_path)
    loaded = SaytaraConfig.from_pretrained(tmp_path)
    assert type(loaded.encoder) is BertConfig
    assert loaded.to_dict() == model.config.to_dict()


@pytest.mark.parametrize("name", ["DISTANCE_BUCKETS", "RANK_BUCKETS", "SENTENCE_BUCKETS"])
def test_the_model_has_as_many_buckets_as_pairs_have(name: str) -> None:
    assert getattr(modeling, name) == getattr(pairing, name)
