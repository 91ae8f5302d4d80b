"""The package's own exceptions: what happened, where, and what to do.

Raises nothing itself.
"""

import difflib
from collections.abc import Iterable


class SaytaraError(Exception):
    """Base of every error that saytara raises on purpose."""


class DataError(SaytaraError):
    """An annotated report or an input record is not usable.

    The message reads ``where: what happened. What to do.``
    """

    def __init__(self, message: str, *, where: str | None = None) -> None:
        super().__init__(f"{where}: {message}" if where else message)
        self.where = where


class SchemaError(SaytaraError):
    """A schema contradicts itself, or something does not belong to it."""


class ConfigError(SaytaraError):
    """A run config holds an unknown key or an impossible value."""


class CheckpointError(SaytaraError):
    """A checkpoint folder is missing, incomplete, corrupt or foreign."""


class MissingExtraError(SaytaraError):
    """Something needs packages that the base install does not bring."""

    def __init__(self, what: str, *, extra: str) -> None:
        super().__init__(
            f"{what} needs packages that are not installed. Install them with: pip install 'saytara[{extra}]'"
        )


def closest(name: str, known: Iterable[str]) -> str:
    """Say which names are known and which of them is nearest to `name`.

    >>> closest("ACTR", ["ACTOR", "PLACE"])
    'known: ACTOR, PLACE; closest: ACTOR'
    """
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    return f"known: {', '.join(names)}" + (f"; closest: {near[0]}" if near else "")
