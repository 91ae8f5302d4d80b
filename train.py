"""Door: train from a run config, `python train.py configs/compact.yaml`.

Decides nothing; the same as `saytara train`.
"""

import sys

from saytara.cli import main

if __name__ == "__main__":
    sys.exit(main(["train", *sys.argv[1:]]))
