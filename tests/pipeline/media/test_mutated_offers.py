"""Offers come from strangers: whatever they hold, the answer is a call or a MediaError, and nothing stays behind."""

import asyncio
import threading

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.contracts.errors import MediaError
from pipeline.core.clock import MonotonicClock
from pipeline.media.peer import answer
from tests.pipeline.media.conftest import OFFERS, open_files

BASES = [(OFFERS / name).read_text().splitlines() for name in ("chromium.sdp", "chromium-mdns.sdp", "aiortc.sdp")]
WORDS = sorted({word for base in BASES for line in base for word in line.replace(":", " ").replace("/", " ").split()})
ODD = [
    "",
    "-1",
    "0",
    "65536",
    "99999999999999999999",
    "%",
    "é",
    "opus",
    "active",
    "passive",
    "holdconn",
    "::1",
    "a=",
    "m=",
]


@st.composite
def mutated(draw) -> str:
    lines = list(draw(st.sampled_from(BASES)))
    for _ in range(draw(st.integers(1, 4))):
        if not lines:
            break
        at, other = (draw(st.integers(0, len(lines) - 1)) for _ in range(2))
        match draw(st.sampled_from(["drop", "repeat", "swap", "word", "word", "end", "insert", "cut"])):
            case "drop":
                del lines[at]
            case "repeat":
                lines.insert(other, lines[at])
            case "swap":
                lines[at], lines[other] = lines[other], lines[at]
            case "word":
                word = draw(st.sampled_from(lines[at].replace(":", " ").replace("/", " ").split() or [" "]))
                lines[at] = lines[at].replace(word, draw(st.sampled_from(WORDS + ODD)), 1)
            case "end":
                lines = lines[:at]
            case "insert":
                lines.insert(
                    at, draw(st.sampled_from(["a=", "m=audio 9 X 0", "a=mid:0", "a=setup:active"]) | st.text())
                )
            case "cut":
                lines[at] = lines[at][: draw(st.integers(0, len(lines[at])))]
    return "\r\n".join(lines) + "\r\n"


async def tried(sdp: str) -> tuple[bool, list[asyncio.Task]]:
    """(whether it was answered, the tasks left behind)."""
    clock = MonotonicClock()
    answered = True
    try:
        peer, _ = await answer(sdp, clock=clock, session_t0=clock.now())
    except MediaError:
        answered = False
    else:
        await asyncio.sleep(0)
        await peer.close()
    for _ in range(3):
        await asyncio.sleep(0)
    return answered, [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]


def in_a_loop_of_its_own(sdp: str) -> tuple[bool, list[asyncio.Task]]:
    """Errors in callbacks and forgotten tasks reach the loop's exception handler: they fail the test."""
    unhandled: list[dict] = []
    with asyncio.Runner() as runner:
        runner.get_loop().set_exception_handler(lambda loop, context: unhandled.append(context))
        result = runner.run(tried(sdp))
    assert unhandled == []
    return result


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(mutated())
def test_a_mutated_offer_is_answered_or_refused_and_leaves_nothing_behind(sdp):
    files, threads = open_files(), threading.active_count()
    _, tasks = in_a_loop_of_its_own(sdp)
    assert tasks == []
    assert open_files() == files
    assert threading.active_count() == threads


def test_the_offers_that_the_mutations_start_from_are_answered():
    for base in BASES:
        assert in_a_loop_of_its_own("\r\n".join(base) + "\r\n") == (True, [])
