"""What a production installation must not have."""

from typing import Protocol
from urllib.parse import urlsplit

from pydantic import SecretStr

MIN_SECRET_CHARS = 40
LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class Settings(Protocol):
    """What is looked at of `env.Env`."""

    goassist_secret_key: SecretStr
    goassist_debug: bool
    goassist_allowed_hosts: list[str]
    redis_url: SecretStr
    database_url: SecretStr

    @property
    def origins(self) -> list[str]: ...


def production_problems(env: Settings) -> list[str]:
    """Each with its cure."""
    secret = env.goassist_secret_key.get_secret_value()
    checks = {
        "GOASSIST_DEBUG must be off in distributed mode: unset it.": env.goassist_debug,
        f"GOASSIST_SECRET_KEY must be set, random and at least {MIN_SECRET_CHARS} characters long: "
        "`openssl rand -base64 48`.": len(secret) < MIN_SECRET_CHARS or len(set(secret)) < 10 or "insecure" in secret,
        "GOASSIST_ALLOWED_HOSTS must name the hosts, not `*`.": any("*" in h for h in env.goassist_allowed_hosts),
        "REDIS_URL must be set: an in-memory channel layer cannot connect several processes.": (
            not env.redis_url.get_secret_value()
        ),
        "DATABASE_URL must be a postgresql:// address.": not env.database_url.get_secret_value().startswith("postgres"),
        "GOASSIST_ORIGINS must be https (browsers give the microphone to nothing else).": any(
            o.startswith("http://") and urlsplit(o).hostname not in LOOPBACK for o in env.origins
        ),
    }
    return [text for text, wrong in checks.items() if wrong]
