"""Cards and pages hold the figures that were measured, and nothing rounded by hand."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from saytara.card import MEASURES, render_card, score_table
from saytara.checkpoint import packaged_folder
from saytara.schema import CONTROL_CHANGE
from saytara.training.config import TrainConfig, make_config

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "benchmarks" / "results"
PACKAGED = packaged_folder() / "compact"

needs_packaged = pytest.mark.skipif(not PACKAGED.is_dir(), reason="no checkpoint is packaged in this tree")


def read_json(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text(encoding="utf-8")))


def score(number: int) -> dict[str, float]:
    return {"precision": 0.9 - number / 50, "recall": 0.8 - number / 50, "f1": 0.85 - number / 50}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The files of a checkpoint that a card is made from."""
    run = TrainConfig(name="small", encoder="someone/encoder", train_files=("data/train.jsonl",)).to_dict()
    config = {
        "schema": CONTROL_CHANGE.to_dict(),
        "saytara_version": "9.8.7",
        "encoder": {"model_type": "bert", "hidden_size": 321, "num_hidden_layers": 7},
        "max_pieces": 234,
    }
    dev = {key: score(number) for number, (key, _) in enumerate(MEASURES)}
    metrics = {"dev": dev, "dev_files": ["data/dev.jsonl"], "engine": "ONNX dynamic int8"}
    for name, values in (("config.json", config), ("metrics.json", metrics)):
        (tmp_path / name).write_text(json.dumps(values), encoding="utf-8")
    (tmp_path / "run.yaml").write_text(yaml.safe_dump(run), encoding="utf-8")
    return tmp_path


def rows_of(card: str) -> dict[str, list[str]]:
    """The rows of a card's score table by their title."""
    rows = [line.strip("| ").split(" | ") for line in card.splitlines() if re.match(r"\| [a-z]", line)]
    return {title: figures for title, *figures in rows}


def figures_of(result: dict[str, Any]) -> dict[str, list[str]]:
    """What the table of a result must say."""
    return {
        title: [f"{result[key][part]:.3f}" for part in ("precision", "recall", "f1")]
        for key, title in MEASURES
        if key in result
    }


def change_run(folder: Path, **changes: Any) -> None:
    run = yaml.safe_load((folder / "run.yaml").read_text(encoding="utf-8"))
    (folder / "run.yaml").write_text(yaml.safe_dump({**run, **changes}), encoding="utf-8")


# -- any card ----------------------------------------------------------------------------------------------------------


def test_card_opens_with_metadata_of_the_hub(folder: Path) -> None:
    _, front, _ = render_card(folder).split("---\n", 2)
    metadata = yaml.safe_load(front)
    assert (metadata["language"], metadata["license"]) == ("ar", "apache-2.0")
    assert metadata["pipeline_tag"] == "token-classification"


def test_card_gives_every_measure_of_metrics_json(folder: Path) -> None:
    expected = figures_of(read_json(folder / "metrics.json")["dev"])
    assert len(expected) == len(MEASURES)
    assert rows_of(render_card(folder)) == expected


@pytest.mark.parametrize("words", ["321 wide, 7 layers", "`someone/encoder`", "saytara 9.8.7", "234 pieces", "small"])
def test_card_tells_what_it_is(folder: Path, words: str) -> None:
    assert words in render_card(folder)


def test_card_says_that_real_passages_were_seen_only_if_they_were(folder: Path) -> None:
    assert "not redistributed" not in render_card(folder)
    change_run(folder, extra_train_files=["elsewhere/real.jsonl"])
    assert "not redistributed: `real.jsonl`" in render_card(folder)
    assert "elsewhere" not in render_card(folder)


def test_a_measure_that_was_not_taken_has_no_row() -> None:
    assert rows_of(score_table({"entity": score(0)})) == figures_of({"entity": score(0)})


# -- the packaged card -------------------------------------------------------------------------------------------------


@needs_packaged
def test_packaged_card_is_what_its_files_give() -> None:
    assert (PACKAGED / "README.md").read_text(encoding="utf-8") == render_card(PACKAGED)


@needs_packaged
def test_packaged_metrics_are_the_published_results() -> None:
    metrics = read_json(PACKAGED / "metrics.json")
    assert metrics["dev"] == read_json(RESULTS / "dev.json")
    assert metrics["dev"]["model"] == "compact"


@needs_packaged
def test_packaged_run_config_loads_and_names_files_only() -> None:
    values = yaml.safe_load((PACKAGED / "run.yaml").read_text(encoding="utf-8"))
    run = make_config(TrainConfig, values, where="run.yaml")
    assert not [name for name in (run.encoder, run.output) if Path(name).is_absolute()]
    assert not [name for name in (*run.train_files, *run.extra_train_files, *run.dev_files) if "/" in name]


# -- pages -------------------------------------------------------------------------------------------------------------


def render(root: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    environment = {"PYTHONPATH": str(ROOT / "model"), "PYTHONUTF8": "1"}
    command = [sys.executable, str(root / "benchmarks" / "render.py"), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)


def test_pages_hold_the_figures_of_the_results() -> None:
    result = render(ROOT, "--check")
    missing = re.search(r"FileNotFoundError.*benchmarks/results/([\w-]+\.json)", result.stderr)
    if missing:
        pytest.skip(f"benchmarks/results/{missing[1]} is not measured yet")
    assert result.returncode == 0, result.stderr


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    """A repository with one page, one block of figures and the results that it needs."""
    (tmp_path / "benchmarks" / "results").mkdir(parents=True)
    shutil.copy(ROOT / "benchmarks" / "render.py", tmp_path / "benchmarks")
    for name in ("dev.json", "dev-without-bbc-cnn.json"):
        shutil.copy(RESULTS / name, tmp_path / "benchmarks" / "results")
    (tmp_path / "README.md").write_text("# x\n\n<!-- figures: dev -->\n<!-- end figures -->\n\nafter\n", "utf-8")
    return tmp_path


def test_rendered_pages_pass_the_check_and_a_changed_figure_fails_it(pages: Path) -> None:
    page = pages / "README.md"
    assert render(pages, "--check").returncode == 1
    assert render(pages).returncode == 0
    assert render(pages, "--check").returncode == 0
    text = page.read_text(encoding="utf-8")
    figure = f"{read_json(RESULTS / 'dev.json')['event']['f1']:.3f}"
    assert figure in text
    assert text.startswith("# x\n")
    assert text.endswith("after\n")
    page.write_text(text.replace(figure, "0.999"), encoding="utf-8")
    changed = render(pages, "--check")
    assert changed.returncode == 1
    assert "README.md" in changed.stderr
    assert "0.999" in page.read_text(encoding="utf-8"), "--check writes nothing"
