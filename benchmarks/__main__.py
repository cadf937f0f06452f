"""Measures the product, and its peers beside it. `make bench` runs all of it; docs/benchmarks.md says how to read it.

python -m benchmarks --json --quick            one JSON object on stdout in under five minutes, progress on stderr
python -m benchmarks --only inproc --peers     one part, with pipecat-ai and livekit-agents in the same run
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import parts
from benchmarks.machine import hurry, machine
from benchmarks.report import tables

PARTS: dict[str, Callable[[parts.Plan], dict[str, Any]]] = {
    "inproc": parts.inproc,
    "webrtc": parts.webrtc,
    "browser": parts.browser,
    "pauses": parts.pauses,
    "embedded": parts.embedded,
}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of tables")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter runs: under five minutes without peers")
    parser.add_argument("--peers", action="store_true", help="also pipecat-ai and livekit-agents")
    parser.add_argument("--only", nargs="+", choices=[*PARTS], default=[*PARTS], metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--sessions", type=int, nargs="+", help="numbers of sessions of `inproc`")
    parser.add_argument("--seconds", type=float, help="measured time of each run of `inproc` and `webrtc`")
    parser.add_argument("--no-search", action="store_true", help="do not look for the largest number of sessions")
    parser.add_argument("--core", type=int, help="measure `inproc` on this CPU alone (default: on all of them)")
    parser.add_argument("--urgent", action="store_true", help="put what is measured before all else here (Linux, root)")
    parser.add_argument("--charts", type=Path, metavar="DIR", help="also draw PNG charts there")
    parser.add_argument("--from", dest="kept", type=Path, metavar="FILE", help="measure nothing: show this JSON file")
    return parser.parse_args()


def main() -> None:
    options = arguments()
    figures = json.loads(options.kept.read_text()) if options.kept else measured(options)
    if options.charts:
        from benchmarks.charts import draw

        for path in draw(figures, options.charts):
            print(f"drawn: {path}", file=sys.stderr)
    print(json.dumps(figures, indent=1) if options.json else tables(figures))


def attempted(part: str, plan: parts.Plan) -> dict[str, Any]:
    """A part that fails does not take the others' figures with it."""
    try:
        return PARTS[part](plan)
    except (Exception, SystemExit) as error:
        print(f"{part} failed: {error}", file=sys.stderr)
        return {part: {"failed": str(error)[:500]}}


def measured(options: argparse.Namespace) -> dict[str, Any]:
    plan = parts.plan(options)
    if options.urgent:
        hurry()
    figures: dict[str, Any] = {"machine": machine()}
    for part in options.only:
        figures.update(attempted(part, plan))
    file = Path(os.environ.get("GOASSIST_DATA", "./var")) / "bench" / f"{time.strftime('%Y%m%d-%H%M%S')}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(figures, indent=1))
    print(f"kept in {file}", file=sys.stderr)
    return figures


if __name__ == "__main__":
    main()
