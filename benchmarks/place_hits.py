"""How many place arguments of a corpus the gazetteer resolves: named places apart from generic nouns.

Counts links, right or wrong; whether they are right, `saytara evaluate --linking` tells.
"""

import argparse
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from saytara.arabic.fold import fold
from saytara.corpus.jsonl import read_corpus
from saytara.document import Annotation, PlaceEntry
from saytara.linking.names import clean_names
from saytara.linking.place_queries import is_generic
from saytara.linking.places import PlaceLinker
from saytara.provenance import provenance
from saytara.schema import CONTROL_CHANGE

RESULT = Path(__file__).resolve().parent / "results" / "place_hits.json"


def arguments(annotation: Annotation) -> Iterator[str]:
    """Ids of the mentions that fill a role `place`, each once."""
    yield from sorted({mention for event in annotation.events for mention in event.fillers("place")})


def measure(annotations: list[Annotation]) -> tuple[dict[str, Any], Counter[str]]:
    """Figures, and the names that were not found."""
    linker = PlaceLinker()
    named = linked = generic = generic_linked = 0
    kinds: Counter[str] = Counter()
    countries: Counter[str] = Counter()
    precisions: Counter[str] = Counter()
    missed: Counter[str] = Counter()
    for annotation in annotations:
        entries, _ = linker.link(annotation)
        names = clean_names(annotation)
        for mention in arguments(annotation):
            entry = entries.get(mention)
            if is_generic(names[mention]):
                generic += 1
                generic_linked += entry is not None
                continue
            named += 1
            if isinstance(entry, PlaceEntry):
                linked += 1
                kinds[entry.kind] += 1
                countries[entry.country] += 1
                precisions[str(entry.precision)] += 1
            else:
                missed[fold(names[mention].name)] += 1
    figures = {
        "named": named,
        "named_linked": linked,
        "hit_rate": round(linked / named, 4) if named else None,
        "generic": generic,
        "generic_linked": generic_linked,
        "distinct_names_missed": len(missed),
        "linked_by_precision": dict(sorted(precisions.items())),
        "linked_by_kind": dict(kinds.most_common()),
        "linked_by_country": dict(countries.most_common()),
    }
    return figures, missed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="corpus file, .jsonl")
    parser.add_argument("--output", type=Path, default=RESULT)
    parser.add_argument("--misses", type=int, default=0, help="print that many of the names missed most often")
    options = parser.parse_args()
    figures, missed = measure(read_corpus(options.data, CONTROL_CHANGE))
    result = {"data": options.data.name, **figures, "provenance": provenance()}
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(result, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    print(f"{figures['named_linked']} of {figures['named']} named places resolved, {figures['hit_rate']:.1%}")
    for name, count in missed.most_common(options.misses):
        print(count, name)


if __name__ == "__main__":
    main()
