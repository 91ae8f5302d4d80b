"""Second thoughts about annotations that the readers accept: word edges, forgotten repeats, twins, leaks, gaps.

Changes nothing; each finding is for a person to settle.
"""

import re
import sys
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from saytara.corpus.jsonl import check_corpus_file
from saytara.corpus.markup import check_markup_file
from saytara.corpus.texts import SHINGLE_WORDS, WORD, sentence_around, similar_pairs
from saytara.document import Annotation, Event, Span
from saytara.errors import DataError
from saytara.schema import CONTROL_CHANGE, Schema

Level = Literal["error", "warning", "notice"]

NAMES = ("ACTOR", "PLACE", "SOURCE")
"""Labels whose mentions are names, to be annotated again where they recur."""

COMMON_PLACES = frozenset(
    [
        "المدينة",  # the city
        "البلدة",  # the town
        "القرية",  # the village
        "المنطقة",  # the area
        "المحافظة",  # the governorate
        "البلاد",  # the country
        "الحي",  # the quarter
        "المطار",  # the airport
        "القاعدة",  # the base
        "المعبر",  # the crossing
        "السجن",  # the prison
        "الطريق",  # the road
        "العاصمة",  # the capital
        "الحدود",  # the border
        "مناطق",  # areas
        "المناطق",  # the areas
        "القرى",  # the villages
        "البلدات",  # the towns
        "المدن",  # the cities
        "مواقع",  # positions
        "المواقع",  # the positions
        "أراض",  # lands
        "الأراضي",  # the lands
    ]
)
"""Places that are annotated only as an argument, so that a bare repeat is no slip."""

LEFT_OUT: Mapping[str, frozenset[str]] = {
    "PLACE": frozenset(
        [
            *["شمال", "شمالي", "شمالى"],  # north of
            *["جنوب", "جنوبي", "جنوبى"],  # south of
            *["شرق", "شرقي", "شرقى"],  # east of
            *["غرب", "غربي", "غربى"],  # west of
            *["وسط", "قرب", "أطراف", "مشارف", "محيط", "تخوم"],  # middle, near, edges, outskirts, surroundings, borders
            *[
                "جزء",
                "معظم",
                "أغلب",
                "باقي",
                "كامل",
                "بعض",
                "عدة",
                "كل",
            ],  # part, most, most, rest, whole, some, several, all
            *["هذه", "تلك", "هذا"],  # this, that
        ]
    ),
    "ACTOR": frozenset(["عناصر من", "بعض", "عدة", "هذه", "تلك", "هذا"]),  # members of, some, several, this, that
    "TIME": frozenset(
        [
            *["في", "من", "إلى", "على", "حتى", "عن"],  # in, from, to, on, until, about
            *["الآن", "مؤخرا", "مؤخراً", "لاحقا", "لاحقاً", "حاليا", "حالياً"],  # now, lately, later, currently
        ]
    ),
}
"""First word of a span that the guidelines leave out of it (7, 13, 14)."""

NAMED_BY_DIRECTION = frozenset(
    ["دارفور", "كردفان", "السودان", "سيناء", "كيفو", "أفريقيا", "إفريقيا", "الليطاني", "غزة", "وزيرستان"]
)
"""After a direction, the rest of a place whose name holds the direction: the state of North Darfur, South Sudan."""

DENIAL = re.compile(
    r"""\b[وف]?(?: لم | لن | لا | ما | ليس\w* | ولا | دون | عدم | غير | بلا
    | [يتن]?نف[ىيتوا]\w* | نفي\w* | نافي\w* | النفي | فند\w* | [يت]فند\w* | كذ[بّ]\w* | [يت]كذب\w* | تكذيب\w*
    | رفض\w* | [يترن]رفض\w* | رافض\w*
    | فشل\w* | [يت]فشل\w* | أنكر\w* | [يت]نكر\w* | حال\w* | أخفق\w* | عجز\w* | [يت]عجز\w*
    | استبعد\w* | مزاعم | شائعات | إشاعات | ادعاءات | مفبرك\w* | كاذب\w* | مانع\w* | تعذر\w* )\b""",
    re.VERBOSE,
)
"""A word that denies: ``نفت`` (denied), ``لم`` (did not)."""

WITHIN_SPLIT, ACROSS_SPLITS = 0.4, 0.25
"""Jaccard similarity of word shingles from which two documents are twins."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to look at: how grave it is, where it stands, what it is."""

    level: Level
    where: str
    message: str

    def __str__(self) -> str:
        return f"{self.level}: {self.where}: {self.message}"


def check_annotation(annotation: Annotation, schema: Schema, *, where: str) -> list[Finding]:
    """What is odd about one document, in the order of the checks."""
    findings = []
    for check in CHECKS:
        findings += [Finding(level, where, message) for level, message in check(annotation, schema)]
    return findings


def check_corpus(splits: Mapping[str, Sequence[Annotation]], schema: Schema) -> list[Finding]:
    """What is odd about a corpus: each document, twins, leaks between splits, labels that never occur.

    Args:
        splits: annotations by the name of their split or file.
    """
    findings: list[Finding] = []
    for split, annotations in splits.items():
        for annotation in annotations:
            where = f'{split}: document "{annotation.document.id}"'
            findings += check_annotation(annotation, schema, where=where)
    return [*findings, *_leaks(splits), *_twins(splits), *_gaps(splits, schema)]


def check_files(paths: Sequence[Path], schema: Schema) -> tuple[dict[str, list[Annotation]], list[Finding]]:
    """Read and check markup (``.txt``) and JSON Lines files, each a split of its own."""
    splits: dict[str, list[Annotation]] = {}
    findings = []
    for path in paths:
        read = check_corpus_file if path.suffix == ".jsonl" else check_markup_file
        splits[str(path)], problems = read(path, schema)
        findings += [_finding(problem) for problem in problems]
    return splits, [*findings, *check_corpus(splits, schema)]


Findings = Iterator[tuple[Level, str]]


def _word_edges(annotation: Annotation, schema: Schema) -> Findings:
    """Spans that cut a word or hold punctuation at an edge."""
    for name, span in _spans(annotation):
        text = annotation.document.text
        quoted = _quote(annotation, span)
        if not _is_word(text[span.start]) or not _is_word(text[span.end - 1]):
            yield "error", f"{name} {quoted} has white space or punctuation at an edge. Leave it outside."
        elif (span.start > 0 and _is_word(text[span.start - 1])) or (span.end < len(text) and _is_word(text[span.end])):
            yield "error", f"{name} {quoted} cuts a word. Cover whole words, proclitics included."


def _single_words(annotation: Annotation, schema: Schema) -> Findings:
    """Triggers of more than one word."""
    for event in annotation.events:
        if any(character.isspace() for character in annotation.text_of(event.trigger)):
            quoted = _quote(annotation, event.trigger)
            yield "error", f"the trigger {event.id} {quoted} is more than one word. Keep the word that names the event."


def _ids(annotation: Annotation, schema: Schema) -> Findings:
    """Ids that do not begin as the schema says."""
    for mention in annotation.mentions:
        prefix = schema.mentions[mention.label]
        if not re.fullmatch(re.escape(prefix) + r"\d+", mention.id):
            yield "warning", f'the id "{mention.id}" of a {mention.label} does not read {prefix}1, {prefix}2, ….'


def _repeats(annotation: Annotation, schema: Schema) -> Findings:
    """Names that are annotated once and left bare elsewhere in the document."""
    text = annotation.document.text
    taken = [span for _, span in _spans(annotation)]
    told: set[str] = set()
    for mention in annotation.mentions:
        name = annotation.text_of(mention.span)
        if mention.label not in NAMES or name in told or name in COMMON_PLACES or len(name) < 3:
            continue
        told.add(name)
        pattern = re.compile(rf"(?<!\w)[وف]?[بلك]?{re.escape(name)}(?!\w)")
        for match in pattern.finditer(text):
            if not any(span.overlaps(Span(*match.span())) for span in taken):
                around = text[max(0, match.start() - 20) : match.end() + 20].replace("\n", " ")
                yield "warning", f'"{name}" is {mention.label} {mention.id}, but bare in "…{around}…".'


def _span_habits(annotation: Annotation, schema: Schema) -> Findings:
    """Spans that begin with a word that the guidelines leave out."""
    for mention in annotation.mentions:
        words = annotation.text_of(mention.span).split()
        first = words[0] if words else ""
        is_name = any(word in NAMED_BY_DIRECTION for word in words[1:])
        if first in LEFT_OUT.get(mention.label, ()) and not is_name:
            yield (
                "warning",
                f'{mention.label} {mention.id} {_quote(annotation, mention.span)}: leave "{first}" out of it.',
            )


def _event_shape(annotation: Annotation, schema: Schema) -> Findings:
    """Events that lack what nearly all have, or whose roles contradict each other."""
    for event in annotation.events:
        what = f"event {event.id} {_quote(annotation, event.trigger)}"
        if not event.fillers("place"):
            yield "notice", f"{what} has no place."
        if not event.fillers("controller") and not event.fillers("displaced"):
            yield "notice", f"{what} has no party."
        for one, other in (("controller", "displaced"), ("claimant", "reporter")):
            for mention in sorted(set(event.fillers(one)) & set(event.fillers(other))):
                yield "warning", f'{what}: "{mention}" is both {one} and {other}. Choose.'
        if event.type == "WITHDRAWAL" and not event.fillers("displaced") and event.fillers("controller"):
            yield "warning", f"{what} has a controller and nobody displaced. Who leaves is displaced."
        yield from _far_arguments(annotation, event, what)


def _far_arguments(annotation: Annotation, event: Event, what: str) -> Findings:
    """Arguments that stand after the sentence of the trigger, where the guidelines link back only."""
    sentence = sentence_around(annotation.document.text, event.trigger)
    for argument in event.arguments:
        span = annotation.mention(argument.mention).span
        if span.start >= sentence.end and argument.role in ("controller", "displaced", "place"):
            quoted = _quote(annotation, span)
            yield (
                "notice",
                f"{what}: {argument.role} {quoted} stands in a later sentence. Link to the same or an earlier.",
            )


def _denials(annotation: Annotation, schema: Schema) -> Findings:
    """Denied events in a sentence that denies nothing."""
    for event in annotation.events:
        if event.factuality != "denied":
            continue
        sentence = sentence_around(annotation.document.text, event.trigger)
        if not DENIAL.search(annotation.text_of(sentence)):
            yield (
                "warning",
                f"event {event.id} {_quote(annotation, event.trigger)} is denied, but no word there denies.",
            )


def _times(annotation: Annotation, schema: Schema) -> Findings:
    """Times that stand in a role of an event of which they do not share the sentence."""
    for event in annotation.events:
        sentence = sentence_around(annotation.document.text, event.trigger)
        for mention in (annotation.mention(name) for name in event.fillers("time")):
            if not mention.span.overlaps(sentence):
                quoted = _quote(annotation, mention.span)
                yield "notice", f"event {event.id}: its time {mention.id} {quoted} stands in another sentence."


def _blank(annotation: Annotation, schema: Schema) -> Findings:
    """Documents without a word."""
    if not WORD.search(annotation.document.text):
        yield "error", "the text has no word. Remove the document."


CHECKS: tuple[Callable[[Annotation, Schema], Findings], ...] = (
    _blank,
    _word_edges,
    _single_words,
    _ids,
    _repeats,
    _span_habits,
    _event_shape,
    _denials,
    _times,
)


def _leaks(splits: Mapping[str, Sequence[Annotation]]) -> Iterator[Finding]:
    """Ids that occur twice, and groups that lie in more than one split."""
    homes: dict[tuple[str, str], str] = {}
    for split, annotations in splits.items():
        for annotation in annotations:
            document = annotation.document
            where = f'{split}: document "{document.id}"'
            if homes.setdefault(("id", document.id), split) != split:
                yield Finding("error", where, f"the id is also in {homes['id', document.id]}. Rename or remove one.")
            group = document.meta.get("group")
            if group and homes.setdefault(("group", str(group)), split) != split:
                other = homes["group", str(group)]
                yield Finding("error", where, f'group "{group}" is also in {other}. Keep a group in one split.')


def _twins(splits: Mapping[str, Sequence[Annotation]]) -> Iterator[Finding]:
    """Documents that are nearly the same text."""
    rows = [(split, annotation.document) for split, annotations in splits.items() for annotation in annotations]
    for i, j, jaccard in similar_pairs([document.text for _, document in rows], threshold=ACROSS_SPLITS):
        (one, first), (other, second) = rows[i], rows[j]
        if one == other and jaccard < WITHIN_SPLIT:
            continue
        level: Level = "warning" if one == other else "error"
        yield Finding(
            level,
            f'{other}: document "{second.id}"',
            f'nearly the text of document "{first.id}" in {one} (Jaccard {jaccard:.2f} over runs of '
            f"{SHINGLE_WORDS} words). Remove one, or keep both in one split.",
        )


def _gaps(splits: Mapping[str, Sequence[Annotation]], schema: Schema) -> Iterator[Finding]:
    """Labels, types, roles and factuality values that never occur."""
    counts = label_counts(annotation for annotations in splits.values() for annotation in annotations)
    known = {
        "label": schema.mentions,
        "event type": schema.events,
        "role": schema.roles,
        "factuality": schema.factuality,
    }
    for kind, names in known.items():
        absent = [name for name in names if not counts[kind, name]]
        if absent:
            yield Finding("notice", ", ".join(splits), f"no {kind} {', '.join(absent)} occurs.")


def label_counts(annotations: Iterable[Annotation]) -> Counter[tuple[str, str]]:
    """How often each label, event type, role and factuality value occurs."""
    counts: Counter[tuple[str, str]] = Counter()
    for annotation in annotations:
        counts.update(("label", mention.label) for mention in annotation.mentions)
        for event in annotation.events:
            counts["event type", event.type] += 1
            counts["factuality", event.factuality] += 1
            counts.update(("role", argument.role) for argument in event.arguments)
    return counts


def _finding(problem: DataError) -> Finding:
    where = problem.where or ""
    return Finding("error", where, str(problem).removeprefix(f"{where}: "))


def _spans(annotation: Annotation) -> list[tuple[str, Span]]:
    """All spans with a name to call them by, in the order of the text."""
    mentions = [(f"{mention.label} {mention.id}", mention.span) for mention in annotation.mentions]
    triggers = [(f"{event.type} {event.id}", event.trigger) for event in annotation.events]
    return sorted([*mentions, *triggers], key=lambda item: item[1])


def _is_word(character: str) -> bool:
    """Letters, marks, digits and the joiners between them."""
    return unicodedata.category(character)[0] in "LMN" or character in "\u200c\u200d"


def _quote(annotation: Annotation, span: Span) -> str:
    return f'"{annotation.text_of(span)}"'


def describe(annotations: Sequence[Annotation]) -> str:
    """Counts that a writer of passages wants to see, on one line."""
    words = sum(len(annotation.document.text.split()) for annotation in annotations)
    events = [event for annotation in annotations for event in annotation.events]
    arguments = sum(len(event.arguments) for event in events)
    empty = sum(not annotation.events for annotation in annotations)
    types = Counter(event.type for event in events)
    factuality = Counter(event.factuality for event in events)
    density, arity = 100 * len(events) / max(words, 1), arguments / max(len(events), 1)
    counts = [*sorted(factuality.items()), *sorted(types.items())]
    return (
        f"{len(annotations)} documents ({empty} without event), {words} words, {len(events)} triggers "
        f"({density:.1f} per 100 words), {arity:.1f} arguments each; "
        + ", ".join(f"{name} {count}" for name, count in counts)
    )


def main(arguments: Sequence[str]) -> int:
    """Check the files named and print findings and counts; 1 where there is an error."""
    paths = [Path(argument) for argument in arguments]
    if not paths:
        print("usage: python -m saytara.corpus.check FILE…   (markup .txt or .jsonl)", file=sys.stderr)
        return 2
    splits, findings = check_files(paths, CONTROL_CHANGE)
    for finding in findings:
        print(finding)
    for path, annotations in splits.items():
        print(f"{path}: {describe(annotations)}")
    levels = Counter(finding.level for finding in findings)
    print(f"{levels['error']} errors, {levels['warning']} warnings, {levels['notice']} notices")
    return 1 if levels["error"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
