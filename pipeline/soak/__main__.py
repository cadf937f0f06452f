"""`python -m pipeline.soak`: call an installation with many voices and judge what they heard. See docs/soak.md.

Progress goes to standard output as NDJSON, a summary in words to standard error, the report to `--report`.
Exit status: 0 pass, 1 not passed, 2 the run could not begin.
"""

import argparse
import asyncio
import json
import logging
import os
import signal
import sys
from pathlib import Path
from typing import Any

from pipeline.soak import report
from pipeline.soak.errors import SoakError, Usage
from pipeline.soak.run import Settings, fresh_seed, run

KEY_VARIABLE = "GOASSIST_SOAK_KEY"
"""Where the key may be given instead of on the command line, which every user of the machine can read."""
MINUTES = (0.1, 1440.0)


def main(arguments: list[str] | None = None) -> int:
    logging.basicConfig(level=logging.ERROR, stream=sys.stderr)
    options = _parser().parse_args(arguments)
    try:
        settings, key = _settings(options), options.key or os.environ.get(KEY_VARIABLE, "")
        if not key:
            raise Usage(f"give the secret key with --key or in {KEY_VARIABLE}")
        result = asyncio.run(_soak(settings, key))
    except SoakError as error:
        print(f"soak: {error}", file=sys.stderr)
        return 2
    if options.report:
        options.report.write_text(json.dumps(result, indent=1))
    print(report.summary(result), file=sys.stderr)
    return 0 if result["verdict"] == "pass" else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m pipeline.soak", description="Call an installation and judge it.")
    parser.add_argument("--url", required=True, help="address of the installation, e.g. http://127.0.0.1:8000")
    parser.add_argument("--key", help=f"secret key sk_…; better in the environment as {KEY_VARIABLE}")
    parser.add_argument("--assistant", required=True, help="id of the assistant to call")
    parser.add_argument("--callers", type=int, default=4, help="how many callers at once (1 to 500)")
    parser.add_argument("--minutes", type=float, default=3.0, help="how long, 0.1 to 1440")
    parser.add_argument("--duty", type=float, default=0.3, help="share of the time that a caller is active (0.05 to 1)")
    parser.add_argument("--seed", type=int, default=None, help="the same seed gives the same conversations")
    parser.add_argument("--report", type=Path, help="file for the report (JSON)")
    parser.add_argument(
        "--metrics-url",
        action="append",
        help="a /metrics page of the server; may be given again (default: URL/metrics)",
    )
    return parser


def _settings(options: argparse.Namespace) -> Settings:
    """Raises Usage."""
    url = options.url.rstrip("/")
    if not url.startswith(("http://", "https://")):
        raise Usage("--url must begin with http:// or https://")
    for name, value, (low, high) in (
        ("callers", options.callers, (1, 500)), ("minutes", options.minutes, MINUTES),
        ("duty", options.duty, (0.05, 1)),
    ):  # fmt: skip
        if not low <= value <= high:
            raise Usage(f"--{name} must be between {low:g} and {high:g}")
    return Settings(
        url=url,
        assistant=options.assistant,
        callers=options.callers,
        minutes=options.minutes,
        duty=options.duty,
        seed=fresh_seed() if options.seed is None else options.seed,
        metrics_urls=tuple(options.metrics_url or [f"{url}/metrics"]),
    )


async def _soak(settings: Settings, key: str) -> dict[str, Any]:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for sent in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sent, stop.set)
    return await run(settings, key, _Emitter(stop), stop)


class _Emitter:
    """NDJSON on standard output. When nobody reads any more the run stops: its starter has died."""

    def __init__(self, stop: asyncio.Event) -> None:
        self._stop = stop

    def __call__(self, message: dict[str, Any]) -> None:
        try:
            print(json.dumps(message), flush=True)
        except BrokenPipeError:
            self._stop.set()
            sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115 - stays open until the process ends


if __name__ == "__main__":
    sys.exit(main())
