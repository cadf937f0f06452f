"""One table of forged, stolen, swapped and worn-out tokens against API and websockets: none opens anything. Beside each
door its control: the right token opens it."""

import base64
import json
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.core.signing import TimestampSigner

from sessions_app.edge import calls, tokens
from sessions_app.tenants.scope import everyone
from sessions_app.tenants.services import issue_operator_key
from tests.fakes.house import LISTED_ORIGIN, OWN_ORIGIN, Business, Caller
from tests.fakes.sockets import Socket

SOCKETS = {
    "signaling": "/ws/v1/sessions/{}/",
    "audio": "/ws/v1/sessions/{}/audio/",
    "face": "/ws/v1/sessions/{}/blendshapes",
}
SALT = "goassist.session-token"


def b64(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def signed(business: Business, *, salt: str = SALT, key: str | None = None, **changes: Any) -> str:
    claims = {"s": business.session.id, "t": str(business.tenant.id), "for": "visitor", **changes}
    return TimestampSigner(key=key, salt=salt, sep=".").sign_object(claims)


def flipped(text: str, at: int) -> str:
    return text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :]


def with_part(text: str, number: int, part: str) -> str:
    parts = text.split(".")
    parts[number] = part
    return ".".join(parts)


def forged(ours: Business, theirs: Business) -> dict[str, str]:
    """Name → a token that must not open our session as its visitor."""
    good, claims = ours.token(), {"s": ours.session.id, "t": str(ours.tenant.id), "for": "visitor"}
    return {
        "alg none": f"{b64({'alg': 'none', 'typ': 'JWT'})}.{b64(claims)}.",
        "alg None": f"{b64({'alg': 'None'})}.{b64(claims)}.x",
        "alg HS256 without a key": f"{b64({'alg': 'HS256'})}.{b64(claims)}.{b64('')}",
        "no signature": ".".join(good.split(".")[:2]),
        "empty signature": with_part(good, 2, ""),
        "no time": ".".join([good.split(".")[0], good.split(".")[2]]),
        "later time": with_part(good, 1, "zzzzzz"),
        "claims alone": good.split(".")[0],
        "other claims": with_part(good, 0, b64({**claims, "s": theirs.session.id})),
        "longer": good + "A",
        "truncated by one": good[:-1],
        "truncated by half": good[: len(good) // 2],
        "signed by another": signed(ours, key="another installation's key, which is long enough as well"),
        "signed with no key": signed(ours, key="x"),
        "signed for something else": signed(ours, salt="django.contrib.sessions"),
        "a scope that is none": signed(ours, **{"for": "admin"}),
        "scope empty": signed(ours, **{"for": ""}),
        "scope a list": signed(ours, **{"for": ["visitor"]}),
        "claims of another form": TimestampSigner(salt=SALT, sep=".").sign_object(["s", "t"]),
        "another session's": theirs.token(),
        "their session in our tenant": signed(ours, s=theirs.session.id),
        "our session in their tenant": signed(ours, t=str(theirs.tenant.id)),
        "a tenant that is none": signed(ours, t="00000000-0000-0000-0000-000000000000"),
        "subscriber's": ours.token("subscriber"),
        **{f"bit flipped at {at}": flipped(good, at) for at in (0, 10, len(good) // 2, -30, -2)},
        "two tokens": f"{good},{good}",
    }


@pytest.fixture
def table(riverside: Business, harbor: Business) -> dict[str, str]:
    with everyone():
        operator = issue_operator_key(label="Ops")[1]
    keys = {
        "publishable key": riverside.publishable_key,
        "their secret key": harbor.secret_key,
        "operator key": operator,
        "a key that is none": "sk_" + "x" * 43,
    }
    return {**forged(riverside, harbor), **keys}


async def test_no_forged_token_opens_the_api(riverside: Business, path: str, table: dict[str, str]) -> None:
    assert len(table) >= 30
    for name, token in table.items():
        origin = OWN_ORIGIN if name == "publishable key" else ""
        for method, tail in (("GET", ""), ("GET", "/turns"), ("GET", "/ice-servers"), ("POST", "/subscribers")):
            answer = await Caller(token, origin)(method, path + tail)
            assert answer.status_code in {401, 403, 404}, (name, method, tail, answer.content)
    for token in (riverside.token(), riverside.secret_key):
        assert (await Caller(token)("GET", path)).status_code == 200


@pytest.mark.parametrize("door", SOCKETS)
async def test_no_forged_token_opens_a_socket(riverside: Business, table: dict[str, str], door: str) -> None:
    address = SOCKETS[door].format(riverside.session.id)
    bad = {**table, "secret key": riverside.secret_key}
    bad["the other kind"] = bad.pop("subscriber's") if door != "face" else riverside.token("visitor")
    if door == "face":
        bad.pop("subscriber's")
    for name, token in bad.items():
        async with Socket(address, token) as socket:
            code, _ = await socket.closed()
            assert code in {4401, 4404}, (name, code)
    right = riverside.token("subscriber" if door == "face" else "visitor")
    for origin in ("https://evil.example", "null", f"{OWN_ORIGIN}.evil.example", f"{LISTED_ORIGIN}.evil.example"):
        async with Socket(address, right, origin=origin) as socket:
            assert (await socket.closed())[0] == 4403, origin
    if door != "audio":  # which answers only where a worker is: tests/sessions_app/edge/test_audio.py
        async with Socket(address, right, origin=LISTED_ORIGIN) as socket:
            assert await socket.receive_nothing(timeout=0.1)


async def test_worn_out_tokens_open_nothing(riverside: Business, path: str, settings: Any) -> None:
    token, face = riverside.token(), riverside.token("subscriber")
    assert (await Caller(token)("GET", path)).status_code == 200
    await calls.hang_up(
        await sync_to_async(calls.find_session)(str(riverside.tenant.id), riverside.session.id), "hangup"
    )
    assert (await Caller(token)("POST", f"{path}/chat", {"message": "hello"})).status_code == 409
    assert (await Caller(token)("GET", f"{path}/ice-servers")).status_code == 409
    for door, held in (("signaling", token), ("audio", token), ("face", face)):
        async with Socket(SOCKETS[door].format(riverside.session.id), held) as socket:
            assert (await socket.closed())[0] == 4410, door
    settings.GOASSIST = settings.GOASSIST.model_copy(update={"goassist_token_minutes": 0})
    assert tokens.read(token) is None
    assert (await Caller(token)("GET", path)).status_code == 401
