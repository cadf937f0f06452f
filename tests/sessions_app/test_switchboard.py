"""The switchboard on the in-memory layer, and the same conversation on a real Redis."""

import asyncio
import shutil
import socket
import subprocess
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from channels.layers import channel_layers, get_channel_layer
from channels_redis.core import RedisChannelLayer

from pipeline.contracts import wire
from pipeline.contracts.errors import BusyError, EngineError, MediaError, PipelineError, SpecError
from pipeline.contracts.spec import AssistantSpec
from sessions_app import switchboard
from tests.fakes.worker import SDP, FakeWorker

SPEC = AssistantSpec("t", "Tenant", "a", "desk", "Robin", "Hello", "You are Robin.")
REDIS = shutil.which("redis-server")


@pytest.fixture
async def layer() -> AsyncIterator[Any]:
    yield get_channel_layer()
    await get_channel_layer().flush()
    switchboard.live_on(None)


@pytest.fixture
def redis_port(tmp_path: Path) -> Iterator[int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(REDIS), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        for line in server.stdout:
            if "Ready to accept" in line:
                break
        yield port
    finally:
        server.terminate()
        server.wait()
        server.stdout.close()


@pytest.fixture
async def redis_layer(redis_port: int) -> AsyncIterator[RedisChannelLayer]:
    layer = RedisChannelLayer(hosts=[f"redis://127.0.0.1:{redis_port}/0"])
    before = channel_layers.set("default", layer)
    yield layer
    await layer.flush()
    await layer.close_pools()
    channel_layers.set("default", before)


async def place(session_id: str = "s1", leg: int = 1, sdp: str = "v=0", **options: Any) -> wire.Answer:
    options = {"history": [["user", "hi"]], "created_at": 5.0, **options}
    return await switchboard.place(session_id=session_id, leg=leg, spec=SPEC, sdp=sdp, **options)


async def test_an_offer_reaches_whoever_has_a_free_seat(layer: Any) -> None:
    async with FakeWorker() as worker:
        answer = await place()
    assert (answer.sdp, answer.mailbox, answer.worker) == (SDP, worker.mailbox, "fake-1")
    offer = worker.offers[0]
    assert AssistantSpec.from_manifest(offer.spec) == SPEC
    assert offer.history == [["user", "hi"]]
    assert offer.created_at == 5.0
    assert not offer.expired()


async def test_a_full_house_is_busy(layer: Any) -> None:
    with pytest.raises(BusyError, match="try again"):
        await place(deadline_s=0.01)


async def test_an_offer_that_nobody_took_in_time_is_marked_as_expired(layer: Any) -> None:
    with pytest.raises(BusyError):
        await place(deadline_s=0.0)
    offer = wire.Offer.from_wire(await layer.receive(wire.offers_channel()))
    assert offer.expired()


async def test_a_pool_has_a_queue_of_its_own(layer: Any) -> None:
    async with FakeWorker(pool="gpu"):
        assert (await place(pool="gpu")).worker == "fake-1"


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("busy", BusyError),
        ("bad_offer", MediaError),
        ("bad_manifest", SpecError),
        ("engine_failed", EngineError),
        ("gone", switchboard.MailboxSilent),
    ],
)
async def test_a_refusal_is_the_error_that_its_code_names(layer: Any, code: str, error: type[PipelineError]) -> None:
    async with FakeWorker() as worker:
        worker.refusal = (code, "in words")
        with pytest.raises(error, match="in words"):
            await place()


async def test_a_reply_that_arrives_late_is_ignored(layer: Any) -> None:
    with pytest.raises(BusyError):
        await place("late", deadline_s=0.0)
    offer = wire.Offer.from_wire(await layer.receive(wire.offers_channel()))
    await layer.send(offer.reply_to, wire.Answer("late", 1, "", "m", "w").to_wire())
    async with FakeWorker():
        assert (await place("next")).session_id == "next"


async def test_an_answer_for_another_session_is_no_answer(layer: Any) -> None:
    async def crossed() -> None:
        offer = wire.Offer.from_wire(await layer.receive(wire.offers_channel()))
        await layer.send(offer.reply_to, wire.Answer("another", 1, "", "m", "w").to_wire())
        await layer.send(offer.reply_to, wire.Answer("s1", 1, "right", "m", "w").to_wire())

    worker = asyncio.create_task(crossed())
    assert (await place()).sdp == "right"
    await worker


async def test_chat_comes_back_from_the_mailbox(layer: Any) -> None:
    async with FakeWorker() as worker:
        await place()
        reply = await switchboard.ask_chat(worker.mailbox, "s1", "hello")
    assert reply.text == "You said: hello"


async def test_a_mailbox_that_nobody_reads_is_silent(layer: Any) -> None:
    with pytest.raises(switchboard.MailboxSilent):
        await switchboard.ask_chat("worker.gone", "s1", "hello", sign_of_life_s=0.01)


async def test_a_worker_that_shows_life_is_waited_for(layer: Any) -> None:
    async with FakeWorker() as worker:
        worker.deaf = True
        asking = asyncio.create_task(switchboard.ask_chat(worker.mailbox, "s1", "hello", sign_of_life_s=0.2))
        chat = wire.Chat.from_wire(await worker.mail_of("chat"))
        for _ in range(5):
            await worker.say("s1", "state", state="THINKING")
            await asyncio.sleep(0.08)
        await layer.send(chat.reply_to, wire.ChatReply("s1", "s1.1.1", "at last").to_wire())
        assert (await asking).text == "at last"


async def test_a_session_that_has_left_its_worker_is_gone(layer: Any) -> None:
    async with FakeWorker() as worker:
        with pytest.raises(switchboard.MailboxSilent):
            await switchboard.ask_chat(worker.mailbox, "unknown", "hello")


async def test_a_full_mailbox_is_silent(layer: Any) -> None:
    with pytest.raises(switchboard.MailboxSilent):
        for _ in range(5000):
            await switchboard.tell("worker.full", wire.Hangup("s1", "hangup"))


async def test_a_new_version_is_announced_from_a_thread_on_the_layers_own_loop(layer: Any) -> None:
    switchboard.live_on(asyncio.get_running_loop())
    async with FakeWorker() as worker:
        thread = threading.Thread(target=switchboard.announce, args=(SPEC,))
        thread.start()
        news = wire.SpecChanged.from_wire(await worker.mail_of("spec_changed"))
        thread.join()
    assert AssistantSpec.from_manifest(news.spec) == SPEC


async def test_a_new_version_is_announced_from_the_loop_itself(layer: Any) -> None:
    async with FakeWorker() as worker:
        switchboard.announce(SPEC)
        assert (await worker.mail_of("spec_changed"))["assistant_id"] == "a"


def test_a_command_line_announces_without_a_loop() -> None:
    switchboard.announce(SPEC)


async def test_the_same_words_travel_over_redis(redis_layer: RedisChannelLayer) -> None:
    async with FakeWorker() as worker:
        assert (await place()).mailbox == worker.mailbox
        assert (await switchboard.ask_chat(worker.mailbox, "s1", "hello")).text == "You said: hello"
        await asyncio.to_thread(switchboard.announce, SPEC)
        assert (await worker.mail_of("spec_changed"))["assistant_id"] == "a"


async def test_without_a_layer_the_exchange_is_unreachable() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    layer = RedisChannelLayer(hosts=[f"redis://127.0.0.1:{port}/0"])
    before = channel_layers.set("default", layer)
    try:
        with pytest.raises(switchboard.Unreachable):
            await place()
        switchboard.announce(SPEC)
        await asyncio.gather(*switchboard._news)
    finally:
        await layer.close_pools()
        channel_layers.set("default", before)


async def test_a_muster_lists_every_worker_that_answers(layer: Any) -> None:
    async with FakeWorker(name="two"), FakeWorker(name="one"):
        assert [report.worker for report in await switchboard.muster()] == ["one", "two"]
    assert await switchboard.muster() == []


async def test_workers_of_another_pool_do_not_speak_for_this_one(layer: Any) -> None:
    async with FakeWorker(pool="gpu") as other:
        other.report = replace(other.report, rejects=True)
        assert not await switchboard.all_reject("default")
        assert await switchboard.all_reject("gpu")
