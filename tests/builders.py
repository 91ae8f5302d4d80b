"""Small annotated reports, built by hand from the readable markup.

Reads no files.
"""

from datetime import date as Day
from typing import Any

from saytara.corpus.markup import parse_markup
from saytara.document import Annotation
from saytara.schema import CONTROL_CHANGE, Schema


def annotate(
    markup: str,
    *lines: str,
    id: str = "r-1",
    date: Day | None = None,
    schema: Schema = CONTROL_CHANGE,
    **meta: Any,
) -> Annotation:
    """An annotation from marked-up text and one line for each trigger.

    >>> annotate("[سيطرت|e1:CAPTURE] [القوات|a1:ACTOR]", "e1 actual controller=a1").events[0].type
    'CAPTURE'
    """
    header = [f"# id: {id}", *([f"# date: {date.isoformat()}"] if date else [])]
    header += [f"# {key}: {value}" for key, value in meta.items()]
    (annotation,) = parse_markup("\n".join([*header, markup, "---", *lines]), schema, source="builders.annotate")
    return annotation
