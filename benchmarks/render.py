"""Write measured figures into the documents, between `<!-- figures: NAME -->` and `<!-- end figures -->`.

usage: python benchmarks/render.py [--check]
Every figure comes from a JSON file in benchmarks/results, or is counted in data/standoff; with --check nothing is
written and a difference fails.
"""

import argparse
import json
import re
import sys
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from saytara.card import MEASURES
from saytara.corpus.stats import stats_table

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
PAGES = (
    "README.md",
    "configs/README.md",
    "docs/experiments.md",
    "data/README.md",
    "docs/facts.md",
    "data/standoff/README.md",
)
BLOCK = re.compile(r"(<!-- figures: ([\w-]+) -->\n).*?(<!-- end figures -->)", re.DOTALL)


def load(name: str) -> dict[str, Any]:
    return json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))


def dev() -> str:
    """Accuracy of the packaged checkpoint, whole dev and without two outlets."""
    whole, rest = load("dev"), load("dev-without-bbc-cnn")
    rows = ["| | P | R | F1 | F1 without BBC and CNN |", "|---|---|---|---|---|"]
    for key, title in MEASURES:
        score = whole[key]
        figures = " | ".join(f"{score[part]:.3f}" for part in ("precision", "recall", "f1"))
        rows.append(f"| {title} | {figures} | {rest[key]['f1']:.3f} |")
    without = whole["without_events"]
    rows.append("")
    rows.append(
        f"Of the {without['documents']} passages without any event, "
        f"{without['documents_with_false_events']} got a false one. "
        f"Commit `{whole['commit']}`, {whole['machine']['processor']}, {whole['machine']['cores']} cores."
    )
    return "\n".join(rows)


def speed() -> str:
    rows = ["| reports | linking | words a second | peak memory (MB) |", "|---|---|---|---|"]
    for row in load("speed")["rows"]:
        kind = "short" if row["kind"] == "short" else f"one of {row['words']:,} words"
        rows.append(
            f"| {kind} | {'yes' if row['link'] else 'no'} | {row['words_per_second']} | {row['peak_megabytes']} |"
        )
    return "\n".join(rows)


def quantization() -> str:
    result = load("quantization")
    rows = [
        "| form | MB | entity | trigger | argument | event | words/s | time to fp32 | words changed |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for form, row in result["forms"].items():
        scores = " | ".join(f"{row['scores'][key]['f1']:.3f}" for key in ("entity", "trigger", "argument", "event"))
        if form == "torch":
            rows.append(f"| torch fp32 | | {scores} | | | |")
            continue
        changed = row["against_torch"]["changed"]
        rows.append(
            f"| ONNX {form} | {row['megabytes']} | {scores} | {row['words_per_second_one_thread']} | "
            f"{row['time_ratio_to_fp32']} | {100 * changed:.2f} % |"
        )
    return "\n".join(rows)


def runs() -> str:
    """Every collected run: what it read, what it cost, what it scored."""
    head = ("run", "started from", "trained on", "epochs", "minutes", "tuned", *SHORT)
    rows = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    for name, run in load("runs").items():
        cost = run["cost"] or {}
        cells = [
            name,
            run["encoder"],
            ", ".join(run["train_files"]),
            f"{run['epochs']:g}",
            str(round(cost["seconds"] / 60)) if cost else "",
            "yes" if run["is_tuned"] else "no",
            *(f"{run['dev'][measure]:.3f}" for measure in SHORT.values()),
        ]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def bootstrap(name: str = "bootstrap") -> str:
    """The packaged checkpoint against the one before it."""
    result = load(name)
    rows = ["| | before | now | difference | 95 % interval |", "|---|---|---|---|---|"]
    for measure, row in result["measures"].items():
        low, high = row["interval_95"]
        figures = f"{row['first']:.3f} | {row['second']:.3f} | {row['difference']:+.3f}"
        rows.append(f"| {measure} | {figures} | {low:+.3f} … {high:+.3f} |")
    return "\n".join([*rows, "", f"{result['samples']:,} samples of the passages of `{result['data']}`."])


SHORT = {
    "entity": "entity",
    "trigger": "trigger",
    "argument": "argument",
    "event": "event",
    "strict": "event-strict",
    "attribution": "attribution",
    "factuality": "factuality",
}


def training_value(name: str = "training-value") -> str:
    """Authored, real and both, on both dev sets."""
    head = ("trained on", "passages", "steps", "dev", *SHORT)
    rows = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    for row in load(name)["rows"]:
        scores = " | ".join(f"{row['scores'][measure]:.3f}" for measure in SHORT.values())
        rows.append(f"| {row['trained_on']} | {row['documents']:,} | {row['steps']:,} | {row['dev']} | {scores} |")
    return "\n".join(rows)


def windows() -> str:
    """Passages and joined reports by window size."""
    result = load("windows")
    head = ("reports", "pieces a window", "shared", *SHORT)
    rows = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    for row in result["rows"]:
        scores = " | ".join(f"{row['scores'][measure]:.3f}" for measure in SHORT.values())
        name = row["reports"] if row["reports"] == "passages" else f"{result['joined']} joined"
        rows.append(f"| {name} | {row['pieces']} | {row['overlap']} | {scores} |")
    return "\n".join(rows)


def training_value_parts() -> str:
    """The same by label, type and role, on real reports."""
    found = [row for row in load("training-value")["rows"] if row["dev"] == "real"]
    rows = [f"| F1 on real dev | {' | '.join(row['trained_on'] for row in found)} |", "|" + "---|" * (len(found) + 1)]
    for part in found[0]["parts"]:
        figures = " | ".join(f"{row['parts'].get(part, 0.0):.3f}" for row in found)
        rows.append(f"| {part.partition(':')[2]} | {figures} |")
    return "\n".join(rows)


def corpus() -> str:
    """The authored corpus beside the real training set."""
    return stats_table(load("corpus")["columns"]).rstrip()


def standoff() -> str:
    """What the files of corrected annotations hold."""
    head = ("file", "passages", "triggers", "denied", "prospective", "without any trigger")
    rows = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    for path in sorted((ROOT / "data" / "standoff").glob("*.jsonl")):
        events = [json.loads(line)["events"] for line in path.read_text(encoding="utf-8").splitlines()]
        values = Counter(event["factuality"] for passage in events for event in passage)
        figures = (len(events), values.total(), values["denied"], values["prospective"], events.count([]))
        rows.append(f"| `{path.name}` | {' | '.join(f'{figure:,}' for figure in figures)} |")
    return "\n".join(rows)


def side_by_side(columns: dict[str, str]) -> str:
    """Scores of several results, a column each: what one annotation is against another."""
    results = [load(name) for name in columns.values()]
    rows = [f"| F1 | {' | '.join(columns)} |", "|" + "---|" * (len(columns) + 1)]
    lines = {"passages": [f"{one['documents']:,}" for one in results]}
    lines |= {title: [f"{one[key]['f1']:.3f}" for one in results] for key, title in MEASURES}
    return "\n".join([*rows, *(f"| {title} | {' | '.join(figures)} |" for title, figures in lines.items())])


AGREEMENT = {"all": "agreement", "posts and local pages": "agreement-posts"}
CORRECTIONS = {
    "first": "corrections-1",
    "second": "corrections-2",
    "third": "corrections-3",
    "fourth": "corrections-4",
}
PACKAGED_POSTS = "posts-average-6"
KINDS = ("dev", "authored", "posts")
READ_TWICE = {"real training set": "relations-read-twice-train", "`data/standoff`": "relations-read-twice-standoff"}
POSTS = {
    "*average-6*": PACKAGED_POSTS,
    "*average-7*": "posts-average-7",
    "with *average-6*": "posts-average-7-with-6",
    "*average-8*": "posts-average-8",
    "second annotation": "agreement-posts",
}
SEEN = {
    "real, seen": "train-real-average-6",
    "authored, seen": "train-authored-average-6",
    "authored, not seen": "authored-test-average-6",
    "corrected, seen": "corrected-seen-average-6",
    "corrected, not seen": "corrected-unseen-average-6",
}


def posts() -> str:
    """What the packaged checkpoint makes of authored posts, in a sentence."""
    result = load(PACKAGED_POSTS)
    scores = [f"{title} {result[key]['f1']:.3f}" for key, title in MEASURES if key in ("entity", "argument", "event")]
    return (
        f"Posts of channels and quickly written local reports are read worse: on {result['documents']} authored ones "
        f"{', '.join(scores)}."
    )


def linking() -> str:
    """Links, dates, clusters against our own gold."""
    result = load("linking")
    rows = ["| | mentions | accuracy | coverage | wrong rather than null |", "|---|---|---|---|---|"]
    for kind in ("place", "actor", "time"):
        row = result[kind]
        figures = " | ".join(f"{row[key]:.3f}" for key in ("accuracy", "coverage", "wrong_rather_than_null"))
        rows.append(f"| {kind}s | {row['mentions']} | {figures} |")
    found, phrases = result["clusters"], load("time_phrases")
    rows += [
        "",
        f"Clusters of {found['events']} events in {found['gold_clusters']} gold clusters: "
        f"B³ F1 {found['b_cubed']['f1']:.3f} "
        f"(precision {found['b_cubed']['precision']:.3f}, recall {found['b_cubed']['recall']:.3f}); contradictions: "
        f"{found['contradictions']['right']} of {found['contradictions']['gold']} found, "
        f"{found['contradictions']['predicted']} predicted. "
        f"Time phrases: {phrases['right']} of {phrases['phrases']} right.",
    ]
    return "\n".join(rows)


BLOCKS: dict[str, Callable[[], str]] = {
    "dev": dev,
    "speed": speed,
    "quantization": quantization,
    "runs": runs,
    "bootstrap": bootstrap,
    "bootstrap-authored": partial(bootstrap, "bootstrap-authored"),
    **{f"bootstrap-7-{kind}": partial(bootstrap, f"bootstrap-average-7-with-6-{kind}") for kind in KINDS},
    **{f"bootstrap-8-{kind}": partial(bootstrap, f"bootstrap-average-8-{kind}") for kind in KINDS},
    "training-value": training_value,
    "training-value-parts": training_value_parts,
    "agreement": partial(side_by_side, AGREEMENT),
    "corrections": partial(side_by_side, CORRECTIONS),
    "read-twice": partial(side_by_side, READ_TWICE),
    "posts": posts,
    "posts-compared": partial(side_by_side, POSTS),
    "seen": partial(side_by_side, SEEN),
    "standoff": standoff,
    "learning-curve": partial(training_value, "learning-curve"),
    "windows": windows,
    "corpus": corpus,
    "linking": linking,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    stale = []
    for page in PAGES:
        path = ROOT / page
        if not path.exists():
            continue
        old = path.read_text(encoding="utf-8")
        new = BLOCK.sub(lambda match: f"{match[1]}{BLOCKS[match[2]]()}\n{match[3]}", old)
        if new != old:
            stale.append(page)
            if not options.check:
                path.write_text(new, encoding="utf-8")
    if options.check and stale:
        print(
            f"figures differ from benchmarks/results in: {', '.join(stale)}; run python benchmarks/render.py",
            file=sys.stderr,
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
