"""Ids as the world sees them: a prefix that says what it is, and a UUID's 32 hex digits (`ses_0af3…`)."""

import re
import uuid
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from django.core.exceptions import ValidationError
from django.db import models

TENANT: Final = "ten"
MEMBER: Final = "mem"
INVITATION: Final = "inv"
PUBLISHABLE_KEY: Final = "pbk"
SECRET_KEY: Final = "sek"  # noqa: S105
OPERATOR_KEY: Final = "opk"
ASSISTANT: Final = "ast"
VERSION: Final = "ver"
SESSION: Final = "ses"
WEBHOOK: Final = "whk"
EVENT: Final = "evt"
DELIVERY: Final = "dlv"
FILE: Final = "fil"
_HEX: Final = re.compile(r"[0-9a-f]{32}")


def new_id(prefix: str) -> str:
    return public(prefix, uuid.uuid4())


def public(prefix: str, number: uuid.UUID) -> str:
    return f"{prefix}_{number.hex}"


def parsed(prefix: str, text: str) -> uuid.UUID:
    """Raises ValueError for what is no id of this kind."""
    kind, _, digits = text.partition("_")
    if kind != prefix or not _HEX.fullmatch(digits):
        raise ValueError(f"{text[:60]!r} is no {prefix}_ id")
    return uuid.UUID(digits)


def is_id(prefix: str, text: str) -> bool:
    try:
        parsed(prefix, text)
    except ValueError:
        return False
    return True


class PrefixedId(models.UUIDField):
    """A UUID column whose value in Python, addresses and messages is its public form."""

    if TYPE_CHECKING:
        _pyi_private_set_type: Any
        _pyi_private_get_type: str  # type: ignore[assignment]
        _pyi_lookup_exact_type: Any

    def __init__(self, *args: Any, prefix: str, **options: Any) -> None:
        self.prefix = prefix
        options.setdefault("default", partial(new_id, prefix))
        super().__init__(*args, **options)

    def deconstruct(self) -> Any:
        name, path, args, options = super().deconstruct()
        del options["default"]
        return name, path, args, {**options, "prefix": self.prefix}

    def to_python(self, value: Any) -> str | None:
        """Raises ValidationError."""
        if value is None:
            return None
        try:
            return public(self.prefix, value if isinstance(value, uuid.UUID) else parsed(self.prefix, value))
        except (ValueError, TypeError, AttributeError) as error:
            raise ValidationError("There is no such id.", code="invalid") from error

    def from_db_value(self, value: uuid.UUID | None, expression: Any, connection: Any) -> str | None:
        return None if value is None else public(self.prefix, value)

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        text = self.to_python(value)
        return super().get_db_prep_value(text and parsed(self.prefix, text), connection, prepared)
