"""`make bench`: starts the product with its embedded engines, lets callers talk with it, prints what it took."""

import argparse
import os
from pathlib import Path

from benchmarks.bench import bench, keep, machine


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--sessions", type=int, nargs="+", default=[1, 5, 10])
    parser.add_argument("--minutes", type=float, default=1.5, help="for each number of sessions")
    parser.add_argument("--duty", type=float, default=0.6, help="share of the time that a caller is in conversation")
    options = parser.parse_args()
    print(machine())
    measured = bench(options.sessions, options.minutes, options.duty)
    file = keep(measured, Path(os.environ.get("GOASSIST_DATA", "./var")) / "bench")
    print(f"\nKept in {file}")


if __name__ == "__main__":
    main()
