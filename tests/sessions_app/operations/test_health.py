"""Alive, ready, detail, metrics."""

from typing import Any

import pytest
from channels.layers import InMemoryChannelLayer, channel_layers
from django.db import OperationalError
from django.test import AsyncClient, Client
from pydantic import SecretStr

from sessions_app.operations import health
from tests.fakes.office import make_member, make_operator, make_tenant

pytestmark = pytest.mark.django_db(transaction=True)


class Deaf(InMemoryChannelLayer):
    async def send(self, channel: str, message: dict[str, Any]) -> None:
        raise ConnectionRefusedError


def test_alive_asks_nobody(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        response = Client().get("/healthz")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


async def test_ready_names_each_dependency() -> None:
    response = await AsyncClient().get("/readyz")
    assert response.status_code == 200
    assert response.json()["checks"] == {"database": "ok", "migrations": "ok", "channel_layer": "ok"}


async def test_without_its_layer_it_is_not_ready_and_still_alive() -> None:
    before = channel_layers.set("default", Deaf())
    try:
        response = await AsyncClient().get("/readyz")
        alive = await AsyncClient().get("/healthz")
    finally:
        channel_layers.set("default", before)
    assert response.status_code == 503
    assert response.json()["checks"]["channel_layer"] == "cannot be reached"
    assert alive.status_code == 200


async def test_without_its_database_it_says_so_and_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise OperationalError("host db.internal refused user goassist")

    monkeypatch.setattr(health, "_select_one", away)
    response = await AsyncClient().get("/readyz")
    assert response.status_code == 503
    assert response.json()["checks"]["database"] == "cannot be reached"
    assert b"db.internal" not in response.content


async def test_pending_migrations_are_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_all_applied", False)
    monkeypatch.setattr(health, "_pending_migrations", lambda: True)
    response = await AsyncClient().get("/readyz")
    assert response.status_code == 503
    assert "migrate" in response.json()["checks"]["migrations"]


def test_detail_is_for_operators_only() -> None:
    client = Client()
    assert client.get("/health").status_code == 404
    client.force_login(make_member(make_tenant()))
    assert client.get("/health").status_code == 404
    client.force_login(make_operator())
    detail = client.get("/health").json()
    assert detail["checks"]["database"] == "ok"
    assert detail["sessions"] == {"new": 0, "live": 0}


def test_metrics_are_for_this_machine() -> None:
    client = Client()
    assert b"python_info" in client.get("/metrics").content
    assert client.get("/metrics", REMOTE_ADDR="203.0.113.9").status_code == 404
    assert client.get("/metrics", REMOTE_ADDR="").status_code == 404
    assert client.get("/metrics", headers={"X-Forwarded-For": "203.0.113.9"}).status_code == 404


def test_a_metrics_token_opens_them_from_anywhere(settings: Any) -> None:
    settings.GOASSIST = settings.GOASSIST.model_copy(update={"goassist_metrics_token": SecretStr("s3cret")})
    client = Client()
    assert client.get("/metrics").status_code == 404
    wrong = client.get("/metrics", headers={"Authorization": "Bearer wrong"})
    right = client.get("/metrics", headers={"Authorization": "Bearer s3cret"}, REMOTE_ADDR="203.0.113.9")
    assert (wrong.status_code, right.status_code) == (404, 200)
