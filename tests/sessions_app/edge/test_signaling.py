"""The signaling websocket, through channels' communicator."""

import json
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from sessions_app.edge.sockets import PROTOCOL
from sessions_app.history.models import Session
from sessions_app.operations.windows import windows
from sessions_app.tenants.scope import everyone
from tests.fakes.house import LISTED_ORIGIN, Business, Caller
from tests.fakes.sockets import Socket
from tests.fakes.worker import SDP, FakeWorker

OFFER = {"type": "offer", "sdp": "v=0\r\n"}


def socket(business: Business, token: str | None = None, **options: Any) -> Socket:
    return Socket(f"/ws/v1/sessions/{business.session.id}/", token or business.token(), **options)


@sync_to_async
def state(business: Business) -> str:
    with everyone():
        return Session.objects.get(pk=business.session.pk).state


async def test_offer_answer_and_candidates(riverside: Business, worker: FakeWorker) -> None:
    async with socket(riverside) as page:
        assert page.chosen == PROTOCOL
        await page.send_json_to(OFFER)
        assert await page.hear() == {"type": "answer", "sdp": SDP, "leg": 1}
        await page.send_json_to({"type": "candidate", "candidate": "candidate:1", "sdpMid": "0", "sdpMLineIndex": 0})
        assert (await worker.mail_of("candidate"))["candidate"] == "candidate:1"


async def test_a_candidate_before_the_offer_is_an_error_in_words(riverside: Business) -> None:
    async with socket(riverside) as page:
        await page.send_json_to({"type": "candidate", "candidate": ""})
        assert "offer first" in (await page.hear())["text"]


async def test_live_events_arrive_while_a_reply_is_awaited(riverside: Business, worker: FakeWorker) -> None:
    worker.deaf = True
    async with socket(riverside) as page:
        await page.send_json_to({"type": "chat", "text": "hi", "id": "m1"})
        await worker.mail_of("chat")
        await worker.say(str(riverside.session.id), "agent.text", text="Hello")
        assert (await page.hear())["text"] == "Hello"


async def test_chat_is_answered_with_its_own_id(riverside: Business, worker: FakeWorker) -> None:
    async with socket(riverside) as page:
        await page.send_json_to({"type": "chat", "text": "hi", "id": "m1"})
        reply = await page.hear()
        assert (reply["type"], reply["id"], reply["text"]) == ("chat_reply", "m1", "You said: hi")
        assert reply["turn_id"].startswith(f"trn_{riverside.session.id[4:]}")


async def test_losing_the_socket_does_not_hang_up(riverside: Business, worker: FakeWorker) -> None:
    async with socket(riverside) as page:
        await page.send_json_to(OFFER)
        await page.hear()
    assert [m["type"] for m in worker.mail] == []
    assert await state(riverside) == "live"


async def test_hanging_up_ends_the_session(riverside: Business, worker: FakeWorker) -> None:
    async with socket(riverside) as page:
        await page.send_json_to(OFFER)
        await page.hear()
        await page.send_json_to({"type": "hangup"})
        assert (await page.closed())[0] == 1000
    assert (await worker.mail_of("hangup"))["reason"] == "hangup"
    assert await state(riverside) == "ended"


async def test_a_session_ended_elsewhere_closes_the_socket(riverside: Business) -> None:
    async with socket(riverside) as page:
        await Caller(riverside.token())("DELETE", f"/sessions/{riverside.session.id}")
        assert await page.closed() == (4410, "The session is over (hangup).")


async def test_the_workers_last_event_is_heard_before_the_close(riverside: Business, worker: FakeWorker) -> None:
    async with socket(riverside) as page:
        await worker.say(str(riverside.session.id), "ended", reason="moved")
        assert (await page.hear())["reason"] == "moved"
        await worker.say(str(riverside.session.id), "ended", reason="idle")
        assert (await page.hear())["reason"] == "idle"
        assert await page.closed() == (4410, "The session is over (idle).")


async def test_a_refused_offer_is_an_error_and_the_socket_stays(riverside: Business, worker: FakeWorker) -> None:
    worker.refusal = ("bad_offer", "no audio in the offer")
    async with socket(riverside) as page:
        await page.send_json_to(OFFER)
        assert await page.hear() == {"type": "error", "code": "bad_offer", "text": "no audio in the offer"}
        worker.refusal = None
        await page.send_json_to(OFFER)
        assert (await page.hear())["type"] == "answer"


async def test_too_many_offers_are_told_when_to_come_back(riverside: Business, worker: FakeWorker) -> None:
    async with socket(riverside) as page:
        for _ in range(11):
            await page.send_json_to(OFFER)
        answers = [await page.hear() for _ in range(11)]
        assert [a["type"] for a in answers] == ["answer"] * 10 + ["error"]
        assert answers[-1]["code"] == "rate_limited"
        assert answers[-1]["retry_after_s"] > 0


# Who may not ------------------------------------------------------------------------------------------------------


async def test_without_a_token_the_door_stays_shut(riverside: Business) -> None:
    for token in ("none", "a.b.c", riverside.token("subscriber"), riverside.secret_key):
        async with socket(riverside, token) as page:
            assert (await page.closed())[0] == 4401
    async with Socket(f"/ws/v1/sessions/{riverside.session.id}/") as page:
        assert (await page.closed())[0] == 4401


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://testserver.evil.example", "\xff"])
async def test_another_origin_is_refused(riverside: Business, origin: str) -> None:
    async with socket(riverside, origin=origin) as page:
        assert await page.closed() == (4403, "This origin is not allowed.")


@pytest.mark.parametrize("origin", [LISTED_ORIGIN, ""])
async def test_a_listed_origin_and_no_browser_at_all_are_welcome(
    riverside: Business, worker: FakeWorker, origin: str
) -> None:
    async with socket(riverside, origin=origin) as page:
        await page.send_json_to(OFFER)
        assert (await page.hear())["type"] == "answer"


async def test_a_session_that_is_over_has_no_socket(riverside: Business) -> None:
    await Caller(riverside.token())("DELETE", f"/sessions/{riverside.session.id}")
    async with socket(riverside) as page:
        assert (await page.closed())[0] == 4410


@pytest.mark.django_db(transaction=True)
async def test_there_is_nothing_at_other_addresses() -> None:
    for path in ("/", "/ws/v1/sessions/x/", "/ws/v1/sessions/"):
        async with Socket(path) as page:
            assert (await page.closed())[0] == 4404


# Broken and hostile messages ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["x", "[]", "{}", '{"type": "nothing"}', "[" * 20000, '"' + "x" * 50000 + '"'])
async def test_what_is_no_message_closes_the_socket(riverside: Business, text: str) -> None:
    async with socket(riverside) as page:
        await page.send_to(text_data=text)
        assert (await page.closed())[0] == 4400


async def test_bytes_close_the_socket(riverside: Business) -> None:
    async with socket(riverside) as page:
        await page.send_to(bytes_data=b"\x00")
        assert (await page.closed())[0] == 4400


async def test_a_wrong_field_is_named_and_the_socket_stays(riverside: Business, worker: FakeWorker) -> None:
    async with socket(riverside) as page:
        await page.send_json_to({"type": "chat", "text": "x" * 3000})
        assert "text" in (await page.hear())["text"]
        await page.send_json_to(OFFER)
        assert (await page.hear())["type"] == "answer"


async def test_a_flood_closes_the_socket(riverside: Business) -> None:
    async with socket(riverside) as page:
        for _ in range(120):
            await page.send_json_to({"type": "chat", "text": ""})
        assert (await page.closed())[0] == 4429


FIELDS = st.dictionaries(
    st.sampled_from(["type", "sdp", "text", "id", "candidate", "sdpMid", "sdpMLineIndex", "extra"]),
    st.one_of(
        st.sampled_from(["offer", "candidate", "chat", "hangup", "websocket.close", "session_event", ""]),
        st.text(max_size=30), st.integers(), st.floats(), st.none(), st.booleans(), st.lists(st.integers(), max_size=3),
    ),
)  # fmt: skip
MESSAGES = st.one_of(FIELDS.map(json.dumps), st.text(min_size=1, max_size=100), st.binary(min_size=1, max_size=50))


@pytest.mark.usefixtures("quick_doors")
class TestAnything:
    @given(messages=st.lists(MESSAGES, min_size=1, max_size=8))
    @hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_nothing_that_is_sent_ends_in_a_traceback(self, riverside: Business, messages: list[Any]) -> None:
        windows.own.clear()
        async_to_sync(self.send)(riverside, messages)

    async def send(self, business: Business, messages: list[Any]) -> None:
        """Every answer is a message of the protocol, and the consumer ends without an exception."""
        async with socket(business) as page:
            for message in messages:
                await page.send_to(**({"text_data": message} if isinstance(message, str) else {"bytes_data": message}))
            while not await page.receive_nothing(timeout=0.02, interval=0.005):
                said = await page.receive_output(timeout=5)
                assert said["type"] in {"websocket.send", "websocket.close"}
                if "text" in said:
                    assert json.loads(said["text"])["type"] in {"error", "answer", "chat_reply"}
                    assert json.loads(said["text"]).get("code") != "internal"
