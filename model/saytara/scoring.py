"""Run the network on one window at a time: ONNX for inference without torch, torch for everything else.

Decodes nothing; a word that stands in several windows gets the mean of what they say. One window a run, unpadded: so
the same text gives bit-equal logits alone and in any batch, although dynamic int8 takes one activation scale per run.
"""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from saytara.encoding import EncodedDocument, EncodedWindow
from saytara.errors import CheckpointError, MissingExtraError
from saytara.pairing import Pairing

Floats = NDArray[np.float32]
ENCODER_GRAPH, RELATIONS_GRAPH = "encoder.onnx", "relations.onnx"


class Scorer(Protocol):
    """What the extractor asks of a network."""

    def read(self, window: EncodedWindow) -> tuple[Floats, Floats]:
        """Word vectors ``[W, H]`` and tag logits ``[W, L]`` of one window."""
        ...

    def relate(self, hidden: Floats, pairing: Pairing) -> tuple[Floats, Floats]:
        """Role logits ``[P, R]`` and factuality logits ``[E, F]``."""
        ...


class OnnxScorer:
    """Score with the ONNX graphs of a checkpoint folder on the CPU.

    Args:
        folder: holds ``encoder.onnx`` and, for a schema with events, ``relations.onnx``.
        threads: threads of one run; several callers may run at once.
    """

    def __init__(self, folder: Path, *, threads: int = 1) -> None:
        self._encoder = _open_graph(folder / ENCODER_GRAPH, threads)
        relations = folder / RELATIONS_GRAPH
        self._relations = _open_graph(relations, threads) if relations.exists() else None

    def read(self, window: EncodedWindow) -> tuple[Floats, Floats]:
        hidden, tag_logits = self._encoder.run(None, {"input_ids": window.ids[None], "pool": window.pool()[None]})
        return hidden[0], tag_logits[0]

    def relate(self, hidden: Floats, pairing: Pairing) -> tuple[Floats, Floats]:
        if self._relations is None:
            raise CheckpointError(f"the checkpoint has event types but no {RELATIONS_GRAPH}; export it again.")
        inputs = relation_inputs(hidden, pairing)
        roles, factuality = self._relations.run(None, inputs)
        return roles[: len(pairing.pairs)], factuality


class TorchScorer:
    """Score with the torch model.

    Args:
        model: a `SaytaraModel`; put into evaluation mode here.
        bf16: compute in bfloat16 where the processor has it (training's dev scores).
    """

    def __init__(self, model: Any, *, bf16: bool = False) -> None:
        self.model = model.eval()
        self.bf16 = bf16

    def read(self, window: EncodedWindow) -> tuple[Floats, Floats]:
        import torch

        device = self.model.device
        with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=self.bf16):
            ids = torch.from_numpy(window.ids)[None].to(device)
            pool = torch.from_numpy(window.pool())[None].to(device)
            hidden, tag_logits = self.model.read(ids, torch.ones_like(ids), pool)
        return hidden[0].float().cpu().numpy(), tag_logits[0].float().cpu().numpy()

    def relate(self, hidden: Floats, pairing: Pairing) -> tuple[Floats, Floats]:
        import torch

        device = self.model.device
        inputs = {name: torch.from_numpy(value).to(device) for name, value in relation_inputs(hidden, pairing).items()}
        with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=self.bf16):
            mask = torch.ones(inputs["tags"].shape, dtype=torch.bool, device=device)
            roles, factuality = self.model.relate(
                inputs["hidden"], mask, inputs["tags"], inputs["triggers"], inputs["pairs"]
            )
        return roles[: len(pairing.pairs)].float().cpu().numpy(), factuality.float().cpu().numpy()


class EnsembleScorer:
    """Mean probabilities of several networks that share words, tags and roles (deep ensemble, Lakshminarayanan 2017).

    Its vectors are the members' vectors side by side.
    """

    def __init__(self, members: Sequence[Scorer]) -> None:
        self.members = list(members)

    def read(self, window: EncodedWindow) -> tuple[Floats, Floats]:
        answers = [member.read(window) for member in self.members]
        tags = np.mean([np.exp(log_softmax(logits)) for _, logits in answers], axis=0)
        return np.concatenate([hidden for hidden, _ in answers], -1), _log(tags)

    def relate(self, hidden: Floats, pairing: Pairing) -> tuple[Floats, Floats]:
        parts = np.split(hidden, len(self.members), -1)
        answers = [member.relate(part, pairing) for member, part in zip(self.members, parts, strict=True)]
        roles = np.mean([sigmoid(logits) for logits, _ in answers], axis=0)
        factuality = np.mean([np.exp(log_softmax(logits)) for _, logits in answers], axis=0)
        return _log(roles) - _log(1 - roles), _log(factuality)


def read_windows(scorer: Scorer, encoded: EncodedDocument) -> Iterator[tuple[EncodedWindow, Floats, Floats]]:
    """Read a document window by window; the tag probabilities of a word are the mean over all windows that hold it.

    Yields:
        Each window, in order, with its word vectors ``[W, H]`` and log-probabilities of tags ``[W, L]``: as soon as no
        window to come shares a word with it, so that the vectors of few windows are held at a time.
    """
    counts = np.zeros((len(encoded.words), 1))
    sums: NDArray[np.float64] | None = None  # of probabilities, as logarithms
    waiting: deque[tuple[EncodedWindow, Floats]] = deque()
    for index, window in enumerate(encoded.windows):
        hidden, tag_logits = scorer.read(window)
        if sums is None:
            sums = np.full((len(encoded.words), tag_logits.shape[1]), -np.inf)
        own = slice(window.first, window.end)
        sums[own] = np.logaddexp(sums[own], log_softmax(tag_logits))
        counts[own] += 1
        waiting.append((window, hidden))
        coming = encoded.windows[index + 1].first if index + 1 < len(encoded.windows) else len(encoded.words)
        while waiting and waiting[0][0].end <= coming:
            read, vectors = waiting.popleft()
            own = slice(read.first, read.end)
            yield read, vectors, (sums[own] - np.log(counts[own])).astype(np.float32)


def log_softmax(logits: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Log-probabilities of the last axis."""
    shifted = logits - logits.max(-1, keepdims=True)
    result: NDArray[np.float64] = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
    return result


def sigmoid(logits: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Probabilities, each on its own."""
    return 1 / (1 + np.exp(-np.clip(logits.astype(np.float64), -40, 40)))


def _log(probabilities: Floats) -> Floats:
    result: Floats = np.log(np.maximum(probabilities, np.float32(1e-12))).astype(np.float32)
    return result


def relation_inputs(hidden: Floats, pairing: Pairing) -> Mapping[str, NDArray[Any]]:
    """Arrays of the relation graph for one window; a pair of zeros stands in where there is none."""
    triggers = np.concatenate([np.zeros((len(pairing.triggers), 1), np.int64), pairing.triggers], 1)
    pairs = pairing.pairs if len(pairing.pairs) else np.zeros((1, pairing.pairs.shape[1]), np.int64)
    return {"hidden": hidden[None], "tags": pairing.tags[None], "triggers": triggers, "pairs": pairs}


def _open_graph(path: Path, threads: int) -> Any:
    import onnxruntime

    if not path.exists():
        raise MissingExtraError(
            f"{path.parent} holds no ONNX graph ({path.name}); running its torch weights", extra="train"
        )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's own errors share no base but this
        said = str(error).strip()
        raise CheckpointError(f"{path} cannot be read ({said}). Download or export the checkpoint again.") from error
