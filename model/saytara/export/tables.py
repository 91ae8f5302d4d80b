"""Records and events as tables: CSV that no spreadsheet runs, and typed Parquet.

Writes no files; what an event is in ACLED's words is decided in `acled`.
"""

import csv
import datetime
import io
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from saytara.arabic.fold import fold, without_article
from saytara.errors import MissingExtraError
from saytara.export.acled import event_types, force
from saytara.export.names import actor_name_en, country_name
from saytara.facts.clusters import EventCluster
from saytara.facts.records import Party, Record, Site

Row = dict[str, Any]
SCORE_DIGITS = 4
FORMULA_MARKS = frozenset("=+-@\t\r\n|%＝＋－＠")
"""First characters that make some spreadsheet run a cell, full-width forms included."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows with typed columns."""

    columns: Mapping[str, type]
    """Name to type: str, int, float, bool or datetime.date; any cell may be None."""
    rows: tuple[Row, ...]


_PLACE_COLUMNS: Mapping[str, type] = {
    "country": str,
    "country_code": str,
    "admin1": str,
    "location": str,
    "latitude": float,
    "longitude": float,
    "geo_precision": int,
}
_LINK_COLUMNS: Mapping[str, type] = {"location_ar": str, "place_id": str, "place_kind": str, "place_score": float}
_ACTOR_COLUMNS: Mapping[str, type] = {
    name.format(number): str
    for number in (1, 2)
    for name in ("actor{}", "assoc_actor_{}", "inter{}", "actor{}_en", "actor{}_id")
}
RECORD_COLUMNS: Mapping[str, type] = {
    "event_id": str,
    "event_date": datetime.date,
    "time_precision": int,
    "event_type": str,
    "sub_event_type": str,
    **_ACTOR_COLUMNS,
    **_PLACE_COLUMNS,
    "source": str,
    "notes": str,
    "type": str,
    "factuality": str,
    "factuality_score": float,
    "attribution": str,
    "claim_by": str,
    "contradicted": bool,
    "contradicted_by": str,
    "confidence": float,
    "cluster_id": str,
    "cluster_status": str,
    "cluster_confidence": float,
    "cluster_origins": int,
    "event_date_end": datetime.date,
    "date_from": str,
    "report_id": str,
    "report_date": datetime.date,
    "record_id": str,
    "trigger": str,
    "trigger_start": int,
    "trigger_end": int,
    "sentence_start": int,
    "sentence_end": int,
    **_LINK_COLUMNS,
}
CLUSTER_COLUMNS: Mapping[str, type] = {
    "event_id": str,
    "event_date": datetime.date,
    "event_date_end": datetime.date,
    "event_type": str,
    "sub_event_type": str,
    **_ACTOR_COLUMNS,
    **_PLACE_COLUMNS,
    "type": str,
    "factuality": str,
    "status": str,
    "contradicted": bool,
    "confidence": float,
    "origins": int,
    "source": str,
    "reports": int,
    "records": str,
    "cluster_id": str,
    **_LINK_COLUMNS,
}


def record_table(clusters: Iterable[EventCluster], texts: Mapping[str, str]) -> Table:
    """One row a record, and one a place where a record has several, in the order of reports and texts.

    Args:
        texts: text of each report, by id.
    """
    pairs = [(event, record) for event in clusters for record in event.records]
    pairs.sort(key=lambda pair: (pair[1].report, pair[1].trigger))
    rows = [row for event, record in pairs for row in _record_rows(event, record, texts.get(record.report))]
    return Table(RECORD_COLUMNS, tuple(rows))


def cluster_table(clusters: Iterable[EventCluster]) -> Table:
    """One row an event, however many reports tell of it, and one a place where it has several."""
    return Table(CLUSTER_COLUMNS, tuple(row for event in clusters for row in _cluster_rows(event)))


def _record_rows(event: EventCluster, record: Record, text: str | None) -> Iterable[Row]:
    against = _against(event, record)
    shared: Row = {
        "event_date": record.start,
        "time_precision": _time_precision(record),
        "source": "; ".join(dict.fromkeys(_voice_names(record))) or record.report,
        "notes": _cut(text, record.sentence.start, record.sentence.end),
        "type": record.type,
        "factuality": record.factuality,
        "factuality_score": round(record.factuality_score, SCORE_DIGITS),
        "attribution": record.attribution,
        "claim_by": record.claim_by,
        "contradicted": bool(against),
        "contradicted_by": "; ".join(against) or None,
        "confidence": round(record.score, SCORE_DIGITS),
        "cluster_id": event.id,
        "cluster_status": event.status,
        "cluster_confidence": round(event.confidence, SCORE_DIGITS),
        "cluster_origins": len(event.origins),
        "event_date_end": record.end,
        "date_from": {1: "text", 2: "report"}.get(record.date_precision),
        "report_id": record.report,
        "report_date": record.report_date,
        "record_id": record.id,
        "trigger": _cut(text, record.trigger.start, record.trigger.end),
        "trigger_start": record.trigger.start,
        "trigger_end": record.trigger.end,
        "sentence_start": record.sentence.start,
        "sentence_end": record.sentence.end,
    }
    yield from _with_places(
        record.id, shared, record.type, record.factuality, record.controllers, record.displaced, record.sites
    )


def _cluster_rows(event: EventCluster) -> Iterable[Row]:
    voices = [name for record in event.records for name in _voice_names(record) or [record.report]]
    shared: Row = {
        "event_date": event.start,
        "event_date_end": event.end,
        "type": event.type,
        "factuality": event.factuality,
        "status": event.status,
        "contradicted": bool(event.contradictions),
        "confidence": round(event.confidence, SCORE_DIGITS),
        "origins": len(event.origins),
        "source": "; ".join(dict.fromkeys(voices)),
        "reports": len({record.report for record in event.records}),
        "records": "; ".join(record.id for record in event.records),
        "cluster_id": event.id,
    }
    yield from _with_places(
        event.id, shared, event.type, event.factuality, event.controllers, event.displaced, distinct_sites(event.sites)
    )


def _with_places(
    event_id: str,
    shared: Row,
    event_type: str,
    factuality: str,
    controllers: Sequence[Party],
    displaced: Sequence[Party],
    sites: Sequence[Site],
) -> Iterable[Row]:
    """A row for each site, numbered where there are several; one without a place where there is none."""
    for number, site in enumerate(sites or (None,), 1):
        country = site.entry.country if site and site.entry else None
        kind, sub = event_types(event_type, factuality, controllers, displaced, country)
        yield {
            "event_id": f"{event_id}.{number}" if len(sites) > 1 else event_id,
            **shared,
            "event_type": kind,
            "sub_event_type": sub,
            **_actor_cells(1, controllers, country),
            **_actor_cells(2, displaced, country),
            **_place_cells(site),
        }


def _actor_cells(number: int, parties: Sequence[Party], country: str | None) -> Row:
    names = list(dict.fromkeys(party_name(party) for party in parties))
    entry = parties[0].entry if parties else None
    return {
        f"actor{number}": names[0] if names else None,
        f"assoc_actor_{number}": "; ".join(names[1:]) or None,
        f"inter{number}": force(entry, country),
        f"actor{number}_en": actor_name_en(entry.id) if entry else None,
        f"actor{number}_id": entry.id if entry else None,
    }


def _place_cells(site: Site | None) -> Row:
    entry = site.entry if site else None
    if site is None or entry is None:
        return {
            **dict.fromkeys((*_PLACE_COLUMNS, *_LINK_COLUMNS)),
            **({"location": site.name, "location_ar": site.name} if site else {}),
        }
    return {
        "country": country_name(entry.country),
        "country_code": entry.country,
        "admin1": entry.admin1,
        "location": entry.name_en or entry.name_ar,
        "latitude": round(entry.lat, 5),
        "longitude": round(entry.lon, 5),
        "geo_precision": entry.precision,
        "location_ar": entry.name_ar,
        "place_id": entry.id,
        "place_kind": entry.kind,
        "place_score": round(entry.score, SCORE_DIGITS),
    }


def party_name(party: Party) -> str:
    """Name of the actor that it refers to, else the clean name in the report."""
    return party.entry.name if party.entry else party.name


def distinct_sites(sites: Sequence[Site]) -> tuple[Site, ...]:
    """The sites without those unlinked ones whose name a linked one bears."""
    named = {_key(name) for site in sites if site.entry for name in (site.name, site.entry.name_ar)}
    return tuple(site for site in sites if site.entry or _key(site.name) not in named)


def _key(name: str) -> str:
    return without_article(fold(name))


def _voice_names(record: Record) -> list[str]:
    return [voice.entry.name if voice.entry else voice.name for voice in record.voices]


def _against(event: EventCluster, record: Record) -> list[str]:
    """Ids of the records that contradict this one."""
    found = [pair.denial for pair in event.contradictions if pair.claim == record.id]
    found += [pair.claim for pair in event.contradictions if pair.denial == record.id]
    return list(dict.fromkeys(found))


def _time_precision(record: Record) -> int | None:
    """ACLED's: 1 the day, 2 within a week, 3 within a month or longer."""
    if record.start is None or record.end is None:
        return None
    days = (record.end - record.start).days
    own = 1 if days <= 1 else 2 if days <= 7 else 3
    return max(own, 2) if record.date_precision > 1 else own


def _cut(text: str | None, start: int, end: int) -> str | None:
    return text[start:end] if text is not None else None


def to_csv(table: Table, *, with_bom: bool = False) -> bytes:
    """CSV (RFC 4180, UTF-8), one line a row; text that a spreadsheet would run has an apostrophe in front.

    Args:
        with_bom: begin with the byte-order mark that Excel needs to read Arabic.
    """
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(table.columns)
    for row in table.rows:
        writer.writerow([csv_cell(row[name]) for name in table.columns])
    return stream.getvalue().encode("utf-8-sig" if with_bom else "utf-8", "replace")


def csv_cell(value: Any) -> str:
    """A value as the text of a cell: numbers bare, text on one line and defused.

    >>> csv_cell("=1+1"), csv_cell(-12.5), csv_cell("-12.5"), csv_cell(None)
    ("'=1+1", '-12.5', "'-12.5", '')
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        return str(value)
    is_formula = value[:1] in FORMULA_MARKS or _first_visible(value) in FORMULA_MARKS
    line = " ".join(part for part in _without_controls(value).split() if part)
    return f"'{line}" if is_formula and line else line


def _first_visible(text: str) -> str:
    """The first character that is neither a space nor an invisible mark, which some spreadsheets skip."""
    return next((char for char in text if not char.isspace() and unicodedata.category(char) not in ("Cc", "Cf")), " ")


def _without_controls(text: str) -> str:
    return "".join(" " if unicodedata.category(char) == "Cc" else char for char in text)


def need_pyarrow() -> None:
    """MissingExtraError unless pyarrow is installed."""
    if find_spec("pyarrow") is None:
        raise MissingExtraError("writing Parquet", extra="parquet")


def to_parquet(table: Table) -> bytes:
    """Parquet with typed columns; text stands as it is.

    Raises:
        MissingExtraError: pyarrow is not installed.
    """
    need_pyarrow()
    import pyarrow
    import pyarrow.parquet

    kinds = {
        str: pyarrow.string(),
        int: pyarrow.int32(),
        float: pyarrow.float64(),
        bool: pyarrow.bool_(),
        datetime.date: pyarrow.date32(),
    }
    schema = pyarrow.schema([(name, kinds[kind]) for name, kind in table.columns.items()])
    columns = [[_plain(row[name]) for row in table.rows] for name in table.columns]
    arrays = [pyarrow.array(cells, field.type) for cells, field in zip(columns, schema, strict=True)]
    stream = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.Table.from_arrays(arrays, schema=schema), stream)
    return stream.getvalue()


def _plain(value: Any) -> Any:
    """The value, without the lone surrogates that UTF-8 cannot hold."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value
