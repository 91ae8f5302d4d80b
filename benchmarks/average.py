"""Average the weights of runs from one starting point (model soup, Wortsman et al. 2022), calibrate and tune anew.

usage: python benchmarks/average.py RUN_CONFIG.yaml STATE STATE … --output runs/average
STATE: a folder with model.safetensors (a run's ``states/checkpoint-N`` or ``checkpoint``).
"""

import argparse
from dataclasses import replace
from pathlib import Path

import torch

from saytara.training.config import TrainConfig, load_config
from saytara.training.trainer import average_weights, finish, read_gold, set_up, training_documents


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config", type=Path)
    parser.add_argument("states", type=Path, nargs="+")
    parser.add_argument("--output", type=Path, required=True)
    options, overrides = parser.parse_known_args()
    config = replace(load_config(TrainConfig, options.config, overrides), output=str(options.output))
    torch.set_num_threads(config.threads)
    setup = set_up(config)
    setup.model.load_state_dict(average_weights(options.states))
    dev_set = read_gold(config.dev_files, setup.schema)
    metrics = finish(setup, setup.model, training_documents(config, setup.schema), dev_set)
    print({name: score["f1"] for name, score in metrics["dev"].items() if isinstance(score, dict) and "f1" in score})


if __name__ == "__main__":
    main()
