import asyncio
import logging

from pipeline.contracts.numbers import CLOSE_DEADLINE_S
from pipeline.media import connection
from pipeline.media.connection import Connection
from tests.fakes.clock import settle


async def test_aiortc_still_has_the_names_that_are_watched(caplog):
    ends = []
    line = Connection((), ends.append)
    line.pc.addTransceiver("audio")
    assert hasattr(line.pc, connection.CONNECT) and len(line.ice()) == 1
    assert not caplog.records
    await line.close()
    assert ends[-1] == "closed"


async def test_a_connection_that_aiortc_cannot_make_is_a_failed_call():
    ends = []
    line = Connection((), ends.append)

    async def broken() -> None:
        raise AssertionError("aiortc trips over its own feet")

    await line._connect(broken)
    assert ends == ["failed"]
    await line.close()


async def test_closing_ends_in_time_when_aiortc_hangs(caplog):
    line = Connection((), lambda reason: None)
    real = line.pc.close
    line.pc.close = asyncio.Event().wait
    began = asyncio.get_running_loop().time()
    await line.close()
    assert asyncio.get_running_loop().time() - began <= CLOSE_DEADLINE_S
    assert "did not close a call in time" in caplog.text
    await real()


async def test_a_failing_close_is_logged_and_goes_no_further(caplog):
    caplog.set_level(logging.INFO)
    line = Connection((), lambda reason: None)
    real = line.pc.close

    async def broken() -> None:
        raise AttributeError("transport is None")

    line.pc.close = broken
    await line.close()
    assert "could not close a call" in caplog.text
    await real()


async def test_a_caller_who_loses_patience_does_not_stop_the_closing():
    line = Connection((), lambda reason: None)
    impatient = asyncio.create_task(line.close())
    await asyncio.sleep(0)
    impatient.cancel()
    await line.close()
    await settle()
    assert line.pc.connectionState == "closed"
