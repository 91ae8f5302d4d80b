"""The figures of the corpus's datasheet, beside those of another corpus, such as a real one, where that is at hand.

usage: python benchmarks/corpus.py [--real FILE.jsonl] [--output benchmarks/results/corpus.json]
Counts only: no text of either corpus is written.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from saytara.checkpoint import write_json
from saytara.corpus.jsonl import read_corpus
from saytara.corpus.stats import corpus_stats, stats_table
from saytara.document import Annotation
from saytara.errors import DataError
from saytara.provenance import provenance
from saytara.schema import CONTROL_CHANGE

SPLITS = ("train", "dev", "test")
BY_HEADER = ("countries", "splits")
"""Counts by a value of the header, kept apart from what two corpora share."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("data"), help="folder of train, dev and test .jsonl")
    parser.add_argument("--real", type=Path, help="annotated reports to compare with (.jsonl)")
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results/corpus.json"))
    options = parser.parse_args()
    splits = {split: read_split(options.data / f"{split}.jsonl") for split in SPLITS}
    authored = corpus_stats([annotation for found in splits.values() for annotation in found], CONTROL_CHANGE)
    columns = {"this corpus": shared(authored)}
    if options.real:
        columns["real reports"] = shared(corpus_stats(read_corpus(options.real, CONTROL_CHANGE), CONTROL_CHANGE))
    result = {
        **provenance(),
        "columns": columns,
        "countries": authored["countries"],
        "splits": {split: size(found) for split, found in splits.items()},
    }
    write_json(options.output, result)
    print(stats_table(columns), end="")


def read_split(path: Path) -> list[Annotation]:
    if not path.exists():
        raise DataError("does not exist. Make it with: saytara data compile", where=str(path))
    return read_corpus(path, CONTROL_CHANGE)


def shared(stats: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in stats.items() if key not in BY_HEADER}


def size(annotations: Sequence[Annotation]) -> dict[str, int]:
    return {
        "documents": len(annotations),
        "words": sum(len(annotation.document.text.split()) for annotation in annotations),
        "triggers": sum(len(annotation.events) for annotation in annotations),
    }


if __name__ == "__main__":
    main()
