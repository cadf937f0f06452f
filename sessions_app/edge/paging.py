"""Lists in pages, by keyset: a page costs the same wherever it begins, and rows that come meanwhile shift nothing."""

import base64
import binascii
import json
from datetime import datetime
from typing import Any, Final, Generic, TypeVar

from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from ninja import Schema
from pydantic import Field

MAX_ROWS: Final = 100
MAX_CURSOR_CHARS: Final = 400
MAX_NUMBER: Final = 2**31 - 1
"""As much as a column of whole numbers holds."""

Row = TypeVar("Row")


class BadCursor(ValueError):
    """Not one that a page of this list told as its `next`."""


class PageIn(Schema):
    limit: int = Field(25, ge=1, le=MAX_ROWS)
    cursor: str = Field("", max_length=MAX_CURSOR_CHARS, description="`next` of the page before.")


class Page(Schema, Generic[Row]):
    data: list[Row]
    has_more: bool
    next: str | None = Field(description="The `cursor` of the next page; null when there is none.")


def page_of(rows: "QuerySet[Any]", wanted: PageIn, *keys: str) -> dict[str, Any]:
    """A page of `rows` in the order of `keys`: field names, the last ones unique together; "-" in front of all of them
    turns it round. Raises BadCursor."""
    if wanted.cursor:
        rows = rows.filter(_beyond(rows, keys, wanted.cursor))
    found = list(rows.order_by(*keys)[: wanted.limit + 1])
    shown = found[: wanted.limit]
    more = len(found) > len(shown)
    return {"data": shown, "has_more": more, "next": _cursor(shown[-1], keys) if more else None}


def _cursor(row: Any, keys: tuple[str, ...]) -> str:
    values = [getattr(row, key.lstrip("-")) for key in keys]
    plain = [value.isoformat() if isinstance(value, datetime) else value for value in values]
    return base64.urlsafe_b64encode(json.dumps(plain, separators=(",", ":")).encode()).decode().rstrip("=")


def _beyond(rows: "QuerySet[Any]", keys: tuple[str, ...], cursor: str) -> Q:
    """(a, b) > (x, y), spelt out: a > x, or a = x and b > y."""
    side = "lt" if keys[0].startswith("-") else "gt"
    names, beyond, same = [key.lstrip("-") for key in keys], Q(), Q()
    for name, value in zip(names, _values(rows, names, cursor), strict=True):
        beyond |= same & Q(**{f"{name}__{side}": value})
        same &= Q(**{name: value})
    return beyond


def _values(rows: "QuerySet[Any]", names: list[str], cursor: str) -> list[Any]:
    try:
        plain = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if not isinstance(plain, list) or len(plain) != len(names):
            raise BadCursor
        fields = [rows.model._meta.get_field(name) for name in names]
        return [_value(field, value) for field, value in zip(fields, plain, strict=True)]
    except (ValueError, TypeError, OverflowError, binascii.Error, RecursionError, ValidationError) as error:
        raise BadCursor("Send `next` of the page before as `cursor`, as it is.") from error


def _value(field: Any, plain: Any) -> Any:
    value = field.to_python(plain)
    if value is None or (isinstance(value, int) and not 0 <= value <= MAX_NUMBER):
        raise BadCursor
    if isinstance(value, datetime) and value.tzinfo is None:
        raise BadCursor
    return value
