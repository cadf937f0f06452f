"""Requests that are sent again (`operations.idempotency`), as HTTP has them."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from asgiref.sync import sync_to_async
from django.db import connections
from django.http import HttpRequest, HttpResponse

from sessions_app.edge import whip
from sessions_app.operations import idempotency
from sessions_app.operations.idempotency import MAX_KEY_CHARS

HEADER: Final = "Idempotency-Key"
REPLAYED: Final = "Idempotency-Replayed"


class BadKey(ValueError):
    """The header's value is no key."""


async def claim_key(request: HttpRequest, tenant_id: str, caller: str) -> None:
    """From now on the request is this caller's only one with its key, if it has one. Once its caller is known.
    An answer to an offer by WHIP is of use to nobody a second time: offering again reconnects.

    Raises BadKey, and what `idempotency.claim` raises.
    """
    key = request.headers.get(HEADER)
    if key is None or request.method != "POST" or request.content_type == whip.SDP:
        return
    if not (0 < len(key) <= MAX_KEY_CHARS and key.isascii() and key.isprintable()):
        raise BadKey(f"{HEADER} takes 1 to {MAX_KEY_CHARS} printable ASCII characters; a UUID is a good one.")
    same = b"\n".join([request.get_full_path().encode(), request.body])
    request.claimed = await sync_to_async(idempotency.claim)(  # type: ignore[attr-defined]
        tenant_id=tenant_id, caller=caller, key=key, request=same
    )


async def once(request: HttpRequest, respond: Callable[[HttpRequest], Awaitable[HttpResponse]]) -> HttpResponse:
    """A request with a key is carried through also when its caller goes away meanwhile: they will ask again."""
    if HEADER not in request.headers or request.method != "POST":
        return await respond(request)
    work = asyncio.create_task(_kept(request, respond))
    _under_way.add(work)
    work.add_done_callback(_under_way.discard)
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        request.lost = True  # type: ignore[attr-defined]
        raise


_under_way: set[asyncio.Task[HttpResponse]] = set()
"""The loop itself holds tasks weakly."""


async def _kept(request: HttpRequest, respond: Callable[[HttpRequest], Awaitable[HttpResponse]]) -> HttpResponse:
    response, done = None, False
    try:
        response = await respond(request)
        done = response.status_code < 300
    finally:
        claimed: Any = getattr(request, "claimed", None)
        if claimed and done and response is not None:
            await sync_to_async(idempotency.keep)(claimed, response.status_code, response.content)
        elif claimed:
            await sync_to_async(idempotency.free)(claimed)
        if getattr(request, "lost", False):  # nobody else ends what this request's thread has opened
            await sync_to_async(connections.close_all)()
    return response


def replayed(error: idempotency.Replay) -> HttpResponse:
    response = HttpResponse(error.body, status=error.status, content_type="application/json")
    response[REPLAYED] = "true"
    return response
