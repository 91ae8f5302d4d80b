"""Records or events as GeoJSON (RFC 7946): a point each, and a list of those without coordinates.

Writes no files; the properties are the columns of `tables`.
"""

import datetime
import json
from typing import Any

from saytara.export.tables import Row, Table


def to_geojson(table: Table) -> bytes:
    """A FeatureCollection of the table's rows, each with its columns as properties.

    Rows without coordinates stand in the foreign member ``unlocated``: their number and properties. No event is left
    out in silence, and readers that know points only still take the file.
    """
    located = [row for row in table.rows if row["latitude"] is not None and row["longitude"] is not None]
    others = [row for row in table.rows if row["latitude"] is None or row["longitude"] is None]
    collection = {
        "type": "FeatureCollection",
        "features": [_feature(row) for row in located],
        "unlocated": {"count": len(others), "events": [_properties(row) for row in others]},
    }
    return json.dumps(collection, ensure_ascii=False, indent=1, allow_nan=False).encode("utf-8", "replace") + b"\n"


def _feature(row: Row) -> dict[str, Any]:
    return {
        "type": "Feature",
        "id": row["event_id"],
        "geometry": {"type": "Point", "coordinates": [row["longitude"], row["latitude"]]},
        "properties": _properties(row),
    }


def _properties(row: Row) -> dict[str, Any]:
    return {key: value.isoformat() if isinstance(value, datetime.date) else value for key, value in row.items()}
