"""Measure the packaged checkpoint: words a second and peak memory, on short and very long reports, linked or not.

usage: python benchmarks/speed.py [--model compact] [--data FILE] [--rounds 5] [--output FILE]
Memory is measured in a process of its own for each row.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

LENGTHS = (2_000, 20_000, 200_000)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="compact")
    parser.add_argument("--data", type=Path, default=Path("examples/reports.jsonl"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results/speed.json"))
    parser.add_argument("--row", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.row:
        print(json.dumps(measure(options, json.loads(options.row))))
        return
    from saytara.checkpoint import write_json
    from saytara.provenance import provenance

    rows = [{"kind": "short", "link": link} for link in (False, True)]
    rows += [{"kind": "long", "words": words, "link": False} for words in LENGTHS]
    results = []
    for row in rows:
        command = [
            sys.executable,
            __file__,
            "--model",
            options.model,
            "--data",
            str(options.data),
            "--rounds",
            str(options.rounds),
        ]
        done = subprocess.run([*command, "--row", json.dumps(row)], capture_output=True, text=True, check=True)
        results.append(json.loads(done.stdout))
        print(results[-1])
    write_json(options.output, {"model": options.model, "data": options.data.name, **provenance(), "rows": results})


def measure(options: argparse.Namespace, row: dict[str, Any]) -> dict[str, Any]:
    """One row, in this process."""
    from saytara.pipeline import Extractor

    texts = [json.loads(line)["text"] for line in options.data.read_text(encoding="utf-8").splitlines() if line.strip()]
    extractor = Extractor.from_pretrained(options.model, link=row["link"])
    rounds = options.rounds
    if row["kind"] == "long":
        words = " \n".join(texts).split(" ")
        texts = [" ".join((words * (row["words"] // len(words) + 1))[: row["words"]])]
        rounds = 1 if row["words"] > 10_000 else rounds
    else:
        texts = texts * max(1, 60 // len(texts))
        extractor.extract(texts[0])
    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        for text in texts:
            extractor.extract(text)
        seconds.append(time.perf_counter() - start)
    total = sum(len(text.split()) for text in texts)
    return {
        **row,
        "reports": len(texts),
        "seconds_median": round(statistics.median(seconds), 3),
        "words_per_second": round(total / statistics.median(seconds)),
        "peak_megabytes": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


if __name__ == "__main__":
    main()
