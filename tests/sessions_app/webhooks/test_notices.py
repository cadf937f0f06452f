"""Who can mend a webhook hears by mail that it is sent to no more."""

import pytest
from django.core import mail
from django.core.mail import EmailMessage
from pytest_django import DjangoCaptureOnCommitCallbacks

from sessions_app.tenants.models import Role
from tests.fakes.office import make_member, make_tenant
from tests.fakes.receiver import Receiver
from tests.sessions_app.webhooks.conftest import Hook, deliver

pytestmark = pytest.mark.django_db


def gone(hook: Hook, receiver: Receiver, commit: DjangoCaptureOnCommitCallbacks) -> None:
    receiver.will_answer(410)
    hook.emit(number=1)
    with commit(execute=True):
        deliver()


def test_owners_and_admins_are_told_why_and_what_to_do(
    hook: Hook, receiver: Receiver, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    people = {role: make_member(hook.tenant, role).email for role in Role}
    make_member(make_tenant())
    gone(hook, receiver, django_capture_on_commit_callbacks)
    assert sorted(to for sent in mail.outbox for to in sent.to) == sorted([people[Role.OWNER], people[Role.ADMIN]])
    (sent, _) = mail.outbox
    assert "is disabled" in sent.subject
    for words in (hook.now.url, "410 Gone", "/admin/sessions_app/webhookendpoint/"):
        assert words in sent.body


def test_a_mail_that_cannot_be_sent_stops_nothing(
    hook: Hook,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    make_member(hook.tenant)

    def refused(self: EmailMessage, *args: object, **options: object) -> int:
        raise ConnectionRefusedError

    monkeypatch.setattr(EmailMessage, "send", refused)
    gone(hook, receiver, django_capture_on_commit_callbacks)
    assert not hook.now.enabled
