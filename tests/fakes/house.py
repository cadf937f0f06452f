"""Two tenants with everything that the doors ask for, so that each can try what is the other's."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.test import AsyncClient

from sessions_app.assistants.models import Assistant, AssistantVersion
from sessions_app.edge import tokens
from sessions_app.files.models import Purpose, StoredFile
from sessions_app.files.services import bring, keep
from sessions_app.history.models import Session
from sessions_app.tenants import ids
from sessions_app.tenants.models import Membership, PublishableKey, Role, SecretKey, Tenant, User
from sessions_app.tenants.scope import tenant_scope
from sessions_app.tenants.services import issue_publishable_key, issue_secret_key
from sessions_app.webhooks.models import WebhookDelivery, WebhookEndpoint
from sessions_app.webhooks.services import create_endpoint, send_test
from tests.fakes.office import make_assistant, make_member, make_session, make_tenant

LISTED_ORIGIN = "https://www.riverside.example"
OWN_ORIGIN = "http://testserver"


@dataclass(frozen=True)
class Business:
    tenant: Tenant
    assistant: Assistant
    session: Session
    owner: User
    editor: str
    """A member's id."""
    publishable_key: str
    """Allowed from LISTED_ORIGIN."""
    secret_key: str

    def ids(self) -> dict[str, str]:
        """Of each kind one, by the name that the API's paths have for it."""
        with tenant_scope(self.tenant.id):
            return {
                "tenant_id": ids.public(ids.TENANT, self.tenant.id),
                "assistant_id": self.assistant.id,
                "version_id": AssistantVersion.objects.values_list("id", flat=True)[0],
                "session_id": self.session.id,
                "visitor": self.session.visitor,
                "member_id": self.editor,
                "secret_key_id": SecretKey.objects.get(label="Server").id,
                "webhook_id": WebhookEndpoint.objects.order_by("created_at")[0].id,
                "delivery_id": WebhookDelivery.objects.order_by("created_at")[0].id,
                "file_id": StoredFile.objects.get(name="call.ogg").id,
                "publishable_key_id": PublishableKey.objects.get(label="Site").id,
            }

    def token(self, scope: tokens.Scope = "visitor") -> str:
        return tokens.issue(tokens.SessionToken(str(self.session.id), str(self.tenant.id), scope))[0]


def make_business() -> Business:
    tenant = make_tenant()
    assistant = make_assistant(tenant)
    with tenant_scope(tenant.id):
        issue_publishable_key(tenant=tenant, label="Own pages")
        publishable = issue_publishable_key(tenant=tenant, label="Site", allowed_origins=[LISTED_ORIGIN])
        webhook, _ = create_endpoint(tenant=tenant, url=f"https://{tenant.slug}.example/hooks")
        send_test(endpoint=webhook)
        _, secret = issue_secret_key(tenant=tenant, label="Server")
        keep_file(tenant)
    editor_of_it = make_member(tenant, Role.EDITOR)
    with tenant_scope(tenant.id):
        editor = Membership.objects.get(user=editor_of_it).public_id
        session = make_session(assistant)
        session.visitor = f"visitor-of-{tenant.slug}"
        session.save(update_fields=["visitor"])
    owner = make_member(tenant)
    return Business(tenant, assistant, session, owner, editor, publishable.key, secret)


def keep_file(tenant: Tenant) -> None:
    kind = {"purpose": Purpose.RECORDING, "content_type": "audio/ogg", "about": "", "name": "call.ogg"}
    with tempfile.NamedTemporaryFile() as source:
        source.write(b"OggS")
        source.flush()
        keep(bring(StoredFile(tenant=tenant, **kind), Path(source.name)))


class Caller:
    """The API with somebody's bearer token."""

    def __init__(self, bearer: str = "", origin: str = "") -> None:
        self.headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        if origin:
            self.headers["Origin"] = origin
        self._client = AsyncClient()

    async def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        options: dict[str, Any] = {"headers": {**self.headers, **headers}}
        if body is not None:
            options.update(data=body, content_type="application/json")
        return await getattr(self._client, method.lower())(f"/api/v1{path}", **options)


def is_problem(response: Any, status: int, code: str = "") -> bool:
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    problem = response.json()
    assert problem["status"] == status
    assert problem["detail"]
    return not code or problem["code"] == code
