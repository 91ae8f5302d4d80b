"""The forms in which annotated reports come in and go out, each a module here, and one table of them.

What a form cannot carry is counted, logged once and returned; nothing is dropped in silence.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from saytara.corpus.formats.brat import read_brat, write_brat
from saytara.corpus.formats.columns import read_columns, write_columns
from saytara.corpus.formats.docbin import read_docbin, write_docbin
from saytara.corpus.formats.doccano import read_doccano, write_doccano
from saytara.corpus.formats.inception import read_inception, write_inception
from saytara.corpus.formats.label_studio import read_label_studio, write_label_studio
from saytara.corpus.formats.losses import Losses, say_losses
from saytara.corpus.formats.own import read_lines, read_marked_up, write_lines, write_marked_up
from saytara.document import Annotation
from saytara.errors import DataError
from saytara.schema import Schema

Reader = Callable[[Path, Schema], tuple[list[Annotation], Losses]]
Writer = Callable[[Path, Sequence[Annotation], Schema], Losses]


@dataclass(frozen=True, slots=True)
class Format:
    """How a form is read and written, and what lies at its path."""

    files: str
    read: Reader
    write: Writer


FORMATS: Mapping[str, Format] = {
    "jsonl": Format("our JSON Lines, or what `saytara predict` wrote", read_lines, write_lines),
    "markup": Format("our inline markup, a .txt file or a folder of them", read_marked_up, write_marked_up),
    "brat": Format("a folder of .txt and .ann files", read_brat, write_brat),
    "conll": Format("a file of tokens and IOB2 tags; mentions only", read_columns, write_columns),
    "doccano": Format("a .jsonl file of a sequence labelling project with relations", read_doccano, write_doccano),
    "label-studio": Format("a .json file of tasks", read_label_studio, write_label_studio),
    "inception": Format("a folder of UIMA CAS .xmi files and their TypeSystem.xml", read_inception, write_inception),
    "spacy": Format("a DocBin, .spacy", read_docbin, write_docbin),
}


def read_format(name: str, path: Path, schema: Schema) -> tuple[list[Annotation], Losses]:
    """Read annotated reports in a form of the table.

    Returns:
        The annotations, and what of the files has no place in them: what and how often.
    """
    annotations, losses = FORMATS[name].read(path, schema)
    unique(annotations, path)
    say_losses(f"{path}: read from {name}, left out or changed", losses)
    return annotations, losses


def unique(annotations: Sequence[Annotation], source: Path) -> Sequence[Annotation]:
    """The annotations as they are; DataError where two documents have one id."""
    seen: set[str] = set()
    for annotation in annotations:
        if annotation.document.id in seen:
            where = f'{source}: document "{annotation.document.id}"'
            raise DataError("the id is that of another document. Give each its own.", where=where)
        seen.add(annotation.document.id)
    return annotations


def write_format(name: str, path: Path, annotations: Sequence[Annotation], schema: Schema) -> Losses:
    """Write annotated reports in a form of the table.

    Returns:
        What the form has no place for: what and how often.
    """
    losses = FORMATS[name].write(path, annotations, schema)
    say_losses(f"{path}: written to {name}, left out or changed", losses)
    return losses
