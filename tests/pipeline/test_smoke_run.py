"""The doors end to end, as CI and a reader of configs/smoke.yaml use them: train, export, evaluate, predict."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch", reason="training needs it")

from saytara.cli import main
from saytara.corpus.jsonl import write_corpus
from saytara.document import Annotation
from saytara.schema import CONTROL_CHANGE

ROOT = Path(__file__).resolve().parents[2]
WITHOUT_TORCH = """
import sys
class Block:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("torch", "transformers", "datasets", "accelerate", "safetensors", "onnx", "seqeval"):
            raise ModuleNotFoundError("the base install has no " + name, name=name)
sys.meta_path.insert(0, Block())
from saytara.cli import main
sys.exit(main(sys.argv[1:]))
"""


def python(folder: Path, *arguments: str) -> str:
    """Run Python in `folder`; what it printed, or a failure with what it said."""
    result = subprocess.run(
        [sys.executable, "-X", "utf8", *arguments],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT / "model"), "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "HOME": str(folder)},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def folder(reports: dict[str, Annotation], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a corpus, and the smoke run's checkpoint with its ONNX graphs."""
    folder = tmp_path_factory.mktemp("smoke")
    for split in ("train", "dev"):
        write_corpus(folder / "data" / f"{split}.jsonl", list(reports.values()), CONTROL_CHANGE)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert main(["encoder", "tiny", "data/train.jsonl"]) == 0
        (folder / "train.txt").write_text(
            python(folder, str(ROOT / "train.py"), str(ROOT / "configs" / "smoke.yaml"), "--train_fraction", "1"),
            encoding="utf-8",
        )
        assert main(["export", "runs/smoke/checkpoint"]) == 0
    return folder


def test_training_says_what_it_reached_and_where_it_lies(folder: Path) -> None:
    scores, place = (folder / "train.txt").read_text(encoding="utf-8").strip().splitlines()[-2:]
    assert scores.startswith("entity 0.")
    assert place == "checkpoint: runs/smoke/checkpoint"


@pytest.mark.parametrize(
    "name",
    [
        *("config.json", "model.safetensors", "tokenizer.json", "decoding.json"),
        *("run.yaml", "metrics.json", "README.md", "encoder.onnx", "relations.onnx"),
    ],
)
def test_checkpoint_is_self_contained(folder: Path, name: str) -> None:
    assert (folder / "runs" / "smoke" / "checkpoint" / name).stat().st_size > 0


def test_evaluation_without_torch_prints_the_table_and_writes_the_figures(folder: Path) -> None:
    options = ["--model", "runs/smoke/checkpoint", "--data", "data/dev.jsonl", "--output", "figures.json"]
    table = python(folder, "-c", WITHOUT_TORCH, "evaluate", *options)
    figures: dict[str, Any] = json.loads((folder / "figures.json").read_text(encoding="utf-8"))
    for name in ("entity", "trigger", "argument", "event", "event-strict", "factuality", "attribution"):
        (row,) = [line for line in table.splitlines() if line.split()[: len(name.split())] == name.split()]
        assert row.split()[1:4] == [f"{figures[name][part]:.3f}" for part in ("precision", "recall", "f1")]


def test_prediction_without_torch_gives_every_report(folder: Path, reports: dict[str, Annotation]) -> None:
    output = python(folder, "-c", WITHOUT_TORCH, "predict", "data/dev.jsonl", "--model", "runs/smoke/checkpoint")
    records = [json.loads(line) for line in output.splitlines()]
    assert [record["id"] for record in records] == list(reports)
    assert [record["text"] for record in records] == [report.document.text for report in reports.values()]
    assert {record["model"]["name"] for record in records} == {"smoke"}
