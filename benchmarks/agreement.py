"""Agreement of two annotations of the same reports, by the evaluation code: the second against the first.

usage: python benchmarks/agreement.py --first data/reports --second data/second [--output FILE]
Both are folders of markup files; documents are matched by id.
"""

import argparse
from pathlib import Path

from saytara.checkpoint import write_json
from saytara.corpus.markup import parse_markup
from saytara.document import Annotation
from saytara.metrics import report, score_document
from saytara.provenance import provenance
from saytara.schema import CONTROL_CHANGE


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--first", type=Path, default=Path("data/reports"))
    parser.add_argument("--second", type=Path, default=Path("data/second"))
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results/agreement.json"))
    options = parser.parse_args()
    first, second = read(options.first), read(options.second)
    shared = sorted(first.keys() & second.keys())
    changed = [name for name in shared if first[name].document.text != second[name].document.text]
    shared = [name for name in shared if name not in changed]
    result = report([score_document(first[name], second[name], CONTROL_CHANGE) for name in shared])
    unknown = sorted(second.keys() - first.keys())
    write_json(options.output, {**provenance(), "unmatched": unknown, "text_changed_since": changed, **result})
    for key in ("entity", "trigger-i", "trigger", "argument", "event", "event-strict", "factuality", "attribution"):
        print(f"{key:14s} {result[key]['f1']:.3f}")
    print(f"{len(shared)} documents; text changed since: {len(changed)}; unmatched: {len(unknown)}")


def read(folder: Path) -> dict[str, Annotation]:
    """All documents below a folder, by id."""
    return {
        annotation.document.id: annotation
        for path in sorted(folder.rglob("*.txt"))
        for annotation in parse_markup(path.read_text(encoding="utf-8"), CONTROL_CHANGE, source=str(path))
    }


if __name__ == "__main__":
    main()
