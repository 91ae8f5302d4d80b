"""Rank annotated passages by how confidently an ensemble contradicts their labels, for people to look at again.

usage: python benchmarks/label_review.py --teacher CHECKPOINT --teacher CHECKPOINT --data FILE.jsonl --output FILE.json

The members may have been trained on these very passages: what they contradict although they were shown it is the more
suspect for it (small-loss selection: Han et al. 2018; Swayamdipta et al. 2020, dataset cartography).
"""

import argparse
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import torch

from saytara.checkpoint import write_json
from saytara.corpus import read_annotations
from saytara.decoding import Decoder, DecodingConfig
from saytara.document import Annotation
from saytara.encoding import EncodedDocument
from saytara.pairing import PairBuilder
from saytara.pipeline import word_spans
from saytara.provenance import provenance
from saytara.scoring import sigmoid
from saytara.tags import WordSpan
from saytara.training.distillation import Teachers
from saytara.training.examples import make_examples

SURE, UNLIKELY, WORST = 0.9, 0.05, 100


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--teacher", type=Path, action="append", required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    torch.set_num_threads(1)
    teachers = Teachers(options.teacher, bf16=True)
    rows = []
    unread = 0
    for annotation in read_annotations(options.data, teachers.schema):
        encoded = teachers.encoder.encode(annotation.document.text)
        if len(encoded.windows) != 1:
            unread += 1
            continue
        found = contradictions(annotation, encoded, teachers)
        rows.append({"id": annotation.document.id, "words": len(encoded.words), "contradictions": found})
    rows.sort(key=lambda row: (-len(row["contradictions"]) / (row["words"] + 20), row["id"]))
    kinds = Counter(item["what"] for row in rows for item in row["contradictions"])
    write_json(
        options.output,
        {
            **provenance(),
            "data": options.data.name,
            "passages": len(rows),
            "longer_than_a_window": unread,
            "with_contradictions": sum(bool(row["contradictions"]) for row in rows),
            "sure": SURE,
            "unlikely": UNLIKELY,
            "kinds": dict(kinds.most_common()),
            "worst": [row for row in rows if row["contradictions"]][:WORST],
        },
    )
    print(kinds.most_common())


def contradictions(annotation: Annotation, encoded: EncodedDocument, teachers: Teachers) -> list[dict[str, Any]]:
    """What the ensemble is sure of and the labels of a one-window text are not: kinds and character ranges."""
    window, schema, words = encoded.windows[0], teachers.schema, encoded.words
    hidden, logits = teachers.scorer.read(window)
    probabilities = np.exp(logits)
    gold = word_spans(annotation, encoded, schema)
    decoded = Decoder(schema, DecodingConfig()).spans(logits, window.marks)
    spans = [scored.span for scored in decoded if scored.score >= SURE]
    names = list(PairBuilder(schema).tag_index)
    found: list[dict[str, Any]] = []

    def add(what: str, label: str, span: WordSpan) -> None:
        found.append({"what": what, "label": label, "start": words[span.start].start, "end": words[span.end - 1].end})

    for span in spans:
        if span in gold:
            continue
        near = [other for other in gold if other.start < span.end and span.start < other.end]
        same = [other for other in near if (other.start, other.end) == (span.start, span.end)]
        add("other label" if same else "other range" if near else "not annotated", span.label, span)
    sure = {(span.start, span.end) for span in spans}
    for span in gold:
        own = [index for index, name in enumerate(names) if name[2:] == span.label]
        chance = probabilities[span.start : span.end, own].sum(-1).max()
        if chance < UNLIKELY and not any(start < span.end and span.start < end for start, end in sure):
            add("annotated, unlikely", span.label, span)
    (example,) = make_examples([annotation], teachers.encoder, schema)
    if example.triggers:
        pairing = PairBuilder(schema).build(example.mentions, example.triggers, window.sentences)
        roles, factuality = teachers.scorer.relate(hidden, pairing)
        for pair, mention, row in zip(pairing.pairs, pairing.mentions, sigmoid(roles), strict=True):
            told = example.roles.get((int(pair[0]), int(mention)), np.zeros(len(row)))
            for role, chance, is_told in zip(schema.roles, row, told, strict=True):
                if (chance >= SURE) and not is_told:
                    add(f"no argument, sure of {role}", role, example.mentions[mention])
                if is_told and chance < UNLIKELY:
                    add(f"argument, unlikely {role}", role, example.mentions[mention])
        for trigger, row, told in zip(example.triggers, np.exp(factuality), example.factuality, strict=True):
            given, thought = schema.factuality[int(told.argmax())], schema.factuality[int(row.argmax())]
            if row.max() >= SURE and given != thought:
                add(f"{given}, sure of {thought}", trigger.label, trigger)
    return found


if __name__ == "__main__":
    main()
