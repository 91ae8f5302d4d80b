"""How many time phrases of the gold list resolve to the right days: right, wrong, or null.

The list was written by someone who had not seen the code; nothing here corrects it.
Usage: python benchmarks/time_phrases.py [--show]
"""

import argparse
import json
import time
from datetime import date
from pathlib import Path
from typing import Any

from saytara.checkpoint import write_json
from saytara.linking.dates import resolve
from saytara.provenance import provenance

ROOT = Path(__file__).resolve().parents[1]
GOLD = ROOT / "data" / "gold" / "time_phrases.tsv"
RESULT = ROOT / "benchmarks" / "results" / "time_phrases.json"
NULL = "NULL"


def read(path: Path) -> list[tuple[date, str, str]]:
    """Anchor, phrase and the days that it names, as ``start end``."""
    rows = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            anchor, phrase, start, end = line.split("\t")[:4]
            if anchor[:1].isdigit():  # not the header
                rows.append((date.fromisoformat(anchor), phrase, f"{start} {end}"))
    return rows


def measure(rows: list[tuple[date, str, str]]) -> tuple[dict[str, Any], list[tuple[str, ...]]]:
    """Figures, and the phrases that are not right."""
    right = wrong = null = 0
    misses = []
    start = time.perf_counter()
    resolutions = [resolve(phrase, anchor) for anchor, phrase, _ in rows]
    seconds = time.perf_counter() - start
    for (anchor, phrase, gold), resolution in zip(rows, resolutions, strict=True):
        value = resolution.value
        found = f"{value.start} {value.end}" if value else f"{NULL} {NULL}"
        if found == gold:
            right += 1
            continue
        wrong += value is not None
        null += value is None
        misses.append((anchor.isoformat(), phrase, gold, found, resolution.reason or ""))
    figures = {
        "phrases": len(rows),
        "right": right,
        "wrong": wrong,
        "null": null,
        "accuracy": round(right / len(rows), 4),
        "wrong_rather_than_null": round(wrong / (wrong + null), 4) if misses else None,
        "milliseconds_a_phrase": round(1000 * seconds / len(rows), 3),
    }
    return figures, misses


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--show", action="store_true", help="print the phrases that are not right")
    options = parser.parse_args()
    figures, misses = measure(read(GOLD))
    if options.show:
        for miss in misses:
            print(*miss, sep="\t")
    write_json(RESULT, {"data": str(GOLD.relative_to(ROOT)), **figures, **provenance()})
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
