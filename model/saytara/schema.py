"""What may be annotated: labels, event types, roles and who may fill them, factuality values.

A schema is data (JSON in a checkpoint); code interprets it and knows no label by name.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from saytara.errors import SchemaError, closest


@dataclass(frozen=True, slots=True)
class Schema:
    """Label inventories and role rules. Without `events` it describes plain named-entity recognition."""

    name: str
    mentions: Mapping[str, str]
    """Mention label to the prefix of its ids: ``ACTOR`` to ``a``."""
    events: tuple[str, ...] = ()
    roles: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Role to the mention labels that may fill it."""
    factuality: tuple[str, ...] = ()
    """Factuality values, the default one first."""
    lists: Mapping[str, str] = field(default_factory=dict)
    """Mention label to the list of the output that holds it (``ACTOR`` to ``actors``); empty: one list ``entities``."""

    def __post_init__(self) -> None:
        if not self.mentions:
            raise SchemaError(f"schema {self.name!r} has no mention labels. Name at least one.")
        both = sorted(set(self.mentions) & set(self.events))
        if both:
            raise SchemaError(f"schema {self.name!r} uses {both} as mention label and event type. Rename one of them.")
        if bool(self.events) != bool(self.factuality):
            raise SchemaError(f"schema {self.name!r} needs both event types and factuality values, or neither.")
        if self.roles and not self.events:
            raise SchemaError(f"schema {self.name!r} has roles but no event types.")
        for role, labels in self.roles.items():
            for label in labels:
                if label not in self.mentions:
                    raise SchemaError(
                        f"schema {self.name!r}: role {role!r} allows unknown label {label!r}; "
                        f"{closest(label, self.mentions)}"
                    )
        if self.lists and set(self.lists) != set(self.mentions):
            raise SchemaError(f"schema {self.name!r}: `lists` must name a list for each mention label, or none.")

    def to_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "mentions": dict(self.mentions),
            "events": list(self.events),
            "roles": {role: list(labels) for role, labels in self.roles.items()},
            "factuality": list(self.factuality),
            "lists": dict(self.lists),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Schema":
        """Build a schema from what `to_dict` gives; SchemaError on an unknown or missing key."""
        known = set(cls.__slots__)
        for key in values:
            if key not in known:
                raise SchemaError(f"unknown schema key {key!r}; {closest(key, known)}")
        for key in ("name", "mentions"):
            if key not in values:
                raise SchemaError(f"schema lacks the key {key!r}")
        return cls(
            name=str(values["name"]),
            mentions=dict(values["mentions"]),
            events=tuple(values.get("events", ())),
            roles={role: tuple(labels) for role, labels in values.get("roles", {}).items()},
            factuality=tuple(values.get("factuality", ())),
            lists=dict(values.get("lists", {})),
        )


CONTROL_CHANGE = Schema(
    name="control-change",
    mentions={"ACTOR": "a", "PLACE": "p", "SOURCE": "s", "TIME": "t"},
    events=("CAPTURE", "RECAPTURE", "WITHDRAWAL", "HANDOVER", "ADVANCE", "SIEGE", "HOLD"),
    roles={
        "controller": ("ACTOR",),
        "displaced": ("ACTOR",),
        "place": ("PLACE",),
        "claimant": ("ACTOR", "SOURCE"),
        "reporter": ("SOURCE",),
        "time": ("TIME",),
    },
    factuality=("actual", "denied", "prospective"),
    lists={"ACTOR": "actors", "PLACE": "places", "SOURCE": "sources", "TIME": "times"},
)

NER = Schema(name="ner", mentions={"PERS": "n", "LOC": "n", "ORG": "n", "MISC": "n"})
