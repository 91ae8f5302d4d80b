"""Weights as int8 rows: small, and near enough to train on from."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from saytara.checkpoint import INT8, SCALE, load_model, pack_rows, unpack_rows
from saytara.document import Annotation
from saytara.pipeline import Extractor
from saytara.training.trainer import write_packed


def test_packed_rows_are_within_half_a_scale_of_the_weights() -> None:
    torch.manual_seed(3)
    rows = torch.randn(50, 96) * torch.logspace(-4, 2, 50)[:, None]
    packed = pack_rows({"weight": rows})
    assert packed["weight" + INT8].dtype == torch.int8
    scale = packed["weight" + SCALE].float()
    difference = (unpack_rows(packed)["weight"] - rows).abs()
    assert (difference <= 0.5001 * scale).all()
    assert (scale <= rows.abs().amax(1, keepdim=True) / 127 * 1.001 + 6e-8).all()  # and it is no larger than need be


@pytest.mark.parametrize("value", [0.0, 1e-9, 1e-6, 6e4])
def test_extreme_rows_stay_finite(value: float) -> None:
    rows = torch.full((2, 64), value)
    rows[1] = -value
    found = unpack_rows(pack_rows({"weight": rows}))["weight"]
    assert torch.isfinite(found).all()
    torch.testing.assert_close(found, rows, rtol=2e-3, atol=1e-5)


def test_vectors_and_narrow_matrices_are_kept_as_half_floats() -> None:
    tensors = {"bias": torch.tensor([0.5, -2.0]), "narrow": torch.ones(3, 63), "wide": torch.ones(3, 64)}
    packed = pack_rows(tensors)
    assert {name: tensor.dtype for name, tensor in packed.items()} == {
        "bias": torch.float16,
        "narrow": torch.float16,
        "wide" + INT8: torch.int8,
        "wide" + SCALE: torch.float16,
    }
    for name, tensor in unpack_rows(packed).items():
        torch.testing.assert_close(tensor.float(), tensors[name], rtol=1e-3, atol=0)


def test_a_packed_folder_loads_like_a_plain_one(
    tiny_checkpoint: Path, reports: dict[str, Annotation], tmp_path: Path
) -> None:
    write_packed(tiny_checkpoint, tmp_path / "packed")
    plain, packed = load_model(tiny_checkpoint), load_model(tmp_path / "packed")
    stored = load_file(tmp_path / "packed" / "model.safetensors")
    assert any(name.endswith(INT8) for name in stored)
    for (name, one), (_, other) in zip(plain.state_dict().items(), packed.state_dict().items(), strict=True):
        if name + SCALE not in stored:
            torch.testing.assert_close(other, one, rtol=1e-3, atol=1e-6)
        else:
            assert ((one - other).abs() <= 0.5001 * stored[name + SCALE].float()).all(), name
    assert packed.config.to_dict() == plain.config.to_dict()
    extractor = Extractor.from_pretrained(str(tmp_path / "packed"))  # no ONNX there: torch
    report = reports["capture"]
    found = extractor.extract(report.document.text)
    assert [(event.type, event.trigger) for event in found.events] == [(e.type, e.trigger) for e in report.events]
    assert json.loads((tmp_path / "packed" / "metrics.json").read_text())["dev"]["documents"] == len(reports)
