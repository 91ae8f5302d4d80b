"""The ledger: records of many reports in one SQLite file, and what follows from them for each place.

Stores records only; clusters, states and contradictions are computed when asked, so a better rule needs no new file.
"""

import datetime
import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from saytara.arabic.fold import fold, without_article
from saytara.document import Annotation
from saytara.errors import DataError
from saytara.facts.clusters import EventCluster, cluster
from saytara.facts.records import Record, Site, record_from_dict, record_to_dict, to_records
from saytara.facts.timeline import ControlState, held_on, timeline

SCHEMA_VERSION = 1
_TABLES = """
CREATE TABLE IF NOT EXISTS reports (
    id TEXT PRIMARY KEY, digest TEXT NOT NULL, date TEXT, text TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS records (
    id TEXT PRIMARY KEY, report TEXT NOT NULL REFERENCES reports (id) ON DELETE CASCADE, json TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS records_of_report ON records (report);
"""


@dataclass(frozen=True, slots=True)
class PlaceSummary:
    """A place of the ledger."""

    key: str
    name: str
    country: str | None
    admin1: str | None
    lat: float | None
    lon: float | None


class Ledger:
    """Records in an SQLite file. Use as a context manager.

    Args:
        path: the file; made if it is not there.

    Raises:
        DataError: the file is not a ledger, or one of a newer version.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._connection = sqlite3.connect(path, isolation_level=None)
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = FULL")
            self._connection.execute("PRAGMA foreign_keys = ON")
            (version,) = self._connection.execute("PRAGMA user_version").fetchone()
            if version > SCHEMA_VERSION:
                raise DataError(
                    f"is a ledger of version {version}; this saytara reads up to {SCHEMA_VERSION}. Upgrade it.",
                    where=str(path),
                )
            self._connection.executescript(_TABLES)
            self._connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        except sqlite3.DatabaseError as error:
            raise DataError(f"is not a ledger ({error}). Give another path.", where=str(path)) from error

    def __enter__(self) -> "Ledger":
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def append(self, annotations: Iterable[Annotation]) -> tuple[int, int]:
        """Add reports, each in a transaction of its own; one that stands there unchanged is passed over.

        Returns:
            How many reports were added or replaced, and how many stood there already.
        """
        added = known = 0
        for annotation in annotations:
            if self._append(annotation):
                added += 1
            else:
                known += 1
        return added, known

    def _append(self, annotation: Annotation) -> bool:
        document = annotation.document
        rows = [
            (record.id, document.id, json.dumps(record_to_dict(record), ensure_ascii=False))
            for record in to_records(annotation)
        ]
        day = document.date.isoformat() if document.date else None
        digest = hashlib.sha256(
            json.dumps([document.text, day, rows], ensure_ascii=False).encode("utf-8", "surrogatepass")
        ).hexdigest()
        with self._transaction():
            found = self._connection.execute("SELECT digest FROM reports WHERE id = ?", (document.id,)).fetchone()
            if found and found[0] == digest:
                return False
            self._connection.execute("DELETE FROM reports WHERE id = ?", (document.id,))
            text = document.text.encode("utf-8", "replace").decode()
            self._connection.execute("INSERT INTO reports VALUES (?, ?, ?, ?)", (document.id, digest, day, text))
            self._connection.executemany("INSERT INTO records VALUES (?, ?, ?)", rows)
        return True

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def records(self) -> list[Record]:
        """All records, in the order of their ids."""
        rows = self._connection.execute("SELECT json FROM records ORDER BY report, id")
        return [record_from_dict(json.loads(row)) for (row,) in rows]

    def texts(self) -> dict[str, str]:
        """Text of each report, by id."""
        return dict(self._connection.execute("SELECT id, text FROM reports ORDER BY id"))

    def clusters(self) -> list[EventCluster]:
        return cluster(self.records())

    def places(self) -> list[PlaceSummary]:
        """Every place of an event, by key."""
        found: dict[str, Site] = {}
        for record in self.records():
            for site in record.sites:
                found.setdefault(site.key, site)
        return [_summary(site) for _, site in sorted(found.items())]

    def find_places(self, name: str) -> list[PlaceSummary]:
        """Places of that key or name, in Arabic (however spelt) or English."""
        wanted = without_article(fold(name))
        matches = {}
        for record in self.records():
            for site in record.sites:
                names = [site.name, *([site.entry.name_ar, site.entry.name_en] if site.entry else [])]
                if name == site.key or wanted.lower() in {without_article(fold(other)).lower() for other in names}:
                    matches[site.key] = _summary(site)
        return [matches[key] for key in sorted(matches)]

    def timeline(self, place: str) -> list[ControlState]:
        """Control states of the place with that key."""
        return timeline(place, self.clusters())

    def who_held(self, place: str, day: datetime.date) -> list[ControlState]:
        """States that answer who held the place with that key on `day`, each with its versions and voices."""
        return held_on(self.timeline(place), day)


def _summary(site: Site) -> PlaceSummary:
    entry = site.entry
    if entry is None:
        return PlaceSummary(site.key, site.name, None, None, None, None)
    return PlaceSummary(site.key, entry.name_ar, entry.country, entry.admin1, entry.lat, entry.lon)
