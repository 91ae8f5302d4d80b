"""Label Studio's JSON: tasks to import, with the annotations as predictions, and what people made of them, exported.

Carries mentions, triggers, roles (labels of relations), factuality (a choice for each region), ids, dates, headers and
scores; not scores of arguments. Offsets count code points, as those of Label Studio do; very old releases differ.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

from saytara.corpus.formats.draft import Draft, DraftLink, DraftSpan, spans_of
from saytara.corpus.formats.files import read_json
from saytara.corpus.formats.headers import document_of, header_of
from saytara.corpus.formats.losses import Losses, left_out
from saytara.corpus.rules import show
from saytara.document import Annotation, Span
from saytara.errors import DataError
from saytara.files import atomic_write
from saytara.schema import Schema

LEAVES_OUT = ("scores of arguments", "warnings", "entries of the gazetteers")
LABEL, FACTUALITY, TEXT = "label", "factuality", "text"
"""Names of the tags of the labelling interface."""
OWN_KEYS = ("id", "text")
COLOURS = ("#4c78a8", "#54a24b", "#b279a2", "#9d755d", "#e45756", "#f58518", "#eeca3b", "#72b7b2", "#ff9da6", "#bab0ac")
Record = Mapping[str, Any]


def read_label_studio(path: Path, schema: Schema) -> tuple[list[Annotation], Losses]:
    """Read an export (JSON, not JSON-MIN) or a file of tasks.

    Of each task the annotation that is marked as ground truth counts, else the latest. Predictions count only in a file
    where no task has an annotation: beside corrected tasks, what nobody has looked at is left out.
    """
    tasks = read_json(path)
    if not isinstance(tasks, list) or not all(isinstance(task, Mapping) for task in tasks):
        raise DataError("is no list of tasks. Export from Label Studio as JSON.", where=str(path))
    losses: Losses = Counter()
    are_corrected = any(task.get("annotations") for task in tasks)
    annotations = []
    for number, task in enumerate(tasks, 1):
        reader = _Reader(task, f"{path}: task {task.get('id', number)}", schema, losses)
        results = reader.results(are_corrected=are_corrected)
        if results is not None:
            annotations.append(reader.annotation(results, keep_scores=not are_corrected))
    return annotations, +losses


def write_label_studio(path: Path, annotations: Sequence[Annotation], schema: Schema) -> Losses:
    """Write tasks with predictions, and beside them, as ``.xml``, the labelling interface; gives what was left out."""
    tasks = [_task(annotation) for annotation in annotations]
    with atomic_write(path) as file:
        file.write(json.dumps(tasks, ensure_ascii=False, indent=1).encode() + b"\n")
    with atomic_write(path.with_suffix(".xml")) as file:
        file.write(labelling_interface(schema).encode())
    return left_out(annotations, schema, LEAVES_OUT)


def labelling_interface(schema: Schema) -> str:
    """The labelling interface of a project for the schema, to paste into its settings."""
    labels = [*schema.mentions, *schema.events]
    lines = ['<View style="direction: rtl">']
    if schema.roles:
        lines += ['  <Relations choice="multiple">', *_tags("Relation", schema.roles), "  </Relations>"]
    colours = [f' background="{COLOURS[i % len(COLOURS)]}"' for i in range(len(labels))]
    lines += [f'  <Labels name="{LABEL}" toName="{TEXT}">', *_tags("Label", labels, colours), "  </Labels>"]
    lines += [f'  <Text name="{TEXT}" value="${TEXT}" granularity="word"/>']
    if schema.events:
        events = quoteattr(",".join(schema.events))
        when = f'visibleWhen="region-selected" whenTagName="{LABEL}" whenLabelValue={events}'
        lines += [f'  <Choices name="{FACTUALITY}" toName="{TEXT}" perRegion="true" choice="single" {when}>']
        lines += [*_tags("Choice", schema.factuality), "  </Choices>"]
    return "\n".join([*lines, "</View>", ""])


def _tags(tag: str, values: Iterable[str], more: Sequence[str] | None = None) -> list[str]:
    return [f"    <{tag} value={quoteattr(value)}{more[i] if more else ''}/>" for i, value in enumerate(values)]


def _task(annotation: Annotation) -> dict[str, Any]:
    document = annotation.document
    scores = {mention.id: mention.score for mention in annotation.mentions}
    scores |= {event.id: event.score for event in annotation.events}
    result = [
        _region(annotation, name, span, "labels", label, score=scores[name])
        for name, label, span in spans_of(annotation)
    ]
    for event in annotation.events:
        score = event.factuality_score
        result.append(_region(annotation, event.id, event.trigger, "choices", event.factuality, score=score))
        roles: dict[str, list[str]] = {}
        for argument in event.arguments:
            roles.setdefault(argument.mention, []).append(argument.role)
        result += [
            {"type": "relation", "from_id": event.id, "to_id": mention, "direction": "right", "labels": labels}
            for mention, labels in roles.items()
        ]
    data = {"id": document.id, "text": document.text, **header_of(document, OWN_KEYS)}
    return {"data": data, "predictions": [{"model_version": "saytara", "result": result}]}


def _region(annotation: Annotation, name: str, span: Span, kind: str, value: str, *, score: float) -> dict[str, Any]:
    region = {
        "id": name,
        "from_name": LABEL if kind == "labels" else FACTUALITY,
        "to_name": TEXT,
        "type": kind,
        "value": {"start": span.start, "end": span.end, "text": annotation.text_of(span), kind: [value]},
    }
    return region if score == 1.0 else {**region, "score": score}


class _Reader:
    """Reads one task."""

    def __init__(self, task: Record, where: str, schema: Schema, losses: Losses) -> None:
        self.task = task
        self.where = where
        self.schema = schema
        self.losses = losses

    def results(self, *, are_corrected: bool) -> Sequence[Record] | None:
        """The results of the annotation, or else prediction, that counts; None where the task is to be left out."""
        if "data" not in self.task:
            raise DataError("has no `data`. Export from Label Studio as JSON, not as JSON-MIN.", where=self.where)
        key = "annotations" if are_corrected else "predictions"
        done = [entry for entry in self._list(self.task.get(key)) if not entry.get("was_cancelled")]
        if not done and are_corrected:
            self.losses["tasks that nobody has annotated"] += 1
            return None
        if not done:
            return []
        self.losses["further annotations of a task"] += len(done) - 1
        best = max(enumerate(done), key=lambda item: (bool(item[1].get("ground_truth")), _time(item[1]), item[0]))
        return self._list(best[1].get("result"))

    def _list(self, value: Any) -> list[Record]:
        values = [] if value is None else value
        if not isinstance(values, list) or not all(isinstance(item, Mapping) for item in values):
            raise DataError(f"{show(value)} is no list of objects. Export from Label Studio as JSON.", where=self.where)
        return values

    def annotation(self, results: Sequence[Record], *, keep_scores: bool) -> Annotation:
        data = self.task["data"]
        if not isinstance(data, Mapping):
            raise DataError("`data` is no object.", where=self.where)
        header = {key: value for key, value in data.items() if key not in OWN_KEYS}
        name = data.get("id", self.task.get("id"))
        draft = Draft(document_of(name, data.get("text"), header, self.where, self.losses), self.where)
        spans: dict[str, DraftSpan] = {}
        for result in results:
            if result.get("type") == "labels":
                region = self._span(result, keep_scores=keep_scores)
                if region.key in spans:
                    raise DataError("has two labels. Give each region one.", where=region.where)
                spans[region.key] = region
        for result in results:
            if result.get("type") == "relation":
                draft.links += self._links(result)
            elif result.get("type") == "choices" and str(result.get("id")) in spans:
                self._choose(spans[str(result["id"])], result, keep_scores=keep_scores)
            elif result.get("type") != "labels":
                self.losses[f"results of type {result.get('type')}"] += 1
        draft.spans = list(spans.values())
        return draft.finish(self.schema)

    def _span(self, result: Record, *, keep_scores: bool) -> DraftSpan:
        where = f"{self.where}, region {show(result.get('id'))}"
        value = result.get("value")
        labels = value.get("labels") if isinstance(value, Mapping) else None
        if not isinstance(value, Mapping) or not isinstance(labels, list) or len(labels) != 1:
            raise DataError(f"has the labels {show(labels)}. Give each region one.", where=where)
        try:
            span = Span(int(value["start"]), int(value["end"]))
        except (KeyError, TypeError, ValueError) as error:
            raise DataError("has no whole numbers as start and end.", where=where) from error
        claimed = value.get("text")
        claimed = claimed.replace("\\n", "\n") if isinstance(claimed, str) else None  # older versions escape line ends
        score = _score(result) if keep_scores else 1.0
        return DraftSpan(str(result["id"]), str(labels[0]), span, where, claimed, score=score)

    def _choose(self, span: DraftSpan, result: Record, *, keep_scores: bool) -> None:
        """Note the factuality that was chosen for a region."""
        value = result.get("value")
        choices = value.get("choices") if isinstance(value, Mapping) else None
        if result.get("from_name") != FACTUALITY:
            self.losses[f"choices {result.get('from_name')}"] += 1
        elif not isinstance(choices, list) or len(choices) != 1:
            raise DataError(f"has the factuality {show(choices)}. Choose one.", where=span.where)
        else:
            span.factuality = str(choices[0])
            span.factuality_score = _score(result) if keep_scores else 1.0

    def _links(self, result: Record) -> list[DraftLink]:
        one, other = str(result.get("from_id")), str(result.get("to_id"))
        where = f"{self.where}, relation from {show(one)} to {show(other)}"
        if not result.get("labels"):
            raise DataError("has no role. Choose one in Label Studio, or delete the relation.", where=where)
        return [DraftLink(str(role), one, other, where) for role in result["labels"]]


def _time(entry: Record) -> str:
    return str(entry.get("updated_at") or entry.get("created_at") or "")


def _score(result: Record) -> float:
    score = result.get("score")
    return float(score) if isinstance(score, int | float) else 1.0
