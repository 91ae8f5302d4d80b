"""Export a torch checkpoint to the two ONNX graphs that predict without torch, plain or in int8.

Chooses no thresholds; the comparison with torch is `compare`.
"""

import logging
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from saytara.errors import CheckpointError, MissingExtraError
from saytara.scoring import ENCODER_GRAPH, RELATIONS_GRAPH, log_softmax

OPSET = 17
INT8_FORMS = ("none", "dynamic", "nbits")


class _Read(nn.Module):
    """`SaytaraModel.read` of one unpadded window."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: Tensor, pool: Tensor) -> tuple[Tensor, Tensor]:
        hidden, tag_logits = self.model.read(input_ids, torch.ones_like(input_ids), pool)
        return hidden, tag_logits


class _Relate(nn.Module):
    """`SaytaraModel.relate` of one unpadded window."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, hidden: Tensor, tags: Tensor, triggers: Tensor, pairs: Tensor) -> tuple[Tensor, Tensor]:
        roles, factuality = self.model.relate(hidden, torch.ones_like(tags, dtype=torch.bool), tags, triggers, pairs)
        return roles, factuality


def export_onnx(model: Any, folder: Path, *, int8: str = "nbits", keep_float: tuple[str, ...] = ()) -> None:
    """Write ``encoder.onnx`` and, with event heads, ``relations.onnx`` into `folder`.

    Args:
        int8: ``none``, ``dynamic`` (int8 weights by row, activations scaled by run) or ``nbits`` (8-bit weights in
            blocks of 32, float activations).
        keep_float: parts of node names that stay in float32.
    """
    if int8 not in INT8_FORMS:
        raise CheckpointError(f"unknown int8 form {int8!r}; known: {', '.join(INT8_FORMS)}")
    model = model.to("cpu", torch.float32).eval()
    size = model.config.encoder.hidden_size
    with tempfile.TemporaryDirectory() as name:
        plain = Path(name)
        ids = torch.arange(4, 16)[None]
        pool = torch.zeros(1, 6, 12)
        pool[0, torch.arange(6), torch.arange(1, 7)] = 1.0
        _export(
            _Read(model).eval(),
            (ids, pool),
            plain / ENCODER_GRAPH,
            ["input_ids", "pool"],
            ["hidden", "tag_logits"],
            {"input_ids": {1: "T"}, "pool": {1: "W", 2: "T"}, "hidden": {1: "W"}, "tag_logits": {1: "W"}},
        )
        graphs = [ENCODER_GRAPH]
        if model.types:
            inputs = (
                torch.randn(1, 6, size),
                torch.zeros(1, 6, dtype=torch.long),
                torch.tensor([[0, 2, 0], [0, 4, 1]]),
                torch.tensor([[0, 0, 1, 0, 3, 5, 3], [1, 5, 5, 1, 0, 0, 3], [1, 0, 1, 0, 9, 6, 2]]),
            )
            _export(
                _Relate(model).eval(),
                inputs,
                plain / RELATIONS_GRAPH,
                ["hidden", "tags", "triggers", "pairs"],
                ["roles", "factuality"],
                {
                    "hidden": {1: "W"},
                    "tags": {1: "W"},
                    "triggers": {0: "E"},
                    "pairs": {0: "P"},
                    "roles": {0: "P"},
                    "factuality": {0: "E"},
                },
            )
            graphs.append(RELATIONS_GRAPH)
        folder.mkdir(parents=True, exist_ok=True)
        for graph in graphs:
            temporary = folder / f".{graph}.tmp"
            with _quiet():
                _quantize(plain / graph, temporary, int8, keep_float)
            temporary.replace(folder / graph)


def _export(
    module: nn.Module,
    inputs: tuple[Tensor, ...],
    path: Path,
    names: list[str],
    outputs: list[str],
    axes: dict[str, dict[int, str]],
) -> None:
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")  # tracing warnings about shapes that are dynamic axes here
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        torch.onnx.export(
            module,
            inputs,
            str(path),
            input_names=names,
            output_names=outputs,
            dynamic_axes=axes,
            opset_version=OPSET,
            dynamo=False,
        )


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep onnxruntime's quantisers, which log every node, to their errors."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)


def _quantize(source: Path, target: Path, int8: str, keep_float: tuple[str, ...]) -> None:
    if int8 == "none":
        target.write_bytes(source.read_bytes())
        return
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    graph = onnx.load(source)
    excluded = [node.name for node in graph.graph.node if any(part in node.name for part in keep_float)]
    if int8 == "dynamic":
        quantize_dynamic(
            source,
            target,
            weight_type=QuantType.QInt8,
            per_channel=True,
            nodes_to_exclude=excluded,
            extra_options={"MatMulConstBOnly": True},
        )
        return
    try:
        from onnxruntime.quantization.matmul_nbits_quantizer import DefaultWeightOnlyQuantConfig, MatMulNBitsQuantizer
    except ImportError as error:  # onnx_ir, which onnxruntime does not bring
        raise MissingExtraError("quantising to nbits", extra="train") from error

    # the word-piece table, over a quarter of the weights, is only looked up: int8 costs it nothing
    looked_up = target.with_suffix(".lookup")
    quantize_dynamic(source, looked_up, weight_type=QuantType.QInt8, op_types_to_quantize=["Gather"])
    config = DefaultWeightOnlyQuantConfig(block_size=32, is_symmetric=True, accuracy_level=4, bits=8)
    quantizer = MatMulNBitsQuantizer(onnx.load(looked_up), nodes_to_exclude=excluded, algo_config=config)
    looked_up.unlink()
    quantizer.process()
    quantizer.model.save_model_to_file(str(target))


def compare(first: Any, second: Any, windows: list[Any]) -> dict[str, float]:
    """Largest and mean difference of two scorers' tag probabilities, and the share of words whose best tag differs."""
    largest, total, words, changed = 0.0, 0.0, 0, 0
    for window in windows:
        one, two = first.read(window)[1], second.read(window)[1]
        difference = np.abs(np.exp(log_softmax(one)) - np.exp(log_softmax(two)))
        largest = max(largest, float(difference.max(initial=0.0)))
        total += float(difference.max(-1).sum())
        words += len(one)
        changed += int((one.argmax(-1) != two.argmax(-1)).sum())
    return {"largest": largest, "mean": total / max(words, 1), "changed": changed / max(words, 1)}
