"""Signatures by the Standard Webhooks convention (https://www.standardwebhooks.com), and the secrets behind them.

A secret is `whsec_` and 32 random bytes in base64. The database has it sealed: with a copy of the rows alone nobody can
sign in our name.
"""

import base64
import secrets
from datetime import datetime
from typing import Final

from standardwebhooks import Webhook

from sessions_app.tenants import sealing
from sessions_app.webhooks.models import WebhookEndpoint

SECRET_BYTES: Final = 32
PREFIX: Final = "whsec_"
PURPOSE: Final = "webhook"


class SecretLost(RuntimeError):
    """It was sealed under another GOASSIST_SECRET_KEY: only a new one helps."""


def new_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def sealed(secret: str) -> str:
    return sealing.sealed(PURPOSE, secret)


def opened(text: str) -> str:
    """Raises SecretLost."""
    try:
        return sealing.opened(PURPOSE, text)
    except sealing.Lost as error:
        raise SecretLost("The secret cannot be opened any more. Rotate it.") from error


def headers(endpoint: WebhookEndpoint, message_id: str, body: str, now: datetime) -> dict[str, str]:
    """Of an attempt at `now`. For a day after a rotation it has two signatures, the newer first. Raises SecretLost."""
    keys = [opened(endpoint.secret)]
    if endpoint.previous_secret and endpoint.previous_until and endpoint.previous_until > now:
        keys.append(opened(endpoint.previous_secret))
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(Webhook(key).sign(message_id, now, body) for key in keys),
    }
