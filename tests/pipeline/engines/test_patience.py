import asyncio

import pytest

from pipeline.engines.patience import Patience


async def test_only_waiting_uses_up_patience():
    now = [0.0]
    patience = Patience(1.0, now=lambda: now[0])

    async def answer(after_s):
        now[0] += after_s
        return "piece"

    for _ in range(3):
        assert await patience.wait(answer(0.3)) == "piece"
        now[0] += 60.0
    assert await patience.wait(answer(0.3)) == "piece"
    with pytest.raises(TimeoutError):
        await patience.wait(asyncio.Event().wait())
