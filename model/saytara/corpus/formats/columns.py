"""CoNLL (IOB2) as one of the formats: `saytara.corpus.conll` with a count of what it leaves out.

Carries mentions only; each line of a text becomes a sentence.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from saytara.corpus.conll import read_conll, write_conll
from saytara.corpus.formats.losses import Losses, left_out
from saytara.document import Annotation
from saytara.schema import Schema

LEAVES_OUT = (
    "events",
    "dates",
    "header values",
    "document ids",
    "spacing of texts",
    "ids of mentions and events",
    "scores",
    "warnings",
    "entries of the gazetteers",
)


def read_columns(path: Path, schema: Schema) -> tuple[list[Annotation], Losses]:
    """Read a CoNLL file: one document up to each ``-DOCSTART-`` where it has any, else one for each sentence."""
    whole = read_conll(path, schema, sentences_per_document=None)
    return whole if len(whole) > 1 else read_conll(path, schema), Counter()


def write_columns(path: Path, annotations: Sequence[Annotation], schema: Schema) -> Losses:
    """Write a CoNLL file; gives what was left out."""
    write_conll(path, annotations, schema)
    return left_out(annotations, schema, LEAVES_OUT)
