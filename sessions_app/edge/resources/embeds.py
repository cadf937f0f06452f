"""Embed tokens: a page of a tenant's web site shows its publishable key, and gets what opens sessions from there."""

from typing import Final

from asgiref.sync import sync_to_async
from ninja import Router, Status

from sessions_app.assistants.selectors import assistant_named
from sessions_app.edge import schemas
from sessions_app.edge.callers import CalledRequest, PageKey
from sessions_app.edge.problems import Forbidden, NotFound
from sessions_app.edge.schemas import errors
from sessions_app.operations.admission import Limit
from sessions_app.tenants import embed_tokens
from sessions_app.tenants.addresses import visitor_address
from sessions_app.tenants.permissions import Can
from sessions_app.tenants.scope import tenant_scope

PER_MINUTE: Final = 30
"""Of one key and address: a page asks once, and again every ten minutes in which somebody talks."""

router = Router(tags=["embedding"])


@router.post("/embed-tokens", auth=PageKey(), response={201: schemas.EmbedOut, **errors(429, 503)})
async def create_embed_token(request: CalledRequest, body: schemas.EmbedIn) -> Status:
    """For a publishable key, in a page of one of its origins: a token that opens sessions with this assistant from
    this origin, for ten minutes."""
    caller = request.auth
    caller.need(Can.OPEN_SESSIONS)
    if caller.kind != "publishable":
        raise Forbidden("Embed tokens are for web pages: ask with a publishable key. A server opens sessions itself.")
    await Limit("embed tokens", PER_MINUTE).admit(caller.tenant_id, f"key {caller.name} at {visitor_address(request)}")
    return Status(201, await sync_to_async(_issue)(caller.tenant_id, caller.name, body.assistant, _origin(request)))


def _origin(request: CalledRequest) -> str:
    """A publishable key came with one, or it would not have got this far."""
    return str(request.headers["Origin"])


def _issue(tenant_id: str, key: str, name: str, origin: str) -> dict[str, object]:
    with tenant_scope(tenant_id):
        assistant = assistant_named(name)
        if assistant is None:
            raise NotFound("There is no such assistant.")
        token, expires_at = embed_tokens.issue(
            embed_tokens.EmbedToken(tenant_id, key, str(assistant.id), origin),
        )
        return {
            "token": token,
            "expires_at": expires_at,
            "assistant": {"id": assistant.id, "name": assistant.name},
            "tenant": {"name": assistant.tenant.name},
        }
