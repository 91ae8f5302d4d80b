"""Id, date and header values of a document in the free columns of a foreign record.

Knows no format.
"""

import datetime
from collections.abc import Collection, Mapping
from typing import Any

from saytara.corpus.formats.losses import Losses
from saytara.corpus.jsonl import RESERVED
from saytara.corpus.rules import show
from saytara.document import Document
from saytara.errors import DataError

APART = "header:"
"""Opens the column of a header value whose own name the format uses for something else."""


def header_of(document: Document, own_keys: Collection[str]) -> dict[str, Any]:
    """Date and header values as columns; `own_keys` are the names that the format uses itself."""
    meta = {f"{APART}{key}" if key in own_keys else key: value for key, value in document.meta.items()}
    return {"date": document.date.isoformat(), **meta} if document.date else meta


def document_of(name: object, text: object, header: Mapping[str, Any], where: str, losses: Losses) -> Document:
    """The document of a record with these columns; ones that our corpus has no place for are counted."""
    if not isinstance(name, str | int) or isinstance(name, bool) or name == "":
        raise DataError(f"the id {show(name)} is no string. Give each document an id of its own.", where=where)
    if not isinstance(text, str):
        raise DataError("has no `text`. Give the report as a string under `text`.", where=where)
    day = header.get("date")
    meta = {key.removeprefix(APART): value for key, value in header.items() if key != "date"}
    for key in sorted(set(meta) & set(RESERVED)):
        losses[f"columns named {key}"] += 1
        del meta[key]
    return Document(text, str(name), None if day in (None, "") else _day(day, where), meta)


def _day(value: object, where: str) -> datetime.date:
    try:
        return datetime.date.fromisoformat(str(value)[:10])
    except ValueError as error:
        raise DataError(f"date {show(value)} is not a day. Write it as 2024-12-07.", where=where) from error
