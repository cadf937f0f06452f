"""What an operator is told at each start: where people cannot get in as they would expect."""

from typing import Any

from django.conf import settings
from django.core.checks import Warning as Concern
from django.core.checks import register

NO_MAIL = (
    "Mail goes nowhere: GOASSIST_MAIL_URL is not set, so invitations and links for forgotten passwords lie in files "
    "in $GOASSIST_DATA/mail of the process that wrote them."
)
MENDING = "Set GOASSIST_MAIL_URL=smtp://user:password@host:587, and GOASSIST_MAIL_FROM to an address of yours."


def mail_leaves_the_house(app_configs: Any, **kwargs: Any) -> list[Concern]:
    """Concerns installations of several processes; with everything in one, files are what one expects."""
    env = settings.GOASSIST
    if env.goassist_mode != "distributed" or env.goassist_mail_url.get_secret_value():
        return []
    return [Concern(NO_MAIL, hint=MENDING, id="goassist.W001")]


def install() -> None:
    """Once, when the app is ready."""
    register(mail_leaves_the_house)
