"""What a training set is worth: runs of one recipe on different texts, each scored on each dev set.

usage: python benchmarks/training_value.py NAME=RUN_FOLDER … --data FILE FILE … [--output results/FILE.json]
Scores are those of a run's last state at neutral thresholds, so that no dev set is favoured. A run that stands in the
output (default: results/training-value.json) already under the name is replaced, the others stay.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import torch
from runs import CONFIG_KEYS
from safetensors.torch import load_file

from saytara.checkpoint import RUN_CONFIG, write_json
from saytara.decoding import DecodingConfig
from saytara.evaluation import HEADLINES, evaluate
from saytara.provenance import provenance
from saytara.training.config import TrainConfig, load_config
from saytara.training.trainer import list_states, read_gold, set_up, step_of, training_documents

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "training-value.json"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="+", metavar="NAME=RUN_FOLDER")
    parser.add_argument("--data", type=Path, nargs="+", required=True)
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parser.parse_args()
    rows = json.loads(options.output.read_text(encoding="utf-8"))["rows"] if options.output.exists() else []
    for item in options.runs:
        name, _, folder = item.partition("=")
        rows = [row for row in rows if row["trained_on"] != name] + score(name, Path(folder), options.data)
    write_json(options.output, {"rows": rows, **provenance()})


def score(name: str, run: Path, dev_files: list[Path]) -> list[dict[str, Any]]:
    """One row for each dev set."""
    config = load_config(TrainConfig, run / RUN_CONFIG)
    torch.set_num_threads(config.threads)
    setup = set_up(config)
    state = list_states(run)[-1]
    setup.model.load_state_dict(load_file(state / "model.safetensors"))
    extractor = setup.extractor(setup.model.eval(), DecodingConfig())
    documents = len({annotation.document.id for annotation in training_documents(config, setup.schema)})
    rows = []
    for path in dev_files:
        measured = evaluate(extractor, read_gold((str(path),), setup.schema))
        rows.append(
            {
                "trained_on": name,
                "documents": documents,
                "steps": step_of(state),
                "recipe": {key: getattr(config, key) for key in CONFIG_KEYS},
                "dev": "authored" if path.resolve().parent == ROOT / "data" else "real",
                "scores": {key: measured[key]["f1"] for key in HEADLINES},
                "parts": {
                    key: value["f1"]
                    for key, value in measured.items()
                    if key.startswith(("label:", "type:", "role:", "value:"))
                },
                "without_events": measured["without_events"],
            }
        )
    return rows


if __name__ == "__main__":
    main()
