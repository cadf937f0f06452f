"""ffmpeg's WHIP muxer: no candidates in the offer, and neither PRIORITY nor ICE-CONTROLLING in its checks."""

import asyncio
from typing import Any

import pytest

from pipeline.core.clock import MonotonicClock
from pipeline.media.peer import answer
from tests.fakes.caller import Caller
from tests.pipeline.media.conftest import tone
from tests.pipeline.media.hearing import Ear


def checks_without(caller: Caller, left_out: set[str]) -> None:
    ice = caller.pc.getTransceivers()[0].receiver.transport.transport._connection
    build = ice.build_request

    def request(*args: Any, **kwargs: Any) -> Any:
        message = build(*args, **kwargs)
        for name in left_out:
            message.attributes.pop(name, None)
        message.attributes.setdefault("USE-CANDIDATE", None)
        return message

    ice.build_request = request


@pytest.mark.parametrize("left_out", [set(), {"PRIORITY"}, {"PRIORITY", "ICE-CONTROLLING"}])
async def test_who_names_no_candidates_is_found_by_its_checks(left_out: set[str]) -> None:
    caller, clock = Caller(channels=False, deaf=True), MonotonicClock()
    lines = (await caller.offer()).splitlines()
    sdp = "\r\n".join(line for line in lines if not line.startswith(("a=candidate", "a=end-of-cand"))) + "\r\n"
    checks_without(caller, left_out)
    peer, ours = await answer(sdp, clock=clock, session_t0=clock.now(), may_be_deaf=True)
    await caller.accept(ours)
    ear = Ear(peer)
    speaking = asyncio.create_task(caller.say(tone(300, 0.4, 48_000)))
    await ear.until(lambda: len(ear.loud()) >= 10)
    await speaking
    await peer.close()
    await caller.close()
