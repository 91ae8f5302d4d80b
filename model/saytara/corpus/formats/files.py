"""Files and folders of foreign formats: read as UTF-8, named after documents, written whole or not at all.

Knows no format.
"""

import json
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from saytara.errors import DataError

UNSAFE = re.compile(
    r"""
    ^[.]        # a hidden file
    | [^\w.-]   # a slash, a space, a colon, a percent sign
    """,
    re.VERBOSE,
)
LONGEST_NAME = 200
"""Bytes that a file's name may have, its ending not counted."""


def read_text(path: Path, *, keep_mark: bool = False) -> str:
    """The text of a UTF-8 file, line ends as they are; DataError where it cannot be read.

    Args:
        keep_mark: take a byte order mark as the first character of the text, because offsets count it.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror}). Check the path.", where=str(path)) from error
    try:
        return (content if keep_mark else content.removeprefix(b"\xef\xbb\xbf")).decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DataError("is not UTF-8. Convert the file to UTF-8.", where=f"{path}:{line}") from error


def read_json(path: Path) -> Any:
    """The value of a JSON file; DataError with the line where it is none."""
    try:
        return json.loads(read_text(path))
    except RecursionError as error:
        raise DataError("is nested too deep.", where=str(path)) from error
    except json.JSONDecodeError as error:
        raise DataError(f"is not JSON ({error.msg}, column {error.colno}).", where=f"{path}:{error.lineno}") from error


def file_name(document_id: str) -> str:
    """A file name that holds any id, for `document_id_of` to read back.

    >>> file_name("hama/2024 1")
    'hama%2F2024%201'
    """
    name = UNSAFE.sub(lambda match: "".join(f"%{byte:02X}" for byte in match[0].encode()), document_id)
    if len(name.encode()) > LONGEST_NAME:
        raise DataError(
            f"the id makes a file name of more than {LONGEST_NAME} bytes. Shorten it.",
            where=f'document "{document_id[:40]}…"',
        )
    return name


def document_id_of(name: str) -> str:
    """The id that `file_name` made a name of."""
    return unquote(name)


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """A folder to fill that takes the place of `path` once the block has ended without an error.

    DataError where `path` is a file or holds anything: what people corrected there is not written over.
    """
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise DataError("exists and is not an empty folder. Name a new one; nothing is written over.", where=str(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp"))
    try:
        yield temporary
        temporary.chmod(0o755)
        temporary.replace(path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
