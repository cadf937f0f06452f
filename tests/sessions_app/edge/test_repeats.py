"""`Idempotency-Key` over HTTP: a POST that is sent again is not done again."""

import asyncio
import json
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from django.core.asgi import get_asgi_application

from pipeline.contracts.dialogue import turn_id
from sessions_app import switchboard
from sessions_app.edge import calls
from sessions_app.history.models import Session
from sessions_app.history.services import apply_records
from sessions_app.tenants.scope import everyone
from tests.fakes.house import Business, Caller, is_problem
from tests.fakes.worker import FakeWorker
from tests.sessions_app.history.test_journal import told

OPEN = {"channel": "chat"}


@sync_to_async
def sessions_of(business: Business) -> int:
    with everyone():
        return Session.objects.filter(tenant=business.tenant).count()


def said(worker: FakeWorker) -> list[str]:
    return [message["text"] for message in worker.mail if message["type"] == "chat"]


async def opened(server: Caller, business: Business, key: str, **changes: Any) -> Any:
    body = {"assistant": business.assistant.id, **OPEN, **changes}
    return await server("POST", "/sessions", body, **{"Idempotency-Key": key})


async def test_a_session_is_opened_once(riverside: Business, server: Caller) -> None:
    first, again = await opened(server, riverside, "one"), await opened(server, riverside, "one")
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert "Idempotency-Replayed" not in first
    assert again["Idempotency-Replayed"] == "true"
    assert (await opened(server, riverside, "two")).json()["id"] != first.json()["id"]
    assert await sessions_of(riverside) == 3  # with the one that was there


async def test_another_body_under_the_same_key_is_refused(riverside: Business, server: Caller) -> None:
    await opened(server, riverside, "one")
    assert is_problem(await opened(server, riverside, "one", channel="voice"), 422, "key_reused")


@pytest.mark.parametrize("key", ["", "x" * 129, "tab\tkey", "ü"])
async def test_a_key_of_another_form_is_refused(riverside: Business, server: Caller, key: str) -> None:
    assert is_problem(await opened(server, riverside, key), 422, "invalid")
    assert await sessions_of(riverside) == 1


async def test_what_was_refused_may_be_tried_again(riverside: Business, server: Caller) -> None:
    assert (await opened(server, riverside, "one", assistant="nobody")).status_code == 404
    assert (await opened(server, riverside, "one")).status_code == 201


async def test_the_key_of_another_tenant_is_another_key(riverside: Business, harbor: Business, server: Caller) -> None:
    first = await opened(server, riverside, "one")
    other = await opened(Caller(harbor.secret_key), harbor, "one")
    assert other.status_code == 201
    assert other.json()["id"] != first.json()["id"]


async def test_a_message_is_said_once(riverside: Business, visitor: Caller, worker: FakeWorker, path: str) -> None:
    for _ in range(3):
        answer = await visitor("POST", f"{path}/chat", {"message": "hi"}, **{"Idempotency-Key": "m1"})
        assert answer.json()["reply"] == "You said: hi"
    assert said(worker) == ["hi"]


async def test_who_goes_away_meanwhile_finds_the_answer_later(
    riverside: Business, visitor: Caller, worker: FakeWorker, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection is lost while the reply is being made: the message was said, and is not said again."""
    begun, go_on = asyncio.Event(), asyncio.Event()
    chat = calls.chat

    async def slow(*args: Any, **options: Any) -> Any:
        begun.set()
        await go_on.wait()
        return await chat(*args, **options)

    monkeypatch.setattr(calls, "chat", slow)
    headers = {
        "authorization": visitor.headers["Authorization"],
        "content-type": "application/json",
        "idempotency-key": "m1",
        "host": "testserver",
    }
    scope = {
        "type": "http", "method": "POST", "path": f"/api/v1{path}/chat", "query_string": b"", "scheme": "http",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()], "http_version": "1.1",
    }  # fmt: skip
    lost = ApplicationCommunicator(get_asgi_application(), scope)
    await lost.send_input({"type": "http.request", "body": json.dumps({"message": "hi"}).encode()})
    await asyncio.wait_for(begun.wait(), 10)
    await lost.send_input({"type": "http.disconnect"})
    await lost.wait(timeout=5)
    again = await visitor("POST", f"{path}/chat", {"message": "hi"}, **{"Idempotency-Key": "m1"})
    assert is_problem(again, 409, "still_running")
    go_on.set()
    for _ in range(100):
        again = await visitor("POST", f"{path}/chat", {"message": "hi"}, **{"Idempotency-Key": "m1"})
        if again.status_code == 200:
            break
        await asyncio.sleep(0.02)
    assert again.json()["reply"] == "You said: hi"
    assert said(worker) == ["hi"]


async def test_a_message_whose_answer_was_lost_is_known_again_by_its_worker(
    riverside: Business, visitor: Caller, worker: FakeWorker, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The request failed after the worker had the message: it is sent again with the id that the worker knows it by."""
    await visitor("POST", f"{path}/chat", {"message": "hello"})
    worker.deaf = True
    monkeypatch.setitem(switchboard.ask_chat.__kwdefaults__, "sign_of_life_s", 0.2)
    lost = await visitor("POST", f"{path}/chat", {"message": "hi"}, **{"Idempotency-Key": "m1"})
    assert lost.status_code == 503
    worker.deaf = False
    again = await visitor("POST", f"{path}/chat", {"message": "hi"}, **{"Idempotency-Key": "m1"})
    assert again.json()["reply"] == "You said: hi"
    assert {message["id"] for message in worker.mail if message.get("text") == "hi"} == {"m1"}


async def test_a_message_that_was_answered_on_a_worker_that_is_gone_is_not_said_again(
    riverside: Business, visitor: Caller, worker: FakeWorker, path: str
) -> None:
    answered = told(riverside.session, number=4, visitor_text="hi", reply_text="Good day.", message_id="m1")
    await sync_to_async(apply_records)([answered])
    again = await visitor("POST", f"{path}/chat", {"message": "hi"}, **{"Idempotency-Key": "m1"})
    assert again.json() == {"reply": "Good day.", "turn_id": turn_id(riverside.session.id, 1, 4)}
    assert said(worker) == []


async def test_a_message_whose_words_are_not_kept_is_put_to_the_worker(
    riverside: Business, visitor: Caller, worker: FakeWorker, path: str
) -> None:
    answered = told(riverside.session, number=4, visitor_text="", reply_text="", message_id="m1")
    await sync_to_async(apply_records)([answered])
    again = await visitor("POST", f"{path}/chat", {"message": "hi"}, **{"Idempotency-Key": "m1"})
    assert again.json()["reply"] == "You said: hi"
