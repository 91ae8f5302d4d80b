"""spaCy's DocBin, through `spacy`: spans in `doc.ents` and `doc.spans`, the rest as user data.

Carries all but what mentions refer to. Tokens are those of spaCy's Arabic tokenizer, which leaves proclitics in their
word, cut at the edges of spans that do not align with them; how many were cut is counted.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from saytara.corpus.formats.draft import Draft, DraftLink, DraftSpan, spans_of
from saytara.corpus.formats.headers import document_of, header_of
from saytara.corpus.formats.losses import Losses, left_out
from saytara.document import Annotation, Event, Span
from saytara.errors import DataError, MissingExtraError
from saytara.files import atomic_write
from saytara.schema import Schema

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc

LEAVES_OUT = ("entries of the gazetteers",)
KEY = "saytara"
"""Of `doc.user_data`."""
MENTIONS, TRIGGERS = "mentions", "triggers"
"""Keys of `doc.spans`."""
CUT = "words of spaCy cut at the edge of a span"


def read_docbin(path: Path, schema: Schema) -> tuple[list[Annotation], Losses]:
    """Read a ``.spacy`` file. Spans are taken from `doc.spans`, or mentions from `doc.ents` where it has none."""
    from_bytes, language = _spacy()
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror}). Check the path.", where=str(path)) from error
    try:
        docs = list(from_bytes(content).get_docs(language.vocab))
    except Exception as error:  # zlib, msgpack and spaCy raise what they like
        raise DataError(f"is no DocBin ({type(error).__name__}: {error}).", where=str(path)) from error
    losses: Losses = Counter()
    annotations = [
        _annotation(doc, f"{path}: document {number}", f"{path.stem}-{number}", schema, losses)
        for number, doc in enumerate(docs, 1)
    ]
    return annotations, +losses


def write_docbin(path: Path, annotations: Sequence[Annotation], schema: Schema) -> Losses:
    """Write a ``.spacy`` file; gives what was left out or cut."""
    _, language = _spacy()
    from spacy.tokens import DocBin

    losses = left_out(annotations, schema, LEAVES_OUT)
    docs = DocBin(store_user_data=True)
    for annotation in annotations:
        docs.add(_to_doc(annotation, language, losses))
    with atomic_write(path) as file:
        file.write(docs.to_bytes())
    return +losses


def _spacy() -> tuple[Any, "Language"]:
    """What reads a DocBin, and the language without a pipeline whose words and strings the documents use."""
    try:
        import spacy
        from spacy.tokens import DocBin
    except ImportError as error:
        raise MissingExtraError("spaCy's DocBin", extra="formats") from error
    return DocBin(store_user_data=True).from_bytes, spacy.blank("ar")


def _to_doc(annotation: Annotation, language: "Language", losses: Losses) -> "Doc":
    from spacy.tokens import Doc
    from spacy.tokens import Span as SpacySpan

    words, spaces = _words(annotation, language, losses)
    doc = Doc(language.vocab, words=words, spaces=spaces)
    starts = {token.idx: token.i for token in doc}
    ends = {token.idx + len(token): token.i + 1 for token in doc}
    groups: dict[str, list[Any]] = {MENTIONS: [], TRIGGERS: []}
    triggers = {event.id for event in annotation.events}
    for name, label, span in spans_of(annotation):
        found = SpacySpan(doc, starts[span.start], ends[span.end], label=label, span_id=name)
        groups[TRIGGERS if name in triggers else MENTIONS].append(found)
    for key, spans in groups.items():
        doc.spans[key] = spans
    doc.set_ents(groups[MENTIONS])
    doc.user_data[KEY] = {
        "id": annotation.document.id,
        "header": header_of(annotation.document, ()),
        "warnings": list(annotation.warnings),
        "scores": {mention.id: mention.score for mention in annotation.mentions if mention.score != 1.0},
        "events": {event.id: _event(event) for event in annotation.events},
    }
    return doc


def _event(event: Event) -> dict[str, Any]:
    return {
        "factuality": event.factuality,
        "factuality_score": event.factuality_score,
        "score": event.score,
        "arguments": [{"role": a.role, "mention": a.mention, "score": a.score} for a in event.arguments],
    }


def _words(annotation: Annotation, language: "Language", losses: Losses) -> tuple[list[str], list[bool]]:
    """The words of spaCy, cut at the edges of spans, and whether a space follows each."""
    edges = {edge for _, _, span in spans_of(annotation) for edge in (span.start, span.end)}
    words: list[str] = []
    spaces: list[bool] = []
    for token in language.make_doc(annotation.document.text):
        inside = sorted(edge - token.idx for edge in edges if token.idx < edge < token.idx + len(token))
        losses[CUT] += bool(inside)
        words += [token.text[start:end] for start, end in pairwise([0, *inside, len(token)])]
        spaces += [False] * len(inside) + [bool(token.whitespace_)]
    return words, spaces


def _annotation(doc: "Doc", where: str, default_id: str, schema: Schema, losses: Losses) -> Annotation:
    values: Mapping[str, Any] = doc.user_data.get(KEY, {})
    name = values.get("id", default_id)
    where = f'{where} "{name}"'
    draft = Draft(document_of(name, doc.text, dict(values.get("header", {})), where, losses), where)
    draft.warnings = tuple(values.get("warnings", ()))
    mentions = doc.spans.get(MENTIONS, doc.ents)
    scores = values.get("scores", {})
    draft.spans = _spans(mentions, "mention", where)
    for mention in draft.spans:
        mention.score = scores.get(mention.key, 1.0)
    known = {span.key for span in draft.spans}
    for trigger in _spans(doc.spans.get(TRIGGERS, ()), "trigger", where):
        event = values.get("events", {}).get(trigger.key, {})
        trigger.factuality = event.get("factuality")
        trigger.score, trigger.factuality_score = event.get("score", 1.0), event.get("factuality_score", 1.0)
        draft.spans.append(trigger)
        for argument in event.get("arguments", ()):
            if argument["mention"] not in known:
                losses["arguments whose mention was removed"] += 1
                continue
            link = DraftLink(argument["role"], trigger.key, argument["mention"], trigger.where, argument["score"])
            draft.links.append(link)
    return draft.finish(schema)


def _spans(found: Iterable[Any], kind: str, where: str) -> list[DraftSpan]:
    """The spans of a group; one without an id of its own is called by its place."""
    spans = []
    for number, span in enumerate(found, 1):
        key, place = f"{kind} {number}", Span(span.start_char, span.end_char)
        spans.append(DraftSpan(span.id_ or key, span.label_, place, f"{where}, {key}", span.text))
    return spans
