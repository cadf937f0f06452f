"""Every page that is no API x every person: who is let in. Routes are the URL resolver's; one without a row fails.

The table is of this file, not of the code: whoever changes who may do what changes it here, too.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.admin.utils import quote
from django.test import Client
from django.urls import get_resolver
from django.urls.resolvers import URLPattern, URLResolver

from sessions_app import models
from sessions_app.tenants.invitations import invite
from sessions_app.tenants.models import Role
from sessions_app.tenants.scope import everyone
from sessions_app.tenants.services import issue_operator_key
from tests.fakes.house import Business
from tests.fakes.office import make_member, make_operator

pytestmark = pytest.mark.django_db

PEOPLE = ("anonymous", "viewer", "editor", "admin", "owner", "stranger", "operator")
"""`stranger`: the owner of another tenant, who asks for what is this tenant's."""
MEMBERS = frozenset({"viewer", "editor", "admin", "owner"})
EDITORS, ADMINS = MEMBERS - {"viewer"}, frozenset({"admin", "owner"})
OPERATOR, NOBODY = frozenset({"operator"}), frozenset[str]()

STRANGER = frozenset({"stranger"})
EVERYBODY = frozenset(PEOPLE)
PEOPLE_LOGGED_IN = EVERYBODY - {"anonymous"}
PARTS = {"object_id": "", "file_id": "storedfile", "run_id": "soakrun", "id": "user"}
"""What stands in addresses, and of which model it is; `object_id` is of the page's own."""

MODELS: dict[str, tuple[frozenset[str], frozenset[str], frozenset[str]]] = {
    "assistant": (MEMBERS, EDITORS, EDITORS),
    "assistantversion": (MEMBERS, NOBODY, NOBODY),
    "auditentry": (ADMINS, NOBODY, NOBODY),
    "invitation": (MEMBERS, NOBODY, NOBODY),
    "membership": (MEMBERS, ADMINS, ADMINS),
    "operatorkey": (OPERATOR, OPERATOR, NOBODY),
    "privacy": (MEMBERS, NOBODY, NOBODY),
    "publishablekey": (ADMINS, ADMINS, NOBODY),
    "quota": (OPERATOR, OPERATOR, OPERATOR),
    "secretkey": (ADMINS, ADMINS, NOBODY),
    "session": (MEMBERS, NOBODY, NOBODY),
    "singlesignon": (MEMBERS, NOBODY, frozenset({"owner"})),
    "soakrun": (OPERATOR, OPERATOR, NOBODY),
    "ssoidentity": (MEMBERS, NOBODY, frozenset({"owner"})),
    "tenant": (MEMBERS | OPERATOR, OPERATOR, OPERATOR),
    "user": (OPERATOR, OPERATOR, OPERATOR),
    "webhookendpoint": (ADMINS, ADMINS, ADMINS),
}
"""Console pages of rows: who reads them, adds them, deletes them. A stranger sees lists of their own."""

ROWS: dict[str, frozenset[str]] = {
    # of single rows
    "sessions_app_assistant_try": NOBODY,  # POST only
    "sessions_app_assistant_embed": MEMBERS,
    "sessions_app_assistant_review": MEMBERS,
    "sessions_app_session_diagnostics": MEMBERS,
    "sessions_app_session_erase": ADMINS,
    "sessions_app_session_recording": EDITORS,
    "sessions_app_tenant_look_into": OPERATOR,
    "sessions_app_tenant_invite_owner": NOBODY,  # it has one
    "sessions_app_singlesignon_test_connection": frozenset({"owner"}),
    "sessions_app_singlesignon_identities": MEMBERS | STRANGER,  # leads to the list, one's own
    "sessions_app_webhookendpoint_test": NOBODY,  # POST only
    "sessions_app_webhookendpoint_rotate": NOBODY,  # POST only
    "soakrun_now": OPERATOR,
    "soakrun_stop": OPERATOR,  # leads to the run; stops by POST
    "soakrun_report": OPERATOR,
    "auth_user_password_change": OPERATOR,
    # of the console
    "sessions_app_auditentry_changelist": ADMINS | OPERATOR | STRANGER,
    "sessions_app_auditentry_verify": ADMINS | OPERATOR | STRANGER,
    "sessions_app_privacy_add": STRANGER,  # a second one there is not
    "sessions_app_singlesignon_add": STRANGER,
    "sessions_app_livesession_changelist": PEOPLE_LOGGED_IN,
    "livesession_now": PEOPLE_LOGGED_IN,
    "sessions_app_usageday_changelist": PEOPLE_LOGGED_IN,
    "usage_csv": PEOPLE_LOGGED_IN,
    "soakrun_compare": OPERATOR,
    "tenant_look_away": PEOPLE_LOGGED_IN,
    "index": PEOPLE_LOGGED_IN,
    "search": PEOPLE_LOGGED_IN,
    "jsi18n": PEOPLE_LOGGED_IN,
    "autocomplete": NOBODY,
    "logout": frozenset({"anonymous"}),  # leads home; POST only
    "login": NOBODY,  # leads to the one door
    "admin/login/": NOBODY,  # leads to the one door
    "password_change": PEOPLE_LOGGED_IN,
    "password_change_done": PEOPLE_LOGGED_IN,
    # of everybody
    "home": EVERYBODY,
    "manifest.webmanifest": EVERYBODY,
    "sw.js": EVERYBODY,
    "healthz": EVERYBODY,
    "readyz": EVERYBODY,
    "health": OPERATOR,
    "metrics": EVERYBODY,
}
DOORS = ("/accounts/login/", "/admin/login/")
ELSEWHERE = {
    "accounts/": "tests/sessions_app/accounts, tests/routes/test_login.py: what a login is and has",
    "t/": "public by purpose; tests/sessions_app/edge/test_pages.py",
    "^api/": "nothing is there",
    "admin/(?P<url>": "nothing is there",
    "admin/^(?P<app_label>": "a list of what one may see",
    "admin/r/": "leads on to pages of this table",
    "admin/sessions_app/webhookendpoint/<path:object_id>/deliveries": "POST only; tests/sessions_app/webhooks",
}


def routes(patterns: Any = None, prefix: str = "") -> Iterator[tuple[str, str]]:
    """(name, address) of all that is served, the API apart (test_isolation.py)."""
    for one in get_resolver().url_patterns if patterns is None else patterns:
        address = prefix + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from routes(one.url_patterns, address)
        elif isinstance(one, URLPattern) and not address.startswith("api/"):
            yield one.name or address, address


def rows(business: Business) -> dict[str, str]:
    """Of each model one row's key: the tenant's own, or the installation's."""
    tenant, user = business.tenant, business.owner
    provider = {"tenant": tenant, "issuer": "https://id.example"}
    with everyone():
        made = {
            "singlesignon": models.SingleSignOn.objects.create(**provider, client_id="c"),
            "ssoidentity": models.SsoIdentity.objects.create(**provider, user=user, subject="1"),
            "privacy": models.Privacy.objects.create(tenant=tenant),
            "quota": models.Quota.objects.create(tenant=tenant),
            "webhookendpoint": models.WebhookEndpoint.objects.create(tenant=tenant, url="https://hooks.example/"),
            "soakrun": models.SoakRun.objects.create(assistant_name="Robin", url="http://127.0.0.1"),
            "invitation": invite(tenant=tenant, email="new@example.com", role=Role.VIEWER)[0],
            "operatorkey": issue_operator_key(label="ops")[0],
            "tenant": tenant, "user": user,
        }  # fmt: skip
        for name in (
            "assistant",
            "assistantversion",
            "auditentry",
            "membership",
            "publishablekey",
            "secretkey",
            "session",
            "storedfile",
        ):
            kind = next(one for one in vars(models).values() if model_name(one) == name)
            made[name] = kind.objects.filter(tenant_id=tenant.pk).first()
        models.StoredFile.objects.filter(tenant_id=tenant.pk).update(about=made["session"].pk)
        return {name: str(row.pk) if name == "storedfile" else quote(str(row.pk)) for name, row in made.items()}


def model_name(thing: object) -> str:
    return str(getattr(getattr(thing, "_meta", None), "model_name", ""))


def expected(name: str, address: str) -> frozenset[str] | None:
    """None: there is no row for it."""
    if name in ROWS:
        return ROWS[name]
    parts = address.split("/")
    model, page = (parts[2], name.rpartition("_")[2]) if len(parts) > 3 and parts[1] == "sessions_app" else ("", "")
    if model not in MODELS:
        return None
    read, add, delete = MODELS[model]
    own = STRANGER if "owner" in (add if page == "add" else read) else NOBODY
    by_page = {"changelist": read | own, "add": add | own, "change": read, "history": read, "delete": delete}
    return by_page.get(page, PEOPLE_LOGGED_IN if name == address else None)


def served() -> list[tuple[str, str]]:
    return [(name, address) for name, address in routes() if not address.startswith(tuple(ELSEWHERE))]


def test_every_route_has_a_row_and_every_row_a_route() -> None:
    assert [address for name, address in served() if expected(name, address) is None] == []
    assert set(ROWS) - {name for name, _ in served()} == set()
    assert [start for start in ELSEWHERE if not any(address.startswith(start) for _, address in routes())] == []


def test_each_person_gets_in_where_they_may_and_nowhere_else(riverside: Business, harbor: Business) -> None:
    people, known = clients(riverside, harbor), rows(riverside)
    wrong, seen = [], 0
    for name, address in served():
        path, object_id = filled(address, known)
        wanted = expected(name, address) or NOBODY
        for who, client in people.items():
            answer = client.get(path)
            seen += 1
            let_in = answer.status_code < 400 and not answer.get("Location", "").startswith(DOORS)
            if let_in != (who in wanted) or answer.status_code >= 500:
                wrong.append((name, who, answer.status_code))
            if who == "stranger" and object_id and "owner" in wanted and not let_in and answer.status_code != 404:
                wrong.append((name, who, answer.status_code))
    assert wrong == []
    assert seen > 700


def filled(address: str, known: dict[str, str]) -> tuple[str, str]:
    """The address with the tenant's own keys in it, and the key that it names."""
    key = ""
    for part, model in PARTS.items():
        for kind in ("path:", "uuid:", "str:", ""):
            if f"<{kind}{part}>" in address:
                key = known[model or address.split("/")[2]]
                address = address.replace(f"<{kind}{part}>", key)
    return "/" + address, key


def clients(business: Business, other: Business) -> dict[str, Client]:
    users = {role.value: make_member(business.tenant, role) for role in Role}
    users |= {"stranger": other.owner, "operator": make_operator()}
    found = {"anonymous": Client()}
    for who, user in users.items():
        found[who] = Client()
        found[who].force_login(user)
    return {who: found[who] for who in PEOPLE}
