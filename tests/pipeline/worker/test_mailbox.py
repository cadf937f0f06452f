"""What the office says to sessions of a worker."""

import asyncio

from pipeline.contracts.wire import Chat, Hangup
from tests.pipeline.worker.conftest import Worker

RUBBISH = (
    {"type": "chat"},
    {"type": "surprise"},
    {"type": "spec_changed", "assistant_id": "a", "spec": {}},
    {"type": "spec_changed", "assistant_id": "a", "spec": None},
    {"type": "spec_changed", "assistant_id": "a", "spec": {"schema": 1, "facts": [None]}},
)


async def test_rubbish_in_the_mailbox_disturbs_nobody(worker: Worker) -> None:
    answer = await worker.offer("s1", "")
    for message in RUBBISH:
        await worker.layer.send(answer["mailbox"], dict(message))
    reply_to = await worker.layer.new_channel()
    await worker.layer.send(answer["mailbox"], Chat("s1", "hello", reply_to).to_wire())
    async with asyncio.timeout(5):
        assert (await worker.layer.receive(reply_to))["type"] == "chat_reply"
    assert not worker.host.draining


async def test_a_chat_to_a_session_that_is_just_ending_is_refused(worker: Worker) -> None:
    answer = await worker.offer("s1", "")
    reply_to = await worker.layer.new_channel()
    await worker.layer.send(answer["mailbox"], Hangup("s1", "hangup").to_wire())
    await worker.layer.send(answer["mailbox"], Chat("s1", "hello", reply_to).to_wire())
    async with asyncio.timeout(5):
        assert (await worker.layer.receive(reply_to))["type"] == "refusal"
