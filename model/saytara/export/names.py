"""English and Arabic names of countries and actors, from the packaged gazetteers.

Looks up ids and codes; links nothing.
"""

from saytara.linking.actor_table import actor_table
from saytara.linking.gazetteer import Gazetteer


def country_name(code: str | None) -> str | None:
    """English name of the country with that code of two letters, else the code."""
    found = Gazetteer.packaged().countries.get(code) if code else None
    return found.name_en if found else code


def country_name_ar(code: str | None) -> str | None:
    """Arabic name of the country with that code of two letters, else the code."""
    found = Gazetteer.packaged().countries.get(code) if code else None
    return found.name if found else code


def actor_name_en(actor_id: str) -> str | None:
    """English name of the actor with that id, None where the gazetteer has none."""
    found = actor_table().actors.get(actor_id)
    return found.name_en if found and found.name_en else None
