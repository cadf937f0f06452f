import base64
import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions_app.edge.paging import BadCursor, PageIn, page_of
from sessions_app.history.models import Session, Turn
from sessions_app.tenants.scope import everyone, tenant_scope
from tests.fakes.office import make_assistant, make_session, make_tenant

pytestmark = pytest.mark.django_db
NEWEST = ("-created_at", "-id")


@pytest.fixture
def conversation():
    """Seven sessions, three of the same moment; and the tenant."""
    assistant = make_assistant(make_tenant())
    moment = datetime(2026, 11, 1, tzinfo=UTC)
    sessions = [make_session(assistant) for _ in range(7)]
    with everyone():
        for number, session in enumerate(sessions):
            Session.objects.filter(pk=session.pk).update(created_at=moment + timedelta(minutes=max(0, number - 2)))
    return SimpleNamespace(tenant=assistant.tenant, sessions=sessions, assistant=assistant)


def pages(limit, rows=None, keys=NEWEST):
    found, cursor = [], ""
    while True:
        page = page_of(Session.objects.all() if rows is None else rows, PageIn(limit=limit, cursor=cursor), *keys)
        assert page["has_more"] == (page["next"] is not None)
        found.append([row.pk for row in page["data"]])
        if not page["has_more"]:
            return found
        cursor = page["next"]


@pytest.mark.parametrize("limit", [1, 2, 3, 6, 7, 8])
def test_every_row_comes_once_whatever_the_size_of_a_page(conversation, limit):
    with tenant_scope(conversation.tenant.id):
        expected = [row.pk for row in Session.objects.order_by(*NEWEST)]
        found = pages(limit)
    assert sum(found, []) == expected
    assert all(len(page) == limit for page in found[:-1])


def test_what_comes_meanwhile_shifts_nothing(conversation):
    with tenant_scope(conversation.tenant.id):
        first = page_of(Session.objects.all(), PageIn(limit=3), *NEWEST)
        make_session(conversation.assistant)
        second = page_of(Session.objects.all(), PageIn(limit=10, cursor=first["next"]), *NEWEST)
        assert not {row.pk for row in first["data"]} & {row.pk for row in second["data"]}
        assert len(first["data"]) + len(second["data"]) == 7


def test_turns_come_in_the_order_in_which_they_were_spoken(conversation):
    session = conversation.sessions[0]
    with tenant_scope(conversation.tenant.id):
        for leg, number in [(2, 1), (1, 1), (1, 2), (2, 2), (1, 10)]:
            fields = {"tenant": conversation.tenant, "origin": "voice", "started_at": session.created_at}
            Turn.objects.create(session=session, leg=leg, number=number, **fields)
        rows, keys = Turn.objects.filter(session=session), ("leg", "number")
        found = sum(pages(2, rows, keys), [])
        assert found == list(rows.order_by(*keys).values_list("pk", flat=True))


@pytest.mark.parametrize("cursor", ["x", "W10", "WzEsMl0", "bnVsbA", "WyIyMDI2LTExLTAxIiwic2VzXzEiXQ", "é", "[" * 300])
def test_a_cursor_of_ones_own_making_is_refused(cursor):
    with everyone(), pytest.raises(BadCursor):
        page_of(Session.objects.all(), PageIn(cursor=cursor), *NEWEST)


@given(
    st.text(max_size=60), st.lists(st.one_of(st.integers(), st.text(max_size=8), st.none(), st.floats()), max_size=3)
)
def test_any_cursor_is_a_page_or_refused(text, values):
    made = base64.urlsafe_b64encode(json.dumps(values).encode()).decode()
    with everyone():
        for cursor in (text, made):
            for rows, keys in ((Session.objects.all(), NEWEST), (Turn.objects.all(), ("leg", "number"))):
                try:
                    assert page_of(rows, PageIn.model_construct(limit=5, cursor=cursor), *keys)["data"] == []
                except BadCursor as error:
                    assert "next" in str(error) or not str(error)
