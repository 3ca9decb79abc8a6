"""``python -m latentfu.demo --out DIR``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from latentfu.core.errors import LatentFuError


def main() -> int:
    """Exit code 0, or 1 after one sentence."""
    parser = argparse.ArgumentParser(prog="latentfu.demo", description="Edit a portrait.")
    parser.add_argument("--out", type=Path, default=Path("demo"), metavar="DIR")
    parser.add_argument("--generator", metavar="NAME", help="another than the default one")
    options = parser.parse_args()
    from latentfu.demo.run import run_demo

    try:
        run_demo(options.out, options.generator)
    except LatentFuError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped; what is finished lies in", options.out, file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
