"""The corpus compiled from its sources: markup files in, one JSON Lines file for each split out.

Judges nothing beyond what the readers refuse; that is `check`'s.
"""

import hashlib
from dataclasses import replace
from itertools import accumulate
from pathlib import Path

from saytara.corpus.jsonl import write_corpus
from saytara.corpus.markup import check_markup_file
from saytara.document import Annotation
from saytara.errors import DataError, closest
from saytara.schema import Schema

SHARES = {"train": 80, "dev": 10, "test": 10}
"""Percent of the reports that fall to each split where the source does not say."""


def compile_reports(reports: Path, output: Path, schema: Schema) -> dict[str, int]:
    """Compile the markup files below `reports` to ``train.jsonl``, ``dev.jsonl`` and ``test.jsonl`` in `output`.

    Nothing is written where a file has a problem.

    Returns:
        How many documents each split has.
    """
    splits = split_reports(read_reports(reports, schema))
    for split, annotations in splits.items():
        write_corpus(output / f"{split}.jsonl", annotations, schema)
    return {split: len(annotations) for split, annotations in splits.items()}


def read_reports(reports: Path, schema: Schema) -> list[Annotation]:
    """All documents of the ``.txt`` files below a folder, by id; DataError at the first problem."""
    paths = sorted(reports.rglob("*.txt"))
    if not paths:
        raise DataError("no .txt file lies here. Name the folder of the markup files.", where=str(reports))
    homes: dict[str, Path] = {}
    found = []
    for path in paths:
        annotations, problems = check_markup_file(path, schema)
        if problems:
            raise problems[0]
        for annotation in annotations:
            name = annotation.document.id
            if name in homes:
                raise DataError(
                    f"the id is already used in {homes[name]}. Rename one.", where=f'{path}: document "{name}"'
                )
            homes[name] = path
        found += annotations
    return sorted(found, key=lambda annotation: annotation.document.id)


def split_reports(annotations: list[Annotation]) -> dict[str, list[Annotation]]:
    """Share documents out to splits: where ``# split:`` says, else by a hash of the report's name.

    Documents of one ``# group:`` stay together. The answer depends on names alone, so a new report moves no other.
    """
    chosen: dict[str, str] = {}
    for annotation in annotations:
        split = annotation.document.meta.get("split")
        if split is None:
            continue
        where = f'document "{annotation.document.id}"'
        if split not in SHARES:
            raise DataError(f"unknown split {split!r}; {closest(str(split), SHARES)}.", where=where)
        group = group_of(annotation)
        if chosen.setdefault(group, str(split)) != split:
            raise DataError(f'group "{group}" is already in {chosen[group]}. Give it one split.', where=where)
    splits: dict[str, list[Annotation]] = {split: [] for split in SHARES}
    for annotation in annotations:
        group = group_of(annotation)
        meta = {key: value for key, value in annotation.document.meta.items() if key != "split"}
        document = replace(annotation.document, meta=meta)
        splits[chosen.get(group) or split_of(group)].append(replace(annotation, document=document))
    return splits


def group_of(annotation: Annotation) -> str:
    """The name under which a document is put into a split: its group, else its own id."""
    return str(annotation.document.meta.get("group") or annotation.document.id)


def split_of(name: str) -> str:
    """The split that the hash of a name falls to.

    >>> split_of("aleppo-001")
    'train'
    """
    place = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") % sum(SHARES.values())
    bounds = zip(SHARES, accumulate(SHARES.values()), strict=True)
    return next(split for split, bound in bounds if place < bound)
