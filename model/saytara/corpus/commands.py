"""The ``saytara data`` commands.

Parses and prints; compiling, checking and converting are the corpus package's other modules.
"""

import argparse
from pathlib import Path
from typing import Any


def add_data_commands(actions: Any) -> None:
    """Add ``compile``, ``check``, ``stats`` to the sub-parsers of ``saytara data``."""
    compile_ = actions.add_parser("compile", help="compile markup reports to train, dev and test JSON Lines")
    compile_.add_argument("--reports", type=Path, default=Path("data/reports"), help="default: %(default)s")
    compile_.add_argument("--output", type=Path, default=Path("data"), help="default: %(default)s")
    compile_.set_defaults(run=_compile)


def _compile(options: argparse.Namespace) -> int:
    from saytara.corpus.build import compile_reports
    from saytara.schema import CONTROL_CHANGE

    print(compile_reports(options.reports, options.output, CONTROL_CHANGE))
    return 0
