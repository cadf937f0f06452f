"""Settings of outgoing mail."""

from typing import Any
from urllib.parse import unquote, urlsplit

from pydantic import BaseModel, Field, SecretStr, field_validator

PORTS = {"smtp": 587, "smtps": 465, "smtp+plain": 25}
"""Scheme → its usual port: STARTTLS, TLS from the first byte, no TLS at all."""


class MailEnv(BaseModel):
    goassist_mail_url: SecretStr = Field(
        SecretStr(""),
        description="Where mail goes: `smtp://user:password@host:587` (STARTTLS), `smtps://…` (TLS) or "
        "`smtp+plain://127.0.0.1:25`. Empty: mail is written to files in `$GOASSIST_DATA/mail`.",
    )
    goassist_mail_from: str = Field("GoAssist <goassist@localhost>", description="The sender that mail names.")

    @field_validator("goassist_mail_url")
    @classmethod
    def _known_mail(cls, url: SecretStr) -> SecretStr:
        parts = urlsplit(url.get_secret_value())
        if url.get_secret_value() and (parts.scheme not in PORTS or not parts.hostname):
            raise ValueError(f"write one that begins with {', '.join(f'{s}://' for s in PORTS)}")
        return url


def mail_settings(url: str, folder: str) -> dict[str, Any]:
    """Django's EMAIL_… settings."""
    if not url:
        return {"EMAIL_BACKEND": "django.core.mail.backends.filebased.EmailBackend", "EMAIL_FILE_PATH": folder}
    parts = urlsplit(url)
    return {
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": parts.port or PORTS[parts.scheme],
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_TLS": parts.scheme == "smtp",
        "EMAIL_USE_SSL": parts.scheme == "smtps",
        "EMAIL_TIMEOUT": 10,
    }
