"""Self-training: teachers annotate raw texts with probabilities, which a student learns beside annotated reports.

Knows no training loop. Soft labels of an ensemble: Hinton et al. 2015 (distillation); students that read masked words
where their teachers read all of them: Xie et al. 2020 (noisy student).
"""

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from saytara.arabic.segment import find_sentences, find_words
from saytara.checkpoint import RUN_CONFIG, TOKENIZER, load_document_encoder, load_model, read_config
from saytara.decoding import Decoder, DecodingConfig
from saytara.document import Document
from saytara.encoding import DocumentEncoder, EncodedWindow
from saytara.errors import ConfigError, DataError
from saytara.files import atomic_write
from saytara.inputs import read_texts
from saytara.pairing import PairBuilder
from saytara.schema import Schema
from saytara.scoring import EnsembleScorer, Scorer, TorchScorer, sigmoid
from saytara.tags import WordSpan, tag_names
from saytara.training.examples import Example

logger = logging.getLogger(__name__)
LEAST = 0.005
"""Probabilities below this are not written."""
REPORT_EVERY = 200


@dataclass(frozen=True, slots=True)
class Passages:
    """How raw texts are cut and which passages are kept."""

    words: int = 110
    """A passage holds whole sentences of about so many words; the last one may be shorter."""
    per_text: int = 2
    """Passages that are taken of one text at most, spread over it."""
    without_events: float = 0.15
    """Share of the kept passages in which the teachers see no trigger."""


class Teachers:
    """Checkpoints of one schema and one encoder, whose mean probabilities are the soft labels.

    They read in windows as long as those of their training.
    """

    def __init__(self, folders: Sequence[Path], *, bf16: bool = False) -> None:
        configs = [read_config(folder) for folder in folders]
        if any(config["schema"] != configs[0]["schema"] for config in configs):
            raise ConfigError("the teachers have different schemas; give checkpoints of one schema.")
        kinds = [(config["normalization"], config["encoder"]["hidden_size"]) for config in configs]
        if any(kind != kinds[0] for kind in kinds) or len({(f / TOKENIZER).read_bytes() for f in folders}) > 1:
            raise ConfigError("the teachers have different encoders; give checkpoints of one.")
        self.schema = Schema.from_dict(configs[0]["schema"])
        self.encoder = load_document_encoder(folders[0], configs[0] | _training_windows(folders[0]))
        members: list[Scorer] = [TorchScorer(load_model(folder), bf16=bf16) for folder in folders]
        self.scorer = EnsembleScorer(members)
        self._decoder = Decoder(self.schema, DecodingConfig())
        self._pairs = PairBuilder(self.schema)

    def annotate(self, document: Document) -> dict[str, Any] | None:
        """The soft annotation of a text that fits one window; None for one that does not, or that holds no word."""
        encoded = self.encoder.encode(document.text)
        if len(encoded.windows) != 1:
            return None
        window = encoded.windows[0]
        hidden, logits = self.scorer.read(window)
        spans = [scored.span for scored in self._decoder.spans(logits, window.marks)]
        mentions = [span for span in spans if span.label in self.schema.mentions]
        triggers = [span for span in spans if span.label in self.schema.events]
        record: dict[str, Any] = {
            "id": document.id,
            "text": document.text,
            "tags": [_sparse(row, self._decoder.tags) for row in np.exp(logits)],
            "mentions": [[span.start, span.end, span.label] for span in mentions],
            "triggers": [[span.start, span.label] for span in triggers],
            "roles": [],
            "factuality": [],
        }
        if triggers:
            pairing = self._pairs.build(mentions, triggers, window.sentences)
            roles, factuality = self.scorer.relate(hidden, pairing)
            for pair, mention, row in zip(pairing.pairs, pairing.mentions, sigmoid(roles), strict=True):
                if found := _sparse(row, self._decoder.roles):
                    record["roles"].append([int(pair[0]), int(mention), found])
            record["factuality"] = [_sparse(row, list(self.schema.factuality)) for row in np.exp(factuality)]
        return record


def distil(
    teachers: Teachers,
    texts: Sequence[Path],
    output: Path,
    *,
    limit: int,
    seed: int = 1,
    passages: Passages | None = None,
) -> dict[str, int]:
    """Let `teachers` annotate up to `limit` passages of the texts in the files `texts`; write them to `output`.

    Returns:
        How many texts there are, how many passages were read, did not fit one window, and were kept.
    """
    plan = passages or Passages()
    documents = [
        Document(text, f"{path.name}:{number}") for path in texts for number, text in enumerate(read_texts(path), 1)
    ]
    order = np.random.default_rng(seed).permutation(len(documents))
    kept: list[str] = []
    empty = seen = unfit = 0
    for passage in (passage for index in order for passage in cut_passages(documents[index], plan)):
        if len(kept) >= limit:
            break
        record = teachers.annotate(passage)
        seen += 1
        if record is None:
            unfit += 1
            continue
        if teachers.schema.events and not record["triggers"]:
            if empty >= plan.without_events * (len(kept) + 1):
                continue
            empty += 1
        kept.append(json.dumps(record, ensure_ascii=False) + "\n")
        if len(kept) % REPORT_EVERY == 0:
            logger.info("%d of %d passages kept, %d read", len(kept), limit, seen)
    with atomic_write(output) as file:
        file.write("".join(kept).encode())
    return {"texts": len(documents), "read": seen, "unfit": unfit, "kept": len(kept)}


def _training_windows(folder: Path) -> dict[str, int]:
    path = folder / RUN_CONFIG
    run = yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else {}
    return {key: run[key] for key in ("max_pieces", "overlap_pieces") if key in run}


def cut_passages(document: Document, plan: Passages) -> Iterator[Document]:
    """Passages of whole sentences, spread over the text, at most `plan.per_text` of them."""
    text = document.text
    words = find_words(text)
    starts = [0]
    for first, end in find_sentences(text, words):
        if end - starts[-1] > plan.words and first > starts[-1]:
            starts.append(first)
    ends = [*starts[1:], len(words)]
    least = plan.words // 4 if len(starts) > 1 else 1  # a short text is a passage, the short end of a long one is not
    pieces = [(first, end) for first, end in zip(starts, ends, strict=True) if end - first >= least]
    step = max(1, -(-len(pieces) // plan.per_text))
    for first, end in pieces[::step]:
        yield Document(text[words[first][0] : words[end - 1][1]], f"{document.id}:{first}")


def read_soft_examples(path: Path, encoder: DocumentEncoder, schema: Schema) -> list[Example]:
    """The passages of a file that `distil` wrote, as examples; those that no longer fit one window are left out.

    Raises:
        DataError: a line that is none of such a file, or was made with another schema.
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")  # not at the line breaks that a text may hold
    except OSError as error:
        message = f"cannot be read ({error.strerror}). Make it with `saytara distil`."
        raise DataError(message, where=str(path)) from error
    examples = []
    left_out = 0
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
            windows = encoder.encode(record["text"]).windows
            if len(windows) == 1 and len(windows[0].words) == len(record["tags"]):
                examples.append(_example(record, windows[0], schema))
            else:
                left_out += 1
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise DataError(
                f"is no soft annotation of this schema ({error!r}). Make the file anew with `saytara distil`.",
                where=f"{path}:{number}",
            ) from error
    if left_out:
        logger.warning("%s: %d passages are more than a window or have other words here; not learnt", path, left_out)
    return examples


def _example(record: dict[str, Any], window: EncodedWindow, schema: Schema) -> Example:
    tags, role_names, values = tag_names(schema), list(schema.roles), list(schema.factuality)
    roles = {(trigger, mention): _dense(row, role_names) for trigger, mention, row in record["roles"]}
    factuality = np.zeros((len(record["triggers"]), len(values)), np.float32)
    for target, row in zip(factuality, record["factuality"], strict=True):
        target[:] = _dense(row, values)
    return Example(
        window,
        tuple(WordSpan(start, end, label) for start, end, label in record["mentions"]),
        tuple(WordSpan(word, word + 1, label) for word, label in record["triggers"]),
        roles,
        factuality,
        np.stack([_dense(row, tags) for row in record["tags"]]),
    )


def _sparse(probabilities: NDArray[Any], names: Sequence[str]) -> dict[str, float]:
    return {name: round(float(value), 3) for name, value in zip(names, probabilities, strict=True) if value >= LEAST}


def _dense(values: Mapping[str, float], names: Sequence[str]) -> NDArray[np.float32]:
    row = np.zeros(len(names), np.float32)
    for name, value in values.items():
        row[names.index(name)] = value
    return row
