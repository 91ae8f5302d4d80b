"""Door: read Arabic reports and print their events, `python predict.py report.txt`.

Decides nothing; the same as `saytara predict`.
"""

import sys

from saytara.cli import main

if __name__ == "__main__":
    sys.exit(main(["predict", *sys.argv[1:]]))
