"""The second wall: what PostgreSQL shows when the code forgets to ask whose rows these are."""

import pytest
from django.apps import apps
from django.db import DatabaseError, connection, transaction
from django.db.migrations.loader import MigrationLoader
from django.utils import timezone

from sessions_app.accounts.models import SingleSignOn, SsoIdentity
from sessions_app.files.models import Purpose, StoredFile
from sessions_app.history.models import Privacy
from sessions_app.history.services import apply_records
from sessions_app.operations.idempotency import claim
from sessions_app.tenants import audit, walls
from sessions_app.tenants.invitations import invite
from sessions_app.tenants.models import Role, Tenant
from sessions_app.tenants.row_security import RowSecurity
from sessions_app.tenants.scope import TenantOwned, everyone, tenant_scope
from sessions_app.tenants.services import issue_publishable_key, issue_secret_key
from sessions_app.usage.models import Quota, UsageDay
from sessions_app.webhooks.services import create_endpoint, send_test
from tests.fakes.office import make_assistant, make_member, make_session, make_tenant
from tests.sessions_app.history.test_journal import told
from tests.sessions_app.history.test_session_page import event

MODELS = [
    model
    for model in apps.get_app_config("sessions_app").get_models()
    if not model._meta.proxy and (issubclass(model, TenantOwned) or model is Tenant)
]
TABLES = [model._meta.db_table for model in MODELS]
on_postgres = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="SQLite has no row-level security; `make test-postgres` has"
)


def test_a_tenant_table_without_a_wall_fails_the_build():
    migrations = MigrationLoader(None).disk_migrations.values()
    walled = {operation.model_name for one in migrations for operation in one.operations if _is_wall(operation)}
    assert {model.__name__ for model in MODELS} == walled


def _is_wall(operation):
    return isinstance(operation, RowSecurity)


@pytest.fixture
def two_businesses(db):
    """Two tenants with a row in every tenant table each."""
    return [_business(), _business()]


def _business():
    tenant = make_tenant()
    session = make_session(make_assistant(tenant))
    apply_records([told(session), event(session)])
    person = make_member(tenant, Role.OWNER)
    with tenant_scope(tenant.id):
        issue_publishable_key(tenant=tenant, label="site")
        issue_secret_key(tenant=tenant, label="server")
        invite(tenant=tenant, email="kim@example.com", role=Role.VIEWER)
        Quota.objects.create(tenant=tenant)
        Privacy.objects.create(tenant=tenant)
        StoredFile.objects.create(tenant=tenant, purpose=Purpose.RECORDING, name="call.ogg", content_type="audio/ogg")
        SingleSignOn.objects.create(tenant=tenant, issuer="https://login.example.com")
        SsoIdentity.objects.create(tenant=tenant, user=person, issuer="https://login.example.com", subject="1")
        send_test(endpoint=create_endpoint(tenant=tenant, url="https://www.example.com/hooks")[0])
        UsageDay.objects.create(
            tenant=tenant,
            day=timezone.now().date(),
            assistant=session.assistant,
            assistant_name="Robin",
            channel="voice",
        )
    claim(tenant_id=str(tenant.id), caller=str(session.id), key="k", request=b"")
    return tenant


def rows(table: str, column: str = "*") -> list:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM {table}")  # as somebody would who forgot the tenant
        return cursor.fetchall()


@on_postgres
@pytest.mark.parametrize("table", TABLES)
def test_raw_sql_sees_the_rows_of_its_scope_and_without_one_none(two_businesses, table):
    mine, theirs = two_businesses
    column = "id" if table == Tenant._meta.db_table else "tenant_id"
    assert rows(table, column) == []
    with tenant_scope(mine.id):
        assert set(rows(table, column)) == {(mine.id,)}
    with everyone():
        assert {(mine.id,), (theirs.id,)} <= set(rows(table, column))
    assert rows(table, column) == []


@on_postgres
def test_every_wall_is_forced_on_the_owner_of_the_table_too(db):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relname = ANY(%s) AND relrowsecurity AND relforcerowsecurity", [TABLES]
        )
        assert {name for (name,) in cursor.fetchall()} == set(TABLES)


@on_postgres
def test_a_row_cannot_be_written_for_or_moved_to_another_tenant(two_businesses):
    mine, theirs = two_businesses
    for sql in (
        "INSERT INTO sessions_app_membership (tenant_id, user_id, role, created_at) "
        "SELECT %s, max(id), 'owner', now() FROM sessions_app_user",
        "UPDATE sessions_app_membership SET tenant_id = %s",
    ):
        refused = pytest.raises(DatabaseError, match="row-level security")
        with tenant_scope(mine.id), refused, transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql, [theirs.id])
    with tenant_scope(mine.id), connection.cursor() as cursor:
        cursor.execute("DELETE FROM sessions_app_turn WHERE tenant_id = %s", [theirs.id])
        assert cursor.rowcount == 0


@on_postgres
def test_a_rollback_to_a_savepoint_leaves_no_other_scope_behind(two_businesses):
    mine, theirs = two_businesses
    with transaction.atomic(), tenant_scope(mine.id):
        with pytest.raises(ZeroDivisionError), transaction.atomic(), tenant_scope(theirs.id):
            assert set(rows("sessions_app_turn", "tenant_id")) == {(theirs.id,)}
            raise ZeroDivisionError
        assert set(rows("sessions_app_turn", "tenant_id")) == {(mine.id,)}


@on_postgres
def test_many_sets_of_parameters_carry_their_scope_too(two_businesses):
    mine, theirs = two_businesses
    with tenant_scope(mine.id), connection.cursor() as cursor:
        cursor.executemany(
            "UPDATE sessions_app_tenant SET name = %s WHERE id = %s", [("Mine", mine.id), ("Stolen", theirs.id)]
        )
    with everyone():
        assert Tenant.objects.get(pk=mine.pk).name == "Mine"
        assert Tenant.objects.get(pk=theirs.pk).name != "Stolen"


@on_postgres
def test_audit_entries_cannot_be_changed_even_by_raw_sql(two_businesses):
    mine, _ = two_businesses
    for scope in (tenant_scope(mine.id), everyone()):
        with scope, connection.cursor() as cursor:
            cursor.execute("UPDATE sessions_app_auditentry SET actor = 'nobody'")
            assert cursor.rowcount == 0
    with tenant_scope(mine.id), connection.cursor() as cursor:
        cursor.execute("DELETE FROM sessions_app_auditentry")
        assert cursor.rowcount == 0
        assert audit.broken(str(mine.id)) is None


@on_postgres
def test_a_role_that_sees_past_policies_is_refused_in_words(db):
    walls.ensure_closed(connection.copy())
    allmighty = connection.copy()
    allmighty.settings_dict = {**allmighty.settings_dict, "USER": "postgres"}
    with pytest.raises(walls.OpenWall, match="CREATE ROLE"):
        walls.ensure_closed(allmighty)


@pytest.mark.parametrize(
    ("sql", "scoped"),
    [
        ("SELECT 1", True),
        ("\n  insert into x", True),
        ("(SELECT 1) UNION (SELECT 2)", True),
        ("WITH a AS (SELECT 1) SELECT * FROM a", True),
        ("SAVEPOINT s1", False),
        ("ROLLBACK TO SAVEPOINT s1", False),
        ("", False),
        ("-- SELECT", False),
        (None, False),
    ],
)
def test_only_statements_on_rows_carry_the_scope(sql, scoped):
    assert walls._on_rows(sql) is scoped
