import pytest
from asgiref.sync import sync_to_async

from sessions_app.tenants.audit import broken
from sessions_app.tenants.models import AuditEntry, Invitation
from sessions_app.tenants.permissions import KEY_SCOPES
from sessions_app.tenants.scope import everyone, tenant_scope
from sessions_app.tenants.services import issue_operator_key, issue_secret_key, revoke_key
from tests.fakes.house import Business, Caller, is_problem

ZOO = {"slug": "zoo", "name": "The Zoo", "owner": "Kim@Example.com"}


@pytest.fixture
def operator(transactional_db: None) -> Caller:
    with everyone():
        return Caller(issue_operator_key(label="Provisioning")[1])


@pytest.fixture
def server(riverside: Business) -> Caller:
    with tenant_scope(riverside.tenant.id):
        return Caller(issue_secret_key(tenant=riverside.tenant, label="Own", scopes=KEY_SCOPES)[1])


@sync_to_async
def installation_log() -> list[tuple[str, str, str]]:
    with everyone():
        assert broken("installation") is None
        rows = AuditEntry.objects.filter(chain="installation").order_by("number")
        return list(rows.values_list("action", "actor_kind", "actor"))


@sync_to_async
def invited() -> list[tuple[str, str]]:
    with everyone():
        return list(Invitation.objects.filter(tenant__slug="zoo").values_list("email", "role"))


async def test_an_operator_opens_names_and_lists_tenants(riverside: Business, operator: Caller) -> None:
    made = await operator("POST", "/tenants", ZOO)
    assert made.status_code == 201, made.content
    tenant = made.json()["tenant"]
    assert "/accounts/invitation/" in made.json()["invitation"]
    assert tenant["id"].startswith("ten_")
    assert await invited() == [("kim@example.com", "owner")]
    assert is_problem(await operator("POST", "/tenants", ZOO), 409)
    renamed = await operator("PATCH", f"/tenants/{tenant['id']}", {"name": "Zoo"})
    assert renamed.json()["name"] == "Zoo"
    names = [row["name"] for row in (await operator("GET", "/tenants")).json()["data"]]
    assert names == ["Zoo", riverside.tenant.name]
    done = [("tenant.opened", "key", "Provisioning"), ("tenant.changed", "key", "Provisioning")]
    assert (await installation_log())[-2:] == done


async def test_a_tenants_key_sees_and_names_its_own(riverside: Business, harbor: Business, server: Caller) -> None:
    (own,) = (await server("GET", "/tenants")).json()["data"]
    assert own["slug"] == riverside.tenant.slug
    assert (await server("PATCH", f"/tenants/{own['id']}", {"name": "Renamed"})).json()["name"] == "Renamed"


async def test_an_operators_key_opens_nothing_of_a_tenants_own(riverside: Business, operator: Caller) -> None:
    for path in ("/sessions", "/assistants", "/members", "/secret-keys", f"/sessions/{riverside.session.id}/turns"):
        assert is_problem(await operator("GET", path), 401)


async def test_a_revoked_operators_key_opens_nothing(transactional_db: None) -> None:
    @sync_to_async
    def revoked() -> str:
        with everyone():
            row, raw = issue_operator_key(label="old")
            revoke_key(key=row)
            return raw

    assert is_problem(await Caller(await revoked())("GET", "/tenants"), 401)


async def test_a_member_is_invited(server: Caller) -> None:
    made = await server("POST", "/members", {"email": "New@example.com", "role": "editor"})
    assert made.status_code == 201, made.content
    assert (made.json()["email"], made.json()["role"]) == ("new@example.com", "editor")
    assert "/accounts/invitation/" in made.json()["link"]
    members = (await server("GET", "/members")).json()["data"]
    assert "new@example.com" not in {row["email"] for row in members}
    assert is_problem(await server("POST", "/members", {"email": members[0]["email"], "role": "viewer"}), 409)
    assert is_problem(await server("POST", "/members", {"email": "x@example.com", "role": "owner"}), 422, "invalid")


async def test_members_are_listed_changed_and_removed_but_owners_stay(riverside: Business, server: Caller) -> None:
    listed = (await server("GET", "/members")).json()["data"]
    by_role = {row["role"]: row for row in listed}
    at = f"/members/{by_role['editor']['id']}"
    assert (await server("PATCH", at, {"role": "viewer"})).json()["role"] == "viewer"
    assert is_problem(await server("PATCH", at, {"role": "owner"}), 422, "invalid")
    assert (await server("DELETE", at)).status_code == 204
    assert is_problem(await server("GET", at), 404)
    owner = f"/members/{by_role['owner']['id']}"
    assert is_problem(await server("PATCH", owner, {"role": "viewer"}), 403)
    assert is_problem(await server("DELETE", owner), 403)
