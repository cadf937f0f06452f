"""What is one tenant's is useless against another: every URL of the API, every socket, every page of the console.

The API's URLs come from its OpenAPI document: a new endpoint without a case here fails.
"""

import json
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib import admin
from django.contrib.admin.utils import quote
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from sessions_app.edge.api import api
from sessions_app.edge.routing import websocket_urlpatterns
from sessions_app.tenants.permissions import KEY_SCOPES, Can
from sessions_app.tenants.scope import TenantOwned, everyone, tenant_scope
from sessions_app.tenants.services import issue_secret_key
from tests.fakes.house import OWN_ORIGIN, Business, Caller
from tests.fakes.sockets import Socket

PREFIX = "/api/v1"
OPENAPI = api.get_openapi_schema()
ENDPOINTS = [(method.upper(), path.removeprefix(PREFIX)) for path, item in OPENAPI["paths"].items() for method in item]
BODIES: dict[tuple[str, str], Any] = {
    ("POST", "/sessions"): None,  # names the other tenant's assistant: filled in below
    ("GET", "/sessions/{session_id}"): None,
    ("DELETE", "/sessions/{session_id}"): None,
    ("POST", "/sessions/{session_id}/offer"): {"sdp": "v=0", "type": "offer"},
    ("POST", "/sessions/{session_id}/ice-candidates"): {"candidate": ""},
    ("POST", "/sessions/{session_id}/chat"): {"message": "hello"},
    ("GET", "/sessions/{session_id}/turns"): None,
    ("POST", "/sessions/{session_id}/subscribers"): None,
}
SOCKETS = ["/ws/v1/sessions/{}/", "/ws/v1/sessions/{}/audio/", "/ws/v1/sessions/{}/blendshapes"]


def test_every_endpoint_and_socket_has_a_case() -> None:
    assert set(ENDPOINTS) == set(BODIES)
    assert len(websocket_urlpatterns) == len(SOCKETS) + 1


@pytest.mark.parametrize("credential", ["secret_key", "publishable_key", "token"])
@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
async def test_a_stranger_finds_nothing(
    riverside: Business, harbor: Business, method: str, path: str, credential: str
) -> None:
    bearer = riverside.token() if credential == "token" else getattr(riverside, credential)
    body = BODIES[method, path]
    if path == "/sessions":
        body = {"assistant": str(harbor.assistant.id)}
    answer = await Caller(bearer, OWN_ORIGIN)(method, path.replace("{session_id}", str(harbor.session.id)), body)
    # A token opens no session at all, its own tenant's neither.
    assert answer.status_code == (401 if path == "/sessions" and credential == "token" else 404)
    assert str(harbor.tenant.id).encode() not in answer.content
    assert harbor.tenant.name.encode() not in answer.content


NEEDED = {
    ("POST", "/sessions"): Can.OPEN_SESSIONS,
    ("GET", "/sessions/{session_id}"): Can.READ_SESSIONS,
    ("GET", "/sessions/{session_id}/turns"): Can.READ_SESSIONS,
}
"""Endpoint → scope; all others need `sessions:use`."""


@pytest.mark.parametrize("scope", [None, *KEY_SCOPES])
@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
async def test_a_key_opens_what_its_scopes_name_and_nothing_else(
    riverside: Business, method: str, path: str, scope: Can | None
) -> None:
    """The key's own tenant: what is refused is refused for the scope alone."""
    raw = await sync_to_async(key_with)(riverside, scope)
    body = BODIES[method, path] if path != "/sessions" else {"assistant": riverside.assistant.slug}
    answer = await Caller(raw)(method, path.replace("{session_id}", str(riverside.session.id)), body)
    needed = NEEDED.get((method, path), Can.USE_SESSIONS)
    assert (answer.status_code == 403) == (scope != needed), answer.content
    if scope != needed:
        assert needed.value in answer.json()["detail"]


def key_with(business: Business, scope: Can | None) -> str:
    with tenant_scope(business.tenant.id):
        return issue_secret_key(tenant=business.tenant, label="narrow", scopes=[scope] if scope else [])[1]


@pytest.mark.parametrize("scope", ["visitor", "subscriber"])
@pytest.mark.parametrize("path", SOCKETS)
async def test_a_strangers_token_opens_no_socket(riverside: Business, harbor: Business, path: str, scope: Any) -> None:
    async with Socket(path.format(harbor.session.id), riverside.token(scope)) as socket:
        assert (await socket.closed())[0] in {4401, 4404}


async def test_a_slug_is_looked_up_among_ones_own(riverside: Business, harbor: Business) -> None:
    answer = await Caller(riverside.secret_key)("POST", "/sessions", {"assistant": harbor.assistant.slug})
    assert answer.status_code == 404


def console_pages() -> list[tuple[str, type]]:
    return [
        (f"admin:{model._meta.app_label}_{model._meta.model_name}", model)
        for model in admin.site._registry
        if issubclass(model, TenantOwned)
    ]


@pytest.mark.parametrize(("name", "model"), console_pages())
def test_the_console_shows_nothing_of_another_tenant(
    riverside: Business, harbor: Business, name: str, model: Any
) -> None:
    with everyone():
        theirs = list(model.objects.filter(tenant_id=harbor.tenant.id))
    client = Client()
    client.force_login(riverside.owner)
    ours = {f"{name}_{pattern}".removeprefix("admin:") for pattern in ("change", "delete", "history")}
    there = {url.name for url in admin.site._registry[model].urls} & ours
    for row in theirs:
        for action in sorted(there):
            answer = client.get(reverse(f"admin:{action}", args=[quote(row.pk)]))
            # Django sends a user who asks for a row that is not there to the start page, with a message.
            assert answer.status_code in {302, 403, 404}, (action, answer.status_code)
            assert answer.get("Location", reverse("admin:index")) == reverse("admin:index")
    listed = client.get(reverse(f"{name}_changelist"))
    for row in theirs:
        assert str(row.pk).encode() not in listed.content or len(str(row.pk)) < 8


ANY_JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=10), inner, max_size=3)),
    max_leaves=8,
)
FIELDS = st.dictionaries(
    st.sampled_from(["assistant", "channel", "sdp", "type", "candidate", "sdpMid", "sdpMLineIndex", "message"]),
    ANY_JSON,
)


@pytest.mark.usefixtures("quick_doors")
class TestAnyBody:
    @given(
        endpoint=st.sampled_from([e for e in ENDPOINTS if e[0] == "POST"]),
        body=st.one_of(st.binary(max_size=60), ANY_JSON.map(json.dumps), FIELDS.map(json.dumps)),
    )
    @hypothesis_settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_is_answered_in_the_form_that_is_promised(
        self, riverside: Business, endpoint: tuple[str, str], body: bytes | str
    ) -> None:
        _, path = endpoint
        answer = Client().post(
            PREFIX + path.replace("{session_id}", str(riverside.session.id)),
            body,
            content_type="application/json",
            headers={"Authorization": f"Bearer {riverside.secret_key}"},
        )
        assert answer.status_code != 500, answer.content
        if answer.status_code >= 400:
            assert answer["Content-Type"] == "application/problem+json"
