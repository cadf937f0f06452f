"""A visitor is forgotten: every word of theirs goes, nobody else's does."""

from typing import Any

import pytest
from asgiref.sync import sync_to_async

from sessions_app.history.models import Session, SessionEvent, Turn
from sessions_app.history.services import apply_records
from sessions_app.tenants.models import AuditEntry
from sessions_app.tenants.permissions import KEY_SCOPES
from sessions_app.tenants.scope import everyone, tenant_scope
from sessions_app.tenants.services import issue_secret_key
from tests.fakes.house import Business, Caller, is_problem
from tests.fakes.worker import FakeWorker
from tests.sessions_app.history.test_journal import told
from tests.sessions_app.history.test_session_page import event


def everything(business: Business) -> Caller:
    with tenant_scope(business.tenant.id):
        return Caller(issue_secret_key(tenant=business.tenant, label="Privacy", scopes=KEY_SCOPES)[1])


@pytest.fixture
def server(riverside: Business) -> Caller:
    return everything(riverside)


async def opened(caller: Caller, business: Business, visitor: str) -> str:
    answer = await caller("POST", "/sessions", {"assistant": business.assistant.slug, "visitor": visitor})
    assert answer.status_code == 201, answer.content
    return str(answer.json()["id"])


@sync_to_async
def spoken(session_id: str) -> None:
    with everyone():
        session = Session.objects.get(pk=session_id)
    apply_records([told(session, visitor_text="My knee hurts."), event(session)])


@sync_to_async
def kept(session_id: str) -> tuple[int, int, int]:
    with everyone():
        rows: Any = [Session.objects.filter(pk=session_id)]
        rows += [kind.objects.filter(session_id=session_id) for kind in (Turn, SessionEvent)]
        return tuple(found.count() for found in rows)  # type: ignore[return-value]


async def test_a_visitor_is_erased_and_nobody_else(
    riverside: Business, harbor: Business, server: Caller, worker: FakeWorker
) -> None:
    theirs = [await opened(server, riverside, "patient-7") for _ in range(2)]
    other = await opened(server, riverside, "patient-8")
    elsewhere = await opened(await sync_to_async(everything)(harbor), harbor, "patient-7")
    for session_id in (*theirs, other, elsewhere):
        await spoken(session_id)
    listed = (await server("GET", "/sessions?visitor=patient-7")).json()["data"]
    assert {row["id"] for row in listed} == set(theirs)
    assert {row["visitor"] for row in listed} == {"patient-7"}

    answer = await server("DELETE", "/visitors/patient-7")
    assert answer.json() == {"sessions": 2}
    assert [await kept(session_id) for session_id in theirs] == [(0, 0, 0)] * 2
    assert [await kept(other), await kept(elsewhere)] == [(1, 1, 1)] * 2
    assert is_problem(await server("DELETE", "/visitors/patient-7"), 404)


async def test_the_log_says_that_it_was_done_and_not_to_whom(riverside: Business, server: Caller) -> None:
    await opened(server, riverside, "patient-7")
    await server("DELETE", "/visitors/patient-7")

    @sync_to_async
    def logged() -> Any:
        with everyone():
            return AuditEntry.objects.filter(action="visitor.erased").values().get()

    entry = await logged()
    assert (entry["after"], entry["actor"]) == ({"sessions": 1}, "Privacy")
    assert "patient-7" not in str(entry)


async def test_a_call_that_runs_is_ended_first(riverside: Business, server: Caller, worker: FakeWorker) -> None:
    session_id = await opened(server, riverside, "patient-7")
    await server("POST", f"/sessions/{session_id}/chat", {"message": "hi"})
    await server("DELETE", "/visitors/patient-7")
    hangup = await worker.mail_of("hangup")
    assert (hangup["session_id"], hangup["reason"]) == (session_id, "erased")
    assert await kept(session_id) == (0, 0, 0)
    await spoken_late(riverside, session_id)
    assert await kept(session_id) == (0, 0, 0)


@sync_to_async
def spoken_late(business: Business, session_id: str) -> None:
    """The worker's last news, after the erasure."""
    late = told(business.session)
    apply_records([type(late)(**{**late.to_wire(), "session_id": session_id})])


async def test_sessions_without_a_visitor_are_nobodys(riverside: Business, server: Caller) -> None:
    session_id = await opened(server, riverside, "")
    assert is_problem(await server("DELETE", "/visitors/%20"), 422, "invalid")
    assert (await kept(session_id))[0] == 1


@pytest.mark.parametrize("visitor", ["a b", "x" * 65, "ä", "a/b"])
async def test_a_name_of_another_form_is_refused(riverside: Business, server: Caller, visitor: str) -> None:
    body = {"assistant": riverside.assistant.slug, "visitor": visitor}
    answer = await server("POST", "/sessions", body)
    assert is_problem(answer, 422, "invalid")
