"""The ``saytara data`` commands.

Parses and prints; compiling, checking and converting are the corpus package's other modules.
"""

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from saytara.corpus.schemas import load_schema
from saytara.document import Annotation
from saytara.errors import ConfigError, closest
from saytara.schema import CONTROL_CHANGE

RUN_WORDS = 7
LEVELS = ("error", "warning", "notice")


def add_data_commands(actions: Any) -> None:
    """Add ``compile``, ``check``, ``stats``, ``import`` and ``export`` to the sub-parsers of ``saytara data``."""
    compile_ = actions.add_parser("compile", help="compile markup reports to train, dev and test JSON Lines")
    compile_.add_argument("--reports", type=Path, default=Path("data/reports"), help="default: %(default)s")
    compile_.add_argument("--output", type=Path, default=Path("data"), help="default: %(default)s")
    compile_.set_defaults(run=_compile)
    _add_check(actions)
    _add_stats(actions)
    _add_import(actions)
    _add_export(actions)


def _add_schema(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--schema", default=CONTROL_CHANGE.name, help="control-change, ner or a JSON file (default: %(default)s)"
    )


def _compile(options: argparse.Namespace) -> int:
    from saytara.corpus.build import compile_reports

    print(compile_reports(options.reports, options.output, CONTROL_CHANGE))
    return 0


def _add_check(actions: Any) -> None:
    parser = actions.add_parser("check", help="find faults: spans, roles, forgotten names, near-duplicates, leaks")
    parser.add_argument("inputs", nargs="+", type=Path, help="markup (.txt) or .jsonl files, or folders of them")
    parser.add_argument("--level", choices=LEVELS, default="notice", help="show nothing less grave (default: all)")
    parser.add_argument(
        "--against",
        nargs="+",
        type=Path,
        default=[],
        metavar="FILE",
        help="texts (.txt, .jsonl, .jsonl.gz) with which no run of words may be shared: published ones, a test set",
    )
    parser.add_argument(
        "--run-words", type=int, default=RUN_WORDS, help="length of such a run (default: %(default)s words)"
    )
    _add_schema(parser)
    parser.set_defaults(run=_check)


def _check(options: argparse.Namespace) -> int:
    """Print the findings and counts; status 1 where there is an error."""
    from saytara.corpus.audit import audit, check_against
    from saytara.corpus.check import describe

    if options.run_words < 1:
        raise ConfigError(f"--run-words is {options.run_words}; give at least 1.")
    splits, findings = audit(options.inputs, load_schema(options.schema))
    findings += check_against(splits, options.against, words=options.run_words)
    for finding in findings:
        if LEVELS.index(finding.level) <= LEVELS.index(options.level):
            print(finding)
    for split, annotations in splits.items():
        print(f"{split}: {describe(annotations)}")
    counts = Counter(finding.level for finding in findings)
    print(f"{counts['error']} errors, {counts['warning']} warnings, {counts['notice']} notices")
    return 1 if counts["error"] else 0


def _add_stats(actions: Any) -> None:
    parser = actions.add_parser("stats", help="count words, labels, roles, repetition; one column for each input")
    parser.add_argument("inputs", nargs="+", type=Path, help="markup (.txt) or .jsonl files, or folders of them")
    parser.add_argument("--output", type=Path, help="write the figures as JSON")
    parser.add_argument("--markdown", action="store_true", help="print a Markdown table")
    parser.add_argument("--plot", type=Path, help="draw labels, types, roles and factuality into a PNG file")
    _add_schema(parser)
    parser.set_defaults(run=_stats)


def _stats(options: argparse.Namespace) -> int:
    from saytara.corpus.formats.own import read_own
    from saytara.corpus.stats import corpus_stats, plot_stats, stats_table
    from saytara.files import atomic_write

    schema = load_schema(options.schema)
    stats = {str(path): corpus_stats(read_own(path, schema)[0], schema) for path in options.inputs}
    table = stats_table(stats)
    print(table if options.markdown else _align(table), end="")
    if options.output:
        with atomic_write(options.output) as file:
            file.write((json.dumps(stats, ensure_ascii=False, indent=2) + "\n").encode())
    if options.plot:
        plot_stats(stats, options.plot)
    return 0


def _align(table: str) -> str:
    """A Markdown table as plain columns."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    rows = [rows[0], *rows[2:]]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [row[0].ljust(widths[0])] + [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines) + "\n"


def _formats() -> str:
    from saytara.corpus.formats import FORMATS

    return "; ".join(f"{name}: {form.files}" for name, form in FORMATS.items())


def _add_import(actions: Any) -> None:
    parser = actions.add_parser(
        "import", help="turn what an annotation tool exported into a corpus", description=f"Formats: {_formats()}."
    )
    parser.add_argument("--from", dest="form", required=True, metavar="FORMAT", help="one of the formats above")
    parser.add_argument("input", type=Path, help="file or folder in that format")
    parser.add_argument("--output", type=Path, required=True, help="corpus to write: .jsonl, or .txt for markup")
    _add_schema(parser)
    parser.set_defaults(run=_import)


def _import(options: argparse.Namespace) -> int:
    from saytara.corpus.formats import read_format, write_format

    schema = load_schema(options.schema)
    form = "markup" if options.output.suffix == ".txt" else "jsonl"
    annotations, _ = read_format(_known(options.form), options.input, schema)
    write_format(form, options.output, annotations, schema)
    print(f"{options.output}: {_describe(annotations)}")
    return 0


def _add_export(actions: Any) -> None:
    parser = actions.add_parser(
        "export",
        help="turn a corpus or predictions into a file for an annotation tool",
        description=f"Formats: {_formats()}.",
    )
    parser.add_argument("--to", dest="form", required=True, metavar="FORMAT", help="one of the formats above")
    parser.add_argument("input", type=Path, help="corpus or predictions (.jsonl), markup (.txt), or a folder of them")
    parser.add_argument("--output", type=Path, required=True, help="file or new folder to write")
    _add_schema(parser)
    parser.set_defaults(run=_export)


def _export(options: argparse.Namespace) -> int:
    from saytara.corpus.formats import unique, write_format
    from saytara.corpus.formats.losses import say_losses
    from saytara.corpus.formats.own import read_own

    schema = load_schema(options.schema)
    form = _known(options.form)
    annotations, losses = read_own(options.input, schema)
    say_losses(f"{options.input}: left out", losses)
    write_format(form, options.output, unique(annotations, options.input), schema)
    print(f"{options.output}: {_describe(annotations)}")
    return 0


def _known(form: str) -> str:
    from saytara.corpus.formats import FORMATS

    if form not in FORMATS:
        raise ConfigError(f"unknown format {form!r}; {closest(form, FORMATS)}.")
    return form


def _describe(annotations: Sequence[Annotation]) -> str:
    mentions = sum(len(annotation.mentions) for annotation in annotations)
    events = sum(len(annotation.events) for annotation in annotations)
    return f"{len(annotations)} documents, {mentions} mentions, {events} events"
