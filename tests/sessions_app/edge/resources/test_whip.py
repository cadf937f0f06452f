"""WHIP (RFC 9725) as a client without a browser's library speaks it, with a worker that echoes."""

import asyncio
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from sessions_app import switchboard
from sessions_app.edge import gate, schemas, sdpfrag, whip
from sessions_app.history.models import Session, SessionState
from sessions_app.operations import seating
from sessions_app.tenants.scope import tenant_scope
from tests.fakes.house import OWN_ORIGIN, Business, Caller, is_problem
from tests.fakes.whip import CANDIDATE, CREDENTIALS, FRAGMENT, OFFER, Client
from tests.fakes.worker import SDP, FakeWorker


@sync_to_async
def state(business: Business, session_id: str = "") -> tuple[str, str]:
    with tenant_scope(business.tenant.id):
        session = Session.objects.get(pk=session_id or business.session.id)
        return session.state, session.end_reason


@pytest.fixture
def client(riverside: Business) -> Client:
    return Client(riverside.token())


@pytest.fixture
def at(path: str) -> str:
    return f"{path}/whip"


class TestOffer:
    async def test_is_answered_with_sdp_and_where_to_go_on(
        self, riverside: Business, client: Client, worker: FakeWorker, at: str, settings: Any
    ) -> None:
        relay = {"urls": ["turn:r.example:3478?transport=udp"], "username": 'a"b', "credential": "c=="}
        servers = [{"urls": "stun:s.example:3478"}, relay]
        settings.GOASSIST = settings.GOASSIST.model_copy(update={"goassist_ice_servers": servers})
        answer = await client.offer(at)
        assert (answer.status_code, answer["Content-Type"], answer.content.decode()) == (201, whip.SDP, SDP)
        assert answer["Location"] == f"/api/v1{at}/1"
        assert answer["ETag"] == f'"{riverside.session.id}.1"'
        assert answer["Link"] == (
            '<stun:s.example:3478>; rel="ice-server", <turn:r.example:3478?transport=udp>; rel="ice-server"; '
            'username="a\\"b"; credential="c=="; credential-type="password"'
        )
        assert answer["Accept-Patch"] == whip.FRAGMENT
        assert worker.offers[0].sdp == OFFER
        assert await state(riverside) == (SessionState.LIVE, "")

    async def test_again_is_the_next_connection_even_with_an_idempotency_key(
        self, client: Client, worker: FakeWorker, at: str
    ) -> None:
        answers = [await client.offer(at, **{"Idempotency-Key": "same"}) for _ in range(2)]
        assert [answer["Location"][-2:] for answer in answers] == ["/1", "/2"]
        assert answers[0]["ETag"] != answers[1]["ETag"]

    @pytest.mark.parametrize(
        ("body", "media_type", "status", "code"),
        [
            (OFFER, "application/json", 415, "unsupported_media_type"),
            (OFFER, "text/plain", 415, "unsupported_media_type"),
            ("  \r\n", whip.SDP, 422, "bad_offer"),
            (b"\xff\xfe", whip.SDP, 400, "bad_request"),
            ("a" * (schemas.MAX_SDP_CHARS + 1), whip.SDP, 413, ""),
            ("a" * (gate.MAX_BODY_BYTES + 1), whip.SDP, 413, ""),
        ],
    )
    async def test_that_is_none_is_refused_in_words(
        self, client: Client, at: str, body: str, media_type: str, status: int, code: str
    ) -> None:
        assert is_problem(await client.offer(at, body, media_type), status, code)

    async def test_what_the_worker_refuses_is_told(self, client: Client, worker: FakeWorker, at: str) -> None:
        worker.refusal = ("bad_offer", "the offer has no audio")
        answer = await client.offer(at)
        assert is_problem(answer, 422, "bad_offer")
        assert "no audio" in answer.json()["detail"]

    async def test_of_a_session_that_is_over(self, client: Client, worker: FakeWorker, path: str, at: str) -> None:
        await client("DELETE", path)
        assert is_problem(await client.offer(at), 409, "session_over")

    async def test_too_many_are_told_when_to_ask_again(
        self, client: Client, worker: FakeWorker, at: str, settings: Any
    ) -> None:
        settings.GOASSIST = settings.GOASSIST.model_copy(update={"goassist_offers_per_minute": 1})
        await client.offer(at)
        answer = await client.offer(at)
        assert is_problem(answer, 429, "rate_limited")
        assert int(answer["Retry-After"]) > 0

    async def test_without_a_worker_waits_in_line(
        self, client: Client, quick_doors: None, at: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(switchboard.roll_call.__kwdefaults__, "wait_s", 0.05)
        answer = await client.offer(at)
        assert is_problem(answer, 503, "busy")
        assert answer.json()["place"] == 1
        assert int(answer["Retry-After"]) == seating.QUEUE_RETRY_S

    async def test_of_nobody_and_of_a_stranger(self, riverside: Business, harbor: Business, at: str) -> None:
        assert is_problem(await Client().offer(at), 401)
        assert is_problem(await Client(harbor.token()).offer(at), 404)
        assert is_problem(await Client(harbor.secret_key).offer(at), 404)


class TestTrickle:
    async def test_candidates_reach_the_worker_with_their_mid(
        self, client: Client, worker: FakeWorker, at: str
    ) -> None:
        connection = await client.offer(at)
        assert (await client.trickle(connection, CREDENTIALS + FRAGMENT)).status_code == 204
        async with asyncio.timeout(5):
            while len(worker.mail) < 2:
                worker.mailed.clear()
                await worker.mailed.wait()
        told = [(m["type"], m["candidate"], m["sdp_mid"]) for m in worker.mail]
        assert told == [("candidate", f"candidate:{CANDIDATE}", "0"), ("candidate", "", "0")]

    async def test_needs_the_tag_of_this_connection(self, client: Client, worker: FakeWorker, at: str) -> None:
        connection = await client.offer(at)
        tag = connection["ETag"]
        wrong = [{"If-Match": '"other"'}, {"If-Match": tag.strip('"')}, {"If-Match": f"W/{tag}"}, {"If-Match": ""}]
        for headers in wrong:
            assert is_problem(await client.trickle(connection, **headers), 412, "precondition_failed"), headers
        assert is_problem(await client.trickle(connection, **{"X-No": "tag"}), 428, "precondition_required")
        for good in (f'"other", {tag}', "*"):
            assert (await client.trickle(connection, **{"If-Match": good})).status_code == 204

    async def test_restarts_no_ice(self, riverside: Business, client: Client, worker: FakeWorker, at: str) -> None:
        """RFC 9725, section 4.3.1: 422, and the session there is goes on."""
        connection = await client.offer(at)
        answer = await client.trickle(connection, CREDENTIALS + FRAGMENT, **{"If-Match": "*"})
        assert is_problem(answer, 422, "no_ice_restart")
        assert "new offer" in answer.json()["detail"]
        assert not worker.mail
        assert await state(riverside) == (SessionState.LIVE, "")

    async def test_of_another_form_is_told(self, client: Client, worker: FakeWorker, at: str) -> None:
        connection = await client.offer(at)
        answer = await client.trickle(connection, "candidate")
        assert is_problem(answer, 422, "invalid")
        wrong_type = await client.send("patch", connection["Location"], FRAGMENT, "application/json")
        assert is_problem(wrong_type, 415)
        many = "m=audio 9 RTP/AVP 0\r\n" + f"a=candidate:{CANDIDATE}\r\n" * (sdpfrag.MAX_CANDIDATES + 1)
        assert is_problem(await client.trickle(connection, many), 422, "invalid")
        assert not worker.mail

    async def test_to_an_earlier_connection_finds_none(self, client: Client, worker: FakeWorker, at: str) -> None:
        first = await client.offer(at)
        await client.offer(at)
        assert is_problem(await client.trickle(first), 404)

    async def test_to_a_session_that_is_over(self, client: Client, worker: FakeWorker, path: str, at: str) -> None:
        connection = await client.offer(at)
        await client("DELETE", path)
        assert is_problem(await client.trickle(connection), 409, "session_over")


class TestHangUp:
    async def test_ends_the_session_and_twice_is_once(
        self, riverside: Business, client: Client, worker: FakeWorker, at: str
    ) -> None:
        connection = await client.offer(at)
        assert (await client.hang_up(connection)).status_code == 204
        assert (await worker.mail_of("hangup"))["session_id"] == riverside.session.id
        assert await state(riverside) == (SessionState.ENDED, "hangup")
        assert (await client.hang_up(connection)).status_code == 204

    async def test_of_an_earlier_connection_leaves_the_later_one_alone(
        self, riverside: Business, client: Client, worker: FakeWorker, at: str
    ) -> None:
        first = await client.offer(at)
        second = await client.offer(at)
        assert (await client.hang_up(first)).status_code == 204
        assert await state(riverside) == (SessionState.LIVE, "")
        assert riverside.session.id in worker.holds
        await client.hang_up(second)
        assert await state(riverside) == (SessionState.ENDED, "hangup")

    async def test_is_not_for_strangers(
        self, riverside: Business, harbor: Business, client: Client, worker: FakeWorker, at: str
    ) -> None:
        connection = await client.offer(at)
        for bearer in (harbor.token(), harbor.secret_key):
            assert is_problem(await Client(bearer).hang_up(connection), 404)
            assert is_problem(await Client(bearer).trickle(connection), 404)
        assert await state(riverside) == (SessionState.LIVE, "")


class TestOptions:
    @pytest.mark.parametrize("path", ["/whip/reception", "/sessions/ses_x/whip"])
    @pytest.mark.parametrize("asked", ["", "POST"])
    async def test_say_what_an_endpoint_takes(self, path: str, asked: str) -> None:
        answer = await options(path, asked)
        assert (answer.status_code, answer["Accept-Post"]) == (204, whip.SDP)
        assert answer["Access-Control-Allow-Origin"] == OWN_ORIGIN
        assert {"Authorization", "Content-Type", "If-Match"} <= set(answer["Access-Control-Allow-Headers"].split(", "))

    async def test_say_what_a_connection_takes(self) -> None:
        answer = await options("/sessions/ses_x/whip/1", "PATCH")
        assert (answer.status_code, answer["Accept-Patch"]) == (204, whip.FRAGMENT)
        assert "Accept-Post" not in answer
        assert {"PATCH", "DELETE"} <= set(answer["Access-Control-Allow-Methods"].split(", "))

    async def test_of_other_endpoints_are_as_they_were(self) -> None:
        assert (await options("/sessions", "")).status_code == 405
        assert "Accept-Post" not in await options("/sessions", "POST")


async def options(path: str, asked: str) -> Any:
    headers = {"Origin": OWN_ORIGIN} | ({"Access-Control-Request-Method": asked} if asked else {})
    return await Caller()._client.options(f"/api/v1{path}", headers=headers)


async def test_other_methods_are_none_of_its(riverside: Business, at: str) -> None:
    """GET, HEAD and PUT are kept for later versions of the protocol."""
    for method in ("get", "head", "put"):
        for path in (at, f"{at}/1", "/whip/reception"):
            answer = await getattr(Caller(riverside.secret_key)._client, method)(f"/api/v1{path}")
            assert answer.status_code == 405, (method, path)
