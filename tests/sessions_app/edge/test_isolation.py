"""What is one tenant's is useless against another: every URL of the API, every socket, every page of the console.

The API's URLs come from its OpenAPI document: a new endpoint without a case here fails.
"""

import json
import re
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib import admin
from django.contrib.admin.utils import quote
from django.test import Client as Browser
from django.urls import reverse
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from sessions_app.edge import whip
from sessions_app.edge.api import api
from sessions_app.edge.routing import websocket_urlpatterns
from sessions_app.tenants import embed_tokens
from sessions_app.tenants.models import PublishableKey
from sessions_app.tenants.permissions import KEY_SCOPES, Can
from sessions_app.tenants.scope import TenantOwned, everyone, tenant_scope
from sessions_app.tenants.services import issue_operator_key, issue_secret_key
from tests.fakes.house import OWN_ORIGIN, Business, Caller
from tests.fakes.sockets import Socket
from tests.fakes.whip import Client
from tests.fakes.worker import FakeWorker
from tests.house.tree import names, rows, section

PREFIX = "/api/v1"
OPENAPI = api.get_openapi_schema()
ENDPOINTS = [(method.upper(), path.removeprefix(PREFIX)) for path, item in OPENAPI["paths"].items() for method in item]
DRAFT = {"greeting": "Hello.", "persona": "Kind."}
CASES: dict[tuple[str, str], tuple[Can, Any]] = {
    ("GET", "/sessions"): (Can.READ_SESSIONS, None),
    ("POST", "/sessions"): (Can.OPEN_SESSIONS, {"assistant": "{assistant_id}"}),
    ("GET", "/sessions/{session_id}"): (Can.READ_SESSIONS, None),
    ("DELETE", "/sessions/{session_id}"): (Can.USE_SESSIONS, None),
    ("GET", "/sessions/{session_id}/ice-servers"): (Can.USE_SESSIONS, None),
    ("POST", "/sessions/{session_id}/offer"): (Can.USE_SESSIONS, {"sdp": "v=0", "type": "offer"}),
    ("POST", "/sessions/{session_id}/ice-candidates"): (Can.USE_SESSIONS, {"candidate": ""}),
    ("POST", "/sessions/{session_id}/whip"): (Can.USE_SESSIONS, "v=0"),
    ("PATCH", "/sessions/{session_id}/whip/{leg}"): (Can.USE_SESSIONS, "a=end-of-candidates"),
    ("DELETE", "/sessions/{session_id}/whip/{leg}"): (Can.USE_SESSIONS, None),
    ("POST", "/whip/{assistant_id}"): (Can.OPEN_SESSIONS, "v=0"),
    ("POST", "/sessions/{session_id}/chat"): (Can.USE_SESSIONS, {"message": "hello"}),
    ("GET", "/sessions/{session_id}/turns"): (Can.READ_SESSIONS, None),
    ("POST", "/sessions/{session_id}/subscribers"): (Can.USE_SESSIONS, None),
    ("POST", "/embed-tokens"): (Can.OPEN_SESSIONS, {"assistant": "{assistant_id}"}),
    ("GET", "/assistants"): (Can.READ_ASSISTANTS, None),
    ("POST", "/assistants"): (Can.WRITE_ASSISTANTS, {"slug": "new-one", "name": "New", "draft": DRAFT}),
    ("GET", "/assistants/{assistant_id}"): (Can.READ_ASSISTANTS, None),
    ("PATCH", "/assistants/{assistant_id}"): (Can.WRITE_ASSISTANTS, {"name": "Renamed"}),
    ("DELETE", "/assistants/{assistant_id}"): (Can.WRITE_ASSISTANTS, None),
    ("POST", "/assistants/{assistant_id}/publish"): (Can.WRITE_ASSISTANTS, None),
    ("GET", "/assistants/{assistant_id}/versions"): (Can.READ_ASSISTANTS, None),
    ("GET", "/versions/{version_id}"): (Can.READ_ASSISTANTS, None),
    ("GET", "/members"): (Can.READ_MEMBERS, None),
    ("POST", "/members"): (Can.WRITE_MEMBERS, {"email": "new@example.com", "role": "viewer"}),
    ("GET", "/members/{member_id}"): (Can.READ_MEMBERS, None),
    ("PATCH", "/members/{member_id}"): (Can.WRITE_MEMBERS, {"role": "viewer"}),
    ("DELETE", "/members/{member_id}"): (Can.WRITE_MEMBERS, None),
    ("GET", "/secret-keys"): (Can.READ_KEYS, None),
    ("POST", "/secret-keys"): (Can.WRITE_KEYS, {"label": "new", "scopes": ["keys:write"]}),
    ("GET", "/secret-keys/{secret_key_id}"): (Can.READ_KEYS, None),
    ("DELETE", "/secret-keys/{secret_key_id}"): (Can.WRITE_KEYS, None),
    ("GET", "/publishable-keys"): (Can.READ_KEYS, None),
    ("POST", "/publishable-keys"): (Can.WRITE_KEYS, {"label": "new"}),
    ("GET", "/publishable-keys/{publishable_key_id}"): (Can.READ_KEYS, None),
    ("DELETE", "/publishable-keys/{publishable_key_id}"): (Can.WRITE_KEYS, None),
    ("PUT", "/sessions/{session_id}/recording"): (Can.USE_SESSIONS, None),
    ("DELETE", "/sessions/{session_id}/recording"): (Can.USE_SESSIONS, None),
    ("GET", "/files"): (Can.READ_FILES, None),
    ("GET", "/files/{file_id}"): (Can.READ_FILES, None),
    ("GET", "/files/{file_id}/content"): (Can.READ_FILES, None),
    ("DELETE", "/files/{file_id}"): (Can.WRITE_FILES, None),
    ("DELETE", "/visitors/{visitor}"): (Can.ERASE_VISITORS, None),
    ("GET", "/usage"): (Can.READ_TENANT, None),
    ("GET", "/webhooks"): (Can.READ_WEBHOOKS, None),
    ("POST", "/webhooks"): (Can.WRITE_WEBHOOKS, {"url": "https://www.example.com/hooks"}),
    ("GET", "/webhooks/{webhook_id}"): (Can.READ_WEBHOOKS, None),
    ("PATCH", "/webhooks/{webhook_id}"): (Can.WRITE_WEBHOOKS, {"description": "Renamed"}),
    ("DELETE", "/webhooks/{webhook_id}"): (Can.WRITE_WEBHOOKS, None),
    ("POST", "/webhooks/{webhook_id}/rotate"): (Can.WRITE_WEBHOOKS, None),
    ("POST", "/webhooks/{webhook_id}/test"): (Can.WRITE_WEBHOOKS, None),
    ("GET", "/webhooks/{webhook_id}/deliveries"): (Can.READ_WEBHOOKS, None),
    ("POST", "/webhooks/{webhook_id}/deliveries/{delivery_id}/replay"): (Can.WRITE_WEBHOOKS, None),
    ("GET", "/tenants"): (Can.READ_TENANT, None),
    ("GET", "/tenants/{tenant_id}"): (Can.READ_TENANT, None),
    ("PATCH", "/tenants/{tenant_id}"): (Can.WRITE_TENANT, {"name": "Renamed"}),
    ("POST", "/tenants"): (Can.RUN_INSTALLATION, {"slug": "zoo", "name": "Zoo", "owner": "kim@example.com"}),
}
"""Endpoint → what its caller must be allowed, and a body that it takes (a text: as WHIP's media types). In both, {ids}
stand for the business's own."""
TENANTS = {endpoint for endpoint in CASES if endpoint[1].startswith("/tenants")}
EMBED = ("POST", "/embed-tokens")
"""For pages only: no secret key."""
PRINCIPALS = [
    "nobody", "session_token", "subscriber_token", "publishable_key", "embed_token", "operator_key", "no scope",
]  # fmt: skip
SOCKETS = ["/ws/v1/sessions/{}/", "/ws/v1/sessions/{}/audio/", "/ws/v1/sessions/{}/blendshapes"]


def test_every_endpoint_and_socket_has_a_case() -> None:
    assert set(ENDPOINTS) == set(CASES)
    assert len(websocket_urlpatterns) == len(SOCKETS) + 2, (
        "the sessions' own, the console's (test_console_socket.py), and nowhere"
    )


def test_the_docs_say_what_each_endpoint_needs() -> None:
    told = {names(row[0])[0]: row[3] for row in rows(section("docs/api.md", "Endpoints"))}
    for (method, path), (can, _) in CASES.items():
        needs = told[f"{method} {PREFIX}{re.sub(r'{[a-z_]+}', '{id}', path)}"]
        assert names(needs) == ([can.value] if can != Can.RUN_INSTALLATION else []), path
        assert ("operator" in needs) == path.startswith("/tenants"), path


def filled(text: str, ids: dict[str, str]) -> str:
    for name, value in {**ids, "leg": "1"}.items():
        text = text.replace(f"{{{name}}}", value)
    return text


async def asked(bearer: str, endpoint: tuple[str, str], business: Business) -> Any:
    ids, body = await sync_to_async(business.ids)(), CASES[endpoint][1]
    method, path = endpoint[0], filled(endpoint[1], ids)
    if isinstance(body, str):
        media_type = whip.SDP if method == "POST" else whip.FRAGMENT
        return await Client(bearer, OWN_ORIGIN).send(method.lower(), path, body, media_type)
    body = json.loads(filled(json.dumps(body), ids)) if body is not None else None
    return await Caller(bearer, OWN_ORIGIN)(method, path, body)


@pytest.mark.parametrize("credential", ["everything", "publishable_key", "embed_token", "session_token"])
async def test_a_stranger_finds_nothing(riverside: Business, harbor: Business, credential: str) -> None:
    """Whatever names something of another tenant's: it is not there. Lists show one's own."""
    bearer = await sync_to_async(bearer_of)(riverside, credential)
    theirs = [*(await sync_to_async(harbor.ids)()).values(), harbor.tenant.name, harbor.owner.email]
    for endpoint in ENDPOINTS:
        answer = await asked(bearer, endpoint, harbor)
        if not knows(credential, endpoint):
            assert answer.status_code == 401, endpoint
        elif endpoint == EMBED and credential == "everything":
            assert answer.status_code == 403, endpoint
        elif "{" in endpoint[1] or endpoint in {("POST", "/sessions"), EMBED}:
            assert answer.status_code == 404, (endpoint, answer.content)
        else:
            assert answer.status_code in ({200, 201} if credential == "everything" else {403}), endpoint
        assert not [word for word in theirs if word.encode() in answer.content], endpoint


@pytest.mark.parametrize("credential", [*PRINCIPALS, *KEY_SCOPES])
async def test_each_credential_opens_what_it_may_and_nothing_else(
    riverside: Business, worker: FakeWorker, credential: str
) -> None:
    """One's own tenant: what is refused is refused for what the credential is, or lacks."""
    bearer = await sync_to_async(bearer_of)(riverside, credential)
    for endpoint in sorted(ENDPOINTS, key=lambda endpoint: endpoint[0] == "DELETE"):
        status = (await asked(bearer, endpoint, riverside)).status_code
        if not knows(credential, endpoint):
            assert status == 401, endpoint
        elif may(credential, endpoint):
            assert status < 500 and status not in {401, 403, 404}, (endpoint, status)
        else:
            assert status == 403, endpoint


def knows(credential: str, endpoint: tuple[str, str]) -> bool:
    """Whether the endpoint takes this kind of credential at all."""
    if credential in {"nobody", "subscriber_token"}:
        return False
    if credential == "session_token":
        return "{session_id}" in endpoint[1]
    if credential == "operator_key":
        return endpoint in TENANTS
    if credential == "embed_token":
        return endpoint == ("POST", "/sessions") or "/whip" in endpoint[1]
    return endpoint != ("POST", "/tenants")


def may(credential: str, endpoint: tuple[str, str]) -> bool:
    if credential in {"session_token", "operator_key"}:
        return True
    if credential == "embed_token":  # of WHIP's, a session that was not opened with it
        return "{session_id}" not in endpoint[1]
    if endpoint == EMBED:
        return credential == "publishable_key"
    needed = CASES[endpoint][0]
    return needed == (Can.OPEN_SESSIONS if credential == "publishable_key" else credential)


def bearer_of(business: Business, credential: str) -> str:
    match credential:
        case "nobody":
            return ""
        case "session_token":
            return business.token()
        case "subscriber_token":
            return business.token("subscriber")
        case "publishable_key":
            with tenant_scope(business.tenant.id):
                return PublishableKey.objects.get(label="Own pages").key
        case "embed_token":
            with tenant_scope(business.tenant.id):
                key = PublishableKey.objects.get(label="Own pages").id
            token = embed_tokens.EmbedToken(str(business.tenant.id), key, business.assistant.id, OWN_ORIGIN)
            return embed_tokens.issue(token)[0]
        case "operator_key":
            with everyone():
                return issue_operator_key(label="ops")[1]
    scopes = list(KEY_SCOPES) if credential == "everything" else [can for can in KEY_SCOPES if can == credential]
    with tenant_scope(business.tenant.id):
        return issue_secret_key(tenant=business.tenant, label="narrow", scopes=scopes)[1]


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
    client = Browser()
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
MEMBERS = {name for _, body in CASES.values() if isinstance(body, dict) for name in body} | {"channel", "expires_at"}
FIELDS = st.dictionaries(st.sampled_from(sorted(MEMBERS)), ANY_JSON)


@pytest.mark.usefixtures("quick_doors")
class TestAnyBody:
    @given(
        endpoint=st.sampled_from([e for e in ENDPOINTS if e[0] in {"POST", "PATCH"}]),
        body=st.one_of(st.binary(max_size=60), ANY_JSON.map(json.dumps), FIELDS.map(json.dumps)),
    )
    @hypothesis_settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_is_answered_in_the_form_that_is_promised(
        self, riverside: Business, endpoint: tuple[str, str], body: bytes | str
    ) -> None:
        method, path = endpoint
        answer = getattr(Browser(), method.lower())(
            PREFIX + filled(path, riverside.ids()),
            body,
            content_type="application/json",
            headers={"Authorization": f"Bearer {bearer_of(riverside, 'everything')}"},
        )
        assert answer.status_code != 500, answer.content
        if answer.status_code >= 400:
            assert answer["Content-Type"] == "application/problem+json"
