"""Schemas are data that must not contradict itself."""

import pytest

from saytara.errors import SchemaError
from saytara.schema import CONTROL_CHANGE, NER, Schema


@pytest.mark.parametrize("schema", [CONTROL_CHANGE, NER])
def test_a_schema_survives_the_way_to_a_dict_and_back(schema: Schema) -> None:
    assert Schema.from_dict(schema.to_dict()) == schema


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"name": "x", "mentions": {}}, "no mention labels"),
        (
            {"name": "x", "mentions": {"A": "a"}, "events": ["A"], "factuality": ["actual"]},
            "as mention label and event type",
        ),
        ({"name": "x", "mentions": {"A": "a"}, "events": ["E"]}, "needs both"),
        ({"name": "x", "mentions": {"A": "a"}, "roles": {"r": ["A"]}}, "roles but no event types"),
        (
            {"name": "x", "mentions": {"ACTOR": "a"}, "events": ["E"], "factuality": ["f"], "roles": {"r": ["ACTR"]}},
            "unknown label 'ACTR'; known: ACTOR; closest: ACTOR",
        ),
        ({"name": "x", "mentions": {"A": "a"}, "mention": {}}, "unknown schema key 'mention'"),
        ({"name": "x"}, "lacks the key 'mentions'"),
    ],
)
def test_a_contradiction_is_refused(values: dict[str, object], message: str) -> None:
    with pytest.raises(SchemaError, match=message):
        Schema.from_dict(values)
