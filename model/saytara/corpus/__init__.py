"""Annotated reports in and out of files, checked, counted and compiled.

Trains nothing and predicts nothing.
"""

from pathlib import Path

from saytara.corpus.conll import read_conll
from saytara.corpus.jsonl import read_corpus
from saytara.document import Annotation
from saytara.errors import DataError
from saytara.schema import Schema


def read_annotations(path: Path, schema: Schema) -> list[Annotation]:
    """Read annotated reports: JSON Lines, or CoNLL (``.txt``, ``.conll``) for a schema without events."""
    if path.suffix == ".jsonl":
        return read_corpus(path, schema)
    if path.suffix in (".txt", ".conll") and not schema.events:
        return read_conll(path, schema)
    raise DataError(
        f"cannot read annotations from a {path.suffix or 'nameless'} file with the schema {schema.name!r}. "
        "Give .jsonl, or CoNLL (.txt, .conll) for a schema without events.",
        where=str(path),
    )
