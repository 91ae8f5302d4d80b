"""Every YAML of configs/ loads, refuses unknown keys, says where it was run, and stands in the README's table."""

import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from saytara.arabic.normalize import NORMALIZATIONS
from saytara.errors import ConfigError
from saytara.training.config import TrainConfig, load_config

ROOT = Path(__file__).resolve().parents[2]
CONFIGS = sorted((ROOT / "configs").glob("*.yaml"), key=lambda path: path.name)
ADAPT = "adapt.yaml"
NAMING = {"name", "encoder", "revision", "normalization", "schema", "output"}
"""Keys that say which run it is; they may repeat a default."""


def config_class(path: Path) -> type[Any]:
    """The dataclass that a config fills; skips where it needs torch and torch is not there."""
    if path.name != ADAPT:
        return TrainConfig
    pytest.importorskip("torch", reason="AdaptConfig stands beside code that needs torch")
    from saytara.training.adapt import AdaptConfig

    return AdaptConfig


def opening_comment(path: Path) -> str:
    """The comment lines before the first key."""
    text = path.read_text(encoding="utf-8")
    match = re.match(r"(?:#.*\n)+", text)
    return match.group() if match else ""


def load(name: str) -> TrainConfig:
    return load_config(TrainConfig, ROOT / "configs" / name)


per_config = pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)


def test_the_runs_of_the_plan_are_there() -> None:
    names = {path.name for path in CONFIGS}
    assert {"arabert.yaml", "camelbert.yaml", "compact.yaml", "ner.yaml", "adapt.yaml", "smoke.yaml"} <= names


@per_config
def test_config_loads_with_every_value_as_written(path: Path) -> None:
    config = load_config(config_class(path), path)
    for key, value in yaml.safe_load(path.read_text(encoding="utf-8")).items():
        found = getattr(config, key)
        expected = tuple(value) if isinstance(value, list) else value
        assert found == (type(found)(expected) if isinstance(found, float) else expected), key


@per_config
@pytest.mark.parametrize(("key", "nearest"), [("batchsize", "batch_size"), ("encodr", "encoder"), ("outptu", "output")])
def test_unknown_key_is_refused_with_the_nearest(path: Path, key: str, nearest: str, tmp_path: Path) -> None:
    changed = tmp_path / path.name
    changed.write_text(path.read_text(encoding="utf-8") + f"\n{key}: 1\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=rf"{re.escape(path.name)}: unknown key '{key}'; .*closest: {nearest}$"):
        load_config(config_class(path), changed)


@per_config
def test_unknown_override_is_refused_with_the_nearest(path: Path) -> None:
    with pytest.raises(ConfigError, match=r"unknown key --sede; .*closest: seed$"):
        load_config(config_class(path), path, ["--sede", "3"])


@per_config
def test_config_opens_with_machine_minutes_and_memory(path: Path) -> None:
    comment = opening_comment(path).lower()
    assert "# machine: " in comment
    assert "minutes" in comment
    assert "memory" in comment


@per_config
def test_config_repeats_no_default(path: Path) -> None:
    defaults = {item.name: item.default for item in dataclasses.fields(config_class(path))}
    config = load_config(config_class(path), path)
    written = set(yaml.safe_load(path.read_text(encoding="utf-8"))) - NAMING
    assert {key for key in written if getattr(config, key) == defaults[key]} == set()


@per_config
def test_normalisation_and_schema_exist(path: Path) -> None:
    config = load_config(config_class(path), path)
    assert config.normalization in NORMALIZATIONS
    assert getattr(config, "schema", "ner") in ("control-change", "ner")


def test_readme_lists_each_config_and_no_other() -> None:
    page = (ROOT / "configs" / "README.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"^\| `([\w.-]+\.yaml)` \|", page, flags=re.MULTILINE)) == [p.name for p in CONFIGS]


@pytest.mark.parametrize(
    ("name", "encoder"),
    [
        ("arabert.yaml", "aubmindlab/bert-base-arabertv02"),
        ("camelbert.yaml", "CAMeL-Lab/bert-base-arabic-camelbert-mix"),
    ],
)
def test_hub_runs_name_their_encoder_revision_and_normalisation(name: str, encoder: str) -> None:
    config = load(name)
    assert config.encoder == encoder
    assert re.fullmatch(r"main|[0-9a-f]{40}", config.revision)
    assert config.normalization == name.removesuffix(".yaml")


@pytest.mark.parametrize("name", ["arabert.yaml", "camelbert.yaml"])
def test_relation_heads_of_hub_runs_divide_a_base_encoder(name: str) -> None:
    assert 768 % load(name).relation_heads == 0


@pytest.mark.parametrize("name", [path.name for path in CONFIGS if path.name not in (ADAPT, "ner.yaml")])
def test_run_trains_on_what_a_clone_has(name: str) -> None:
    config = load(name)
    assert config.train_files == ("data/train.jsonl",)
    assert config.dev_files == ("data/dev.jsonl",)
    assert config.extra_train_files == ()
