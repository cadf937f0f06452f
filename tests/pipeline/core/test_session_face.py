"""When a session makes frames of its face, and for whom."""

from tests.fakes.call import a_call
from tests.pipeline.core.test_session import QUESTION, ask, running


async def test_face_frames_come_at_thirty_hertz_while_speaking_and_rest_otherwise() -> None:
    call = await a_call([QUESTION])
    async with running(call):
        await ask(call)
        await call.hush(4000)
    assert call.line is not None
    moving = [f for f in call.line.frames if not f["heartbeat"]]
    assert 60 <= len(moving) <= 110
    assert len(call.line.frames) - len(moving) < 15
    assert call.publisher.frames == [], "nobody else looks"


async def test_watchers_get_every_frame_as_long_as_they_watch_and_a_hidden_face_costs_nothing() -> None:
    call = await a_call([QUESTION, QUESTION])
    async with running(call):
        assert call.line is not None
        call.line.on_control({"type": "face", "on": False})
        call.line.frames.clear()
        call.session.watched()
        await ask(call)
        await call.hush(4000)
        moving = [f for f in call.publisher.frames if not f["heartbeat"]]
        assert 60 <= len(moving) <= 110
        await call.hush(16_000)
        seen = len(call.publisher.frames)
        await ask(call)
        await call.hush(4000)
    assert len(call.publisher.frames) == seen and call.line.frames == []
