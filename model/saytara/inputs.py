"""Reports in: text files, JSON Lines, folders and standard input, one document at a time.

A bad record becomes a `DataError` in the stream, not the end of it; predicts nothing.
"""

import datetime
import gzip
import io
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from saytara.document import Document
from saytara.errors import DataError

KNOWN_KEYS = ("id", "text", "date")


def read_documents(sources: Iterable[str]) -> Iterator[Document | DataError]:
    """Documents of the given paths (``-``: standard input) in order; problems come in their place.

    A folder gives its ``.txt`` and ``.jsonl`` files, sorted, with sub-folders. A ``.txt`` file is one report, its id
    the file's name; each line of a ``.jsonl`` file (or of standard input that begins with ``{``) is one.
    """
    seen: set[str] = set()
    for source in sources:
        for item in _read_source(source):
            if isinstance(item, Document):
                if item.id in seen:
                    yield DataError(
                        "the id was seen before. Give each report an id of its own.",
                        where=f"{source}: report {item.id!r}",
                    )
                    continue
                seen.add(item.id)
            yield item


def _read_source(source: str) -> Iterator[Document | DataError]:
    if source == "-":
        yield from _read_stream(sys.stdin.buffer, "<stdin>", name="stdin")
        return
    path = Path(source)
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.suffix in (".txt", ".jsonl") and file.is_file())
        if not files:
            yield DataError("the folder holds no .txt and no .jsonl file.", where=source)
        for file in files:
            yield from _read_file(file, name=str(file.relative_to(path).with_suffix("")))
        return
    yield from _read_file(path, name=path.stem)


def _read_file(path: Path, *, name: str) -> Iterator[Document | DataError]:
    try:
        stream = path.open("rb")
    except OSError as error:
        yield DataError(
            f"cannot be read ({error.strerror}). Give a .txt or .jsonl file, a folder, or `-`.", where=str(path)
        )
        return
    with stream:
        if path.suffix == ".jsonl":
            yield from _read_lines(stream, str(path))
        else:
            yield _text_document(stream.read(), str(path), name)


def _read_stream(stream: BinaryIO, where: str, *, name: str) -> Iterator[Document | DataError]:
    first = stream.readline()
    while first and not first.strip():
        first = stream.readline()
    if first.lstrip().startswith(b"{"):
        yield from _read_lines(_chain(first, stream), where)
    else:
        yield _text_document(first + stream.read(), where, name)


def _chain(first: bytes, rest: Iterable[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def _text_document(content: bytes, where: str, name: str) -> Document | DataError:
    try:
        return Document(content.decode("utf-8-sig"), name)
    except UnicodeDecodeError as error:
        return DataError(
            f"is not UTF-8 (byte {error.start}: {error.reason}). Convert it, for example with iconv.", where=where
        )


def _read_lines(lines: Iterable[bytes], source: str) -> Iterator[Document | DataError]:
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield _record(line, f"{source}:{number}", f"{Path(source).stem.strip('<>')}-{number}")


def _record(line: bytes, where: str, default_id: str) -> Document | DataError:
    try:
        record = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        return DataError(f"is not UTF-8 (byte {error.start} of the line: {error.reason}).", where=where)
    except (ValueError, RecursionError) as error:
        return DataError(f"is not a JSON object ({error}).", where=where)
    if not isinstance(record, Mapping):
        return DataError(f"must be a JSON object, not {type(record).__name__}.", where=where)
    return _document(record, where, default_id)


def _document(record: Mapping[str, Any], where: str, default_id: str) -> Document | DataError:
    text, date = record.get("text"), record.get("date")
    document_id = record.get("id", default_id)
    if not isinstance(document_id, str | int) or isinstance(document_id, bool):
        return DataError(f"`id` must be a string, got {document_id!r}.", where=where)
    where = f"{where}: report {document_id!r}"
    if not isinstance(text, str):
        return DataError("has no `text`. Give the report as a string under `text`.", where=where)
    day = None
    if date is not None:
        try:
            day = datetime.date.fromisoformat(str(date)[:10])
        except ValueError:
            return DataError(f"`date` must be an ISO day such as 2024-12-07, got {date!r}.", where=where)
    meta = {key: value for key, value in record.items() if key not in KNOWN_KEYS}
    return Document(text, str(document_id), day, meta)


def read_texts(path: Path) -> Iterator[str]:
    """The raw texts of one ``.txt``, ``.jsonl`` or ``.jsonl.gz`` file, to learn from or compare with.

    Raises:
        DataError: the file is missing or a line is not a JSON object with a text.
    """
    if not path.is_file():
        raise DataError("no such file. Check its name.", where=str(path))
    if path.suffix == ".txt":
        yield path.read_text(encoding="utf-8")
        return
    if not path.name.endswith((".jsonl", ".jsonl.gz")):
        raise DataError("unknown kind of file. Use .jsonl, .jsonl.gz or .txt.", where=str(path))
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        for number, line in enumerate(io.TextIOWrapper(file, encoding="utf-8"), 1):
            if not line.strip():
                continue
            try:
                record = json.loads(line)
            except json.JSONDecodeError as error:
                raise DataError(f"not JSON ({error}). Repair or remove the line.", where=f"{path}:{number}") from error
            if not isinstance(record, dict) or not isinstance(record.get("text"), str):
                raise DataError('no "text". Give every line {"text": "..."}.', where=f"{path}:{number}")
            yield record["text"]
