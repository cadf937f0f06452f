"""Seeded mutations of real offers and candidates: each ends as a call or as a MediaError, in time, and leaves nothing
behind. GOASSIST_FUZZ_COUNT changes their number; the seed of one that failed is in its message."""

import asyncio
import os
import random
import threading

from pipeline.contracts.errors import MediaError
from pipeline.core.clock import MonotonicClock
from pipeline.media.peer import answer
from tests.pipeline.media.conftest import open_files
from tests.pipeline.media.test_mutated_offers import BASES, ODD, WORDS

COUNT = int(os.environ.get("GOASSIST_FUZZ_COUNT", "10000"))
HANG_S = 20.0
"""Far beyond what an answer takes on the slowest machine."""
CANDIDATE = "candidate:1 1 udp 2130706431 127.0.0.1 40000 typ host generation 0 ufrag abcd"


def mutated_line(line: str, dice: random.Random) -> str:
    match dice.choice(["word", "cut", "byte", "grow"]):
        case "word":
            words = line.split(" ")
            words[dice.randrange(len(words))] = dice.choice(WORDS + ODD)
            return " ".join(words)
        case "cut":
            return line[: dice.randint(0, len(line))]
        case "byte":
            at = dice.randint(0, len(line))
            return line[:at] + chr(dice.choice([0, 9, 32, 58, 127, 255, 0x2028, 0x1F600])) + line[at + 1 :]
    return line * dice.randint(2, 30)


def mutated_offer(dice: random.Random) -> str:
    lines = list(dice.choice(BASES))
    for _ in range(dice.randint(1, 6)):
        at, other = dice.randrange(len(lines)), dice.randrange(len(lines))
        match dice.choice(["line", "line", "drop", "repeat", "swap"]):
            case "line":
                lines[at] = mutated_line(lines[at], dice)
            case "drop" if len(lines) > 1:
                del lines[at]
            case "repeat":
                lines.insert(other, lines[at])
            case "swap":
                lines[at], lines[other] = lines[other], lines[at]
    return "\r\n".join(lines) + "\r\n"


async def tried(seed: int) -> bool:
    """Whether it was answered. Raises what must not be raised."""
    dice, clock = random.Random(seed), MonotonicClock()
    try:
        peer, _ = await answer(mutated_offer(dice), clock=clock, session_t0=clock.now())
    except MediaError:
        return False
    for _ in range(3):
        try:
            mid = dice.choice(["0", "9", "", None])
            await peer.add_candidate(mutated_line(CANDIDATE, dice), mid, dice.choice([0, 1, 64, None]))
        except MediaError:
            continue
    await peer.close()
    return True


async def test_every_mutation_is_answered_or_refused_and_leaves_nothing_behind() -> None:
    unhandled: list[dict] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: unhandled.append(context))
    tasks, threads, files = asyncio.all_tasks(), threading.active_count(), open_files()
    answered = 0
    for seed in range(COUNT):
        try:
            answered += await asyncio.wait_for(tried(seed), HANG_S)
        except Exception as error:
            raise AssertionError(f"seed {seed}: {error!r}") from error
        for _ in range(10):
            await asyncio.sleep(0)
        assert asyncio.all_tasks() == tasks, f"seed {seed} left tasks behind"
        assert unhandled == [], f"seed {seed}"
    assert (threading.active_count(), open_files()) == (threads, files)
    assert 0 < answered < COUNT
