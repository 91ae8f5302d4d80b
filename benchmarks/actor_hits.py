"""How many actor mentions of annotated reports the gazetteer links, and why the others stay open.

Counts only: no reading is judged right or wrong here; `saytara evaluate --linking` does that on gold.
Usage: python benchmarks/actor_hits.py REPORTS.jsonl [--misses N]
"""

import argparse
import json
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

from saytara.corpus.jsonl import read_corpus
from saytara.document import ActorEntry, Annotation
from saytara.linking.actor_names import Gap
from saytara.linking.actors import ActorLinker
from saytara.linking.names import clean_name
from saytara.linking.places import PlaceLinker
from saytara.schema import CONTROL_CHANGE

RESULT = Path(__file__).parent / "results" / "actor_hits.json"


def measure(annotations: list[Annotation]) -> tuple[dict[str, object], Counter[tuple[str, str]]]:
    """Shares of the mentions, and how often each mention stays open for each reason."""
    places, actors = PlaceLinker(), ActorLinker()
    total, linked, seconds, words = 0, 0, 0.0, 0
    gaps: Counter[str] = Counter()
    sides: Counter[str] = Counter()
    misses: Counter[tuple[str, str]] = Counter()
    distinct: set[str] = set()
    sources = 0
    for annotation in annotations:
        entries, _ = places.link(annotation)
        annotation = replace(annotation, entries=entries)
        start = time.process_time()
        found, warnings = actors.link(annotation)
        seconds += time.process_time() - start
        words += len(annotation.document.text.split())
        reasons = {id: warning.rsplit(": ", 1)[1] for warning in warnings for id in warning.split(": ")[0].split(", ")}
        for mention in annotation.mentions:
            entry = found.get(mention.id)
            sources += mention.label == "SOURCE" and entry is not None
            if mention.label != "ACTOR":
                continue
            total += 1
            if isinstance(entry, ActorEntry):
                linked += 1
                distinct.add(entry.id)
                sides[f"{entry.country or '--'} {entry.side}"] += 1
            else:
                gaps[reasons[mention.id]] += 1
                misses[reasons[mention.id], clean_name(annotation.text_of(mention.span), "ACTOR").name] += 1
    assert set(gaps) <= {gap.value for gap in Gap}
    named = total - sum(gaps[gap.value] for gap in (Gap.GENERIC, Gap.POINTER, Gap.PRONOUN))
    return {
        "reports": len(annotations),
        "actor_mentions": total,
        "linked": round(linked / total, 4),
        "linked_of_those_with_a_name": round(linked / named, 4),
        "open": {reason: round(count / total, 4) for reason, count in gaps.most_common()},
        "distinct_actors": len(distinct),
        "sources_linked": sources,
        "most_frequent": dict(sides.most_common(25)),
        "milliseconds_per_100_words": round(1e5 * seconds / words, 2),
    }, misses


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("reports", type=Path)
    parser.add_argument("--misses", type=int, default=0, metavar="N", help="print the N most frequent open mentions")
    arguments = parser.parse_args()
    result, misses = measure(read_corpus(arguments.reports, CONTROL_CHANGE))
    for (reason, text), count in misses.most_common(arguments.misses):
        print(count, text, reason, sep="\t")
    result = {"data": arguments.reports.name, **result}
    RESULT.write_text(json.dumps(result, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(result, ensure_ascii=False, indent=2))


if __name__ == "__main__":
    main()
