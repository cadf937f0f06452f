"""A file as an answer of HTTP, whole or in part (RFC 9110, section 14): players ask for the part that they need."""

import re
from typing import Final

from django.http import HttpResponse

from sessions_app.files.models import StoredFile
from sessions_app.files.selectors import piece
from sessions_app.tenants.audit import record

PIECE_BYTES: Final = 1 << 20
"""Of a range without an end no more is sent at a time: the player asks for the next."""
_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")
"""One range. Whoever asks for several gets the whole, as the RFC allows."""


def begins(range_header: str) -> bool:
    """Whether this asks for the file's beginning: a player's first question, or a download."""
    found = _RANGE.fullmatch(range_header)
    return found is None or found[1] == "0"


def handed_out(file: StoredFile, range_header: str) -> HttpResponse:
    """`answer`, and an entry in the audit log for each beginning: it tells who listened. Raises Unreadable."""
    if begins(range_header):
        record("file.read", file, tenant_id=file.tenant_id, after={"session": file.about})
    return answer(file, range_header)


def answer(file: StoredFile, range_header: str = "") -> HttpResponse:
    """200 with the whole, 206 with a part, or 416. Raises Unreadable."""
    found = _RANGE.fullmatch(range_header)
    if found is None or found[0] == "bytes=-":
        first, last, status = 0, file.size_bytes - 1, 200
    else:
        first, last = _bounds(found[1], found[2], file.size_bytes)
        status = 206 if first <= last else 416
    body = piece(file, first, last) if status != 416 else b""
    response = HttpResponse(body, status=status, content_type=file.content_type)
    response["Accept-Ranges"] = "bytes"
    response["Cache-Control"] = "private, no-store"
    response["Content-Disposition"] = f'inline; filename="{file.name}"'
    if status != 200:
        part = f"{first}-{last}" if status == 206 else "*"
        response["Content-Range"] = f"bytes {part}/{file.size_bytes}"
    return response


def _bounds(first: str, last: str, size: int) -> tuple[int, int]:
    """The first and the last byte that are meant; the first behind the last where there are none."""
    if not first:
        return max(0, size - int(last)), size - 1
    if not last:
        return int(first), min(size, int(first) + PIECE_BYTES) - 1
    return int(first), min(size - 1, int(last))
