"""Collect finished runs into benchmarks/results/runs.json, from which docs and configs/README.md are rendered.

usage: python benchmarks/runs.py NAME=RUN_FOLDER …     (NAME: how the run is called there)
A run that stands there already under the name is replaced; the others stay.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import yaml

from saytara.checkpoint import METRICS, RUN_CONFIG, write_json
from saytara.evaluation import HEADLINES

RESULTS = Path(__file__).resolve().parent / "results" / "runs.json"
CONFIG_KEYS = ("epochs", "batch_size", "encoder_lr", "head_lr", "role_weight", "trigger_weight", "seed")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="+", metavar="NAME=RUN_FOLDER")
    options = parser.parse_args()
    runs = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    for item in options.runs:
        name, _, folder = item.partition("=")
        runs[name] = collect(Path(folder))
    write_json(RESULTS, runs)


def collect(run: Path) -> dict[str, Any]:
    """Config, cost and dev scores of one run, those of its last epoch where it is not finished; paths cut to names."""
    checkpoint = run / "checkpoint"
    is_finished = (checkpoint / METRICS).exists()
    config = yaml.safe_load(((checkpoint if is_finished else run) / RUN_CONFIG).read_text(encoding="utf-8"))
    cost = run / "training.json"
    log = run / "epochs.jsonl"
    epochs = [json.loads(line) for line in log.open(encoding="utf-8")] if log.exists() else []
    last = json.loads((checkpoint / METRICS).read_text(encoding="utf-8"))["dev"] if is_finished else epochs[-1]
    return {
        "encoder": _short(Path(config["encoder"])),
        "train_files": [
            *dict.fromkeys(_corpus(Path(name)) for name in (*config["train_files"], *config["extra_train_files"])),
            *(["soft"] if config.get("soft_files") else []),
        ],
        **{key: config[key] for key in CONFIG_KEYS},
        "cost": json.loads(cost.read_text(encoding="utf-8")) if cost.exists() else None,
        "is_tuned": is_finished,
        "dev": {name: last[name]["f1"] for name in HEADLINES},
        "without_events": last["without_events"],
        "epochs_on_dev": [_epoch(line) for line in epochs],
    }


def _corpus(path: Path) -> str:
    """``authored``: the repository's own set; ``corrected``: one of data/standoff, joined; ``swapped``: with other
    names (benchmarks/swap_mentions.py); ``real``: another."""
    data = RESULTS.parents[2] / "data"
    if path.resolve() == data / "train.jsonl":
        return "authored"
    if path.stem.startswith("swapped-"):
        return "swapped"
    return "corrected" if (data / "standoff" / path.name).exists() else "real"


def _short(encoder: Path) -> str:
    """Name of an encoder's folder; that of the run where an adaptation wrote ``RUN/encoder``."""
    return encoder.parent.name if encoder.name == "encoder" else encoder.name


def _epoch(line: dict[str, Any]) -> dict[str, Any]:
    return {"step": line["step"], **{name: line[name]["f1"] for name in HEADLINES if name in line}}


if __name__ == "__main__":
    main()
