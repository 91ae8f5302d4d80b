"""Paired bootstrap over passages between two sets of predictions (Efron and Tibshirani 1993; Koehn 2004).

usage: python benchmarks/bootstrap.py A.jsonl B.jsonl --data dev.jsonl [--samples 2000] [--output FILE]
A and B: what `saytara predict` wrote for the documents of the data.
"""

import argparse
import json
from pathlib import Path

import numpy as np

from saytara.checkpoint import write_json
from saytara.corpus import read_annotations
from saytara.document import Annotation
from saytara.evaluation import HEADLINES
from saytara.metrics import DocumentScores, add_up, score_document
from saytara.output import from_output
from saytara.provenance import provenance
from saytara.schema import CONTROL_CHANGE


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("first", type=Path)
    parser.add_argument("second", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--samples", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    gold = read_annotations(options.data, CONTROL_CHANGE)
    scores = [_scores(gold, path) for path in (options.first, options.second)]
    generator = np.random.default_rng(options.seed)
    result = {}
    for measure in HEADLINES:
        counts = [np.array([_counts(document, measure) for document in side]) for side in scores]
        differences = []
        for _ in range(options.samples):
            sample = generator.integers(0, len(gold), len(gold))
            differences.append(_f1(counts[1][sample].sum(0)) - _f1(counts[0][sample].sum(0)))
        first, second = (add_up(side)[measure].f1 for side in scores)
        low, high = np.quantile(differences, [0.025, 0.975])
        result[measure] = {
            "first": round(first, 4),
            "second": round(second, 4),
            "difference": round(second - first, 4),
            "interval_95": [round(float(low), 4), round(float(high), 4)],
            "share_second_better": round(float(np.mean(np.array(differences) > 0)), 3),
        }
        print(f"{measure:13s} {first:.3f} -> {second:.3f}  {second - first:+.3f}  95% [{low:+.3f}, {high:+.3f}]")
    if options.output:
        files = {"first": options.first.name, "second": options.second.name, "data": options.data.name}
        write_json(options.output, {**files, "samples": options.samples, **provenance(), "measures": result})


def _scores(gold: list[Annotation], path: Path) -> list[DocumentScores]:
    records = (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())
    predicted = {record["id"]: from_output(record, CONTROL_CHANGE) for record in records}
    return [score_document(g, predicted.get(g.document.id, Annotation(g.document)), CONTROL_CHANGE) for g in gold]


def _counts(document: DocumentScores, measure: str) -> tuple[int, int, int]:
    score = document.scores[measure]
    return score.hits, score.predicted, score.gold


def _f1(counts: np.ndarray) -> float:
    hits, predicted, gold = counts
    return 2 * hits / (predicted + gold) if predicted + gold else 0.0


if __name__ == "__main__":
    main()
