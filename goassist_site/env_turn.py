"""Settings of the relay (TURN server) that visitors behind strict firewalls use."""

import re
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, Field, SecretStr, model_validator

from goassist_site.network_texts import CommaList

MIN_TURN_SECRET_CHARS = 32
_TURN_URL = re.compile(r"turns?:(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+)(:\d{1,5})?(\?transport=(udp|tcp))?")
"""RFC 7065."""


def turn_urls(texts: list[str]) -> list[str]:
    for text in texts:
        if not _TURN_URL.fullmatch(text):
            raise ValueError(
                f"{text!r} is not a TURN address; write turn:turn.example.com:3478, or "
                "turns:turn.example.com:443?transport=tcp"
            )
    return texts


class TurnEnv(BaseModel):
    goassist_turn_urls: Annotated[CommaList, AfterValidator(turn_urls)] = Field(
        [],
        description="Your TURN server's addresses, separated by commas (`turn:turn.example.com:3478`). Each session "
        "gets credentials of its own for it, made with `GOASSIST_TURN_SECRET`.",
    )
    goassist_turn_secret: SecretStr = Field(
        SecretStr(""),
        description="The secret that this installation shares with it (coturn's `static-auth-secret`); at least "
        f"{MIN_TURN_SECRET_CHARS} characters, for whoever has credentials can guess at it.",
    )
    goassist_turn_lifetime_s: int = Field(
        600, ge=60, le=600, description="Seconds in which such credentials open a relay. Calls that have one keep it."
    )

    @model_validator(mode="after")
    def _turn_is_whole(self) -> Self:
        secret = self.goassist_turn_secret.get_secret_value()
        if secret and not self.goassist_turn_urls:
            raise ValueError("GOASSIST_TURN_URLS must name the TURN server that GOASSIST_TURN_SECRET is for.")
        if self.goassist_turn_urls and len(secret) < MIN_TURN_SECRET_CHARS:
            raise ValueError(
                "GOASSIST_TURN_SECRET must be the secret of the servers in GOASSIST_TURN_URLS, random and at least "
                f"{MIN_TURN_SECRET_CHARS} characters long: `openssl rand -hex 32`."
            )
        return self
