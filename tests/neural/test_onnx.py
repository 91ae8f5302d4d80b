"""The ONNX graphs say what torch says, in every form, and the same whatever else is read."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from saytara.checkpoint import load_model, read_config
from saytara.document import Annotation, Document
from saytara.encoding import DocumentEncoder, EncodedWindow
from saytara.errors import CheckpointError
from saytara.export.onnx import INT8_FORMS, compare, export_onnx
from saytara.pairing import PairBuilder, Pairing
from saytara.pipeline import Extractor, word_spans
from saytara.schema import CONTROL_CHANGE, NER
from saytara.scoring import OnnxScorer, TorchScorer
from saytara.tags import WordSpan


@pytest.fixture(scope="module")
def folders(tiny_checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A checkpoint folder without torch weights for each int8 form."""
    found = {}
    model = load_model(tiny_checkpoint)
    for form in INT8_FORMS:
        folder = tmp_path_factory.mktemp(form)
        for path in tiny_checkpoint.iterdir():
            if path.suffix not in (".onnx", ".safetensors"):
                (folder / path.name).write_bytes(path.read_bytes())
        export_onnx(model, folder, int8=form)
        found[form] = folder
    return found


@pytest.fixture(scope="module")
def torch_extractor(tiny_checkpoint: Path) -> Extractor:
    return Extractor.from_pretrained(str(tiny_checkpoint), engine="torch")


@pytest.fixture(scope="module")
def documents(reports: dict[str, Annotation]) -> list[Document]:
    """The fixture reports, an empty one, one without Arabic, and one of several windows."""
    texts = [report.document.text for report in reports.values()]
    texts += ["", "Reuters, 7 Dec.", "؟", "\n".join(texts * 3)]
    return [Document(text, f"r{number}") for number, text in enumerate(texts)]


def windows_of(extractor: Extractor, documents: list[Document]) -> list[EncodedWindow]:
    return [window for document in documents for window in extractor.encoder.encode(document.text).windows]


def gold_pairing(report: Annotation, encoder: Any) -> tuple[EncodedWindow, Pairing]:
    encoded = encoder.encode(report.document.text)
    (window,) = encoded.windows
    spans = word_spans(report, encoded, CONTROL_CHANGE)
    mentions = [span for span in spans if span.label in CONTROL_CHANGE.mentions]
    triggers = [span for span in spans if span.label in CONTROL_CHANGE.events]
    return window, PairBuilder(CONTROL_CHANGE).build(mentions, triggers, window.sentences)


def test_fp32_tag_logits_are_those_of_torch(
    folders: dict[str, Path], torch_extractor: Extractor, documents: list[Document]
) -> None:
    scorer = OnnxScorer(folders["none"])
    windows = windows_of(torch_extractor, documents)
    assert len(windows_of(torch_extractor, documents[-1:])) > 1
    for window in windows:
        for found, expected in zip(scorer.read(window), torch_extractor.scorer.read(window), strict=True):
            np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4)


def test_fp32_relation_logits_are_those_of_torch(
    folders: dict[str, Path], torch_extractor: Extractor, reports: dict[str, Annotation]
) -> None:
    scorer = OnnxScorer(folders["none"])
    for report in reports.values():
        if not report.events:
            continue
        window, pairing = gold_pairing(report, torch_extractor.encoder)
        hidden, _ = torch_extractor.scorer.read(window)
        found, expected = scorer.relate(hidden, pairing), torch_extractor.scorer.relate(hidden, pairing)
        assert found[0].shape == (len(pairing.pairs), 6)
        assert found[1].shape == (len(pairing.triggers), 3)
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_allclose(one, other, rtol=0, atol=1e-4)


def test_a_trigger_without_any_mention_gets_a_factuality_and_no_roles(
    folders: dict[str, Path], torch_extractor: Extractor
) -> None:
    (window,) = torch_extractor.encoder.encode("انسحبت فجأة").windows  # withdrew suddenly
    pairing = PairBuilder(CONTROL_CHANGE).build([], [WordSpan(0, 1, "WITHDRAWAL")], window.sentences)
    hidden, _ = torch_extractor.scorer.read(window)
    expected = torch_extractor.scorer.relate(hidden, pairing)
    for form, folder in folders.items():
        roles, factuality = OnnxScorer(folder).relate(hidden, pairing)
        assert roles.shape == expected[0].shape == (0, 6)
        np.testing.assert_allclose(factuality, expected[1], rtol=0, atol=1e-4 if form == "none" else 0.5)


def test_fp32_and_torch_give_the_same_annotations(
    folders: dict[str, Path], torch_extractor: Extractor, documents: list[Document]
) -> None:
    extractor = Extractor.from_pretrained(str(folders["none"]))
    assert type(extractor.scorer) is OnnxScorer
    assert type(torch_extractor.scorer) is TorchScorer
    for document in documents:
        found, expected = extractor.extract_document(document), torch_extractor.extract_document(document)
        assert [(m.id, m.label, m.span) for m in found.mentions] == [(m.id, m.label, m.span) for m in expected.mentions]
        assert [
            (e.type, e.trigger, e.factuality, [(a.role, a.mention) for a in e.arguments]) for e in found.events
        ] == [(e.type, e.trigger, e.factuality, [(a.role, a.mention) for a in e.arguments]) for e in expected.events]
        for one, other in zip(found.events, expected.events, strict=True):
            assert one.score == pytest.approx(other.score, abs=1e-3)


@pytest.mark.parametrize(("form", "operator"), [("dynamic", "MatMulInteger"), ("nbits", "MatMulNBits")])
def test_int8_graphs_multiply_in_int8_and_stay_near_torch(
    folders: dict[str, Path], torch_extractor: Extractor, documents: list[Document], form: str, operator: str
) -> None:
    graph = onnx.load(folders[form] / "encoder.onnx").graph
    assert operator in {node.op_type for node in graph.node}
    assert (folders[form] / "encoder.onnx").stat().st_size < (folders["none"] / "encoder.onnx").stat().st_size
    difference = compare(torch_extractor.scorer, OnnxScorer(folders[form]), windows_of(torch_extractor, documents))
    assert 0 < difference["mean"] < 0.05
    assert difference["changed"] < 0.02


@pytest.mark.parametrize("form", INT8_FORMS)
def test_answers_are_bit_equal_alone_in_a_batch_and_in_any_order(
    folders: dict[str, Path], documents: list[Document], form: str
) -> None:
    extractor = Extractor.from_pretrained(str(folders[form]))
    alone = [Extractor.from_pretrained(str(folders[form])).extract_document(document) for document in documents[:4]]
    batch = list(extractor.extract_batch(documents))
    assert batch[:4] == alone
    assert any(annotation.events for annotation in batch)
    backwards = list(extractor.extract_batch(reversed(documents)))
    assert backwards[::-1] == batch
    assert list(extractor.extract_batch(iter(documents), workers=3)) == batch


def test_a_batch_is_read_a_few_reports_at_a_time(folders: dict[str, Path]) -> None:
    taken = []

    def endless() -> Any:
        for number in range(10_000):
            taken.append(number)
            yield Document("انسحبت كتيبة الصقر", str(number))

    for workers in (1, 2):
        taken.clear()
        answers = Extractor.from_pretrained(str(folders["none"])).extract_batch(endless(), workers=workers)
        assert [next(answers).document.id for _ in range(3)] == ["0", "1", "2"]
        assert len(taken) <= 3 + 4 * workers


def test_a_schema_without_events_has_one_graph(tiny_run: Any, tmp_path: Path) -> None:
    from dataclasses import replace

    from saytara.training.trainer import make_model_config, start_model

    config = replace(tiny_run, schema="ner")
    model = start_model(config, make_model_config(config, NER))
    export_onnx(model, tmp_path, int8="none")
    assert [path.name for path in tmp_path.iterdir()] == ["encoder.onnx"]


def test_an_unknown_form_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="unknown int8 form 'int4'; known: none, dynamic, nbits"):
        export_onnx(None, tmp_path, int8="int4")


def test_training_and_prediction_encode_alike(tiny_checkpoint: Path, documents: list[Document]) -> None:
    """What the checkpoint's own files make of a text is what the run's config made of it."""
    config = read_config(tiny_checkpoint)
    extractor = Extractor.from_pretrained(str(tiny_checkpoint))
    assert isinstance(extractor.encoder, DocumentEncoder)
    assert (extractor.encoder.max_pieces, extractor.encoder.overlap_pieces) == (448, 160)
    assert list(extractor.schema.roles) == list(config["schema"]["roles"]) == list(CONTROL_CHANGE.roles)
