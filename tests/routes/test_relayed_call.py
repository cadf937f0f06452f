"""A whole call by way of a relay, as behind a strict firewall: real Chromium, real speech, coturn as we ship it."""

import secrets
from pathlib import Path
from typing import Any

import pytest
from aioice.ice import get_host_addresses

from tests.fakes.coturn import a_relay
from tests.routes.test_talk_in_browser import AUDIBLE, HEARD_IT_ALL, QUESTION
from tests.routes.visitors import WITHOUT_UDP, Visitor, a_visitor, script
from tests.stack import embedded

pytestmark = [pytest.mark.route, pytest.mark.slow, pytest.mark.timeout(180)]

PATH = """async () => {
  const call = window.__calls.find((one) => one.connectionState === 'connected');
  const stats = [...(await call.getStats()).values()];
  const pair = stats.find((one) => one.id === stats.find((each) => each.type === 'transport').selectedCandidatePairId);
  const local = stats.find((one) => one.id === pair.localCandidateId);
  return { kind: local.candidateType, url: local.url, sent: pair.bytesSent };
}"""


async def path_of(visitor: Visitor) -> dict[str, Any]:
    """Which way the sound takes."""
    found: dict[str, Any] = await visitor.page.evaluate(PATH)
    return found


async def test_a_visitor_behind_a_firewall_talks_by_way_of_the_relay(tmp_path: Path) -> None:
    (tmp_path / "relay").mkdir()
    address, secret = get_host_addresses(True, False)[0], secrets.token_hex(32)
    with a_relay(tmp_path / "relay", secret, address) as port:
        relay = f"turn:{address}:{port}"
        with embedded(tmp_path, GOASSIST_TURN_URLS=relay, GOASSIST_TURN_SECRET=secret) as stack:
            microphone = script(tmp_path / "visitor.wav", HEARD_IT_ALL, QUESTION)
            async with a_visitor(stack.page("harbor-law"), microphone, before=WITHOUT_UDP) as visitor:
                await visitor.talk()
                path = await path_of(visitor)
                assert (path["kind"], path["url"].partition("?")[0]) == ("relay", relay)
                await visitor.sees(r"hours.*saturday")
                assert await visitor.loudness(1.0) > AUDIBLE, "the answer is not heard"
                assert (await path_of(visitor))["sent"] > path["sent"]
