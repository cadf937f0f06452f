"""Credentials of a relay expire: each leg but the first is made with fresh ones."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.async_api import expect

pytestmark = pytest.mark.slow

KEEP_CONFIGURATIONS = """() => {
  window.credentials = [];
  const Real = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Real {
    constructor(configuration) {
      super(configuration);
      if (configuration) window.credentials.push(configuration.iceServers.map((server) => server.credential ?? ''));
    }
  };
}"""


def relay(credential: str) -> list[dict[str, Any]]:
    return [{"urls": "stun:127.0.0.1:9"}, {"urls": ["turn:127.0.0.1:9"], "username": "1:s", "credential": credential}]


async def used(talk: Callable[..., Any], legs: int, *servers: list[dict[str, Any]]) -> list[list[str]]:
    """The credentials that each leg was made with."""
    page, office = await talk(init=KEEP_CONFIGURATIONS)
    office.ice_servers = list(servers)
    await page.get_by_role("button", name="Talk").click()
    for leg in range(1, legs):
        (await office.peer(leg)).control({"type": "moved"})
    await office.peer(legs)
    await expect(page.locator('[data-part="state"]')).to_have_text("Listening")
    return [list(each) for each in await page.evaluate("window.credentials")]


async def test_each_later_leg_has_fresh_credentials(talk: Callable[..., Any]) -> None:
    assert await used(talk, 3, relay("one"), relay("two"), relay("three")) == [["", "one"], ["", "two"], ["", "three"]]


async def test_where_none_are_to_be_had_the_call_is_tried_with_the_old_ones(talk: Callable[..., Any]) -> None:
    assert await used(talk, 2, relay("one")) == [["", "one"], ["", "one"]]


async def test_servers_without_credentials_are_not_asked_for_again(talk: Callable[..., Any]) -> None:
    assert await used(talk, 2, relay("")[:1], relay("two")) == [[""], [""]]
