import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from sessions_app.history.models import Session, SessionState
from sessions_app.tenants.scope import tenant_scope
from tests.fakes.house import Business, Caller, is_problem
from tests.fakes.office import make_assistant, make_session


@pytest.fixture
def three(riverside: Business) -> list[str]:
    """The first is over; the last is another assistant's."""
    sessions = [riverside.session, make_session(riverside.assistant), make_session(make_assistant(riverside.tenant))]
    with tenant_scope(riverside.tenant.id):
        Session.objects.filter(pk=sessions[0].pk).update(state=SessionState.ENDED)
    return [session.id for session in sessions]


async def ids(server: Caller, query: str = "") -> list[str]:
    answer = await server("GET", f"/sessions{query}")
    assert answer.status_code == 200, answer.content
    return [row["id"] for row in answer.json()["data"]]


async def test_sessions_are_listed_the_newest_first_and_filtered(
    riverside: Business, server: Caller, three: list[str]
) -> None:
    assert await ids(server) == three[::-1]
    assert await ids(server, "?state=ended") == three[:1]
    assert await ids(server, f"?assistant={riverside.assistant.id}") == three[1::-1]
    assert await ids(server, f"?assistant={riverside.assistant.slug}&state=new") == three[1:2]
    assert await ids(server, "?created_after=2099-01-01T00:00:00Z") == []
    assert await ids(server, "?created_before=2099-01-01T00:00:00Z&limit=2") == three[:0:-1]


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "state=odd", "cursor=zz", "created_after=now"])
async def test_a_parameter_of_another_form_is_told(server: Caller, query: str) -> None:
    answer = await server("GET", f"/sessions?{query}")
    assert is_problem(answer, 422, "invalid")


def test_a_longer_list_takes_no_more_queries(riverside: Business, three: list[str]) -> None:
    client = Client(headers={"Authorization": f"Bearer {riverside.secret_key}"})
    client.get("/api/v1/sessions")  # the key's last use is noted once a minute

    def queries(limit: int) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert len(client.get(f"/api/v1/sessions?limit={limit}").json()["data"]) == limit
        return len(captured)

    assert 0 < queries(1) == queries(3) <= 6
