"""The extractor: a report in, its mentions and control-change events out.

Composes encoding, scoring, decoding and assembly; holds no rule of its own and reads no files.
"""

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date as Date
from typing import Any

from saytara.assembly import DecodedEvent, assemble
from saytara.decoding import Decoder, DecodingConfig, ScoredSpan
from saytara.document import Annotation, Document
from saytara.encoding import EncodedDocument, EncodedWindow, TextEncoder
from saytara.linking.link import Linker, link
from saytara.pairing import LABEL, PairBuilder
from saytara.schema import Schema
from saytara.scoring import Floats, Scorer, read_windows
from saytara.tags import WordSpan


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """Which checkpoint gave an answer."""

    name: str
    revision: str | None
    version: str

    def to_dict(self) -> dict[str, Any]:
        return {"name": self.name, "revision": self.revision, "version": self.version}


class Extractor:
    """Read reports with one checkpoint.

    Build one with `Extractor.from_pretrained`. Safe to call from several threads.
    """

    def __init__(
        self,
        *,
        schema: Schema,
        encoder: TextEncoder,
        scorer: Scorer,
        decoding: DecodingConfig | None = None,
        info: ModelInfo | None = None,
        linkers: tuple[Linker, ...] = (),
    ) -> None:
        self.schema = schema
        self.encoder = encoder
        self.scorer = scorer
        self.decoding = decoding or DecodingConfig()
        self.info = info or ModelInfo("unnamed", None, "")
        self.linkers = linkers
        self._decoder = Decoder(schema, self.decoding)
        self._pairs = PairBuilder(schema)

    @classmethod
    def from_pretrained(
        cls,
        name: str = "compact",
        *,
        revision: str | None = None,
        threads: int = 1,
        engine: str | None = None,
        link: bool = True,
    ) -> "Extractor":
        """Load a checkpoint: an existing folder, the name of a packaged one, or a Hub id, in this order.

        Args:
            revision: branch, tag or commit of a Hub id.
            threads: threads of one run of the network.
            engine: ``onnx`` or ``torch``; None takes ONNX where the checkpoint has it.
            link: resolve places, actors and times against the packaged tables.

        Raises:
            CheckpointError: nothing there, or it is incomplete, corrupt or foreign.
            MissingExtraError: it has torch weights only and torch is not installed.
        """
        from saytara.checkpoint import load_extractor

        return load_extractor(name, revision=revision, threads=threads, engine=engine, is_linked=link)

    def with_thresholds(self, thresholds: Mapping[str, float]) -> "Extractor":
        """The same extractor with other thresholds for labels, event types or roles."""
        return self.with_decoding(self.decoding.override(thresholds, self.schema))

    def with_decoding(self, decoding: DecodingConfig) -> "Extractor":
        return Extractor(
            schema=self.schema,
            encoder=self.encoder,
            scorer=self.scorer,
            decoding=decoding,
            info=self.info,
            linkers=self.linkers,
        )

    def extract(
        self, text: str, *, id: str = "report", date: Date | None = None, meta: Mapping[str, Any] | None = None
    ) -> Annotation:
        """Extract mentions and events of one report.

        >>> annotation = Extractor.from_pretrained().extract("سيطرت الفصائل على حمص")  # doctest: +SKIP
        """
        return self.extract_document(Document(text, id, date, meta or {}))

    def extract_batch(self, documents: Iterable[Document], *, workers: int = 1) -> Iterator[Annotation]:
        """Extract from many documents, in their order, a few at a time; answers equal `extract_document`'s."""
        if workers <= 1:
            yield from map(self.extract_document, documents)
            return
        with ThreadPoolExecutor(workers) as pool:
            waiting: deque[Future[Annotation]] = deque()
            for document in documents:
                waiting.append(pool.submit(self.extract_document, document))
                if len(waiting) >= 4 * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()

    def extract_document(self, document: Document) -> Annotation:
        """Extract mentions and events of one document."""
        encoded = self.encoder.encode(document.text)
        mentions, events = self._decode(encoded)
        annotation = assemble(document, encoded.words, mentions, events, schema=self.schema, config=self.decoding)
        return link(annotation, self.linkers)

    def relate_gold(self, gold: Annotation) -> Annotation:
        """Score roles and factuality over the mentions and triggers of `gold`: the gold-mention setting."""
        encoded = self.encoder.encode(gold.document.text)
        spans = word_spans(gold, encoded, self.schema)
        mentions = [ScoredSpan(span, 1.0) for span in spans if span.label in self.schema.mentions]
        triggers = [ScoredSpan(span, 1.0) for span in spans if span.label in self.schema.events]
        events: list[DecodedEvent] = []
        for window in encoded.windows:
            hidden, _ = self.scorer.read(window)
            events += self._relate(window, hidden, mentions, triggers)
        return assemble(gold.document, encoded.words, mentions, events, schema=self.schema, config=self.decoding)

    def _decode(self, encoded: EncodedDocument) -> tuple[list[ScoredSpan], list[DecodedEvent]]:
        """Mentions and events of a document; keeps the vectors of neighbouring windows only."""
        mentions: list[ScoredSpan] = []
        triggers: list[ScoredSpan] = []
        events: list[DecodedEvent] = []
        waiting: deque[tuple[EncodedWindow, Floats]] = deque()
        decided = 0  # words before this one have all their spans
        for window, hidden, tag_logits in read_windows(self.scorer, encoded):
            for scored in self._decoder.spans(tag_logits, window.marks):
                if not window.owned[0] <= scored.span.start < window.owned[1]:
                    continue
                moved = _moved(scored, window.first)
                if moved.span.start < decided:
                    continue  # runs on from a span of the window before
                (triggers if scored.span.label in self.schema.events else mentions).append(moved)
                decided = moved.span.end
            decided = max(decided, window.first + window.owned[1])
            if not self.schema.events:
                continue
            waiting.append((window, hidden))
            while waiting and waiting[0][0].end <= decided:
                events += self._relate(*waiting.popleft(), mentions, triggers)
        for window, hidden in waiting:
            events += self._relate(window, hidden, mentions, triggers)
        return mentions, events

    def _relate(
        self, window: EncodedWindow, hidden: Floats, mentions: list[ScoredSpan], triggers: list[ScoredSpan]
    ) -> list[DecodedEvent]:
        """Events of the triggers that `window` owns, over all mentions that stand in it."""
        first, end = window.first, window.end
        inside = [_moved(scored, -first) for scored in _between(mentions, first, end)]
        owned = [
            _moved(scored, -first) for scored in _between(triggers, first + window.owned[0], first + window.owned[1])
        ]
        if not owned:
            return []
        pairing = self._pairs.build([m.span for m in inside], [t.span for t in owned], window.sentences)
        role_logits, factuality_logits = self.scorer.relate(hidden, pairing)
        events = []
        for number, trigger in enumerate(owned):
            rows = pairing.pairs[:, 0] == number
            value, score = self._decoder.factuality(factuality_logits[number])
            fillers = self._decoder.fillers(
                role_logits[rows], pairing.mentions[rows].tolist(), pairing.pairs[rows, LABEL].tolist()
            )
            events.append(
                DecodedEvent(
                    _moved(trigger, first),
                    value,
                    score,
                    tuple((role, _moved(inside[mention], first).span, filler) for role, mention, filler in fillers),
                )
            )
        return events


def word_spans(gold: Annotation, encoded: EncodedDocument, schema: Schema) -> list[WordSpan]:
    """Mentions and triggers of `gold` as ranges of the encoded words, in order, but one that no word overlaps."""
    starts = [word.start for word in encoded.words]
    ends = [word.end for word in encoded.words]
    labelled = [(m.span, m.label) for m in gold.mentions] + [(e.trigger, e.type) for e in gold.events]
    spans = []
    for span, label in labelled:
        first, end = bisect_right(ends, span.start), bisect_left(starts, span.end)
        if first < end:
            spans.append(WordSpan(first, end, label))
    return sorted(spans)


def _moved(scored: ScoredSpan, words: int) -> ScoredSpan:
    span = scored.span
    return replace(scored, span=WordSpan(span.start + words, span.end + words, span.label))


def _between(spans: list[ScoredSpan], first: int, end: int) -> list[ScoredSpan]:
    """Those of the ordered, disjoint `spans` that lie in ``[first, end)``."""
    start = bisect_left(spans, first, key=lambda scored: scored.span.start)
    stop = bisect_right(spans, end, key=lambda scored: scored.span.end)
    return spans[start:stop]
