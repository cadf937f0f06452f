"""What tests of single sign-on share: a tenant with a provider, and a browser that goes there and comes back."""

from typing import Any

from django.test import Client
from django.urls import reverse

from sessions_app.accounts.models import SingleSignOn
from sessions_app.tenants.invitations import invite
from sessions_app.tenants.models import AuditEntry, Invitation, Role, Tenant, User
from sessions_app.tenants.scope import tenant_scope
from tests.fakes.provider import CLIENT, SECRET, Provider

CONSOLE, CALLBACK, CHOOSE = reverse("admin:index"), reverse("account_sso_callback"), reverse("account_sso")
USER_KEY = "_auth_user_id"


def connect(tenant: Tenant, provider: Provider, domains: tuple[str, ...] = ("example.com",)) -> SingleSignOn:
    with tenant_scope(tenant.pk):
        sso = SingleSignOn(tenant=tenant, issuer=provider.issuer, client_id=CLIENT, domains=list(domains))
        sso.seal(SECRET)
        sso.save()
        return sso


def begin(client: Client, tenant: Tenant) -> Any:
    return client.get(reverse("account_sso_start", args=[tenant.slug]))


def log_in(tenant: Tenant, provider: Provider, client: Client | None = None, **person: Any) -> tuple[Client, Any]:
    client = client or Client()
    brought = provider.authorize(begin(client, tenant)["Location"], **person)
    return client, client.get(CALLBACK, brought)


def logged_in_as(client: Client) -> str | None:
    return client.session.get(USER_KEY)


def refused(tenant: Tenant, provider: Provider, person: User, **more: Any) -> bool:
    client, answer = log_in(tenant, provider, sub="p1", email=person.email, **more)
    return answer.status_code == 403 and logged_in_as(client) is None


def entries(tenant: Tenant, action: str) -> list[AuditEntry]:
    """Of the tenant's audit log."""
    with tenant_scope(tenant.pk):
        return list(AuditEntry.objects.filter(action=action))


def asked(tenant: Tenant, email: str, role: Role = Role.EDITOR) -> Invitation:
    """Somebody is invited."""
    with tenant_scope(tenant.pk):
        return invite(tenant=tenant, email=email, role=role)[0]


def text(answer: Any) -> str:
    return str(answer.content.decode())
