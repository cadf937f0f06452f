"""What a tenant keeps of what is said: every word, words without names and numbers that give people away, or none."""

import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.utils import timezone

from sessions_app.files import services as files
from sessions_app.history.models import Privacy, Session, SessionState, Transcripts
from sessions_app.tenants.scope import everyone, tenant_scope
from sessions_app.webhooks import services as webhooks

BATCH: Final = 100
EMAIL: Final = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
NUMBERS: Final = re.compile(r"(?<![\w.])\+?\d(?:[ ./()-]{0,3}\d){6,23}(?!\w)")
"""Seven digits and more in a row, however they are grouped: telephone, card, account and insurance numbers."""
IBAN: Final = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b")
"""ISO 13616."""


def redacted(text: str) -> str:
    """Addresses and long numbers are taken out. Names are not: nothing here could know them all."""
    for found, told in ((EMAIL, "[e-mail]"), (IBAN, "[account]"), (NUMBERS, "[number]")):
        text = found.sub(told, text)
    return text


def policies(tenants: Iterable[UUID]) -> Mapping[UUID, str]:
    """Of these tenants, what each keeps; those that never said are not there: they keep every word."""
    rows = Privacy.objects.filter(tenant__in=set(tenants)).exclude(transcripts=Transcripts.KEEP)
    return dict(rows.values_list("tenant", "transcripts"))


def as_kept(text: str, policy: str | None) -> str:
    if policy == Transcripts.OFF:
        return ""
    return redacted(text) if policy == Transcripts.REDACT else text


def forget_old() -> int:
    """Deletes sessions that ended longer ago than their tenant keeps them; returns how many."""
    with everyone():
        limits = list(Privacy.objects.exclude(retention_days=None).values_list("tenant", "retention_days"))
    gone = 0
    for tenant_id, days in limits:
        with tenant_scope(tenant_id):
            old = Session.objects.filter(state=SessionState.ENDED, ended_at__lt=timezone.now() - timedelta(days=days))
            while some := list(old.order_by("ended_at").values_list("pk", flat=True)[:BATCH]):
                Session.objects.filter(pk__in=some).delete()  # by the ORM: what they used stays counted
                webhooks.forget(about=some)
                files.let_go(about=some)
                gone += len(some)
    return gone
