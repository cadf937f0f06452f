"""Who is told that a webhook is no longer sent to: the people who can do something about it, by mail."""

from smtplib import SMTPException
from typing import Final

import structlog
from django.conf import settings
from django.contrib.admin.utils import quote
from django.core.mail import send_mail
from django.urls import reverse

from sessions_app.tenants.models import Membership, Role
from sessions_app.webhooks.models import WebhookEndpoint

log = structlog.get_logger(__name__)

TEXT: Final = """{tenant}: nothing is sent any more to

{url}

{reason} What still waited for it is given up; what happens meanwhile is not kept for it. When the receiver is well
again, enable it here:

{link}
"""


def disabled(endpoint: WebhookEndpoint, reason: str) -> None:
    """To the tenant's owners and admins. In scope. A mail that cannot be sent is a line in the log: the console and the
    audit log say it, too."""
    people = Membership.objects.filter(tenant=endpoint.tenant_id, role__in=[Role.OWNER, Role.ADMIN])
    page = reverse("admin:sessions_app_webhookendpoint_change", args=[quote(endpoint.pk)])
    link = settings.GOASSIST.origins[0] + page
    text = TEXT.format(tenant=endpoint.tenant, url=endpoint.url, reason=reason, link=link)
    for address in people.values_list("user__email", flat=True):
        try:
            send_mail(f"GoAssist: a webhook of {endpoint.tenant} is disabled", text, None, [address])
        except (OSError, SMTPException) as error:
            log.warning("webhook_notice_not_mailed", webhook=endpoint.pk, error=type(error).__name__)
