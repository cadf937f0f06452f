"""The second wall between tenants: row-level security in PostgreSQL. The first is `tenants.scope`.

Every statement carries the scope it runs in: `set_config('goassist.scope', …, true)`, which is SET LOCAL, goes in front
of it in the same message. A simple-query message is one transaction unless one is open, so the setting ends with the
statement's own transaction, a rollback to a savepoint cannot leave an older one behind, a pooling proxy between
transactions does no harm, and no round trip is added. Without a scope it is empty, and the policies show no row.

https://www.postgresql.org/docs/15/protocol-flow.html#PROTOCOL-FLOW-MULTI-STATEMENT
"""

import re
from collections.abc import Callable
from typing import Any

from django.db import OperationalError, transaction
from django.db.backends.signals import connection_created

from sessions_app.tenants.scope import EVERYONE, scope_or_none

SETTING = "goassist.scope"
SCOPED = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "WITH", "EXPLAIN", "("})
"""How statements on rows begin. Others (ROLLBACK TO SAVEPOINT in a failed transaction) take nothing in front."""
BEGINNING = re.compile(r"\s*(\(|[A-Za-z]+)")
MENDING = (
    "DATABASE_URL's role may bypass row-level security, which keeps tenants apart. Use one that may not: "
    "`CREATE ROLE goassist LOGIN NOSUPERUSER NOBYPASSRLS PASSWORD '…'`, and let it own the database."
)
Execute = Callable[..., Any]


class OpenWall(RuntimeError):
    """The database's role sees all tenants' rows whatever the policies say. The text says how to mend it."""


def watch(sender: Any, connection: Any, **kwargs: Any) -> None:
    """Receiver of `connection_created`: from now on what this connection sends carries its scope."""
    if connection.vendor == "postgresql" and _in_scope not in connection.execute_wrappers:
        connection.execute_wrappers.append(_in_scope)


def install() -> None:
    connection_created.connect(watch, dispatch_uid="goassist.walls")


def ensure_closed(connection: Any) -> None:
    """For the start of a process. Raises OpenWall when the connection's role is a superuser or has BYPASSRLS.

    SQLite has no roles; a database that is away keeps nobody from starting: it is not asked about anything either.
    """
    if connection.vendor != "postgresql":
        return
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user")
            open_wall = cursor.fetchone()[0]
    except OperationalError:
        return
    finally:
        connection.close()
    if open_wall:
        raise OpenWall(MENDING)


def _in_scope(execute: Execute, sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
    if not _on_rows(sql):
        return execute(sql, params, many, context)
    scope = scope_or_none()
    setting = f"SELECT set_config('{SETTING}', '{_text(scope)}', true)"
    if many:  # each set of parameters goes out as a message of its own, in a pipeline that takes single statements only
        with transaction.atomic(using=context["connection"].alias):
            with context["connection"].cursor() as cursor:
                cursor.execute(setting)
            return execute(sql, params, many, context)
    result = execute(f"{setting}; {sql}", params, many, context)
    context["cursor"].nextset()
    return result


def _on_rows(sql: Any) -> bool:
    """Raw SQL may be an object of psycopg's that builds text: it comes from nobody here."""
    begins = BEGINNING.match(sql) if isinstance(sql, str) else None
    return begins is not None and begins[1].upper() in SCOPED


def _text(scope: Any) -> str:
    """Empty, a UUID's own form or the one fixed word: nothing that quotes could break out of."""
    return "" if scope is None else EVERYONE if scope == EVERYONE else str(scope)
