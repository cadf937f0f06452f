"""The console's usage page, its file, the banner, and the quotas that operators set."""

import csv
import io
import json
import re
from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from sessions_app.assistants.models import Assistant
from sessions_app.tenants.models import AuditEntry, Role
from sessions_app.tenants.scope import everyone
from sessions_app.usage import selectors
from sessions_app.usage.admin import FORMULA, harmless
from sessions_app.usage.models import Quota, UsageDay
from tests.fakes.office import make_assistant, make_member, make_operator, make_tenant, signed_in

pytestmark = pytest.mark.django_db
PAGE = "/admin/sessions_app/usageday/"
MONTH, OCTOBER = date(2026, 10, 1), "?month=2026-10"


@pytest.fixture
def assistant() -> Assistant:
    return make_assistant(make_tenant("Riverside"))


def use(assistant: Assistant, day: date, minutes: int, channel: str = "voice", **figures: Any) -> None:
    with everyone():
        UsageDay.objects.create(
            tenant_id=assistant.tenant_id, day=day, assistant=assistant, channel=channel, seconds=minutes * 60,
            **{"assistant_name": assistant.name, "sessions": 1, **figures},
        )  # fmt: skip


def limit(assistant: Assistant, **limits: int) -> None:
    with everyone():
        Quota.objects.update_or_create(tenant_id=assistant.tenant_id, defaults=limits)


def member(assistant: Assistant, role: Role = Role.VIEWER) -> Client:
    return signed_in(make_member(assistant.tenant, role))


def text(client: Client, query: str = "") -> str:
    answer = client.get(PAGE + query)
    assert answer.status_code == 200
    return answer.content.decode()


def rows(answer: Any) -> list[list[str]]:
    return list(csv.reader(io.StringIO(answer.content.decode())))


# The page -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", Role)
def test_every_member_sees_what_the_tenant_used(assistant: Assistant, role: Role) -> None:
    use(assistant, date(2026, 10, 5), 61, visitor_turns=7)
    page = text(member(assistant, role), OCTOBER)
    assert "61.0 min" in page
    assert "Robin" in page


def test_another_tenants_usage_is_not_shown(assistant: Assistant) -> None:
    other = make_assistant(make_tenant("Harbor"))
    use(assistant, date(2026, 10, 5), 61)
    use(other, date(2026, 10, 5), 977)
    limit(other, minutes_a_month=123_457)
    page = text(member(assistant), OCTOBER)
    assert "61.0" in page
    for secret in ("977", "1038", "Harbor", "123457"):
        assert secret not in page


def test_an_operator_sees_all_tenants_as_numbers_and_no_assistant(assistant: Assistant) -> None:
    other = make_assistant(make_tenant("Harbor"))
    use(assistant, date(2026, 10, 5), 61, assistant_name="Private name")
    use(other, date(2026, 10, 5), 100)
    limit(other, minutes_a_month=200, concurrent_sessions=3)
    client = signed_in(make_operator())
    page = text(client, OCTOBER)
    assert "161.0 min" in page
    assert "50 % of 200" in page
    assert "Private name" not in page
    assert "Private name" not in client.get(reverse("admin:usage_csv") + OCTOBER).content.decode()


def test_strangers_see_nothing(assistant: Assistant) -> None:
    for client in (Client(), signed_in(make_member(make_tenant()))):
        assert "Robin" not in client.get(PAGE + OCTOBER, follow=True).content.decode()
    nobody = make_operator()
    nobody.is_superuser = False
    nobody.save()
    for path in (PAGE, reverse("admin:usage_csv")):
        assert signed_in(nobody).get(path).status_code == 403
        assert Client().get(path).status_code == 302


def test_the_chart_has_every_day_of_the_month_and_the_table_the_same_figures(assistant: Assistant) -> None:
    use(assistant, date(2026, 10, 5), 61)
    use(assistant, date(2026, 10, 5), 4, "chat")
    use(assistant, date(2026, 10, 31), 2)
    use(assistant, date(2026, 9, 30), 1000)
    use(assistant, date(2026, 11, 1), 1000)
    page = text(member(assistant), OCTOBER)
    found = re.search(r'<script id="usage-days" type="application/json">(.*?)</script>', page)
    assert found is not None
    chart = json.loads(found[1])
    assert chart["days"] == [f"2026-10-{day:02d}" for day in range(1, 32)]
    assert (chart["voice"][4], chart["chat"][4], chart["voice"][30]) == (61.0, 4.0, 2.0)
    assert sum(chart["voice"] + chart["chat"]) == 67.0
    assert len(re.findall(r'<th scope="row" class="go-number">2026-10-\d\d</th>', page)) == 31


def test_the_page_needs_no_script_of_its_own_inside(assistant: Assistant) -> None:
    scripts = re.findall(r"<script([^>]*)>", text(member(assistant)).split('class="go-page"')[1])
    assert all("application/json" in script for script in scripts[:1])


@pytest.mark.parametrize("month", ["2026-13", "x", "2026-10-05", "0000-01", "9999-12", "2026-1", "'--", "9" * 400])
def test_what_is_no_month_is_said_and_this_one_shown(assistant: Assistant, month: str) -> None:
    page = text(member(assistant), f"?month={month}")
    assert "That is no month" in page
    assert f"{timezone.now():%B %Y}" in page


def test_months_that_there_is_usage_of_can_be_chosen(assistant: Assistant) -> None:
    use(assistant, date(2025, 11, 5), 1)
    page = text(member(assistant))
    assert "November 2025" in page
    assert "October 2025" not in page
    with everyone():
        use(assistant, date(2001, 1, 1), 1)
        assert len(selectors.months()) == selectors.MONTHS_SHOWN


@pytest.mark.parametrize("month", ["2199-12", "2000-01"])
def test_the_first_and_the_last_month_there_are_do_not_break(assistant: Assistant, month: str) -> None:
    client = member(assistant)
    assert client.get(f"{PAGE}?month={month}").status_code == 200
    assert client.get(f"{reverse('admin:usage_csv')}?month={month}").status_code == 200


# The file -------------------------------------------------------------------------------------------------------


def test_the_file_has_a_row_for_each_day_assistant_and_channel(assistant: Assistant) -> None:
    use(assistant, date(2026, 10, 5), 61, visitor_turns=7, interrupted=2)
    use(assistant, date(2026, 10, 5), 4, "chat", chat_messages=9)
    answer = member(assistant).get(reverse("admin:usage_csv") + OCTOBER)
    assert answer["Content-Type"].startswith("text/csv")
    assert f"usage-{assistant.tenant.slug}-2026-10.csv" in answer["Content-Disposition"]
    assert rows(answer) == [
        ["day", "assistant", "channel", "sessions", "seconds", "visitor_turns", "chat_messages", "interrupted"],
        ["2026-10-05", "Robin", "chat", "1", "240", "0", "9", "0"],
        ["2026-10-05", "Robin", "voice", "1", "3660", "7", "0", "2"],
    ]


@pytest.mark.parametrize("beginning", FORMULA)
def test_no_cell_is_a_formula(assistant: Assistant, beginning: str) -> None:
    use(assistant, date(2026, 10, 5), 61, assistant_name=f"{beginning}HYPERLINK(1)")
    answer = member(assistant).get(reverse("admin:usage_csv") + OCTOBER)
    assert f"'{beginning}HYPERLINK(1)" in answer.content.decode()
    assert harmless(-5) == -5


# Quota and banner -------------------------------------------------------------------------------------------------


def this_month() -> date:
    return timezone.now().date()


@pytest.mark.parametrize(("used", "told"), [(79, None), (80, "80 %"), (99, "99 %"), (100, "used up"), (250, "used up")])
def test_every_page_tells_from_80_percent_on(assistant: Assistant, used: int, told: str | None) -> None:
    use(assistant, this_month(), used)
    limit(assistant, minutes_a_month=100)
    client = member(assistant)
    for path in (reverse("admin:index"), PAGE):
        page = client.get(path).content.decode()
        banner = re.search(r'<div class="go-looking" role="status" data-kind="(\w+)">(.*?)</div>', page, re.DOTALL)
        assert (banner is None) == (told is None)
        if banner and told:
            assert told in banner[2]
            assert banner[1] == ("over" if used >= 100 else "near")


def test_no_banner_without_a_quota_nor_for_another_tenant(assistant: Assistant) -> None:
    other = make_assistant(make_tenant())
    use(assistant, this_month(), 500)
    use(other, this_month(), 500)
    limit(other, minutes_a_month=10)
    limit(assistant, concurrent_sessions=1)
    assert 'data-kind="over"' not in text(member(assistant))
    assert 'data-kind="over"' not in text(signed_in(make_operator()))


def test_a_member_reads_the_quota_and_only_an_operator_sets_it(assistant: Assistant) -> None:
    limit(assistant, minutes_a_month=777, concurrent_sessions=5)
    owner = member(assistant, Role.OWNER)
    assert "777" in text(owner)
    with everyone():
        quota = Quota.objects.get()
    for path in (
        reverse("admin:sessions_app_quota_changelist"),
        reverse("admin:sessions_app_quota_add"),
        reverse("admin:sessions_app_quota_change", args=[quota.pk]),
        reverse("admin:sessions_app_quota_delete", args=[quota.pk]),
    ):
        assert owner.get(path).status_code == 403
        assert owner.post(path, {"minutes_a_month": 1}).status_code == 403


def test_an_operator_sets_changes_and_takes_a_quota_away_and_both_audit_logs_tell(assistant: Assistant) -> None:
    operator = make_operator()
    client = signed_in(operator)
    form = {"tenant": str(assistant.tenant_id), "concurrent_sessions": "4", "minutes_a_month": ""}
    assert client.post(reverse("admin:sessions_app_quota_add"), form).status_code == 302
    with everyone():
        quota = Quota.objects.get()
    assert (quota.concurrent_sessions, quota.minutes_a_month) == (4, None)
    change = reverse("admin:sessions_app_quota_change", args=[quota.pk])
    assert client.post(change, {"concurrent_sessions": "4", "minutes_a_month": "500"}).status_code == 302
    assert client.post(reverse("admin:sessions_app_quota_delete", args=[quota.pk]), {"post": "yes"}).status_code == 302
    with everyone():
        assert not Quota.objects.exists()
        for chain in ("installation", str(assistant.tenant_id)):
            entries = AuditEntry.objects.filter(chain=chain, target_kind="quota").order_by("number")
            told = list(entries.values_list("action", "actor"))
            assert told == [(f"quota.{what}", operator.email) for what in ("created", "changed", "deleted")], chain
            assert entries[1].before["minutes_a_month"] is None
            assert entries[1].after["minutes_a_month"] == 500


@pytest.mark.parametrize("wrong", ["0", "-1", "x", "1.5", "99999999999999999999"])
def test_a_quota_that_is_none_is_said_in_words(assistant: Assistant, wrong: str) -> None:
    form = {"tenant": str(assistant.tenant_id), "concurrent_sessions": wrong, "minutes_a_month": ""}
    answer = signed_in(make_operator()).post(reverse("admin:sessions_app_quota_add"), form)
    assert answer.status_code == 200
    with everyone():
        assert not Quota.objects.exists()


def test_a_tenant_has_one_quota(assistant: Assistant) -> None:
    limit(assistant, concurrent_sessions=1)
    form = {"tenant": str(assistant.tenant_id), "concurrent_sessions": "4", "minutes_a_month": ""}
    answer = signed_in(make_operator()).post(reverse("admin:sessions_app_quota_add"), form)
    assert "already exists" in answer.content.decode()


def test_yesterdays_month_is_not_todays(assistant: Assistant) -> None:
    use(assistant, this_month().replace(day=1) - timedelta(days=1), 1000)
    limit(assistant, minutes_a_month=10)
    with everyone():
        assert selectors.standing_to_quota(assistant.tenant_id).minutes == 0
