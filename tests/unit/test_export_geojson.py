"""GeoJSON as RFC 7946 wants it, with no event left out in silence."""

import json

from builders import annotate
from linked_reports import CLAIM, DENIAL, tables
from saytara.export.geojson import to_geojson


def test_each_row_with_coordinates_is_a_point_east_first() -> None:
    records, _ = tables(CLAIM, DENIAL)
    collection = json.loads(to_geojson(records))
    assert collection["type"] == "FeatureCollection"
    points = [feature["geometry"] for feature in collection["features"]]
    assert points[0] == {"type": "Point", "coordinates": [36.5, 35.0]}
    assert [feature["id"] for feature in collection["features"]] == ["claim#e1.1", "claim#e1.2", "denial#e1"]
    assert collection["unlocated"] == {"count": 0, "events": []}


def test_properties_are_the_columns_with_iso_days() -> None:
    records, _ = tables(CLAIM)
    properties = json.loads(to_geojson(records))["features"][0]["properties"]
    assert set(properties) == set(records.columns)
    assert properties["event_date"] == "2024-12-01"
    assert properties["source"] == "المعارضة السورية"


def test_events_without_coordinates_are_counted_and_listed() -> None:
    bare = annotate("[انسحبوا|e1:WITHDRAWAL] من [الموقع|p1:PLACE].", "e1 actual place=p1", id="bare")
    nowhere = annotate("[انسحبوا|e1:WITHDRAWAL].", "e1 actual", id="nowhere")
    collection = json.loads(to_geojson(tables(CLAIM, bare, nowhere)[0]))
    assert len(collection["features"]) == 2
    assert collection["unlocated"]["count"] == 2
    assert {event["report_id"] for event in collection["unlocated"]["events"]} == {"bare", "nowhere"}


def test_events_are_features_too() -> None:
    _, events = tables(CLAIM, DENIAL)
    features = json.loads(to_geojson(events))["features"]
    assert {feature["properties"]["status"] for feature in features} == {"contradicted"}


def test_no_event_at_all_is_an_empty_collection() -> None:
    collection = json.loads(to_geojson(tables()[0]))
    assert (collection["features"], collection["unlocated"]["count"]) == ([], 0)
