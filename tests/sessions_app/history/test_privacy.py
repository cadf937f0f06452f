"""What a tenant keeps of what is said, and for how long."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from sessions_app.history.models import Privacy, Session, SessionState, Turn
from sessions_app.history.privacy import redacted
from sessions_app.history.services import apply_records
from sessions_app.history.tasks import forget_old
from sessions_app.tenants.models import AuditEntry, Role
from sessions_app.tenants.scope import everyone, tenant_scope
from tests.fakes.office import make_assistant, make_member, make_session, make_tenant, signed_in
from tests.sessions_app.history.test_journal import said, told

SAID = "Mail me at kim.lee+vet@example.co.uk or call +49 (0)171 / 234 56 78."
LIST, ADD = reverse("admin:sessions_app_privacy_changelist"), reverse("admin:sessions_app_privacy_add")


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (SAID, "Mail me at [e-mail] or call [number]."),
        ("card 4111 1111 1111 1111, please", "card [number], please"),
        ("IBAN DE89 3704 0044 0532 0130 00", "IBAN [account]"),
        ("0171-2345678", "[number]"),
        ("We open at 9:30 on 27 November 2026.", "We open at 9:30 on 27 November 2026."),
        ("It costs 42 euros, 1,250 in all", "It costs 42 euros, 1,250 in all"),
        ("", ""),
    ],
)
def test_addresses_and_long_numbers_are_taken_out_and_other_words_stay(text, left):
    assert redacted(text) == left


@given(st.text(max_size=300))
def test_taking_out_twice_takes_out_no_more(text):
    assert redacted(redacted(text)) == redacted(text)


def kept(session):
    with everyone():
        return list(Turn.objects.filter(session=session).values_list("visitor_text", "reply_text", "fragment"))


def rule(tenant, **fields):
    with tenant_scope(tenant.id):
        Privacy.objects.update_or_create(tenant=tenant, defaults=fields)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("transcripts", "left"),
    [
        ("keep", (SAID, "Call 0171-2345678.", "a@b.example")),
        ("redact", ("Mail me at [e-mail] or call [number].", "Call [number].", "[e-mail]")),
        ("off", ("", "", "")),
    ],
)
def test_the_journal_writes_what_the_tenant_keeps(transcripts, left):
    session = make_session(make_assistant(make_tenant()))
    other = make_session(make_assistant(make_tenant()))
    rule(session.tenant, transcripts=transcripts)
    words = {"visitor_text": SAID, "reply_text": "Call 0171-2345678.", "fragment": "a@b.example"}
    apply_records([said(session, visitor_text=SAID), told(session, **words), told(other, **words)])
    assert kept(session) == [left]
    assert kept(other) == [(SAID, "Call 0171-2345678.", "a@b.example")]
    with everyone():
        assert Turn.objects.get(session=session).timings == {"ttfa_ms": 120.5}


@pytest.mark.django_db
def test_sessions_are_deleted_so_many_days_after_their_end_and_nobody_elses():
    mine, theirs = make_assistant(make_tenant()), make_assistant(make_tenant())
    rule(mine.tenant, retention_days=30)
    old, young, live, foreign = (make_session(one) for one in (mine, mine, mine, theirs))
    with everyone():
        ages = {old.pk: 31, young.pk: 29, foreign.pk: 400}
        for pk, days in ages.items():
            ended = timezone.now() - timedelta(days=days)
            Session.objects.filter(pk=pk).update(state=SessionState.ENDED, ended_at=ended)
    apply_records([told(old)])
    forget_old()
    forget_old()
    with everyone():
        assert set(Session.objects.values_list("pk", flat=True)) == {young.pk, live.pk, foreign.pk}
    assert kept(old) == []


@pytest.mark.django_db
def test_owners_and_admins_decide_and_the_log_tells():
    tenant = make_tenant()
    admin = signed_in(make_member(tenant, Role.ADMIN))
    assert admin.get(LIST)["Location"] == ADD
    assert (
        "less than or equal to 3650" in admin.post(ADD, {"transcripts": "off", "retention_days": 9999}).content.decode()
    )
    admin.post(ADD, {"transcripts": "redact", "retention_days": 90, "recording_days": 30})
    change = admin.get(LIST)["Location"]
    admin.post(change, {"transcripts": "off", "retention_days": "", "recording_days": 30})
    with tenant_scope(tenant.id):
        row = Privacy.objects.get()
        assert (row.transcripts, row.retention_days) == ("off", None)
        entry = AuditEntry.objects.filter(action="privacy.changed").get()
        assert (entry.before["transcripts"], entry.after["transcripts"]) == ("redact", "off")
    viewer = signed_in(make_member(tenant, Role.VIEWER))
    assert viewer.get(change).status_code == 200
    assert viewer.post(change, {"transcripts": "keep"}).status_code == 403
    assert signed_in(make_member(make_tenant())).get(change).status_code == 404
