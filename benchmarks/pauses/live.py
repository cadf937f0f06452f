"""Visitors who go on after all, through whole sessions in real time: how soon the agent is silent, and how many turns.

    python -m benchmarks.pauses.live [--half reported] [--quick] [--json]

The utterances of kind c (complete where the visitor falls silent) are spoken to sessions of `patience = brisk` with
Silero, pocketsphinx and the lexical detector. Language and voice are the fixed-delay engines, with a short reply.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from benchmarks.demo_specs import demo_spec
from benchmarks.inproc import ours
from benchmarks.inproc.caller import sounds
from benchmarks.inproc.engines import FIRST_TOKEN_S
from benchmarks.inproc.line import Line
from benchmarks.inproc.sounds import FRAME_BYTES, FRAME_MS, SILENCE
from benchmarks.inproc.tally import spread
from benchmarks.inproc.ticker import Ticker
from benchmarks.pauses.hear import SLUGS
from benchmarks.pauses.make import LEAD_MS, Utterance, utterances
from pipeline.contracts.dialogue import LanguageRequest, Origin, Record, TurnRecord
from pipeline.contracts.numbers import EAR_RATE_HZ
from pipeline.contracts.spec import AssistantSpec, TurnSettings
from pipeline.core.clock import MonotonicClock, SessionClock
from pipeline.core.ports import Engines
from pipeline.core.surroundings import Surroundings
from pipeline.core.words import words
from pipeline.engines import registry

AT_ONCE: Final = 3
"""Sessions: more, and the recogniser of two cores would be late."""
REPLY: Final = "Yes, we can do that for you. "
ANSWERED_S: Final = 4.0
"""After the true end, until the reply has begun."""
DONE_S: Final = 8.0
QUIET_S: Final = 0.5
SILENT_MS: Final = 150.0


@dataclass(slots=True)
class Outcome:
    """Of one utterance. Times in ms."""

    text: str
    pause_ms: float
    spoke_into_it: bool = False
    """The agent sounded between the end of the first part and the end of the last."""
    silent_ms: float = 0.0
    """From the true onset of the second part (or its own first sound, where that came later) to its last sound."""
    one_turn: bool = False
    both_parts: bool = False
    """The turn's text has words of both parts."""
    first_audio_ms: float | None = None
    """From the true end to the reply that stays."""


class Visitor:
    """Says one utterance after the other. `benchmarks.inproc.line.Line` calls `heard` with what goes out."""

    def __init__(self) -> None:
        self.hear: Callable[[bytes], None] = lambda pcm: None
        self.heard_s: list[float] = []
        """When each audible 20 ms of the agent went out."""
        self._pcm, self._at, self._began_s = b"", 0, 0.0
        self._said = asyncio.Event()

    def heard(self, pcm: bytes) -> None:
        if sounds(pcm):
            self.heard_s.append(asyncio.get_running_loop().time())

    def tick(self, due_s: float) -> None:
        if not self._pcm:
            self.hear(SILENCE)
            return
        if not self._at:
            self._began_s = due_s - FRAME_MS / 1000
        frame = self._pcm[self._at : self._at + FRAME_BYTES]
        self._at += FRAME_BYTES
        if self._at == len(self._pcm):
            self._pcm = b""
            self._said.set()
        self.hear(frame)

    async def say(self, utterance: Utterance) -> float:
        """Returns when it began, on the loop's clock, once all of its speech is said."""
        self.heard_s.clear()
        self._said.clear()
        end = int((utterance.end_ms + LEAD_MS) * EAR_RATE_HZ / 1000) * 2
        self._at, self._pcm = 0, utterance.pcm[: end // FRAME_BYTES * FRAME_BYTES]
        await self._said.wait()
        return self._began_s


class Told:
    """The Journal: finished turns of the visitor's voice, by session."""

    def __init__(self) -> None:
        self.turns: dict[str, list[TurnRecord]] = defaultdict(list)

    def record(self, record: Record) -> None:
        if isinstance(record, TurnRecord) and record.kind == "told" and record.origin == Origin.VOICE:
            self.turns[record.session_id].append(record)


class Nobody:
    def event(self, session_id: str, event: dict[str, Any]) -> None: ...

    def faces(self, session_id: str, frames: list[dict[str, Any]]) -> None: ...


class ShortLanguage(ours.FixedLanguage):
    def reply(self, request: LanguageRequest) -> AsyncGenerator[str, None]:
        return _short()


async def _short() -> AsyncGenerator[str, None]:
    await asyncio.sleep(FIRST_TOKEN_S)
    yield REPLY


async def _engines(folder: str) -> Engines:
    fixed = await ours.engines_started()
    asr = registry.create("asr", "pocketsphinx", {"models_dir": folder})
    turns = registry.create("turns", "lexical", {})
    await asr.start()
    await turns.start()
    return replace(fixed, asr=asr, turns=turns, language=ShortLanguage())


def _spec(tenant: str) -> AssistantSpec:
    return replace(demo_spec(SLUGS[tenant]), greeting="", turns=TurnSettings(patience="brisk"))


async def measure(spoken: list[Utterance]) -> list[Outcome]:
    """Each voice and tenant is one session, as in `benchmarks.pauses.hear`."""
    rows: dict[tuple[str, str], list[Utterance]] = defaultdict(list)
    for utterance in spoken:
        rows[utterance.voice, utterance.tenant].append(utterance)
    with tempfile.TemporaryDirectory() as folder:
        engines, told = await _engines(folder), Told()
        around = Surroundings("bench", engines, told, Nobody(), ours.CountingMeter(), ours.NoLoad())
        room = asyncio.Semaphore(AT_ONCE)
        try:
            found = await asyncio.gather(*(_row(room, around, told, key, row) for key, row in rows.items()))
        finally:
            await engines.asr.close()
            await engines.turns.close()
    return [outcome for outcomes in found for outcome in outcomes]


async def _row(
    room: asyncio.Semaphore, around: Surroundings, told: Told, key: tuple[str, str], row: list[Utterance]
) -> list[Outcome]:
    async with room:
        name, spec, visitor = "-".join(key), _spec(key[1]), Visitor()
        clock = SessionClock(MonotonicClock(), time.time(), time.time())
        line = Line(visitor, clock.now_ms)
        session = ours.session_on(line, name, spec, clock, around, await around.engines.asr.open(spec))
        running = asyncio.create_task(session.run())
        await asyncio.sleep(0)
        visitor.hear = line.microphone.hear
        ticker = Ticker([visitor])
        try:
            await asyncio.sleep(1.0)
            outcomes = [await _one(visitor, told.turns[name], utterance) for utterance in row]
        finally:
            ticker.stop()
            session.hang_up("hangup")
            await running
        print(f"{name}: {len(row)} utterances", file=sys.stderr, flush=True)
        return outcomes


async def _one(visitor: Visitor, turns: list[TurnRecord], utterance: Utterance) -> Outcome:
    before = len(turns)
    began_s = await visitor.say(utterance)
    end_s = began_s + utterance.end_ms / 1000
    loop = asyncio.get_running_loop()
    while loop.time() < end_s + ANSWERED_S and not _after(visitor, end_s):
        await asyncio.sleep(0.05)
    while loop.time() < end_s + DONE_S and not (len(turns) > before and _quiet(visitor)):
        await asyncio.sleep(0.05)
    return _judged(visitor, turns[before:], utterance, began_s)


def _after(visitor: Visitor, end_s: float) -> bool:
    return bool(visitor.heard_s) and visitor.heard_s[-1] > end_s


def _quiet(visitor: Visitor) -> bool:
    return not visitor.heard_s or asyncio.get_running_loop().time() > visitor.heard_s[-1] + QUIET_S


def _judged(visitor: Visitor, turns: list[TurnRecord], utterance: Utterance, began_s: float) -> Outcome:
    outcome = Outcome(utterance.text, utterance.pause_ms)
    onset_s, end_s = (began_s + at / 1000 for at in (utterance.spans_ms[1][0], utterance.end_ms))
    into = [at for at in visitor.heard_s if at < end_s]
    after = [at for at in visitor.heard_s if at >= end_s]
    if into:
        outcome.spoke_into_it = True
        outcome.silent_ms = max(0.0, (into[-1] - max(onset_s, into[0])) * 1000)
    outcome.first_audio_ms = (after[0] - end_s) * 1000 if after else None
    outcome.one_turn = len(turns) == 1
    said = set(words(turns[-1].visitor_text)) if turns else set()
    outcome.both_parts = outcome.one_turn and all(said & set(words(part)) for part in utterance.parts)
    return outcome


def summary(outcomes: list[Outcome]) -> dict[str, Any]:
    """Percent and ms, as docs/benchmarks.md tells."""
    into = [o for o in outcomes if o.spoke_into_it]
    silent, first = [o.silent_ms for o in into], [o.first_audio_ms for o in outcomes if o.first_audio_ms is not None]
    return {
        "utterances": len(outcomes),
        "spoke_into_it": len(into),
        "silent_ms": spread(silent),
        "silent_in_time": _percent([ms <= SILENT_MS for ms in silent]),
        "one_turn": _percent([o.one_turn for o in outcomes]),
        "one_turn_where_it_spoke": _percent([o.one_turn for o in into]),
        "words_of_both_parts": _percent([o.both_parts for o in outcomes]),
        "first_audio_ms": spread(first),
    }


def _percent(held: list[bool]) -> float | None:
    return round(100 * float(np.mean(held)), 1) if held else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--half", choices=["tuning", "reported"], default="reported")
    parser.add_argument("--quick", action="store_true", help="every fourth sentence")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    spoken = utterances(options.half, quick=options.quick, kinds="c")
    outcomes = asyncio.run(measure(spoken))
    for one in outcomes:
        if not one.one_turn or one.silent_ms > SILENT_MS:
            print(one, file=sys.stderr)
    found = summary(outcomes)
    print(json.dumps(found) if options.json else "\n".join(f"{name}: {value}" for name, value in found.items()))


if __name__ == "__main__":
    main()
