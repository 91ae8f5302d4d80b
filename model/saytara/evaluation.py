"""Evaluate an extractor on gold annotations: end to end and over gold mentions.

Runs the same extractor that predicts; reads and writes no files.
"""

from collections.abc import Sequence
from typing import Any

from saytara.document import Annotation
from saytara.metrics import calibration_error, outcomes, report, score_document
from saytara.pipeline import Extractor

HEADLINES = ("entity", "trigger-i", "trigger", "argument", "event", "event-strict", "factuality", "attribution")


def evaluate(
    extractor: Extractor, gold: Sequence[Annotation], *, detail: bool = True, workers: int = 1
) -> dict[str, Any]:
    """Scores of `extractor` on `gold`; with `detail` per label, type and role, calibration, and over gold mentions."""
    predicted = list(extractor.extract_batch((annotation.document for annotation in gold), workers=workers))
    result = report([score_document(g, p, extractor.schema) for g, p in zip(gold, predicted, strict=True)])
    if not detail:
        return {name: result[name] for name in (*HEADLINES, "without_events") if name in result}
    pairs = [outcomes(g, p) for g, p in zip(gold, predicted, strict=True)]
    result["calibration_error"] = {
        kind: round(calibration_error([outcome for pair in pairs for outcome in pair[kind]]), 4)
        for kind in ("mention", "argument", "factuality", "event")
        if any(pair[kind] for pair in pairs)
    }
    if extractor.schema.events:
        related = [extractor.relate_gold(annotation) for annotation in gold]
        gold_report = report([score_document(g, p, extractor.schema) for g, p in zip(gold, related, strict=True)])
        keep = ("argument", "event", "event-strict", "factuality", "attribution")
        result["gold_mentions"] = {
            name: score for name, score in gold_report.items() if name in keep or name.startswith(("role:", "value:"))
        }
    return result
