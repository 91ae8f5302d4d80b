"""What the size of windows does: annotated passages alone and joined to long reports, read in windows of several sizes.

usage: python benchmarks/windows.py [CHECKPOINT] --data FILE.jsonl [--sizes 176 448] [--overlaps 0.41] [--output FILE]

Joined reports hold passages of different events: their links are those of the passages, so what is lost against
passages alone is what foreign text in the same window costs, and what cut windows lose.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path

from saytara.checkpoint import find_checkpoint, make_extractor, read_config, write_json
from saytara.corpus import read_annotations
from saytara.document import Annotation, Document, Event, Mention, Span
from saytara.evaluation import HEADLINES, evaluate
from saytara.pipeline import Extractor
from saytara.provenance import provenance


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", nargs="?", default="compact")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--sizes", type=int, nargs="+", default=[128, 176, 256, 448])
    parser.add_argument("--overlaps", type=float, nargs="+", default=[0.41], help="shares of a window, of each size")
    parser.add_argument("--joined", type=int, default=8, help="passages of a joined report (default: %(default)s)")
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results/windows.json"))
    options = parser.parse_args()
    extractor = Extractor.from_pretrained(options.checkpoint, link=False)
    gold = read_annotations(options.data, extractor.schema)
    long = [join(gold[start : start + options.joined], start) for start in range(0, len(gold), options.joined)]
    rows = []
    for kind, reports in (("passages", gold), ("joined", long)):
        for size, share in product(options.sizes, options.overlaps):
            overlap = round(size * share)
            found = evaluate(with_windows(extractor, options.checkpoint, size, overlap), reports, detail=False)
            scores = {name: found[name]["f1"] for name in HEADLINES}
            rows.append({"reports": kind, "pieces": size, "overlap": overlap, "scores": scores})
            print(rows[-1], flush=True)
    write_json(
        options.output,
        {"checkpoint": options.checkpoint, "data": options.data.name, "joined": options.joined, "rows": rows}
        | provenance(),
    )


def with_windows(extractor: Extractor, checkpoint: str, size: int, overlap: int) -> Extractor:
    """The same extractor, reading in windows of `size` pieces that share `overlap`."""
    folder, _ = find_checkpoint(checkpoint, with_weights=False)
    config = read_config(folder) | {"max_pieces": size, "overlap_pieces": overlap}
    return make_extractor(folder, config, extractor.scorer, extractor.info)


def join(annotations: Sequence[Annotation], number: int) -> Annotation:
    """One report of several passages, each a paragraph, with their annotations."""
    text, mentions, events = "", [], []
    for index, annotation in enumerate(annotations):
        shift = len(text)
        text += annotation.document.text + "\n"
        mentions += [moved_mention(mention, index, shift) for mention in annotation.mentions]
        events += [moved_event(event, index, shift) for event in annotation.events]
    return Annotation(Document(text, f"joined-{number}"), tuple(mentions), tuple(events))


def moved_mention(mention: Mention, index: int, shift: int) -> Mention:
    span = Span(mention.span.start + shift, mention.span.end + shift)
    return replace(mention, id=f"{index}.{mention.id}", span=span)


def moved_event(event: Event, index: int, shift: int) -> Event:
    trigger = Span(event.trigger.start + shift, event.trigger.end + shift)
    arguments = tuple(replace(a, mention=f"{index}.{a.mention}") for a in event.arguments)
    return replace(event, id=f"{index}.{event.id}", trigger=trigger, arguments=arguments)


if __name__ == "__main__":
    main()
