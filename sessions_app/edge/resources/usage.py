"""What a tenant used in a month, and how it stands to its quota."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from ninja import Query, Router, Schema
from pydantic import Field

from sessions_app.edge.callers import CalledRequest, Key
from sessions_app.edge.resources.scoped import in_scope
from sessions_app.edge.schemas import errors
from sessions_app.tenants.permissions import Can
from sessions_app.usage import selectors

router = Router(tags=["usage"], auth=Key())


class UsageWanted(Schema):
    month: str = Field("", max_length=7, description="As `2026-11` (UTC); this month without it.")


class Figures(Schema):
    sessions: int = Field(description="That were connected for the first time.")
    seconds: int = Field(description="Connected time.")
    visitor_turns: int
    chat_messages: int
    interrupted: int


class DayOut(Figures):
    day: date


class AssistantUsage(Figures):
    assistant: str | None = Field(description="Null for one that was deleted.")
    assistant_name: str
    channel: str


class QuotaOut(Schema):
    minutes: float = Field(description="Used in the current month.")
    minutes_a_month: int | None = Field(description="Null: no limit.")
    sessions: int = Field(description="At this moment.")
    concurrent_sessions: int | None = Field(description="Null: no limit.")
    resets_at: datetime


class UsageOut(Schema):
    month: date = Field(description="Its first day.")
    total: Figures
    days: list[DayOut]
    assistants: list[AssistantUsage]
    quota: QuotaOut


@router.get("/usage", response={200: UsageOut, **errors()})
@in_scope
def read_usage(request: CalledRequest, wanted: Query[UsageWanted]) -> dict[str, Any]:
    """Counted anew each minute."""
    request.auth.need(Can.READ_TENANT)
    month = selectors.month_named(wanted.month)
    return {
        "month": month,
        "total": selectors.totals(month),
        "days": selectors.by_day(month),
        "assistants": selectors.by_assistant(month),
        "quota": selectors.standing_to_quota(UUID(request.auth.tenant_id)),
    }
