"""The API keeps what its OpenAPI document promises: Schemathesis asks a running installation whatever the document lets
it ask, with ids that are there and ids that are not.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase
from hypothesis import settings as hypothesis_settings
from schemathesis.checks import (
    content_type_conformance,
    not_a_server_error,
    response_schema_conformance,
    status_code_conformance,
)

from sessions_app.edge import whip
from sessions_app.edge.api import api
from tests.stack import Stack

pytestmark = [pytest.mark.route, pytest.mark.slow, pytest.mark.timeout(300)]

EXAMPLES = 8
"""Per endpoint."""
PATIENCE_S = 120.0
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
MAKE_KEYS = """
from sessions_app.tenants.models import Tenant
from sessions_app.tenants.permissions import KEY_SCOPES
from sessions_app.tenants.scope import everyone
from sessions_app.tenants.services import issue_operator_key, issue_secret_key
with everyone():
    tenant = Tenant.objects.get(slug="harbor-law")
    print(issue_secret_key(tenant=tenant, label="Everything", scopes=KEY_SCOPES)[1])
    print(issue_operator_key(label="Operator")[1])
"""


@schemathesis.serializer(whip.SDP, whip.FRAGMENT)
def as_it_is(context: Any, value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


schema = schemathesis.openapi.from_dict(api.get_openapi_schema(path_prefix="/api/v1/"))


@dataclass(frozen=True)
class Caller:
    stack: Stack
    session: requests.Session
    key: str
    operator_key: str
    kept: dict[str, dict[str, str]] = field(default_factory=dict)

    def made(self) -> dict[str, str]:
        """Of each kind one that is there, by the name that paths have for it."""
        post, listed = self._post, self._first
        (slug, draft) = f"made-{len(self.key)}", {"greeting": "Hello.", "persona": "Kind."}
        assistant = listed("/assistants", slug=slug) or post("/assistants", slug=slug, name="Made", draft=draft)["id"]
        version = post(f"/assistants/{assistant}/publish")["id"]
        webhook = listed("/webhooks") or post("/webhooks", url="https://hooks.invalid/")["id"]
        return {
            "assistant_id": assistant,
            "version_id": version,
            "session_id": post("/sessions", assistant=assistant, channel="chat", visitor="made-visitor")["id"],
            "leg": "1",
            "visitor": "made-visitor",
            "secret_key_id": post("/secret-keys", label="made", scopes=[])["id"],
            "publishable_key_id": post("/publishable-keys", label="made")["id"],
            "webhook_id": webhook,
            "delivery_id": post(f"/webhooks/{webhook}/test")["id"],
            "member_id": listed("/members") or "",
            "tenant_id": listed("/tenants") or "",
        }

    def _post(self, path: str, **body: Any) -> Any:
        """An installation that has more to do than it can do well opens no session: then it is asked again."""
        deadline = time.monotonic() + PATIENCE_S
        status, answer = self.stack.api("POST", path, body, self.key)
        while status == 503 and time.monotonic() < deadline:
            time.sleep(2.0)
            status, answer = self.stack.api("POST", path, body, self.key)
        assert status in {201, 202}, answer
        return answer

    def _first(self, path: str, **like: str) -> str | None:
        rows = self.stack.api("GET", path, token=self.key)[1]["data"]
        return next((row["id"] for row in rows if like.items() <= row.items()), None)


TIDY = """
from sessions_app.tenants.models import Tenant
from sessions_app.tenants.scope import everyone
with everyone():
    for slug, name in {names!r}.items():
        Tenant.objects.filter(slug=slug).update(name=name, second_factor_required=False)
"""
"""What was asked of the tenants themselves is theirs for good: people of the tests that follow could not log in."""


@pytest.fixture(scope="module")
def caller(embedded_stack: Stack) -> Iterator[Caller]:
    keys = embedded_stack.manage("shell", "-v", "0", "-c", MAKE_KEYS).split()
    with requests.Session() as session:
        yield Caller(embedded_stack, session, *keys[-2:])
    names = {tenant["slug"]: tenant["name"] for tenant in embedded_stack.seed["tenants"]}
    embedded_stack.manage("shell", "-v", "0", "-c", TIDY.format(names=names))


def test_the_document_is_of_the_version_that_it_says_and_names_every_operation_once() -> None:
    names = [operation["operationId"] for item in schema.raw_schema["paths"].values() for operation in item.values()]
    assert len(names) == len(set(names)) > 30
    assert schema.raw_schema["openapi"].startswith("3.1")


@schema.parametrize()
@hypothesis_settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_one_that_is_promised(case: schemathesis.Case, caller: Caller) -> None:
    operators = case.operation.label == "POST /api/v1/tenants"
    headers = {"Authorization": f"Bearer {caller.operator_key if operators else caller.key}"}
    options: Any = {"base_url": caller.stack.url, "session": caller.session, "headers": headers, "checks": CHECKS}
    case.call_and_validate(**options)
    if case.path_parameters:
        case.path_parameters = {**case.path_parameters, **_known(caller, case.operation.label, case.path_parameters)}
        case.call_and_validate(**options)


def _known(caller: Caller, operation: str, wanted: dict[str, Any]) -> dict[str, str]:
    """The same for all examples of an endpoint: what one deleted is gone for the next."""
    if operation not in caller.kept:
        caller.kept[operation] = caller.made()
    return {name: value for name, value in caller.kept[operation].items() if name in wanted}
