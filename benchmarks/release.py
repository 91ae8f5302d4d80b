"""Make a finished run the packaged checkpoint: ONNX int8, weights to train on, measured figures, card, README.

usage: python benchmarks/release.py RUN/checkpoint --data dev.jsonl [--int8 nbits] [--name compact]
Writes model/saytara/checkpoints/NAME, checkpoints/NAME and benchmarks/results/dev*.json: thresholds are chosen, and
figures measured, with the ONNX form that ships.
"""

import argparse
import json
import shutil
from pathlib import Path
from typing import Any

from saytara.card import render_card
from saytara.checkpoint import (
    CONFIG,
    DECODING,
    METRICS,
    PREDICTION_FILES,
    WEIGHTS,
    load_extractor,
    load_model,
    write_json,
)
from saytara.corpus import read_annotations
from saytara.document import Annotation
from saytara.evaluation import evaluate
from saytara.export.onnx import export_onnx
from saytara.pipeline import Extractor
from saytara.provenance import provenance
from saytara.training.trainer import write_packed
from saytara.training.tuning import choose_decoding

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
LEFT_OUT = ("BBC", "CNN")
"""Outlets of dev with sisters in the training set."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--int8", default="nbits")
    parser.add_argument("--name", default="compact")
    options = parser.parse_args()
    packaged = ROOT / "model" / "saytara" / "checkpoints" / options.name
    trainable = ROOT / "checkpoints" / options.name
    shutil.rmtree(packaged, ignore_errors=True)
    packaged.mkdir(parents=True)
    for name in PREDICTION_FILES:
        if (options.checkpoint / name).exists():
            shutil.copy(options.checkpoint / name, packaged / name)
    export_onnx(load_model(options.checkpoint), packaged, int8=options.int8)
    anonymise(packaged)
    extractor = load_extractor(str(packaged), revision=None, threads=1, engine="onnx", is_linked=False)
    gold = read_annotations(options.data, extractor.schema)
    decoding = choose_decoding(extractor, gold, exclusive=extractor.decoding.exclusive)
    write_json(packaged / DECODING, decoding.to_dict())
    extractor = extractor.with_decoding(decoding)
    scores = {
        "dev": measure(extractor, gold, options),
        "dev-without-bbc-cnn": measure(
            extractor, [a for a in gold if a.document.meta.get("outlet") not in LEFT_OUT], options
        ),
    }
    for name, result in scores.items():
        write_json(RESULTS / f"{name}.json", result)
    engine = f"ONNX {options.int8} int8" if options.int8 != "none" else "ONNX float32"
    metrics = {"dev": scores["dev"], "dev_files": [options.data.name], "engine": engine}
    write_json(packaged / METRICS, metrics)
    (packaged / "README.md").write_text(render_card(packaged), encoding="utf-8")
    shutil.rmtree(trainable, ignore_errors=True)
    write_packed(options.checkpoint, trainable)
    for name in PREDICTION_FILES:
        if (packaged / name).exists() and not name.endswith(".onnx"):
            shutil.copy(packaged / name, trainable / name)
    size = sum(path.stat().st_size for folder in (packaged, trainable) for path in folder.iterdir())
    print(f"{packaged.name}: {size / 1e6:.1f} MB in all, weights {(trainable / WEIGHTS).stat().st_size / 1e6:.1f} MB")


def anonymise(folder: Path) -> None:
    """Keep file names, not this machine's folders, in the configs that ship."""
    config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    config["encoder"]["_name_or_path"] = Path(config["encoder"].get("_name_or_path", "")).name
    write_json(folder / CONFIG, config)
    path = folder / "run.yaml"
    import yaml

    run = yaml.safe_load(path.read_text(encoding="utf-8"))
    for key in ("train_files", "extra_train_files", "soft_files", "dev_files"):
        run[key] = [Path(name).name for name in run[key]]
    for key in ("encoder", "output"):
        run[key] = f"runs/{Path(run[key]).name}" if Path(run[key]).is_absolute() else run[key]
    path.write_text(yaml.safe_dump(run, allow_unicode=True, sort_keys=False), encoding="utf-8")


def measure(extractor: Extractor, gold: list[Annotation], options: argparse.Namespace) -> dict[str, Any]:
    result: dict[str, Any] = json.loads(json.dumps(evaluate(extractor, gold)))
    return {"model": options.name, "data": options.data.name, **provenance(), **result}


if __name__ == "__main__":
    main()
