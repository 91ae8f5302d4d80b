"""Checkpoints: find one (folder, packaged, Hub), check it, load an extractor or a model from it, save one.

Executes nothing that it loads: JSON, safetensors, ONNX and tokenizer files only.
"""

import json
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

import saytara
from saytara.arabic.normalize import Normalization
from saytara.decoding import DecodingConfig
from saytara.encoding import DocumentEncoder
from saytara.errors import CheckpointError, MissingExtraError
from saytara.files import atomic_write
from saytara.linking.link import default_linkers
from saytara.pipeline import Extractor, ModelInfo
from saytara.schema import Schema
from saytara.scoring import ENCODER_GRAPH, RELATIONS_GRAPH, OnnxScorer, Scorer, TorchScorer
from saytara.tags import tag_names

CONFIG, WEIGHTS, TOKENIZER, DECODING = "config.json", "model.safetensors", "tokenizer.json", "decoding.json"
METRICS, RUN_CONFIG, CARD = "metrics.json", "run.yaml", "README.md"
PREDICTION_FILES = (CONFIG, TOKENIZER, DECODING, ENCODER_GRAPH, RELATIONS_GRAPH, METRICS, RUN_CONFIG, CARD)


def load_extractor(
    name: str, *, revision: str | None, threads: int, engine: str | None, is_linked: bool = True
) -> Extractor:
    """Load an extractor; see `Extractor.from_pretrained`."""
    if engine not in (None, "onnx", "torch"):
        raise CheckpointError(f"unknown engine {engine!r}; known: onnx, torch")
    folder, found_revision = find_checkpoint(name, revision=revision, with_weights=engine == "torch")
    config = read_config(folder)
    use_torch = engine == "torch" or (engine is None and not (folder / ENCODER_GRAPH).exists())
    if use_torch and not (folder / WEIGHTS).exists():
        folder, found_revision = find_checkpoint(name, revision=revision, with_weights=True)
    for graph in (
        () if use_torch else (ENCODER_GRAPH, RELATIONS_GRAPH) if config["schema"].get("events") else (ENCODER_GRAPH,)
    ):
        if not (folder / graph).exists():
            raise CheckpointError(
                f"{folder} holds no {graph}. Make it with `saytara export`, or take the engine torch."
            )
    scorer: Scorer = TorchScorer(load_model(folder)) if use_torch else OnnxScorer(folder, threads=threads)
    info = ModelInfo(str(config.get("name") or name), found_revision, str(config.get("saytara_version", "")))
    return make_extractor(folder, config, scorer, info, is_linked=is_linked)


def make_extractor(
    folder: Path, config: Mapping[str, Any], scorer: Scorer, info: ModelInfo, *, is_linked: bool = False
) -> Extractor:
    """Put an extractor together from a checkpoint's files and a scorer."""
    decoding = folder / DECODING
    schema = Schema.from_dict(config["schema"])
    for key, names in (("tags", tag_names(schema)), ("roles", list(schema.roles))):
        if config.get(key, names) != names:  # logits follow this order
            raise CheckpointError(
                f"{folder / CONFIG}: `{key}` are not those of `schema` in its order; the file was changed."
            )
    return Extractor(
        schema=schema,
        encoder=load_document_encoder(folder, config),
        scorer=scorer,
        decoding=DecodingConfig.from_dict(_read_json(decoding)) if decoding.exists() else None,
        info=info,
        linkers=default_linkers() if is_linked and config["schema"].get("events") else (),
    )


def find_checkpoint(name: str, *, revision: str | None = None, with_weights: bool = True) -> tuple[Path, str | None]:
    """Folder of a checkpoint and its Hub revision: an existing folder, a packaged name, or a Hub id.

    Args:
        with_weights: whether the torch weights of a Hub id are wanted.
    """
    folder = Path(name)
    if folder.is_dir():
        return folder, None
    packaged = packaged_folder()
    if (packaged / name / CONFIG).exists():
        return packaged / name, None
    if name.count("/") != 1 or name.startswith((".", "/", "~")):
        names = ", ".join(sorted(path.name for path in packaged.glob("*") if path.is_dir())) or "none"
        raise CheckpointError(
            f"there is no checkpoint {name!r}: no such folder, and packaged are: {names}. "
            "Give a folder, a packaged name, or a Hub id such as `someone/some-model`."
        )
    return _download(name, revision, with_weights=with_weights)


def packaged_folder() -> Path:
    """Where the wheel keeps its checkpoints."""
    return Path(str(resources.files(saytara))) / "checkpoints"


def _download(name: str, revision: str | None, *, with_weights: bool) -> tuple[Path, str | None]:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import (
        HfHubHTTPError,
        HFValidationError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    patterns = ["*.json", "*.yaml", "README.md", "*.onnx", *(["*.safetensors"] if with_weights else [])]
    try:
        folder = Path(snapshot_download(name, revision=revision, allow_patterns=patterns))
    except HFValidationError as error:
        raise CheckpointError(f"there is no folder {name!r}, and it cannot be a Hub id either: {error}") from error
    except RepositoryNotFoundError as error:
        raise CheckpointError(f"the Hub has no model {name!r} that you may read. Check the id, or log in.") from error
    except RevisionNotFoundError as error:
        raise CheckpointError(f"the Hub's model {name!r} has no revision {revision!r}.") from error
    except LocalEntryNotFoundError as error:
        raise CheckpointError(
            f"{name!r} is neither a folder nor packaged, the Hub cannot be reached, and the whole model has not been "
            "downloaded before. Connect once, or give a folder."
        ) from error
    except (HfHubHTTPError, OSError) as error:
        raise CheckpointError(f"downloading {name!r} from the Hub failed: {error}") from error
    return folder, folder.name


def read_config(folder: Path) -> dict[str, Any]:
    """The checkpoint's config; CheckpointError where it is missing, broken or not one of saytara."""
    path = folder / CONFIG
    if not path.exists():
        raise CheckpointError(
            f"{folder} holds no {CONFIG}, so it is no checkpoint. Give the folder that `train` wrote."
        )
    config = _read_json(path)
    if config.get("model_type") != "saytara":
        raise CheckpointError(
            f"{path} describes a {config.get('model_type')!r} model, not a saytara one. "
            "To train on from a plain encoder, name it as `encoder:` in a run config."
        )
    for key in ("schema", "tags", "normalization", "encoder", "max_pieces", "overlap_pieces"):
        if key not in config or config[key] in ({}, []):
            raise CheckpointError(f"{path} lacks {key!r}; it was not written by saytara or is damaged.")
    return config


def load_document_encoder(folder: Path, config: Mapping[str, Any]) -> DocumentEncoder:
    path = folder / TOKENIZER
    if not path.exists():
        raise CheckpointError(f"{folder} holds no {TOKENIZER}; download or save the checkpoint again.")
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # tokenizers raises a bare Exception
        raise CheckpointError(f"{path} cannot be read ({error}); download or save the checkpoint again.") from error
    return DocumentEncoder(
        tokenizer,
        Normalization.from_dict(config["normalization"]),
        max_pieces=config["max_pieces"],
        overlap_pieces=config["overlap_pieces"],
    )


def load_model(folder: Path) -> Any:
    """The torch model of a checkpoint folder, its weights stored plainly or as int8 rows."""
    try:
        import torch
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        from saytara.configuration import SaytaraConfig
        from saytara.modeling import SaytaraModel
    except ImportError as error:
        raise MissingExtraError(f"running the torch weights of {folder}", extra="train") from error
    path = folder / WEIGHTS
    if not path.exists():
        raise CheckpointError(f"{folder} holds no {WEIGHTS}; it can predict with ONNX but not be trained on.")
    try:
        tensors = load_file(path)
    except (SafetensorError, OSError) as error:
        raise CheckpointError(
            f"{path} is truncated or corrupt ({error}); download or save the checkpoint again."
        ) from error
    config = read_config(folder)
    try:
        model = SaytaraModel(SaytaraConfig(**config))
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(
            f"{folder / CONFIG} does not describe a model ({error!r}); save the checkpoint again."
        ) from error
    try:
        model.load_state_dict({name: tensor.float() for name, tensor in unpack_rows(tensors).items()})
    except RuntimeError as error:
        raise CheckpointError(f"{path} does not fit {CONFIG}: {error}") from error
    return model.to(torch.float32).eval()


def pack_rows(tensors: Mapping[str, Any]) -> dict[str, Any]:
    """Store each matrix as int8 rows with one float16 scale a row; everything else as float16."""
    import torch

    packed = {}
    for name, tensor in tensors.items():
        if tensor.ndim == 2 and tensor.shape[1] >= 64:
            exact = tensor.float().abs().amax(1, keepdim=True) / 127
            scale = exact.half()
            is_short = (scale.float() < exact) | (scale == 0)
            scale = torch.where(is_short, (scale.view(torch.int16) + 1).view(torch.float16), scale)  # the next one up
            packed[name + INT8] = (tensor / scale.float()).round().to(torch.int8)
            packed[name + SCALE] = scale
        else:
            packed[name] = tensor.half()
    return packed


INT8, SCALE = ".int8", ".scale"


def unpack_rows(tensors: Mapping[str, Any]) -> dict[str, Any]:
    """Undo `pack_rows`; plain tensors pass through."""
    plain = {}
    for name, tensor in tensors.items():
        if name.endswith(INT8):
            stem = name.removesuffix(INT8)
            plain[stem] = tensor.float() * tensors[stem + SCALE].float()
        elif not name.endswith(SCALE):
            plain[name] = tensor
    return plain


def write_json(path: Path, values: Mapping[str, Any]) -> None:
    """Write pretty JSON atomically."""
    with atomic_write(path) as file:
        file.write((json.dumps(values, ensure_ascii=False, indent=2) + "\n").encode())


def _read_json(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path} cannot be read ({error}); download or save the checkpoint again.") from error
    if not isinstance(values, dict):
        raise CheckpointError(f"{path} must hold a JSON object.")
    return values


def push_to_hub(folder: Path, repository: str, *, private: bool = False, token: str | None = None) -> str:
    """Upload a whole checkpoint folder to the Hub; returns the commit's address.

    Raises:
        CheckpointError: `folder` is no checkpoint, or the Hub refused.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError

    read_config(folder)
    api = HfApi(token=token)
    try:
        api.create_repo(repository, private=private, exist_ok=True)
        done = api.upload_folder(repo_id=repository, folder_path=folder, commit_message="Upload saytara checkpoint")
    except HfHubHTTPError as error:
        raise CheckpointError(
            f"the Hub refused to take {repository!r}: {error}. Check the id and your token."
        ) from error
    except Exception as error:  # the client lets its transport's errors through, whose classes change with its version
        raise CheckpointError(
            f"uploading {repository!r} to the Hub failed ({type(error).__name__}: {error}). Try again."
        ) from error
    return str(done)
