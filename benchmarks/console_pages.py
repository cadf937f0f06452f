"""How long the console's and the API's pages take with many sessions in the database: server time, and queries.

`python -m benchmarks.console_pages [--sessions 100000] [--sqlite]`. A PostgreSQL of its own, thrown away afterwards.
One tenant has half of all sessions, the others share the rest; the times are those of its owner, and of an operator
where a page is theirs.
"""

import argparse
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

TENANTS: Final = 20
TURNS: Final = 4
"""Of each session."""
BATCH: Final = 5_000
TIMES: Final = 7
LIMIT_MS: Final = 300.0


@contextmanager
def database(sqlite: bool) -> Iterator[str]:
    from tests.services import Postgres

    if sqlite:
        yield ""
        return
    postgres = Postgres()
    try:
        postgres.start()
        yield postgres.url
    finally:
        from django.db import connections

        connections.close_all()
        postgres.remove()


def fill(sessions: int) -> Any:
    """Returns the large tenant."""
    from django.utils import timezone

    from sessions_app.history.models import Session, SessionEvent, Turn
    from sessions_app.tenants.scope import everyone
    from tests.fakes.office import make_assistant, make_tenant

    chance, now = random.Random(1), timezone.now()
    tenants = [make_tenant() for _ in range(TENANTS)]
    assistants = {tenant.pk: [make_assistant(tenant) for _ in range(3)] for tenant in tenants}
    with everyone():
        for begun in range(0, sessions, BATCH):
            rows = []
            for number in range(begun, min(begun + BATCH, sessions)):
                tenant = tenants[0] if number % 2 else chance.choice(tenants)
                assistant = chance.choice(assistants[tenant.pk])
                at = now - timedelta(minutes=number * 130_000 / sessions)
                rows.append(
                    Session(
                        tenant=tenant, assistant=assistant, version_id=assistant.live_version_id, channel="voice",
                        state="ended", leg=1, end_reason="hangup", last_seen_at=at, ended_at=at + timedelta(minutes=3),
                    )
                )  # fmt: skip
                rows[-1].at = at
            Session.objects.bulk_create(rows)
            for row in rows:
                row.created_at = row.at
            Session.objects.bulk_update(rows, ["created_at"], batch_size=500)
            Turn.objects.bulk_create(
                [_turn(Turn, row, number, chance) for row in rows for number in range(TURNS)], batch_size=2_000
            )
            SessionEvent.objects.bulk_create([_event(SessionEvent, row, chance) for row in rows], batch_size=2_000)
    return tenants[0]


def _turn(turn: Any, row: Any, number: int, chance: random.Random) -> Any:
    timings = {"ttfa_ms": chance.uniform(60, 220), "endpoint_ms": 700.0, "asr_ms": 30.0, "llm_first_token_ms": 5.0}
    return turn(
        tenant_id=row.tenant_id, session=row, leg=1, number=number, origin="voice", visitor_text="When do you open?",
        reply_text="We open at nine on weekdays.", finished=True, started_at=row.at + timedelta(seconds=20 * number),
        ended_at=row.at + timedelta(seconds=20 * number + 8), timings=timings, interrupted=number == 2,
    )  # fmt: skip


def _event(event: Any, row: Any, chance: random.Random) -> Any:
    kind = chance.choice(("budget.over", "error", "cancel", "notice"))
    return event(tenant_id=row.tenant_id, session=row, leg=1, seq=1, turn=1, kind=kind, at=row.at, data={"code": "x"})


@contextmanager
def counted() -> Iterator[list[str]]:
    """Every statement, whichever thread's connection it goes through."""
    from django.db.backends.utils import CursorWrapper

    seen: list[str] = []
    execute = CursorWrapper.execute

    def counting(self: Any, sql: Any, params: Any = None) -> Any:
        seen.append(str(sql))
        return execute(self, sql, params)

    CursorWrapper.execute = counting
    try:
        yield seen
    finally:
        CursorWrapper.execute = execute


def measured(get: Callable[[], Any]) -> tuple[float, int]:
    """Median ms of TIMES calls after a first one, and queries."""
    with counted() as queries:
        answer = get()
    assert answer.status_code == 200, (answer.status_code, answer.content[:300])
    took = []
    for _ in range(TIMES):
        begun = time.perf_counter()
        get()
        took.append((time.perf_counter() - begun) * 1000)
    return statistics.median(took), len(queries)


def pages(tenant: Any) -> Iterator[tuple[str, Callable[[], Any]]]:
    from django.contrib import admin
    from django.contrib.admin.utils import quote
    from django.test import Client
    from django.urls import reverse

    from sessions_app.history.models import Session
    from sessions_app.tenants.permissions import KEY_SCOPES
    from sessions_app.tenants.scope import tenant_scope
    from sessions_app.tenants.services import issue_secret_key
    from tests.fakes.office import make_member, make_operator, signed_in

    owner, operator = signed_in(make_member(tenant)), signed_in(make_operator())
    with tenant_scope(tenant.pk):
        total = Session.objects.count()
        session = Session.objects.order_by("-created_at")[100]
        _, raw = issue_secret_key(tenant=tenant, label="bench", scopes=KEY_SCOPES)
    api = Client(headers={"Authorization": f"Bearer {raw}"})

    def asking(client: Any, path: str) -> Callable[[], Any]:
        return lambda: client.get(path)

    index, sessions = reverse("admin:index"), reverse("admin:sessions_app_session_changelist")
    yield "overview, owner", asking(owner, index)
    yield "overview, operator", asking(operator, index)
    for model in admin.site._registry:
        path = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        whose = next((who for who in (owner, operator) if who.get(path).status_code == 200), None)
        if whose is not None:
            yield f"list of {model._meta.verbose_name_plural}", asking(whose, path)
    narrowed = {
        "the last page": f"?p={min(total, 5_000) // 50}",
        "of one state": "?state__exact=ended",
        "sought, frequent": "?q=nine",
        "sought, nowhere": "?q=zebra",
    }
    for what, query in narrowed.items():
        yield f"list of sessions, {what}", asking(owner, sessions + query)
    yield "a session", asking(owner, reverse("admin:sessions_app_session_change", args=[quote(session.pk)]))
    yield "API: sessions", asking(api, "/api/v1/sessions?limit=100")
    yield "API: sessions, far back", asking(api, f"/api/v1/sessions?limit=100&cursor={_far(api)}")
    yield "API: turns of one", asking(api, f"/api/v1/sessions/{session.pk}/turns")


def _far(api: Any) -> str:
    cursor = ""
    for _ in range(50):
        cursor = api.get(f"/api/v1/sessions?limit=100&cursor={cursor}").json()["next"]
    return cursor


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=100_000)
    parser.add_argument("--sqlite", action="store_true")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, database(wanted.sqlite) as url:
        os.environ.update(DATABASE_URL=url, GOASSIST_DATA=str(Path(folder)), GOASSIST_ALLOWED_HOSTS="testserver")
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "goassist_site.settings")
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        begun = time.monotonic()
        tenant = fill(wanted.sessions)
        if not wanted.sqlite:
            from django.db import connection

            connection.cursor().execute("ANALYZE")
        print(f"{wanted.sessions} sessions written in {time.monotonic() - begun:.0f} s")
        print("| page | ms | queries |\n| --- | --- | --- |")
        for name, get in pages(tenant):
            ms, queries = measured(get)
            print(f"| {name} | {ms:.0f}{' **over**' * (ms > LIMIT_MS)} | {queries} |", flush=True)


if __name__ == "__main__":
    main()
