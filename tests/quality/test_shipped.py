"""The packaged checkpoint against what was recorded: accuracy, slices, calibration, speed, two scorers.

Minutes; needs the real dev passages, which are not redistributed: ../shared, or the folder in SAYTARA_SHARED.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from saytara.checkpoint import packaged_folder
from saytara.cli import main
from saytara.corpus.jsonl import read_corpus
from saytara.pipeline import Extractor
from saytara.schema import CONTROL_CHANGE

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("SAYTARA_SHARED", ROOT.parent / "shared"))
DEV = SHARED / "data" / "dev.jsonl"
SCORER = SHARED / "tools" / "score.py"

if not (packaged_folder() / "compact").is_dir():
    pytest.skip("no checkpoint is packaged in this tree", allow_module_level=True)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not DEV.is_file(), reason=f"{DEV} is not here: set SAYTARA_SHARED to the folder of the real set"
    ),
]

TOLERANCE = 0.005
SLICE_TOLERANCE = 0.03
"""Slices are small: on another processor a few documents may fall otherwise."""
CALIBRATION = {"mention": 0.06, "argument": 0.1, "factuality": 0.1, "event": 0.1}
"""Largest expected calibration error of each kind of score."""
SECONDS_FOR_100_WORDS = 2.0
"""Processor seconds; a tenth of it is usual, and test machines are busy."""

MEASURES = ("entity", "trigger-i", "trigger", "argument", "event", "event-strict", "factuality", "attribution")
SLICES = (
    *("value:denied", "value:prospective"),
    *("role:claimant", "role:reporter", "role:displaced"),
    *("type:CAPTURE", "type:WITHDRAWAL", "type:HANDOVER", "type:SIEGE", "type:HOLD"),
    *("label:ACTOR", "label:PLACE", "label:SOURCE", "label:TIME"),
)
NAMES_OF_SCORER = {
    "entity": "entity",
    "trigger-i": "trigger-I",
    "trigger": "trigger-C",
    "argument": "argument",
    "event": "event",
    "event-strict": "event-strict",
}


@pytest.fixture(scope="module")
def recorded() -> dict[str, Any]:
    return dict(json.loads((ROOT / "benchmarks" / "results" / "dev.json").read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What `saytara evaluate` writes now."""
    output = tmp_path_factory.mktemp("quality") / "figures.json"
    assert main(["evaluate", "--data", str(DEV), "--output", str(output)]) == 0
    return dict(json.loads(output.read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the independent scorer says of `saytara predict`'s output."""
    if not SCORER.is_file():
        pytest.skip(f"{SCORER} is not here")
    output = tmp_path_factory.mktemp("quality") / "predicted.jsonl"
    assert main(["predict", str(DEV), "--quiet", "--output", str(output)]) == 0
    command = [sys.executable, "-X", "utf8", str(SCORER), str(DEV), str(output), "--json"]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "differs from gold" not in result.stderr
    return dict(json.loads(result.stdout))


@pytest.mark.parametrize("measure", MEASURES)
def test_score_is_the_recorded_one(measured: dict[str, Any], recorded: dict[str, Any], measure: str) -> None:
    assert measured[measure]["f1"] == pytest.approx(recorded[measure]["f1"], abs=TOLERANCE)


@pytest.mark.parametrize("name", SLICES)
def test_slice_scores_as_recorded(measured: dict[str, Any], recorded: dict[str, Any], name: str) -> None:
    assert measured[name]["gold"] > 0
    assert measured[name]["f1"] == pytest.approx(recorded[name]["f1"], abs=SLICE_TOLERANCE)


def test_claims_are_told_from_plain_statements(measured: dict[str, Any]) -> None:
    """Better than calling every event `stated`, which needs no reading."""
    gold = read_corpus(DEV, CONTROL_CHANGE)
    events = [event for annotation in gold for event in annotation.events]
    stated = sum(not event.fillers("claimant") and not event.fillers("reporter") for event in events)
    assert measured["attribution"]["f1"] > stated / len(events)


def test_passages_without_events_stay_mostly_without(measured: dict[str, Any], recorded: dict[str, Any]) -> None:
    without, before = measured["without_events"], recorded["without_events"]
    assert without["documents"] == before["documents"] > 0
    assert without["documents_with_false_events"] <= before["documents_with_false_events"] + 1


@pytest.mark.parametrize("kind", CALIBRATION)
def test_scores_are_calibrated(measured: dict[str, Any], kind: str) -> None:
    assert measured["calibration_error"][kind] <= CALIBRATION[kind]


@pytest.mark.parametrize("measure", NAMES_OF_SCORER)
def test_predictions_score_the_same_by_the_independent_scorer(
    measured: dict[str, Any], scored: dict[str, Any], measure: str
) -> None:
    theirs, ours = scored[NAMES_OF_SCORER[measure]], measured[measure]
    assert (theirs["tp"], theirs["pred"], theirs["gold"]) == (ours["hits"], ours["predicted"], ours["gold"])
    assert theirs["f"] == pytest.approx(ours["f1"], abs=1e-4)


@pytest.mark.parametrize("measure", ["factuality", "attribution"])
def test_accuracies_are_the_same_by_the_independent_scorer(
    measured: dict[str, Any], scored: dict[str, Any], measure: str
) -> None:
    assert scored[measure] == pytest.approx(measured[measure]["f1"], abs=1e-4)


@pytest.mark.parametrize("name", [name for name in SLICES if not name.startswith("value:")])
def test_slices_score_the_same_by_the_independent_scorer(
    measured: dict[str, Any], scored: dict[str, Any], name: str
) -> None:
    theirs, ours = scored["per"][name.partition(":")[2]], measured[name]
    assert (theirs["tp"], theirs["pred"], theirs["gold"]) == (ours["hits"], ours["predicted"], ours["gold"])


def test_a_report_is_read_in_good_time() -> None:
    extractor = Extractor.from_pretrained("compact")
    text = (ROOT / "examples" / "contested-town.txt").read_text(encoding="utf-8")
    extractor.extract(text)
    seconds = []
    for _ in range(5):
        start = time.process_time()
        extractor.extract(text)
        seconds.append(time.process_time() - start)
    assert statistics.median(seconds) / len(text.split()) * 100 < SECONDS_FOR_100_WORDS
