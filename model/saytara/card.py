"""The model card of a checkpoint, rendered from its own files.

Holds no figure of its own: every number comes from ``metrics.json``.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

MEASURES = (
    ("entity", "mentions"),
    ("trigger-i", "triggers, identified"),
    ("trigger", "triggers, classified"),
    ("argument", "arguments"),
    ("event", "events"),
    ("event-strict", "events, every argument right"),
    ("factuality", "factuality (accuracy over trigger hits)"),
    ("attribution", "attribution (accuracy over trigger hits)"),
)

_CARD = """---
language: ar
license: apache-2.0
library_name: saytara
pipeline_tag: token-classification
tags:
- event-extraction
- named-entity-recognition
- conflict
- arabic
---

# {name}

Reads Arabic news reports and returns {schema}. Made with saytara {version}.

```python
from saytara.pipeline import Extractor

extractor = Extractor.from_pretrained("{name}")  # or this folder, or its Hub id
annotation = extractor.extract("سيطرت الفصائل على المدينة فجر الجمعة")
```

## Encoder and training

- Encoder: `{encoder}` (`{model_type}`, {hidden} wide, {layers} layers); normalisation `{normalization}`
- {epochs:g} epochs, {batch_size} windows a step, rates {encoder_lr:g} (encoder) and {head_lr:g} (heads), seed {seed};
  the whole run config is in `run.yaml`
- Trained on: {train_files}
{extra}
## Scores

Strict spans, micro-averaged, end to end, {engine}; measured on {dev_files}. Thresholds and calibration were chosen on
the same documents.

{table}

## Limits

- Reads what a report says, not what happened; `claimed`, `denied` and `prospective` events are told apart by wording.
- Trained on news prose in Modern Standard Arabic; dialect and heavy misspelling lower the scores.
- Arguments are found inside one window ({max_pieces} pieces); a link across a longer distance is lost.
- Scores are calibrated on the dev documents and may be off on other kinds of text.
"""


def render_card(folder: Path) -> str:
    """The card of the checkpoint in `folder`, from its config, run config and metrics."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    run = yaml.safe_load((folder / "run.yaml").read_text(encoding="utf-8"))
    encoder = config["encoder"]
    extra = ""
    if run["extra_train_files"]:
        names = _names(run["extra_train_files"])
        extra += f"- It also saw real passages of publishers that are not redistributed: {names}\n"
    if run.get("soft_files"):
        extra += f"- It also saw raw passages that other checkpoints annotated softly: {_names(run['soft_files'])}\n"
    return _CARD.format(
        name=run["name"],
        schema=_describe(config["schema"]),
        version=config["saytara_version"],
        encoder=Path(run["encoder"]).name if Path(run["encoder"]).is_absolute() else run["encoder"],
        model_type=encoder["model_type"],
        hidden=encoder["hidden_size"],
        layers=encoder["num_hidden_layers"],
        normalization=run["normalization"],
        epochs=run["epochs"],
        batch_size=run["batch_size"],
        encoder_lr=run["encoder_lr"],
        head_lr=run["head_lr"],
        seed=run["seed"],
        train_files=_names(run["train_files"]),
        extra=extra,
        engine=metrics.get("engine", "torch"),
        dev_files=_names(metrics["dev_files"]) or "nothing",
        table=score_table(metrics["dev"]),
        max_pieces=config["max_pieces"],
    )


def _names(files: Sequence[str]) -> str:
    return ", ".join(f"`{Path(name).name}`" for name in files)


def score_table(result: Mapping[str, Any]) -> str:
    """Markdown table of the headline figures."""
    rows = ["| | P | R | F1 |", "|---|---|---|---|"]
    for key, title in MEASURES:
        score = result.get(key)
        if score:
            rows.append(f"| {title} | {score['precision']:.3f} | {score['recall']:.3f} | {score['f1']:.3f} |")
    return "\n".join(rows)


def _describe(schema: Mapping[str, Any]) -> str:
    labels = ", ".join(f"`{label}`" for label in schema["mentions"])
    events = ", ".join(f"`{event}`" for event in schema["events"])
    return f"mentions ({labels})" + (f" and events ({events}) with roles, factuality and attribution" if events else "")
