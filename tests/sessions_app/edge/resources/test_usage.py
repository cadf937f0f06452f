from datetime import UTC, datetime

import pytest
from asgiref.sync import sync_to_async

from sessions_app.tenants.permissions import Can
from sessions_app.tenants.scope import everyone, tenant_scope
from sessions_app.tenants.services import issue_secret_key
from sessions_app.usage.models import Quota, UsageDay
from tests.fakes.house import Business, Caller, is_problem


@pytest.fixture
def reader(riverside: Business) -> Caller:
    with tenant_scope(riverside.tenant.id):
        return Caller(issue_secret_key(tenant=riverside.tenant, label="Books", scopes=[Can.READ_TENANT])[1])


@sync_to_async
def used(business: Business, seconds: int) -> None:
    with everyone():
        Quota.objects.create(tenant=business.tenant, minutes_a_month=10)
        UsageDay.objects.create(
            tenant=business.tenant, day=datetime.now(UTC).date(), assistant=business.assistant, assistant_name="Robin",
            channel="voice", sessions=2, seconds=seconds, visitor_turns=5,
        )  # fmt: skip


async def test_a_month_is_told_by_day_and_assistant_and_against_the_quota(
    riverside: Business, harbor: Business, reader: Caller
) -> None:
    await used(riverside, 300)
    await used(harbor, 9999)
    answer = await reader("GET", "/usage")
    assert answer.status_code == 200, answer.content
    usage = answer.json()
    assert (usage["total"]["seconds"], usage["total"]["sessions"]) == (300, 2)
    assert sum(day["seconds"] for day in usage["days"]) == 300
    assert len(usage["days"]) >= 28
    (assistant,) = usage["assistants"]
    assert (assistant["assistant"], assistant["visitor_turns"]) == (riverside.assistant.id, 5)
    assert (usage["quota"]["minutes"], usage["quota"]["minutes_a_month"]) == (5.0, 10)


async def test_a_month_without_any_is_empty(reader: Caller) -> None:
    usage = (await reader("GET", "/usage?month=2025-02")).json()
    assert (usage["month"], usage["total"]["seconds"], len(usage["days"])) == ("2025-02-01", 0, 28)


@pytest.mark.parametrize("month", ["2026", "2026-13", "next", "9999-01", "2026-1%00"])
async def test_what_is_no_month_is_told(reader: Caller, month: str) -> None:
    assert is_problem(await reader("GET", f"/usage?month={month}"), 422, "invalid")
