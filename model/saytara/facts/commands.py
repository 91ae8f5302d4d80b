"""The ``saytara ledger``, ``who-held``, ``timeline`` and ``render`` commands.

Parses, prints and writes; the ledger is in `ledger`, the forms of output in `export`.
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
from saytara.facts.clusters import EventCluster, cluster
from saytara.facts.ledger import Ledger, PlaceSummary
from saytara.facts.records import to_records
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
    _add_render(commands)


def _add_query_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--ledger", type=Path, default=Path("ledger.sqlite"), help="default: %(default)s")
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")


def _ledger(options: argparse.Namespace) -> int:
    problems: list[DataError] = []
    with Ledger(options.ledger) as ledger:
        added, known = ledger.append(_annotations(options, problems))
        told = f"{added} reports added or changed, {known} stood there already, {len(problems)} passed over"
        print(f"{options.ledger}: {told}")
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
                yield _checked(from_output(record, CONTROL_CHANGE))
                continue
        except DataError as error:
            problems.append(error)
            print(f"saytara: {error}", file=sys.stderr)
            if options.strict:
                return
            continue
        extractor = extractor or Extractor.from_pretrained(options.model)
        yield extractor.extract_document(item)


def _checked(annotation: Annotation) -> Annotation:
    """The annotation; DataError where its events name mentions that it lacks, or its ranges leave the text."""
    where = f"report {annotation.document.id!r}"
    known = {mention.id for mention in annotation.mentions}
    for event in annotation.events:
        if unknown := sorted({argument.mention for argument in event.arguments} - known):
            raise DataError(f"event {event.id!r} names mentions that are not there: {', '.join(unknown)}.", where=where)
    for span in (*(mention.span for mention in annotation.mentions), *(event.trigger for event in annotation.events)):
        if not 0 <= span.start < span.end <= len(annotation.document.text):
            raise DataError(f"the range {span.start}–{span.end} is not one of its text.", where=where)
    return annotation


def _one_place(ledger: Ledger, name: str) -> PlaceSummary:
    found = ledger.find_places(name)
    if not found:
        raise SaytaraError(
            f"no report in {ledger.path} tells of a place {name!r}. "
            "`saytara timeline` takes names as the reports spell them."
        )
    if len(found) > 1:
        listed = "; ".join(
            f"{place.key} ({place.name}, {place.admin1 or '?'}, {place.country or '?'})" for place in found
        )
        raise SaytaraError(f"several places match {name!r}: {listed}. Give the key of one.")
    return found[0]


def _open(options: argparse.Namespace) -> Ledger:
    if not options.ledger.exists():
        raise SaytaraError(
            f"{options.ledger} does not exist. Make it with: saytara ledger REPORTS --ledger {options.ledger}"
        )
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
        print(
            json.dumps(
                {"place": asdict(place), "states": [asdict(state) for state in states]},
                ensure_ascii=False,
                default=str,
                indent=2,
            )
        )
        return
    if not states:
        print(empty)
        return
    print(f"{place.name} ({place.key})")
    for state in states:
        days = f"{state.since or '?'} – {state.until or ''}".rstrip()
        contradiction = ", open contradiction" if state.is_open_contradiction else ""
        print(
            f"  {days}  {state.state} ({state.type}, {state.status}, confidence {state.confidence:.2f}{contradiction})"
        )
        for version in state.versions:
            holders = "، ".join(version.holders) or "nobody named"
            verb = (
                "denied; then it is held by"
                if version.is_denial
                else "held by"
                if state.state != "besieged"
                else "besieged, held by"
            )
            print(f"      {verb} {holders}, according to {'، '.join(version.according_to) or 'nobody named'}")
        print(f"      from {', '.join(state.records)}")


def _add_render(commands: Any) -> None:
    parser = commands.add_parser(
        "render", help="write reports or a ledger as CSV, GeoJSON, Parquet or a page to look at"
    )
    parser.add_argument("inputs", nargs="*", help="reports, or what `saytara predict` wrote of them (.jsonl)")
    parser.add_argument("--to", required=True, choices=("csv", "geojson", "parquet", "html"))
    parser.add_argument("--output", type=Path, required=True, help="file to write")
    parser.add_argument("--ledger", type=Path, help="take what stands in this ledger, instead of inputs")
    parser.add_argument(
        "--rows",
        choices=("records", "events"),
        default="records",
        help="one row each account, or each event (default: %(default)s)",
    )
    parser.add_argument("--bom", action="store_true", help="begin CSV with the mark by which Excel knows UTF-8")
    parser.add_argument("--model", default="compact", help="checkpoint for reports that are not predicted yet")
    parser.add_argument("--strict", action="store_true", help="stop at the first bad record, with exit status 2")
    parser.set_defaults(run=_render)


def _render(options: argparse.Namespace) -> int:
    from saytara.export.tables import need_pyarrow
    from saytara.files import atomic_write

    if bool(options.inputs) == bool(options.ledger):
        raise SaytaraError("`saytara render` takes reports or --ledger FILE: one of them, not both.")
    if options.to == "parquet":
        need_pyarrow()
    problems: list[DataError] = []
    annotations: list[Annotation] = []
    if options.ledger:
        with _open(options) as ledger:
            clusters, texts = ledger.clusters(), ledger.texts()
    else:
        annotations = list(_annotations(options, problems))
        clusters = cluster(record for annotation in annotations for record in to_records(annotation))
        texts = {annotation.document.id: annotation.document.text for annotation in annotations}
    if problems and options.strict:
        return 2  # the output stays what it was
    if problems and not annotations:
        return 1
    with atomic_write(options.output) as file:
        file.write(_rendered(options, clusters, texts, annotations))
    accounts = sum(len(event.records) for event in clusters)
    told = f"{accounts} accounts of {len(clusters)} events in {len(texts)} reports, {len(problems)} passed over"
    print(f"{options.output}: {told}")
    return 0


def _rendered(
    options: argparse.Namespace, clusters: list[EventCluster], texts: dict[str, str], annotations: list[Annotation]
) -> bytes:
    from saytara.export.geojson import to_geojson
    from saytara.export.html import facts_page, report_page
    from saytara.export.tables import cluster_table, record_table, to_csv, to_parquet

    if options.to == "html":
        if len(annotations) == 1:
            return report_page(annotations[0])
        return facts_page(options.ledger.name if options.ledger else options.output.stem, clusters, texts, annotations)
    table = record_table(clusters, texts) if options.rows == "records" else cluster_table(clusters)
    if options.to == "csv":
        return to_csv(table, with_bom=options.bom)
    return to_geojson(table) if options.to == "geojson" else to_parquet(table)
