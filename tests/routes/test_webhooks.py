"""A tenant's own server is told of a session, from its start to its end, by a running installation."""

import re
import time
from collections.abc import AsyncIterator, Iterator

import pytest
from playwright.async_api import Page, expect

from tests.fakes.receiver import Receiver
from tests.routes.people import at_the_console
from tests.stack import Stack, embedded

pytestmark = [pytest.mark.route, pytest.mark.slow, pytest.mark.timeout(180)]
PATIENCE = 20
TENANT = "riverside-vet"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Its operator lets webhooks come to this machine."""
    with embedded(tmp_path_factory.mktemp("hooks"), GOASSIST_OUTGOING_NETWORKS="127.0.0.1/32") as stack:
        yield stack


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    one = Receiver()
    yield one
    one.close()


@pytest.fixture
async def console(stack: Stack) -> AsyncIterator[Page]:
    """The owner's, signed in, at the list of webhooks."""
    async with at_the_console(stack, stack.tenant(TENANT)["owner"]) as page:
        await page.goto("/admin/sessions_app/webhookendpoint/")
        yield page


async def made(page: Page, stack: Stack, url: str) -> str:
    """Fills the form in; the secret, as it is shown this once."""
    await page.goto(f"{stack.url}/admin/sessions_app/webhookendpoint/add/")
    await page.fill("[name=url]", url)
    async with page.expect_navigation():
        await page.get_by_role("button", name="Save", exact=True).click()
    return await page.locator("[data-secret]").inner_text()


def chat(stack: Stack, session_id: str, token: str, text: str) -> str:
    for _ in range(PATIENCE):
        status, answer = stack.api("POST", f"/sessions/{session_id}/chat", {"message": text}, token)
        if status != 503:
            break
        time.sleep(3.0)  # the installation has more to do than it can do well
    assert status == 200, answer
    return str(answer["reply"])


async def test_a_session_is_told_of_and_the_log_tells_of_the_telling(
    stack: Stack, receiver: Receiver, console: Page
) -> None:
    secret = await made(console, stack, receiver.url)
    receiver.will_answer(500)  # the first is tried again after 5 s
    tenant = stack.tenant(TENANT)
    body = {"assistant": tenant["assistants"][0]["slug"], "channel": "chat", "visitor": "customer-812"}
    status, session = stack.api("POST", "/sessions", body, tenant["secret_key"])
    assert status == 201, session
    reply = chat(stack, session["id"], session["token"], "What are your opening hours?")
    receiver.wait(2)
    assert stack.api("DELETE", f"/sessions/{session['id']}", token=session["token"])[0] == 204
    messages = receiver.wait(4, 60.0)
    told = {message.id: message.verified(secret) for message in messages}
    assert len(told) == 3
    by_type = {event["type"]: event["data"] for event in told.values()}
    assert set(by_type) == {"session.started", "turn.finished", "session.ended"}
    assert {data["session_id"] for data in by_type.values()} == {session["id"]}
    assert by_type["session.started"]["visitor"] == "customer-812"
    assert by_type["turn.finished"]["visitor_text"] == "What are your opening hours?"
    assert by_type["turn.finished"]["reply_text"] == reply
    assert by_type["session.ended"]["end_reason"] == "hangup"

    await console.goto(f"{stack.url}/admin/sessions_app/webhookendpoint/")
    await console.get_by_role("link", name=receiver.url).click()
    rows = console.locator("tr[data-delivery]")
    await expect(rows).to_have_count(3)
    await rows.filter(has_text="turn.finished").get_by_role("button", name="Replay").click()
    again = receiver.wait(5)[-1]
    assert told[again.id]["type"] == "turn.finished"
    await console.get_by_role("button", name="Send a test event").click()
    assert receiver.wait(6)[-1].verified(secret)["type"] == "webhook.test"
    await console.get_by_role("button", name="Rotate the secret").click()
    await expect(console.locator("[data-secret]")).to_have_text(re.compile("^whsec_"))
