"""`python -m benchmarks.pauses`: cut-ins and waits of both patiences on the pause set, and of others' rules."""

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from benchmarks.pauses import peers, simulate
from benchmarks.pauses.hear import Trace, hear, pause_at
from benchmarks.pauses.make import utterances
from benchmarks.pauses.true_words import with_true_words
from benchmarks.pauses.wheel import smart_turn_files
from pipeline.contracts.spec import TurnSettings
from pipeline.core.patience import BRISK, CALM
from pipeline.core.ports import TurnDetector
from pipeline.engines import registry


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pauses", description=__doc__)
    parser.add_argument("--half", choices=["tuning", "reported"], default="reported")
    parser.add_argument("--quick", action="store_true", help="every fourth sentence")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--turns", default="lexical", help="our detector: lexical or smart-turn")
    parser.add_argument("--peers", action="store_true", help="Pipecat's rules with Smart Turn, too (from its wheel)")
    options = parser.parse_args()
    measured = measure(options.half, quick=options.quick, turns=options.turns, with_peers=options.peers)
    print(json.dumps(measured) if options.json else table(measured))


def measure(half: str = "reported", *, quick: bool = False, turns: str = "lexical", with_peers: bool = False):
    """`calm` and `brisk`, each with `cut_in` (percent per kind) and `first_audio_ms`; both again with the words as they
    were truly said; `peers`."""
    smart_turn = smart_turn_files()[0] if with_peers or turns == "smart-turn" else None
    say(f"speaking the {half} half")
    spoken = utterances(half, quick=quick)
    say(f"hearing {len(spoken)} utterances with the real recogniser")
    traces = hear(spoken)
    say(f"judging with {turns}")
    told = [with_true_words(trace) for trace in traces]
    known = asyncio.run(judged([*traces, *told], turns, smart_turn))
    return {
        **ours(traces, known),
        "true_words": ours(told, known),
        "utterances": len(traces),
        "peers": peers.measure(traces, smart_turn if with_peers else None),
    }


def ours(traces: list[Trace], known: dict[int, float]) -> dict[str, Any]:
    """Both patiences."""
    limit = TurnSettings().endpoint_ms
    return {
        how: simulate.summary([simulate.ours(t, how, lambda t, look: known[id(look)], limit) for t in traces])
        for how in (CALM, BRISK)
    }


async def judged(traces: list[Trace], turns: str, smart_turn: Path | None) -> dict[int, float]:
    """Completeness by the id of each look."""
    engine: TurnDetector = registry.create("turns", turns, {"model": str(smart_turn)} if turns == "smart-turn" else {})
    await engine.start()
    try:
        return {id(look): await engine.completeness(pause_at(t, look)) for t in traces for look in t.looks}
    finally:
        await engine.close()


def table(measured: dict[str, Any]) -> str:
    rows = ["| | cut-ins a | b | c | first audio p50 ms | p95 ms |", "| --- | --- | --- | --- | --- | --- |"]
    heard = {f"ours, {how}": measured[how] for how in (CALM, BRISK)}
    told = {f"ours, {how}, the words as truly said": measured["true_words"][how] for how in (CALM, BRISK)}
    for name, one in {**heard, **told, **measured["peers"]}.items():
        cut, first = one["cut_in"], one["first_audio_ms"]
        cells = [f"{cut[kind]:.1f} %" for kind in "abc"]
        rows.append(f"| {name} | {' | '.join(cells)} | {first['p50']} | {first['p95']} |")
    return "\n".join(rows)


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
