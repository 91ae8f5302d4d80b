"""Annotations of texts that cannot be in this repository, kept without the texts: apart, and joined with them again.

usage: python benchmarks/standoff.py split  ANNOTATED.jsonl TEXTS.jsonl[.gz] --output data/standoff/NAME.jsonl
       python benchmarks/standoff.py join   data/standoff/NAME.jsonl TEXTS.jsonl[.gz] --output ANNOTATED.jsonl

A record of the standoff file names the text of TEXTS by its number (blank lines apart) and where the passage stands in
it, with a digest, and holds spans as offsets into the passage. Records whose text is not found, or is another now, are
named and left out; the exit status is then 1.
"""

import argparse
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

from saytara.corpus import read_annotations
from saytara.corpus.jsonl import annotation_to_dict
from saytara.files import atomic_write
from saytara.inputs import read_texts
from saytara.schema import CONTROL_CHANGE


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("action", choices=("split", "join"))
    parser.add_argument("annotations", type=Path)
    parser.add_argument("texts", type=Path)
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    texts = list(read_texts(options.texts))
    if options.action == "split":
        records = [annotation_to_dict(a) for a in read_annotations(options.annotations, CONTROL_CHANGE)]
        made = [take_apart(record, texts, options.texts.name) for record in records]
    else:
        lines = options.annotations.read_text(encoding="utf-8").splitlines()
        records = [json.loads(line) for line in lines]
        made = [put_together(record, texts) for record in records]
    missing = made.count(None)
    for record, result in zip(records, made, strict=True):
        if result is None:
            print(f"{record['id']}: its text is not in {options.texts}", file=sys.stderr)
    with atomic_write(options.output) as file:
        for result in made:
            if result is not None:
                file.write((json.dumps(result, ensure_ascii=False) + "\n").encode())
    print(f"{len(made) - missing} of {len(records)} passages: {options.output}")
    return 1 if missing else 0


def take_apart(record: dict[str, Any], texts: list[str], source: str) -> dict[str, Any] | None:
    """The record without its text and the words of its spans; None where no text holds it."""
    passage = record["text"]
    number = next((number for number, text in enumerate(texts, 1) if passage in text), None)
    if number is None:
        return None
    start = texts[number - 1].index(passage)
    where = {"source": source, "text": number, "start": start, "end": start + len(passage), "sha256": digest(passage)}
    entities = [{key: value for key, value in entity.items() if key != "text"} for entity in record["entities"]]
    events = [{**e, "trigger": {k: v for k, v in e["trigger"].items() if k != "text"}} for e in record["events"]]
    rest = {key: value for key, value in record.items() if key != "text"}
    return rest | {"where": where, "entities": entities, "events": events}


def put_together(record: dict[str, Any], texts: list[str]) -> dict[str, Any] | None:
    """The record with its text again; None where the text is another."""
    where = record["where"]
    passage = texts[where["text"] - 1][where["start"] : where["end"]] if where["text"] <= len(texts) else ""
    if digest(passage) != where["sha256"]:
        return None
    entities = [{**e, "text": passage[e["start"] : e["end"]]} for e in record["entities"]]
    events = [
        {**e, "trigger": {**e["trigger"], "text": passage[e["trigger"]["start"] : e["trigger"]["end"]]}}
        for e in record["events"]
    ]
    rest = {key: value for key, value in record.items() if key != "where"}
    return rest | {"text": passage, "entities": entities, "events": events}


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


if __name__ == "__main__":
    sys.exit(main())
