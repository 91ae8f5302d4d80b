"""What a schema forbids, said in words: the messages that every reader of annotations shares.

Raises nothing and knows no file; each function returns a message, or None where all is well.
"""

import json
from collections.abc import Mapping

from saytara.errors import closest
from saytara.schema import Schema


def label_problem(schema: Schema, label: object, what: str) -> str | None:
    """Why `label` cannot be a mention's.

    >>> from saytara.schema import NER
    >>> label_problem(NER, "PER", 'mention "n1"')
    'mention "n1" has the unknown label "PER"; known: LOC, MISC, ORG, PERS; closest: PERS.'
    """
    if isinstance(label, str) and label in schema.mentions:
        return None
    return f"{what} has the unknown label {show(label)}; {closest(str(label), schema.mentions)}."


def type_problem(schema: Schema, kind: object, what: str) -> str | None:
    """Why `kind` cannot be an event's type."""
    if kind in schema.events:
        return None
    return f"{what} has the unknown type {show(kind)}; {closest(str(kind), schema.events)}."


def factuality_problem(schema: Schema, factuality: object, what: str) -> str | None:
    """Why `factuality` cannot be an event's."""
    if factuality in schema.factuality:
        return None
    return f"{what} has the unknown factuality {show(factuality)}; {closest(str(factuality), schema.factuality)}."


def argument_problem(schema: Schema, role: object, mention: object, labels: Mapping[str, str], what: str) -> str | None:
    """Why the mention cannot fill the role; `labels` are those of the document's mentions by id."""
    if not isinstance(role, str) or role not in schema.roles:
        return f"{what} has the unknown role {show(role)}; {closest(str(role), schema.roles)}."
    if not isinstance(mention, str) or mention not in labels:
        known = closest(str(mention), labels) if labels else "the document has no mentions"
        return f"{what} links role {show(role)} to the unknown mention {show(mention)}; {known}."
    allowed = schema.roles[role]
    if labels[mention] in allowed:
        return None
    return (
        f"role {show(role)} cannot be filled by {labels[mention]}; allowed: {', '.join(allowed)}. "
        "Fix the annotation or the schema."
    )


def show(value: object) -> str:
    """A value as JSON writes it, cut to a readable length."""
    shown = json.dumps(value, ensure_ascii=False, default=str)
    return shown if len(shown) <= 80 else shown[:77] + "…"
