"""The ``saytara ledger``, ``saytara who-held`` and ``saytara timeline`` commands.

Parses and prints; the ledger itself is in `ledger`.
"""

import argparse
import datetime
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from saytara.document import Annotation
from saytara.errors import DataError, SaytaraError
from saytara.facts.ledger import Ledger, PlaceSummary
from saytara.facts.timeline import ControlState


def add_facts_commands(commands: Any) -> None:
    """Add the commands to the parser of ``saytara``."""
    ledger = commands.add_parser("ledger", help="add reports to a ledger of who holds what")
    ledger.add_argument("inputs", nargs="+", help="reports, or what `saytara predict` wrote of them (.jsonl)")
    ledger.add_argument("--ledger", type=Path, default=Path("ledger.sqlite"), help="default: %(default)s")
    ledger.add_argument("--model", default="compact", help="checkpoint for reports that are not predicted yet")
    ledger.add_argument("--strict", action="store_true", help="stop at the first bad record, with exit status 2")
    ledger.set_defaults(run=_ledger)
    held = commands.add_parser("who-held", help="who held a place on a day, according to whom")
    held.add_argument("place", help="name in Arabic or English, or key")
    held.add_argument("day", help="ISO day, such as 2024-12-07")
    _add_query_options(held)
    held.set_defaults(run=_who_held)
    line = commands.add_parser("timeline", help="control states of a place, one after the other")
    line.add_argument("place", help="name in Arabic or English, or key")
    _add_query_options(line)
    line.set_defaults(run=_timeline)


def _add_query_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--ledger", type=Path, default=Path("ledger.sqlite"), help="default: %(default)s")
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")


def _ledger(options: argparse.Namespace) -> int:
    problems: list[DataError] = []
    with Ledger(options.ledger) as ledger:
        added, known = ledger.append(_annotations(options, problems))
        print(f"{options.ledger}: {added} reports added or changed, {known} stood there already, {len(problems)} passed over")
    return 2 if problems and options.strict else 0


def _annotations(options: argparse.Namespace, problems: list[DataError]) -> Iterator[Annotation]:
    """Annotations of predicted records as they are, of raw reports by running the checkpoint."""
    from saytara.inputs import read_documents
    from saytara.output import from_output
    from saytara.pipeline import Extractor
    from saytara.schema import CONTROL_CHANGE

    extractor: Extractor | None = None
    for item in read_documents(options.inputs):
        try:
            if isinstance(item, DataError):
                raise item
            if "events" in item.meta and "model" in item.meta:
                record = {**item.meta, "id": item.id, "text": item.text, "date": item.date and item.date.isoformat()}
                yield from_output(record, CONTROL_CHANGE)
                continue
        except DataError as error:
            problems.append(error)
            print(f"saytara: {error}", file=sys.stderr)
            if options.strict:
                return
            continue
        extractor = extractor or Extractor.from_pretrained(options.model)
        yield extractor.extract_document(item)


def _one_place(ledger: Ledger, name: str) -> PlaceSummary:
    found = ledger.find_places(name)
    if not found:
        raise SaytaraError(f"no report in {ledger.path} tells of a place {name!r}. `saytara timeline` takes names as the reports spell them.")
    if len(found) > 1:
        listed = "; ".join(f"{place.key} ({place.name}, {place.admin1 or '?'}, {place.country or '?'})" for place in found)
        raise SaytaraError(f"several places match {name!r}: {listed}. Give the key of one.")
    return found[0]


def _open(options: argparse.Namespace) -> Ledger:
    if not options.ledger.exists():
        raise SaytaraError(f"{options.ledger} does not exist. Make it with: saytara ledger REPORTS --ledger {options.ledger}")
    return Ledger(options.ledger)


def _who_held(options: argparse.Namespace) -> int:
    try:
        day = datetime.date.fromisoformat(options.day)
    except ValueError as error:
        raise SaytaraError(f"the day must be ISO, such as 2024-12-07; got {options.day!r}") from error
    with _open(options) as ledger:
        place = _one_place(ledger, options.place)
        states = ledger.who_held(place.key, day)
    _show(place, states, options, empty=f"{place.name}: nothing known up to {day}")
    return 0


def _timeline(options: argparse.Namespace) -> int:
    with _open(options) as ledger:
        place = _one_place(ledger, options.place)
        states = ledger.timeline(place.key)
    _show(place, states, options, empty=f"{place.name}: no state of control known")
    return 0


def _show(place: PlaceSummary, states: list[ControlState], options: argparse.Namespace, *, empty: str) -> None:
    if options.json:
        print(json.dumps({"place": asdict(place), "states": [asdict(state) for state in states]}, ensure_ascii=False, default=str, indent=2))
        return
    if not states:
        print(empty)
        return
    print(f"{place.name} ({place.key})")
    for state in states:
        days = f"{state.since or '?'} – {state.until or ''}".rstrip()
        contradiction = ", open contradiction" if state.is_open_contradiction else ""
        print(f"  {days}  {state.state} ({state.type}, {state.status}, confidence {state.confidence:.2f}{contradiction})")
        for version in state.versions:
            holders = "، ".join(version.holders) or "nobody named"
            verb = "denied; then it is held by" if version.is_denial else "held by" if state.state != "besieged" else "besieged, held by"
            print(f"      {verb} {holders}, according to {'، '.join(version.according_to) or 'nobody named'}")
        print(f"      from {', '.join(state.records)}")
