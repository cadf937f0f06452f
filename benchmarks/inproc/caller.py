"""A synthetic caller: asks, listens to the reply, interrupts some, says "okay" over others; measures at the output."""

import asyncio
import itertools
import random
from collections.abc import Callable, Sequence

from benchmarks.inproc import engines
from benchmarks.inproc.sounds import FRAME_MS, SILENCE, Utterance
from benchmarks.inproc.tally import Tally

FRAME_S = FRAME_MS / 1000
MISSED_S = 3.0
"""No sound this long after the true end of speech: the turn was missed."""
GAP_S = 0.060
QUIET_S = 0.5
LONGEST_REPLY_S = 15.0
REST_S = (3.0, 5.5)
"""Between a reply and the next question: the agent then speaks 30 % of the time, the caller 28 %."""
KINDS = ("plain", "interrupt", "plain", "backchannel")
KEPT = (0.9, 1.1)
"""A reply that was neither stopped nor followed by another sounds this much of its length."""


def sounds(pcm: bytes) -> bool:
    """A piece of PCM that is not digital silence."""
    return pcm.count(0) != len(pcm)


class Caller:
    """`hear` is set by the side under test: gets 20 ms of 16 kHz mono s16le, may not block. It calls `heard`,
    `decided` and `asked`. Over a transport the 20 ms are packets: `silence` is one, `audible` judges those that come.
    """

    def __init__(
        self,
        number: int,
        said: Sequence[Utterance],
        tally: Tally,
        *,
        silence: bytes = SILENCE,
        audible: Callable[[bytes], bool] = sounds,
    ) -> None:
        self.hear: Callable[[bytes], None] = lambda pcm: None
        self._silence, self._audible = silence, audible
        self.words = ""
        """What an ideal recogniser would make of the utterance said last."""
        self._loop = asyncio.get_running_loop()
        self._lines, self._backchannel = said[:-1], said[-1]
        self._tally = tally
        self._dice = random.Random(number)
        self._kinds = itertools.islice(itertools.cycle(KINDS), number % len(KINDS), None)
        self._saying: Utterance | None = None
        self._at = 0
        self._began_s = 0.0
        self._said = asyncio.Event()
        self._sounded = asyncio.Event()
        self._in_reply = self._over = False
        self._last_s = self._decided_s = self._asked_s = self._first_s = 0.0
        self._frames = 0
        self._pause_s = 0.0

    # What the side under test tells -----------------------------------------------------------------------------

    def decided(self, at_s: float | None = None) -> None:
        """The visitor's turn is over, it has just been decided, or at this time of the loop's clock."""
        self._decided_s = self._loop.time() if at_s is None else at_s

    def asked(self) -> None:
        """The recogniser has just been asked: from here on the engines run. Before `decided`: on a guess."""
        self._asked_s = self._loop.time()

    def heard(self, pcm: bytes) -> None:
        """20 ms of the reply goes out."""
        if not self._audible(pcm):
            return
        now_s = self._loop.time()
        if not self._in_reply:
            self._in_reply, self._first_s = True, now_s
            self._sounded.set()
        elif now_s - self._last_s > GAP_S:
            self._fell_silent(now_s - self._last_s)
        self._last_s = now_s
        self._frames += 1

    def _fell_silent(self, gap_s: float) -> None:
        if self._over:
            self._pause_s = max(self._pause_s, gap_s)
        elif self._tally.open:
            self._tally.gaps_over_60ms += 1
            self._tally.longest_gap_ms = max(self._tally.longest_gap_ms, gap_s * 1000)

    # What it does -----------------------------------------------------------------------------------------------

    def tick(self, due_s: float) -> None:
        """The microphone's next 20 ms are complete."""
        if self._saying is None:
            self.hear(self._silence)
            return
        if self._at == 0:
            self._began_s = due_s - FRAME_S
        frame = self._saying.frames[self._at]
        self._at += 1
        if self._at == len(self._saying.frames):
            self._saying = None
            self._said.set()
        self.hear(frame)

    async def run(self, until_s: float) -> None:
        await asyncio.sleep(self._dice.uniform(0.2, 3.0))
        while self._loop.time() < until_s:
            await self._turn(next(self._kinds))
            await asyncio.sleep(self._dice.uniform(*REST_S))

    async def _turn(self, kind: str) -> None:
        self._arm()
        line = self._dice.choice(self._lines)
        await self._say(line)
        if await self._answered(line):
            if kind == "interrupt":
                await self._interrupt()
            elif kind == "backchannel":
                await self._say_okay()
        await self._quiet()

    def _arm(self) -> None:
        """The next sound that is heard is a reply's first."""
        self._in_reply = self._over = False
        self._decided_s = self._asked_s = self._first_s = 0.0
        self._frames = 0
        self._sounded.clear()

    async def _say(self, line: Utterance) -> None:
        self.words = line.text
        self._said.clear()
        self._at, self._saying = 0, line
        await self._said.wait()
        if self._tally.open:
            self._tally.speech_s += (line.end_ms - line.onset_ms) / 1000

    async def _answered(self, line: Utterance) -> bool:
        """Waits for the reply's first sound, and records how long it took."""
        end_s, tally = self._began_s + line.end_ms / 1000, self._tally
        try:
            async with asyncio.timeout_at(end_s + MISSED_S):
                await self._sounded.wait()
        except TimeoutError:
            tally.missed_turns += tally.open
            return False
        if not tally.open:
            return True
        tally.turns += 1
        if self._first_s < end_s:
            tally.cut_ins += 1
        else:
            self._record(end_s)
        return True

    def _record(self, end_s: float) -> None:
        tally, first_s = self._tally, self._first_s
        asked_s = min(self._asked_s or self._decided_s, self._decided_s)
        ready_s = max(self._decided_s, asked_s + engines.NEEDED_S)
        tally.gap_ms.append((first_s - end_s) * 1000)
        if not self._decided_s:  # what was heard is a late reply to an earlier turn
            return
        tally.vad_ms.append((self._decided_s - end_s) * 1000)
        tally.ttfa_ms.append((first_s - self._decided_s) * 1000)
        tally.overhead_ms.append((first_s - ready_s) * 1000)

    async def _interrupt(self) -> None:
        """Speaks over the reply; what goes out until the interruption's true end is still that reply."""
        await asyncio.sleep(self._dice.uniform(0.5, 1.5))
        if self._loop.time() - self._last_s > GAP_S:
            return
        self._over = True
        line = self._dice.choice(self._lines)
        await self._say(line)
        if self._tally.open:
            onset_s = self._began_s + line.onset_ms / 1000
            self._tally.barge_in_ms.append((self._last_s - onset_s) * 1000)
        self._arm()
        await self._answered(line)

    async def _say_okay(self) -> None:
        await asyncio.sleep(self._dice.uniform(0.4, 1.0))
        self._over, self._pause_s = True, 0.0
        await self._say(self._backchannel)
        await self._quiet(2 * QUIET_S)
        if self._tally.open:
            share = self._frames * FRAME_MS / engines.REPLY_MS
            self._tally.backchannels += 1
            self._tally.backchannels_that_stopped_the_reply += not KEPT[0] <= share <= KEPT[1]
            self._tally.backchannel_pause_ms.append(self._pause_s * 1000)

    async def _quiet(self, seconds: float = QUIET_S) -> None:
        """Until nothing was heard for this long."""
        limit_s = self._loop.time() + LONGEST_REPLY_S
        while (left_s := self._last_s + seconds - self._loop.time()) > 0 and self._loop.time() < limit_s:
            await asyncio.sleep(left_s)
