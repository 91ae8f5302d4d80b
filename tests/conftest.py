"""What holds for every test: one thread, fixed seeds, a home of its own for caches, no network but the loopback.

The only conftest; builds no data.
"""

import atexit
import importlib.util
import ipaddress
import os
import random
import shutil
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

# Before anything imports torch or huggingface_hub, which read these once. Subprocesses inherit them.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["HF_HUB_OFFLINE"] = "1"  # `online_hub` lifts it for tests that bring their own server
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
os.environ["HF_HUB_DISABLE_IMPLICIT_TOKEN"] = "1"
os.environ["HF_HOME"] = tempfile.mkdtemp(prefix="saytara-tests-")  # neither the caches nor the token of who runs them
for variable in ("HF_TOKEN", "HF_ENDPOINT", "HF_HUB_CACHE", "HF_DATASETS_CACHE", "TRANSFORMERS_CACHE"):
    os.environ.pop(variable, None)
atexit.register(shutil.rmtree, os.environ["HF_HOME"], ignore_errors=True)

import pytest  # noqa: E402
from hypothesis import settings  # noqa: E402

SEED = 20241207
HAS_TORCH = importlib.util.find_spec("torch") is not None
ROOT = Path(__file__).resolve().parents[1]

settings.register_profile("saytara", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("saytara")

collect_ignore_glob = [] if HAS_TORCH else ["neural/*"]


def pytest_report_header() -> str | None:
    return None if HAS_TORCH else "torch is not installed: tests/neural is left out, tests that need it are skipped"


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository's root."""
    return ROOT


@pytest.fixture(autouse=True)
def _seed() -> None:
    random.seed(SEED)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(SEED)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(SEED)


# -- no network ------------------------------------------------------------------------------------------------------

attempts: list[str] = []
"""Addresses outside this machine that code of ours, or code that it calls, tried to reach."""


def is_loopback(host: object) -> bool:
    """Whether a host, as given to connect or getaddrinfo, is this machine."""
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    if host in (None, "", "localhost", "localhost.localdomain", socket.gethostname()):
        return True
    try:
        return ipaddress.ip_address(str(host).split("%")[0]).is_loopback
    except ValueError:
        return False


def _refuse(what: str) -> None:
    attempts.append(what)
    raise ConnectionRefusedError(f"tests reach no network, but {what} was tried")


def _guarded(original: Callable[..., Any]) -> Callable[..., Any]:
    def connect(self: socket.socket, address: Any, *rest: Any) -> Any:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not is_loopback(address[0]):
            _refuse(f"connecting to {address[0]}:{address[1]}")
        return original(self, address, *rest)

    return connect


@pytest.fixture(autouse=True, scope="session")
def _guard_network() -> Iterator[None]:
    """Refuse each connection to another machine; `_no_network` fails the test that tried, even if it hid the error."""
    resolve = socket.getaddrinfo

    def getaddrinfo(host: Any, *rest: Any, **options: Any) -> Any:
        if not is_loopback(host):
            _refuse(f"looking up {host!r}")
        return resolve(host, *rest, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", _guarded(socket.socket.connect))
        patch.setattr(socket.socket, "connect_ex", _guarded(socket.socket.connect_ex))
        patch.setattr(socket, "getaddrinfo", getaddrinfo)
        yield


@pytest.fixture(autouse=True)
def _no_network() -> Iterator[None]:
    attempts.clear()
    yield
    tried = list(attempts)
    attempts.clear()
    if tried:
        pytest.fail("the network was tried: " + "; ".join(tried), pytrace=False)


@pytest.fixture
def network_attempts() -> list[str]:
    """The attempts so far, for tests of the guard itself, which empty it."""
    return attempts


@pytest.fixture
def online_hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], Path]:
    """Point huggingface_hub at a server on the loopback; gives the fresh, empty cache that it now has.

    Example: ``cache = online_hub("http://127.0.0.1:8900")``; for a subprocess the environment is set as well.
    """
    import huggingface_hub.constants as constants

    def switch(endpoint: str) -> Path:
        cache = tmp_path / "hub-cache"
        monkeypatch.setenv("HF_HUB_OFFLINE", "0")
        monkeypatch.setenv("HF_ENDPOINT", endpoint)
        monkeypatch.setenv("HF_HUB_CACHE", str(cache))
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(constants, "ENDPOINT", endpoint)
        template = endpoint + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
        return cache

    return switch


# -- tiny models -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def reports() -> dict[str, Any]:
    """The gold reports of `fixtures/reports.txt` by id."""
    from saytara.corpus.markup import parse_markup
    from saytara.schema import CONTROL_CHANGE

    path = ROOT / "tests" / "fixtures" / "reports.txt"
    annotations = parse_markup(path.read_text(encoding="utf-8"), CONTROL_CHANGE, source=str(path))
    return {annotation.document.id: annotation for annotation in annotations}


@pytest.fixture(scope="session")
def tiny_encoder(reports: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a tiny, untrained BERT with a tokenizer of the fixture reports."""
    from saytara.training.tiny_encoder import build_tiny_encoder

    folder = tmp_path_factory.mktemp("tiny") / "encoder"
    build_tiny_encoder([report.document.text for report in reports.values()], folder)
    return folder


@pytest.fixture(scope="session")
def tiny_run(reports: dict[str, Any], tiny_encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A `TrainConfig` that learns the fixture reports in seconds; derive others with `dataclasses.replace`."""
    from saytara.corpus.jsonl import write_corpus
    from saytara.schema import CONTROL_CHANGE
    from saytara.training.config import TrainConfig

    folder = tmp_path_factory.mktemp("tiny-run")
    write_corpus(folder / "train.jsonl", list(reports.values()), CONTROL_CHANGE)
    return TrainConfig(
        name="tiny",
        encoder=str(tiny_encoder),
        train_files=(str(folder / "train.jsonl"),),
        dev_files=(str(folder / "train.jsonl"),),
        output=str(folder / "run"),
        relation_layers=1,
        relation_heads=4,
        relation_width=64,
        head_width=48,
        dropout=0.0,
        word_mask_probability=0.0,
        epochs=25,
        batch_size=4,
        encoder_lr=3e-3,
        head_lr=5e-3,
        warmup_steps=5,
        evaluate_from=0.9,
        keep_epochs=1,
        bf16=False,
        report_to=(),
    )


@pytest.fixture(scope="session")
def tiny_checkpoint(tiny_run: Any) -> Path:
    """Folder of a checkpoint trained on the fixture reports, with torch weights and ONNX graphs (fp32)."""
    from saytara.checkpoint import load_model
    from saytara.export.onnx import export_onnx
    from saytara.training.trainer import train

    train(tiny_run)
    folder = Path(tiny_run.output) / "checkpoint"
    export_onnx(load_model(folder), folder, int8="none")
    return folder
