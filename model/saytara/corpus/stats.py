"""The numbers of a datasheet: how large, how dense, how varied a corpus is, as a dict, a table, a plot.

Finds no faults; that is `check`'s.
"""

import hashlib
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from saytara.corpus.check import label_counts
from saytara.corpus.texts import WORD, sentence_spans, word_shingles
from saytara.document import Annotation
from saytara.errors import MissingExtraError
from saytara.files import atomic_write
from saytara.schema import Schema

RUN_WORDS = 5
"""Length of the runs of words by which repetition is measured."""
SAMPLE_WORDS = 10_000
"""Measures that grow with a corpus are taken of a sample of this size as well, so that corpora compare."""
QUANTILES = (10, 25, 50, 75, 90)


def corpus_stats(
    annotations: Sequence[Annotation], schema: Schema, *, sample_words: int = SAMPLE_WORDS
) -> dict[str, Any]:
    """The datasheet numbers of a corpus; None stands where the corpus is too small for the sample."""
    words = sum(len(annotation.document.text.split()) for annotation in annotations)
    events = [event for annotation in annotations for event in annotation.events]
    counts = label_counts(annotations)
    sample = sample_documents(annotations, words=sample_words)
    empty = sum(not annotation.events for annotation in annotations)
    return {
        "documents": len(annotations),
        "documents_without_event": _ratio(empty, len(annotations)),
        "words": words,
        "words_per_document": _ratio(words, len(annotations)),
        "triggers": len(events),
        "triggers_per_100_words": _ratio(100 * len(events), words),
        "arguments_per_trigger": _ratio(sum(len(event.arguments) for event in events), len(events)),
        "mentions": sum(len(annotation.mentions) for annotation in annotations),
        "labels": {name: counts["label", name] for name in schema.mentions},
        "types": {name: counts["event type", name] for name in schema.events},
        "roles": {name: counts["role", name] for name in schema.roles},
        "factuality": {name: counts["factuality", name] for name in schema.factuality},
        "sentences": _sentence_stats(annotations),
        "repetition": repetition(annotations),
        "sample": {
            "words": sample_words,
            "type_token_ratio": type_token_ratio(sample, words=sample_words) if sample else None,
            "repetition": repetition(sample) if sample else None,
        },
        "countries": _by_meta(annotations, "country"),
        "splits": _by_meta(annotations, "split"),
    }


def sample_documents(annotations: Sequence[Annotation], *, words: int) -> list[Annotation]:
    """Whole documents of at least that many words in all, chosen by the hash of their id; none if they are too few."""
    chosen: list[Annotation] = []
    count = 0
    for annotation in sorted(annotations, key=_hash_order):
        if count >= words:
            break
        chosen.append(annotation)
        count += len(WORD.findall(annotation.document.text))
    return chosen if count >= words else []


def type_token_ratio(annotations: Sequence[Annotation], *, words: int) -> float:
    """Different words among the first `words` of the documents."""
    tokens = [token for annotation in annotations for token in WORD.findall(annotation.document.text)][:words]
    return _ratio(len(set(tokens)), len(tokens))


def repetition(annotations: Sequence[Annotation]) -> dict[str, float | int]:
    """How much of a corpus recurs: runs of words, the same with spans masked by their label, whole masked sentences.

    A run counts as shared when more than one document has it.
    """
    runs = Counter(run for annotation in annotations for run in word_shingles(annotation.document.text, size=RUN_WORDS))
    frames = Counter(run for annotation in annotations for run in _frame_runs(annotation))
    sentences = Counter(frame for annotation in annotations for frame in masked_sentences(annotation))
    whole = {frame: count for frame, count in sentences.items() if len(frame) >= RUN_WORDS}
    return {
        "shared_runs": _share_above(runs, 1),
        "shared_frame_runs": _share_above(frames, 1),
        "frame_runs_in_more_than_3": sum(count > 3 for count in frames.values()),
        "most_documents_with_one_frame_run": max(frames.values(), default=0),
        "repeated_sentence_frames": sum(count > 1 for count in whole.values()),
        "most_repeats_of_one_sentence_frame": max(whole.values(), default=0),
    }


def recurring_frames(annotations: Sequence[Annotation], *, at_least: int) -> list[tuple[str, int]]:
    """Masked runs of words that at least so many documents have, the most frequent first."""
    frames = Counter(run for annotation in annotations for run in _frame_runs(annotation))
    found = [(" ".join(run), count) for run, count in frames.items() if count >= at_least]
    return sorted(found, key=lambda item: (-item[1], item[0]))


def masked_sentences(annotation: Annotation) -> Iterator[tuple[str, ...]]:
    """The words of each sentence, a label in place of each annotated span."""
    text = annotation.document.text
    labelled = [(mention.span, mention.label) for mention in annotation.mentions]
    labelled = sorted([*labelled, *((event.trigger, event.type) for event in annotation.events)])
    for sentence in sentence_spans(text):
        words, at = [], sentence.start
        for span, label in labelled:
            if sentence.start <= span.start < sentence.end:
                words += [*WORD.findall(text[at : span.start]), label]
                at = span.end
        yield (*words, *WORD.findall(text[at : max(at, sentence.end)]))


def stats_table(stats: Mapping[str, Mapping[str, Any]]) -> str:
    """A Markdown table with one column for each corpus."""
    columns = {name: dict(_flat(values)) for name, values in stats.items()}
    keys = list(dict.fromkeys(key for column in columns.values() for key in column))
    lines = [f"| | {' | '.join(columns)} |", f"|---|{'---:|' * len(columns)}"]
    for key in keys:
        cells = [_cell(column.get(key)) for column in columns.values()]
        lines.append(f"| {key.replace('_', ' ')} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def plot_stats(stats: Mapping[str, Mapping[str, Any]], path: Path) -> None:
    """Draw labels, types, roles and factuality of each corpus, as shares, into a PNG file."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError("A plot", extra="plot") from error
    figure = Figure(figsize=(12, 8), layout="constrained")
    axes = figure.subplots(2, 2).flat
    for axis, key in zip(axes, ("labels", "types", "roles", "factuality"), strict=True):
        for i, (name, values) in enumerate(stats.items()):
            counts, total = values[key], sum(values[key].values()) or 1
            width = 0.8 / len(stats)
            places = [place + i * width for place in range(len(counts))]
            axis.bar(places, [count / total for count in counts.values()], width=width, label=name)
            axis.set_xticks([place + 0.4 - width / 2 for place in range(len(counts))], list(counts), rotation=30)
        axis.set_title(key)
        axis.set_ylabel("share")
    if stats:
        figure.axes[0].legend()
    with atomic_write(path) as file:
        figure.savefig(file, format="png", metadata={"Software": None})


def _sentence_stats(annotations: Iterable[Annotation]) -> dict[str, Any]:
    lengths = [
        len(annotation.text_of(sentence).split())
        for annotation in annotations
        for sentence in sentence_spans(annotation.document.text)
    ]
    if len(lengths) < 2:
        return {"count": len(lengths), "mean_words": float(sum(lengths)), "sd_words": 0.0}
    percentiles = statistics.quantiles(lengths, n=100, method="inclusive")
    return {
        "count": len(lengths),
        "mean_words": round(statistics.fmean(lengths), 2),
        "sd_words": round(statistics.stdev(lengths), 2),
        **{f"p{quantile}_words": percentiles[quantile - 1] for quantile in QUANTILES},
    }


def _by_meta(annotations: Iterable[Annotation], key: str) -> dict[str, dict[str, int]]:
    """Documents, words and triggers by a value of the header, the largest first."""
    counts: dict[str, dict[str, int]] = defaultdict(lambda: {"documents": 0, "words": 0, "triggers": 0})
    for annotation in annotations:
        value = annotation.document.meta.get(key)
        if value is None:
            continue
        row = counts[str(value)]
        row["documents"] += 1
        row["words"] += len(annotation.document.text.split())
        row["triggers"] += len(annotation.events)
    return dict(sorted(counts.items(), key=lambda item: (-item[1]["documents"], item[0])))


def _frame_runs(annotation: Annotation) -> set[tuple[str, ...]]:
    """The runs of words of each masked sentence, each once."""
    return {
        frame[i : i + RUN_WORDS] for frame in masked_sentences(annotation) for i in range(len(frame) - RUN_WORDS + 1)
    }


def _share_above(counts: Mapping[tuple[str, ...], int], limit: int) -> float:
    return _ratio(sum(count > limit for count in counts.values()), len(counts))


def _ratio(part: float, whole: float) -> float:
    return round(part / whole, 4) if whole else 0.0


def _hash_order(annotation: Annotation) -> bytes:
    return hashlib.sha256(annotation.document.id.encode(errors="surrogatepass")).digest()


def _flat(values: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Nested values as rows: ``types: CAPTURE``."""
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{key}: ")
        else:
            yield f"{before}{key}", value


def _cell(value: object) -> str:
    if value is None:
        return "–"
    return f"{value:,}" if isinstance(value, int) else f"{value:g}" if isinstance(value, float) else str(value)
