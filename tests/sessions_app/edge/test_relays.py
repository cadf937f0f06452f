"""Sessions get credentials of their own for the installation's relay. A real relay takes them: tests/deploy."""

import base64
import hashlib
import hmac
import time
from typing import Any

import pytest
from pydantic import SecretStr

from tests.fakes.house import LISTED_ORIGIN, Business, Caller, is_problem

SECRET, URLS = "s" * 40, ["turn:turn.example.com:3478", "turns:turn.example.com:443?transport=tcp"]
STUN = {"urls": "stun:stun.example.com"}


@pytest.fixture
def relayed(settings: Any) -> None:
    changes = {"goassist_turn_urls": URLS, "goassist_turn_secret": SecretStr(SECRET), "goassist_turn_lifetime_s": 120}
    settings.GOASSIST = settings.GOASSIST.model_copy(update={**changes, "goassist_ice_servers": [STUN]})


def are_credentials_of(session_id: str, servers: list[dict[str, Any]]) -> bool:
    assert servers[0] == STUN
    relay = servers[1]
    until, _, name = relay["username"].partition(":")
    digest = hmac.new(SECRET.encode(), relay["username"].encode(), hashlib.sha1).digest()
    assert (relay["urls"], relay["credential"]) == (URLS, base64.b64encode(digest).decode())
    assert 0 < int(until) - time.time() <= 120
    return name == session_id


async def test_a_new_session_comes_with_credentials(relayed: None, riverside: Business) -> None:
    page = Caller(riverside.publishable_key, LISTED_ORIGIN)
    opened = (await page("POST", "/sessions", {"assistant": riverside.assistant.slug})).json()
    assert are_credentials_of(opened["id"], opened["ice_servers"])
    assert SECRET not in str(opened)


async def test_a_visitor_gets_fresh_ones(relayed: None, riverside: Business, visitor: Caller, path: str) -> None:
    answer = await visitor("GET", f"{path}/ice-servers")
    assert answer.status_code == 200, answer.content
    assert are_credentials_of(riverside.session.id, answer.json()["ice_servers"])
    assert answer["Cache-Control"] == "no-store"


async def test_a_session_that_is_over_gets_none(relayed: None, visitor: Caller, path: str) -> None:
    assert (await visitor("DELETE", path)).status_code == 204
    assert is_problem(await visitor("GET", f"{path}/ice-servers"), 409, "session_over")


async def test_without_a_relay_there_are_only_the_servers_that_are_set(visitor: Caller, path: str) -> None:
    assert (await visitor("GET", f"{path}/ice-servers")).json() == {"ice_servers": []}
