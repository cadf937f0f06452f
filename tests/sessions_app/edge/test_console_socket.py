"""The overview, live: for people who are logged in, of what they may see, for as long as they may."""

from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.test import Client

from sessions_app.edge import console_socket
from sessions_app.operations import overview
from sessions_app.tenants.models import Membership
from sessions_app.tenants.scope import everyone
from tests.fakes.house import OWN_ORIGIN, Business
from tests.fakes.office import make_operator
from tests.fakes.sockets import Socket

PATH = "/ws/v1/console/overview/"


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console_socket, "EVERY_S", 0.05)
    overview._shared.clear()


def of(user: Any) -> tuple[Client, str]:
    client = Client()
    client.force_login(user)
    return client, client.cookies["sessionid"].value


def socket(key: str, origin: str = OWN_ORIGIN) -> Socket:
    made = Socket(PATH, origin=origin)
    made.scope["headers"].append((b"cookie", f"sessionid={key}".encode()))
    return made


async def test_a_member_is_told_again_and_again_until_they_log_out(riverside: Business) -> None:
    client, key = await sync_to_async(of)(riverside.owner)
    async with socket(key) as listening:
        for _ in range(2):
            told = await listening.hear()
            assert len(told["pulse"]["hours"]) == 24
            assert "Degradation" not in [figure["title"] for figure in told["figures"]]
        await sync_to_async(client.logout)()
        assert (await listening.closed())[0] == 4401


async def test_who_is_taken_out_of_the_tenant_hears_no_more(riverside: Business) -> None:
    _, key = await sync_to_async(of)(riverside.owner)

    def take_out() -> None:
        with everyone():
            Membership.objects.filter(user=riverside.owner).delete()

    async with socket(key) as listening:
        await listening.hear()
        await sync_to_async(take_out)()
        assert (await listening.closed())[0] == 4401


async def test_an_operator_is_told_how_the_workers_stand(riverside: Business) -> None:
    _, key = await sync_to_async(of)(await sync_to_async(make_operator)())
    async with socket(key) as listening:
        assert "Degradation" in [figure["title"] for figure in (await listening.hear())["figures"]]


@pytest.mark.parametrize("key", ["", "x" * 32, "../../etc/passwd"])
async def test_strangers_are_told_nothing(riverside: Business, key: str) -> None:
    async with socket(key) as listening:
        assert (await listening.closed())[0] == 4401


@pytest.mark.parametrize("origin", ["https://evil.example", "https://www.riverside.example", "null", ""])
async def test_no_other_page_may_listen_with_a_persons_cookie(riverside: Business, origin: str) -> None:
    _, key = await sync_to_async(of)(riverside.owner)
    async with socket(key, origin) as listening:
        assert (await listening.closed())[0] == 4403


async def test_it_takes_no_messages(riverside: Business) -> None:
    _, key = await sync_to_async(of)(riverside.owner)
    async with socket(key) as listening:
        await listening.send_to(text_data="{}")
        assert (await listening.closed())[0] == 4400
