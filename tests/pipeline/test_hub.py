"""To the Hub and back with the real client: large files, revisions, offline, and what goes wrong."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="the tiny checkpoint is trained here")

import huggingface_hub.constants as constants

from hub_server import TOKEN, HubServer, Repository, run_hub
from saytara.checkpoint import push_to_hub
from saytara.cli import main
from saytara.document import Annotation
from saytara.errors import CheckpointError, ConfigError
from saytara.pipeline import Extractor

NAME = "someone/some-model"
TEXT = "سيطرت قوات النسر على بلدة الزيتونة فجر الثلاثاء."


@pytest.fixture
def hub(online_hub: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    """A running Hub, an empty cache, and the client's plain way of large files (xet needs servers of its own)."""
    monkeypatch.setenv("HF_HUB_DISABLE_XET", "1")
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    with run_hub() as server:
        online_hub(server.endpoint)
        yield server


@pytest.fixture
def published(hub: HubServer, tiny_checkpoint: Path) -> HubServer:
    """A Hub that has the tiny checkpoint already."""
    files = {path.name: path.read_bytes() for path in tiny_checkpoint.iterdir()}
    hub.repositories[NAME] = Repository()
    hub.repositories[NAME].commit(files)
    return hub


def answer(extractor: Extractor) -> Annotation:
    return extractor.extract(TEXT)


def test_a_pushed_checkpoint_comes_back_through_large_files(hub: HubServer, tiny_checkpoint: Path) -> None:
    address = push_to_hub(tiny_checkpoint, NAME, token=TOKEN)
    assert address == f"{hub.endpoint}/{NAME}/commit/{hub.repositories[NAME].commits[-1].oid}"
    stored = hub.repositories[NAME].commits[-1].files
    assert stored == {path.name: path.read_bytes() for path in tiny_checkpoint.iterdir()}
    assert hub.asked(r"POST /someone/some-model.git/info/lfs/objects/batch") == 1
    assert hub.asked(r"PUT /storage/\w+/2$") >= 2  # the second part of the larger files
    assert hub.asked(r"PUT /storage/\w+$") + hub.asked(r"POST /storage/\w+/complete$") == 3
    extractor = Extractor.from_pretrained(NAME)
    assert hub.asked(r"GET /storage/") == 2  # both graphs, not the torch weights
    assert answer(extractor) == answer(Extractor.from_pretrained(str(tiny_checkpoint)))
    assert extractor.info.revision == hub.repositories[NAME].commits[-1].oid
    assert extractor.info.name == "tiny"


def test_pushing_again_uploads_only_what_is_new(hub: HubServer, tiny_checkpoint: Path, tmp_path: Path) -> None:
    push_to_hub(tiny_checkpoint, NAME, token=TOKEN)
    shutil.copytree(tiny_checkpoint, tmp_path / "again")
    (tmp_path / "again" / "metrics.json").write_text("{}")
    hub.requests.clear()
    push_to_hub(tmp_path / "again", NAME, token=TOKEN)
    assert hub.asked("PUT /storage/") == 0
    assert hub.repositories[NAME].commits[-1].files["metrics.json"] == b"{}"


def test_a_revision_is_what_it_was(published: HubServer) -> None:
    repository = published.repositories[NAME]
    first = repository.commits[0].oid
    repository.refs["v1"] = first
    config = json.loads(repository.commits[0].files["config.json"]) | {"name": "renamed"}
    second = repository.commit({"config.json": json.dumps(config).encode()}).oid
    for revision, commit, name in [(None, second, "renamed"), ("v1", first, "tiny"), (first, first, "tiny")]:
        extractor = Extractor.from_pretrained(NAME, revision=revision)
        assert (extractor.info.revision, extractor.info.name) == (commit, name)


def test_the_torch_engine_gets_the_torch_weights(published: HubServer) -> None:
    onnx = Extractor.from_pretrained(NAME)
    torch = Extractor.from_pretrained(NAME, engine="torch")
    assert published.asked("GET /storage/") == 3
    assert [e.trigger for e in answer(torch).events] == [e.trigger for e in answer(onnx).events] != []


def test_a_checkpoint_without_onnx_brings_its_torch_weights(published: HubServer) -> None:
    files = published.repositories[NAME].commits[0].files
    for name in ("encoder.onnx", "relations.onnx"):
        del files[name]
    assert answer(Extractor.from_pretrained(NAME)).events


def test_a_download_that_breaks_off_is_tried_again(published: HubServer, tiny_checkpoint: Path) -> None:
    published.cut_once = {"encoder.onnx"}
    extractor = Extractor.from_pretrained(NAME)
    assert published.cut_once == set()
    assert published.asked("GET /storage/") == 3
    assert answer(extractor) == answer(Extractor.from_pretrained(str(tiny_checkpoint)))


# -- offline -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_declared", [False, True], ids=["server stopped", "HF_HUB_OFFLINE"])
def test_what_was_downloaded_is_there_offline(
    online_hub: Callable[[str], Path], tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch, is_declared: bool
) -> None:
    with run_hub() as server:
        online_hub(server.endpoint)
        server.repositories[NAME] = Repository()
        server.repositories[NAME].commit({path.name: path.read_bytes() for path in tiny_checkpoint.iterdir()})
        online = Extractor.from_pretrained(NAME)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", is_declared)
    offline = Extractor.from_pretrained(NAME)
    assert offline.info == online.info
    assert answer(offline) == answer(online)
    with pytest.raises(
        CheckpointError, match=r"'someone/other' is neither a folder nor packaged, the Hub cannot be reached"
    ):
        Extractor.from_pretrained("someone/other")


# -- what goes wrong --------------------------------------------------------------------------------------------------


def test_an_unknown_model_is_named(hub: HubServer) -> None:
    with pytest.raises(CheckpointError, match="the Hub has no model 'someone/no-model' that you may read"):
        Extractor.from_pretrained("someone/no-model")


def test_an_unknown_revision_is_named(published: HubServer) -> None:
    with pytest.raises(CheckpointError, match=r"the Hub's model 'someone/some-model' has no revision 'v9'\."):
        Extractor.from_pretrained(NAME, revision="v9")


@pytest.mark.parametrize("name", ["nowhere", "a/b/c", "./here", "/no/such/folder"])
def test_a_name_that_is_nothing_lists_what_is_packaged(name: str) -> None:
    with pytest.raises(CheckpointError, match=rf"there is no checkpoint '{name}': .*packaged are: "):
        Extractor.from_pretrained(name)


def test_a_name_that_cannot_be_a_hub_id_is_refused() -> None:
    with pytest.raises(CheckpointError, match="no folder 'some one/model', and it cannot be a Hub id either"):
        Extractor.from_pretrained("some one/model")


def test_a_push_with_a_wrong_token_is_refused(hub: HubServer, tiny_checkpoint: Path) -> None:
    with pytest.raises(CheckpointError, match=r"the Hub refused to take 'someone/some-model'.*401"):
        push_to_hub(tiny_checkpoint, NAME, token="hf_wrong")
    assert hub.repositories == {}


def test_a_push_to_a_hub_that_is_away_says_so(online_hub: Callable[[str], Path], tiny_checkpoint: Path) -> None:
    with run_hub() as server:
        online_hub(server.endpoint)
    with pytest.raises(CheckpointError, match=r"uploading 'someone/some-model' to the Hub failed \(ConnectError"):
        push_to_hub(tiny_checkpoint, NAME, token=TOKEN)


def test_a_folder_that_is_no_checkpoint_is_not_pushed(hub: HubServer, tiny_encoder: Path) -> None:
    with pytest.raises(CheckpointError, match="describes a 'bert' model, not a saytara one"):
        push_to_hub(tiny_encoder, NAME, token=TOKEN)
    assert hub.requests == []


@pytest.fixture
def copy(tiny_checkpoint: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_checkpoint, tmp_path / "copy"))


@pytest.mark.parametrize(
    ("name", "engine", "message"),
    [
        ("encoder.onnx", None, r"encoder\.onnx cannot be read .* Download or export the checkpoint again"),
        ("relations.onnx", None, r"relations\.onnx cannot be read"),
        ("model.safetensors", "torch", r"model\.safetensors is truncated or corrupt"),
        ("tokenizer.json", None, r"tokenizer\.json cannot be read"),
        ("config.json", None, r"config\.json cannot be read"),
        ("decoding.json", None, r"decoding\.json cannot be read"),
    ],
)
@pytest.mark.parametrize("share", [0.0, 0.6], ids=["empty", "cut"])
def test_a_truncated_file_is_named(copy: Path, name: str, engine: str | None, message: str, share: float) -> None:
    content = (copy / name).read_bytes()
    (copy / name).write_bytes(content[: int(share * len(content))])
    with pytest.raises(CheckpointError, match=message):
        Extractor.from_pretrained(str(copy), engine=engine)


@pytest.mark.parametrize(
    ("name", "engine", "message"),
    [
        ("config.json", None, r"holds no config\.json, so it is no checkpoint"),
        ("tokenizer.json", None, r"holds no tokenizer\.json"),
        ("relations.onnx", None, r"holds no relations\.onnx\. Make it with `saytara export`"),
        ("encoder.onnx", "onnx", r"holds no encoder\.onnx\. Make it with `saytara export`"),
        ("model.safetensors", "torch", r"holds no model\.safetensors; it can predict with ONNX but not be trained on"),
    ],
)
def test_a_missing_file_is_named(copy: Path, name: str, engine: str | None, message: str) -> None:
    (copy / name).unlink()
    with pytest.raises(CheckpointError, match=message):
        Extractor.from_pretrained(str(copy), engine=engine)


def test_a_plain_encoder_is_not_taken_for_a_checkpoint(tiny_encoder: Path) -> None:
    with pytest.raises(
        CheckpointError, match=r"describes a 'bert' model, not a saytara one\. .* `encoder:` in a run config"
    ):
        Extractor.from_pretrained(str(tiny_encoder))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"encoder": {"hidden_size": 48}}, "does not describe a model"),
        (
            {"encoder": {"model_type": "bert", "hidden_size": 48, "vocab_size": 9}},
            r"model\.safetensors does not fit config\.json",
        ),
        ({"max_pieces": None}, r"lacks 'max_pieces'"),
        ({"schema": {}}, r"lacks 'schema'"),
    ],
    ids=lambda change: next(iter(change)) if isinstance(change, dict) else "",
)
def test_a_changed_config_is_noticed(copy: Path, change: dict[str, object], message: str) -> None:
    config = json.loads((copy / "config.json").read_text()) | change
    (copy / "config.json").write_text(json.dumps({key: value for key, value in config.items() if value is not None}))
    with pytest.raises(CheckpointError, match=message):
        Extractor.from_pretrained(str(copy), engine="torch")


@pytest.mark.parametrize("key", ["roles", "mentions"])
def test_the_schemas_order_is_checked_against_the_weights(copy: Path, key: str) -> None:
    """Logits follow the order of labels and roles: a tool that sorts the file's keys must not shift them."""
    config = json.loads((copy / "config.json").read_text())
    config["schema"][key] = dict(reversed(config["schema"][key].items()))
    (copy / "config.json").write_text(json.dumps(config))
    with pytest.raises(CheckpointError, match=r"config\.json: `(tags|roles)` are not those of `schema` in its order"):
        Extractor.from_pretrained(str(copy))


def test_an_unknown_decoding_key_is_named(copy: Path) -> None:
    (copy / "decoding.json").write_text('{"threshold": {}}')
    with pytest.raises(ConfigError, match=r"unknown decoding key 'threshold'; .*closest: thresholds"):
        Extractor.from_pretrained(str(copy))


# -- without torch ----------------------------------------------------------------------------------------------------

WITHOUT_TORCH = """
import sys
for name in ("torch", "transformers", "safetensors", "onnx", "datasets", "accelerate"):
    sys.modules[name] = None  # as if they were not installed
from saytara.cli import main
sys.exit(main(sys.argv[1:]))
"""


def base_install(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command line where only the base install is; settings are those of a user's environment."""
    return subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
        input=TEXT,
        timeout=60,
    )


def test_a_hub_model_without_onnx_needs_the_training_extra(published: HubServer) -> None:
    del published.repositories[NAME].commits[0].files["encoder.onnx"]
    done = base_install("predict", "--model", NAME, "--quiet", "-")
    assert (done.returncode, done.stdout) == (1, "")
    assert "running the torch weights of" in done.stderr
    assert "Install them with: pip install 'saytara[train]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_hub_model_with_onnx_predicts_on_the_base_install(published: HubServer) -> None:
    done = base_install("predict", "--model", NAME, "--quiet", "-")
    assert done.returncode == 0, done.stderr
    record = json.loads(done.stdout)
    assert record["events"][0]["type"] == "CAPTURE"
    assert record["model"]["revision"] == published.repositories[NAME].commits[0].oid


def test_training_on_the_base_install_names_the_extra(root: Path) -> None:
    done = base_install("train", str(root / "configs" / "smoke.yaml"))
    assert done.returncode == 1
    assert (
        "training needs packages that are not installed. Install them with: pip install 'saytara[train]'" in done.stderr
    )


def test_the_push_command_takes_the_users_token(
    hub: HubServer, tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_IMPLICIT_TOKEN", False)
    assert main(["push", str(tiny_checkpoint), NAME]) == 0
    assert capsys.readouterr().out.strip() == f"{hub.endpoint}/{NAME}/commit/{hub.repositories[NAME].commits[0].oid}"
