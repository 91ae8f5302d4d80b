"""The packaged checkpoint on the examples: the same answers however they are asked for, without torch."""

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

from saytara.checkpoint import packaged_folder
from saytara.document import Annotation, Document
from saytara.inputs import read_documents
from saytara.output import to_output
from saytara.pipeline import Extractor

ROOT = Path(__file__).resolve().parents[2]

if not (packaged_folder() / "compact").is_dir():
    pytest.skip("no checkpoint is packaged in this tree", allow_module_level=True)

BASE_INSTALL = """
import runpy, sys
class Block:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("torch", "transformers", "datasets", "accelerate", "safetensors", "onnx", "seqeval"):
            raise ModuleNotFoundError("the base install has no " + name, name=name)
sys.meta_path.insert(0, Block())
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.fixture(scope="module")
def extractor() -> Extractor:
    return Extractor.from_pretrained("compact")


@pytest.fixture(scope="module")
def documents() -> list[Document]:
    found = [item for item in read_documents([str(ROOT / "examples")]) if isinstance(item, Document)]
    assert len(found) >= 6
    return found


@pytest.fixture(scope="module")
def alone(extractor: Extractor, documents: list[Document]) -> dict[str, Annotation]:
    """The answer to each report asked for by itself."""
    return {document.id: extractor.extract_document(document) for document in documents}


@pytest.mark.parametrize(("order", "workers"), [("given", 1), ("shuffled", 1), ("shuffled", 2)])
def test_answers_are_bit_equal_alone_in_a_batch_and_in_any_order(
    extractor: Extractor, documents: list[Document], alone: dict[str, Annotation], order: str, workers: int
) -> None:
    asked = list(documents)
    if order == "shuffled":
        random.shuffle(asked)
        assert asked != documents
    found = list(extractor.extract_batch(asked, workers=workers))
    assert [annotation.document for annotation in found] == asked
    assert {annotation.document.id: annotation for annotation in found} == alone


def test_base_install_gives_the_same_records(extractor: Extractor, alone: dict[str, Annotation]) -> None:
    result = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", BASE_INSTALL, str(ROOT / "predict.py"), str(ROOT / "examples")],
        env={"PYTHONPATH": str(ROOT / "model"), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert result.returncode == 0, result.stderr
    records = [json.loads(line) for line in result.stdout.splitlines()]
    info = extractor.info.to_dict()
    expected = [to_output(annotation, extractor.schema, info) for annotation in alone.values()]
    assert records == json.loads(json.dumps(expected))


def test_examples_show_claims_denials_and_linked_places(alone: dict[str, Annotation]) -> None:
    events = [event for annotation in alone.values() for event in annotation.events]
    assert len(events) >= 6
    assert {"CAPTURE", "WITHDRAWAL"} <= {event.type for event in events}
    assert any(event.fillers("claimant") for event in events)
    assert sum(len(annotation.entries) for annotation in alone.values()) >= 6


@pytest.mark.parametrize("text", ["", " \n\u200f", "Reuters, Dec 7 (2024)."])
def test_a_report_without_arabic_has_no_events(extractor: Extractor, text: str) -> None:
    assert extractor.extract(text).events == ()


def test_a_long_single_word_is_read(extractor: Extractor) -> None:
    text = "سيطرت قوات النظام على مدينة حماة. " + "ك" * 5_000
    found = extractor.extract(text)
    assert [found.text_of(event.trigger) for event in found.events] == ["سيطرت"]
