"""Schemas by name or from a file, for run configs and the command line.

Defines none: the inventories are in `schema`.
"""

import json
from pathlib import Path

from saytara.errors import ConfigError, DataError, closest
from saytara.schema import CONTROL_CHANGE, NER, Schema

SCHEMAS = {schema.name: schema for schema in (CONTROL_CHANGE, NER)}


def load_schema(name: str) -> Schema:
    """A schema by its name or from a JSON file.

    >>> load_schema("ner").events
    ()
    """
    if name in SCHEMAS:
        return SCHEMAS[name]
    path = Path(name)
    if path.suffix != ".json" or not path.is_file():
        raise ConfigError(f"unknown schema {name!r}; {closest(name, SCHEMAS)}. Or give a .json file.")
    try:
        return Schema.from_dict(json.loads(path.read_text(encoding="utf-8")))
    except ValueError as error:
        raise DataError(f"is not JSON ({error}). Give a schema as `Schema.to_dict` writes it.", where=name) from error
