"""Average the weights of runs from one starting point (model soup, Wortsman et al. 2022), calibrate and tune anew.

usage: python benchmarks/average.py RUN_CONFIG.yaml STATE STATE … --output runs/average
STATE: a folder with model.safetensors (a run's ``states/checkpoint-N`` or ``checkpoint``).
"""

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

import saytara
from saytara.arabic.normalize import Normalization
from saytara.decoding import DecodingConfig
from saytara.encoding import DocumentEncoder
from saytara.pipeline import Extractor, ModelInfo
from saytara.scoring import TorchScorer
from saytara.training.config import TrainConfig, load_config
from saytara.training.trainer import (
    finish,
    load_schema,
    load_tokenizer,
    make_model_config,
    read_gold,
    start_model,
    uses_bf16,
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config", type=Path)
    parser.add_argument("states", type=Path, nargs="+")
    parser.add_argument("--output", type=Path, required=True)
    options, overrides = parser.parse_known_args()
    config = replace(load_config(TrainConfig, options.config, overrides), output=str(options.output))
    torch.set_num_threads(config.threads)
    schema = load_schema(config.schema)
    tokenizer = load_tokenizer(config.encoder, config.revision)
    model_config = make_model_config(config, schema)
    encoder = DocumentEncoder(
        tokenizer.backend_tokenizer,
        Normalization.from_dict(model_config.normalization),
        max_pieces=config.max_pieces,
        overlap_pieces=config.overlap_pieces,
    )
    model = start_model(config, model_config)
    weights = [load_file(state / "model.safetensors") for state in options.states]
    model.load_state_dict({name: sum(w[name] for w in weights) / len(weights) for name in weights[0]})

    def extractor(network: Any, decoding: DecodingConfig) -> Extractor:
        return Extractor(
            schema=schema,
            encoder=encoder,
            scorer=TorchScorer(network, bf16=uses_bf16(config)),
            decoding=decoding,
            info=ModelInfo(config.name, None, saytara.__version__),
        )

    metrics = finish(config, model, extractor, read_gold(config.dev_files, schema), tokenizer, options.output)
    print({name: score["f1"] for name, score in metrics["dev"].items() if isinstance(score, dict) and "f1" in score})


if __name__ == "__main__":
    main()
