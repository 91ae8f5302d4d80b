"""Our own forms: JSON Lines of the corpus, what `saytara predict` wrote, and inline markup, from files and folders.

Judges nothing beyond what the readers refuse.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from saytara.corpus.formats.files import read_text
from saytara.corpus.formats.losses import Losses, left_out
from saytara.corpus.jsonl import RESERVED, annotation_from_dict, annotation_to_dict, check_corpus_file, write_corpus
from saytara.corpus.markup import check_markup_file, format_markup
from saytara.document import Annotation
from saytara.errors import DataError
from saytara.files import atomic_write
from saytara.output import from_output
from saytara.schema import Schema

ENDINGS = (".jsonl", ".txt")


def read_lines(path: Path, schema: Schema) -> tuple[list[Annotation], Losses]:
    """Read a corpus in JSON Lines, or what `saytara predict` wrote; DataError at the first problem."""
    losses: Losses = Counter()
    if not _is_predicted(path):
        annotations, problems = check_corpus_file(path, schema)
        if problems:
            raise problems[0]
        return annotations, losses
    annotations = []
    for number, line in enumerate(read_text(path).split("\n"), 1):
        if line.strip():
            where = f"{path}:{number}"
            annotations.append(_predicted(_parse(line, where), where, schema, losses))
    return annotations, losses


def write_lines(path: Path, annotations: Sequence[Annotation], schema: Schema) -> Losses:
    """Write a corpus in JSON Lines; gives what was left out."""
    write_corpus(path, annotations, schema)
    return left_out(annotations, schema, ["entries of the gazetteers"])


def read_marked_up(path: Path, schema: Schema) -> tuple[list[Annotation], Losses]:
    """Read a markup file, or all ``.txt`` files below a folder; DataError at the first problem."""
    annotations: list[Annotation] = []
    for file in sorted(path.rglob("*.txt")) if path.is_dir() else [path]:
        found, problems = check_markup_file(file, schema)
        if problems:
            raise problems[0]
        annotations += found
    return annotations, Counter()


def write_marked_up(path: Path, annotations: Sequence[Annotation], schema: Schema) -> Losses:
    """Write a markup file; gives what was left out."""
    content = format_markup(annotations, schema).encode()
    with atomic_write(path) as file:
        file.write(content)
    return left_out(annotations, schema, ["scores", "warnings", "entries of the gazetteers"])


def find_files(path: Path) -> list[Path]:
    """The ``.jsonl`` and ``.txt`` files of a folder with its sub-folders, or the file itself."""
    if not path.is_dir():
        return [path]
    files = sorted(file for file in path.rglob("*") if file.suffix in ENDINGS and file.is_file())
    if not files:
        raise DataError("the folder holds no .jsonl and no .txt file.", where=str(path))
    return files


def read_own(path: Path, schema: Schema) -> tuple[list[Annotation], Losses]:
    """Read a file or folder in any form of ours, told by the ending; DataError at the first problem."""
    annotations: list[Annotation] = []
    losses: Losses = Counter()
    for file in find_files(path):
        if file.suffix not in ENDINGS:
            raise DataError("is neither .jsonl nor markup (.txt). Use `saytara data import` first.", where=str(file))
        found, lost = (read_lines if file.suffix == ".jsonl" else read_marked_up)(file, schema)
        annotations += found
        losses += lost
    return annotations, losses


def _is_predicted(path: Path) -> bool:
    """Whether the first record is of the output form; a file that cannot be read is not."""
    try:
        with path.open("rb") as file:
            first = next((line for line in file if line.strip()), b"")
            record = json.loads(first)
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(record, Mapping) and "model" in record and "meta" in record


def _parse(line: str, where: str) -> Mapping[str, Any]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise DataError(f"is not JSON ({error}). Give what `saytara predict` wrote.", where=where) from error
    if not isinstance(record, Mapping):
        raise DataError("is not a JSON object. Give what `saytara predict` wrote.", where=where)
    return record


def _predicted(record: Mapping[str, Any], where: str, schema: Schema, losses: Losses) -> Annotation:
    """The annotation of an output record, as sound as one of the corpus."""
    try:
        annotation = from_output(record, schema)
    except DataError as error:
        raise DataError(str(error), where=where) from error
    meta = {key: value for key, value in annotation.document.meta.items() if key not in RESERVED}
    for key in sorted(set(annotation.document.meta) - set(meta)):
        losses[f"header values named {key}"] += 1
    annotation = replace(annotation, document=replace(annotation.document, meta=meta))
    sound = annotation_from_dict(annotation_to_dict(annotation), schema, where=where)
    return replace(sound, entries=annotation.entries)
