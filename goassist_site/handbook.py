"""Writes docs/configuration.md from the settings: `python -m goassist_site.handbook > docs/configuration.md`."""

from typing import Any, get_args

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from goassist_site.env import Env

HEAD = """\
# Configuration

All settings come from environment variables and are checked at start; a bad one stops the start with a sentence that
says how to mend it. Lists are separated by commas. For the variables marked *secret*, `NAME_FILE` may name a file
that holds the value (Docker and Kubernetes secrets).

*Embedded* mode needs none of them. *Distributed* mode is production: it refuses to start with debug pages, without a
secret key of its own, with `*` among the hosts, with plain http origins, or without Redis and PostgreSQL.

This page is written from the code by `python -m goassist_site.handbook`; a test holds them together.

| variable | default | meaning |
| --- | --- | --- |
"""


def page() -> str:
    return HEAD + "".join(_row(name, field) for name, field in Env.model_fields.items())


def _row(name: str, field: FieldInfo) -> str:
    secret = field.annotation is SecretStr
    meaning = (field.description or "") + (" *Secret.*" if secret else "")
    choices = [f"`{choice}`" for choice in get_args(field.annotation) if isinstance(choice, str)]
    if choices:
        meaning += f" One of {', '.join(choices)}."
    return f"| `{name.upper()}` | {_default(field.default)} | {meaning.replace('|', chr(92) + '|')} |\n"


def _default(value: Any) -> str:
    text = value.get_secret_value() if isinstance(value, SecretStr) else value
    if isinstance(text, list):
        text = ",".join(map(str, text))
    if isinstance(text, bool):
        text = str(text).lower()
    return f"`{text}`" if str(text) else "–"


if __name__ == "__main__":
    print(page(), end="")  # noqa: T201 (this is a command)
