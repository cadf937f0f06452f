"""A tenant in which every page of a single row has something to show. Printed as JSON by `manage.py shell`."""

import json
from typing import Any

from tests.stack import Stack

PASSWORD = "a password for this test"
OWNER, STRANGER = "owner@gallery.example", "kim@gallery.example"
PLANT = f"""
import json
from datetime import timedelta
from django.template.loader import render_to_string
from django.test import RequestFactory
from django.utils import timezone
from sessions_app.accounts.models import SingleSignOn
from sessions_app.assistants.services import create_assistant, publish
from sessions_app.edge import pages
from sessions_app.history.services import create_session
from sessions_app.models import *
from sessions_app.tenants.invitations import invite
from sessions_app.tenants.models import Role, User
from sessions_app.tenants.scope import everyone
from sessions_app.tenants.services import add_member, issue_publishable_key
from sessions_app.webhooks.models import WebhookDelivery, WebhookEvent
from tests.fakes.soak import report
now = timezone.now()
with everyone():
    tenant = Tenant.objects.create(slug="gallery", name="Gallery of Modern Clocks")
    user = User.objects.create_user("{OWNER}", "{PASSWORD}")
    add_member(tenant=tenant, user=user, role=Role.OWNER)
    issue_publishable_key(tenant=tenant, label="Own pages")
    issue_publishable_key(tenant=tenant, label="Site", allowed_origins=["https://www.gallery.example"])
    draft = {{"greeting": "Gallery of Modern Clocks, good morning.", "persona": "You are Ada at the ticket desk.",
        "facts": [{{"id": "hours", "topic": "opening hours", "answer": "We open at nine, on Mondays at noon."}}],
        "documents": [{{"id": "visit", "title": "Your visit", "body": "Come early, and bring your papers."}}]}}
    desk = create_assistant(tenant=tenant, slug="desk", name="Ada", draft=draft)
    version = publish(assistant=desk, by=user)
    desk.refresh_from_db()
    desk.draft = draft | {{"greeting": "Gallery of Modern Clocks, good evening.", "persona": "You are Ada."}}
    desk.save()
    session = create_session(tenant_id=tenant.pk, assistant=desk, version=version, channel="voice")
    Session.objects.filter(pk=session.pk).update(state="ended", worker="worker-1", visitor="visitor-4711",
        end_reason="hangup", ended_at=now)
    timings = {{"endpoint_ms": 700.0, "asr_ms": 12.0, "llm_first_token_ms": 31.0, "tts_first_audio_ms": 40.0,
        "ttfa_ms": 95.0, "barge_in_ms": 41.0}}
    for number in range(1, 5):
        Turn.objects.create(tenant=tenant, session=session, leg=1, number=number, origin="speech", finished=True,
            visitor_text="When do you open on Mondays, and is there a lift?" if number > 1 else "",
            reply_text="We open at noon on Mondays. The lift is to the left of the entrance.", timings=timings,
            started_at=now, ended_at=now, passages=[["hours", 0.81]],
            cancel_reason="USER_BARGE_IN" if number == 3 else "")
    for seq, (kind, data) in enumerate([("budget.over", {{"component": "llm", "actual_ms": 181.0, "budget_ms": 160.0}}),
            ("error", {{"code": "asr_failed", "text": "The recogniser did not answer."}}),
            ("cancel", {{"reason": "USER_BARGE_IN"}}), ("ended", {{"reason": "hangup"}})], 1):
        SessionEvent.objects.create(tenant=tenant, session=session, leg=1, seq=seq, turn=seq + 1, kind=kind, at=now,
            data=data)
    hook = WebhookEndpoint.objects.create(tenant=tenant, url="https://www.gallery.example/hooks", failures=2,
        description="Ticket system", first_failure_at=now)
    for state in ("delivered", "failed", "pending", "gave_up"):
        event = WebhookEvent.objects.create(tenant=tenant, type="session.ended", payload="{{}}")
        WebhookDelivery.objects.create(tenant=tenant, endpoint=hook, event=event, state=state, attempts=2,
            last_status=503, last_error="" if state == "delivered" else "503 Service Unavailable", response="busy",
            duration_ms=120, next_attempt_at=now + timedelta(days=30),
            log=[{{"at": now.isoformat(), "status": 503, "error": "503", "duration_ms": 120}}])
    sso = SingleSignOn.objects.create(tenant=tenant, issuer="https://login.gallery.example", client_id="goassist",
        domains=["gallery.example"], enabled=False)
    for day in range(5):
        UsageDay.objects.create(tenant=tenant, day=now.date() - timedelta(days=day), assistant=desk,
            assistant_name="Ada", channel="voice", sessions=3 + day, seconds=500, visitor_turns=20, interrupted=2)
    _, link = invite(tenant=tenant, email="{STRANGER}", role=Role.VIEWER)
    runs = [SoakRun.objects.create(assistant=desk, assistant_name="Ada", url="http://127.0.0.1:9", ended_at=now,
        started_at=now, state=state, verdict=kept.get("verdict", ""), report=kept, series=kept.get("series", []),
        trouble=trouble) for state, kept, trouble in (("finished", report(), ""),
        ("finished", report(verdict="fail", failures=3), ""), ("failed", {{}}, "The key was refused."))]
request = RequestFactory().get("/")
errors = {{"400": pages.bad_request(request).content.decode(), "500": pages.server_error(request).content.decode()}}
print(json.dumps({{"assistant": desk.pk, "session": session.pk, "hook": hook.pk, "version": version.pk, "sso": sso.pk,
    "tenant": tenant.pk, "user": user.pk, "invitation": link, "errors": errors,
    "run_good": runs[0].pk, "run_bad": runs[1].pk, "run_none": runs[2].pk}}, default=str))
"""


def gallery(stack: Stack) -> dict[str, Any]:
    """Keys of its rows as addresses of the console have them, the link of an invitation, and two pages of errors."""
    made = json.loads(stack.manage("shell", "--no-imports", "-v", "0", "-c", PLANT).splitlines()[-1])
    rows = {name: str(made[name]).replace("_", "_5F") for name in made if name not in {"invitation", "errors"}}
    return {**rows, "invitation": made["invitation"], "errors": made["errors"]}
