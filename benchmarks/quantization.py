"""Compare the ONNX forms of a checkpoint on annotated reports: accuracy, speed, size, distance from torch.

usage: python benchmarks/quantization.py CHECKPOINT --data dev.jsonl [--rounds 3] [--output FILE]
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from saytara.checkpoint import load_model, make_extractor, read_config, write_json
from saytara.corpus import read_annotations
from saytara.evaluation import evaluate
from saytara.export.onnx import compare, export_onnx
from saytara.pipeline import ModelInfo
from saytara.provenance import provenance
from saytara.scoring import OnnxScorer, TorchScorer

FORMS = ("none", "dynamic", "nbits")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results/quantization.json"))
    options = parser.parse_args()
    config = read_config(options.checkpoint)
    model = load_model(options.checkpoint)
    torch_scorer = TorchScorer(model)
    extractor = make_extractor(options.checkpoint, config, torch_scorer, ModelInfo("torch", None, ""))
    gold = read_annotations(options.data, extractor.schema)
    windows = [window for annotation in gold for window in extractor.encoder.encode(annotation.document.text).windows]
    rows: dict[str, Any] = {"torch": {"scores": evaluate(extractor, gold, detail=False)}}
    with tempfile.TemporaryDirectory() as name:
        scorers = {}
        for form in FORMS:
            folder = Path(name) / form
            export_onnx(model, folder, int8=form)
            scorers[form] = OnnxScorer(folder)
            found = make_extractor(options.checkpoint, config, scorers[form], ModelInfo(form, None, ""))
            rows[form] = {
                "megabytes": round(sum(path.stat().st_size for path in folder.iterdir()) / 1e6, 1),
                "scores": evaluate(found, gold, detail=False),
                "against_torch": compare(torch_scorer, scorers[form], windows),
            }
        seconds: dict[str, list[float]] = {form: [] for form in FORMS}
        for _ in range(options.rounds):  # in turn, so that a slow moment of the machine hits all
            for form in FORMS:
                start = time.perf_counter()
                for window in windows:
                    scorers[form].read(window)
                seconds[form].append(time.perf_counter() - start)
    words = sum(len(window.words) for window in windows)
    for form in FORMS:
        rows[form]["words_per_second_one_thread"] = round(words / statistics.median(seconds[form]))
        rows[form]["time_ratio_to_fp32"] = round(
            statistics.median(a / b for a, b in zip(seconds[form], seconds["none"], strict=True)), 3
        )
    write_json(
        options.output,
        {"checkpoint": options.checkpoint.name, "data": options.data.name, **provenance(), "forms": rows},
    )


if __name__ == "__main__":
    main()
