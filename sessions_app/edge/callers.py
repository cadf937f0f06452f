"""Who is calling: a tenant's server (secret key), a page (publishable key), or the holder of a session's token."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from asgiref.sync import sync_to_async
from django.http import HttpRequest
from ninja.security import HttpBearer

from sessions_app.edge import origins, tokens
from sessions_app.edge.problems import Forbidden
from sessions_app.edge.repeats import claim_key
from sessions_app.tenants import embed_tokens
from sessions_app.tenants.models import PublishableKey
from sessions_app.tenants.permissions import PUBLISHABLE, VISITOR, Can
from sessions_app.tenants.scope import tenant_scope
from sessions_app.tenants.selectors import page_key_in_force, principal_for_key


@dataclass(frozen=True, slots=True)
class Caller:
    kind: Literal["publishable", "embedded", "secret", "operator", "visitor", "subscriber"]
    tenant_id: str
    """Empty: the installation's operator, who has no tenant."""
    scopes: frozenset[Can]
    name: str = ""
    """Of a key: its id. What is limited by key is counted under it."""
    label: str = ""
    """Of a key: what people call it."""
    session_id: str | None = None
    """Of a session's token: the one session that it opens."""
    assistant_id: str | None = None
    """Of an embed token: the one assistant that it opens sessions with."""
    version_id: str = ""
    """Of an embed token for a draft: the frozen form of that draft."""

    def need(self, can: Can) -> None:
        """Raises Forbidden, in words, for what this caller may not do."""
        if can in self.scopes:
            return
        if self.kind in {"publishable", "embedded"}:
            raise Forbidden("A page's key only opens sessions. Use the token that the session came with.")
        if self.kind == "operator":
            raise Forbidden("An operator's key opens what is the installation's, and nothing of a tenant's own.")
        raise Forbidden(f"This key has no scope {can.value}. Make one that has, in the console.")


class CalledRequest(HttpRequest):
    """A request to the API, as ninja hands it on."""

    auth: Caller


class Key(HttpBearer):
    """A tenant's key, publishable or secret."""

    kinds: ClassVar[tuple[str, ...]] = ("publishable", "secret")
    tells_why: ClassVar[bool] = False
    """A page that may not use its key can read so."""

    async def authenticate(self, request: HttpRequest, token: str) -> Caller | None:
        known = await sync_to_async(principal_for_key)(token) if usable(token) else None
        if known is None or known.kind not in self.kinds:
            if self.tells_why and request.headers.get("Origin"):
                remember_origin(request, request.headers["Origin"])
            return None
        check_origin(request, known.allowed_origins, required=known.kind == "publishable", tells_why=self.tells_why)
        caller = Caller(known.kind, str(known.tenant_id or ""), known.scopes, known.key_id, known.label)
        await claim_key(request, caller.tenant_id, caller.name)
        return caller


class PageKey(Key):
    """Of a page that wants to embed an assistant, and has to tell its visitors when it may not."""

    tells_why = True


class OperatorKey(Key):
    """A key of the installation's operator."""

    kinds = ("operator",)


class EmbedToken(HttpBearer):
    """What a page of a tenant's own site got for its publishable key."""

    async def authenticate(self, request: HttpRequest, token: str) -> Caller | None:
        known = embed_tokens.read(token)
        key = await sync_to_async(page_key_in_force)(known.key) if known else None
        if known is None or key is None:
            return None
        check_origin(request, key.allowed_origins, required=True)
        if origins.normal(request.headers["Origin"]) != origins.normal(known.origin):
            raise Forbidden("This token was given to a page of another origin.")
        await claim_key(request, known.tenant_id, key.key_id)
        bound = {"assistant_id": known.assistant_id, "version_id": known.version_id}
        return Caller("embedded", known.tenant_id, PUBLISHABLE, key.key_id, key.label, **bound)


class SessionToken(HttpBearer):
    """The token of one session, as its creation answered it."""

    async def authenticate(self, request: HttpRequest, token: str) -> Caller | None:
        known = tokens.read(token)
        if known is None or known.scope != "visitor":
            return None
        check_origin(request, await sync_to_async(listed_origins)(known.tenant_id))
        await claim_key(request, known.tenant_id, known.session_id)
        return Caller(known.scope, known.tenant_id, VISITOR, session_id=known.session_id)


def usable(text: str) -> bool:
    """False for what no key of ours looks like, and what a database might choke on."""
    return 0 < len(text) <= 200 and text.isascii() and text.isprintable()


def listed_origins(tenant_id: str) -> list[str]:
    """Every origin that one of the tenant's publishable keys in force allows."""
    with tenant_scope(tenant_id):
        lists = PublishableKey.objects.filter(revoked_at=None).values_list("allowed_origins", flat=True)
        return [origin for each in lists for origin in each]


def check_origin(
    request: HttpRequest, listed: Iterable[str], *, required: bool = False, tells_why: bool = False
) -> None:
    """Remembers a welcome origin for the CORS header. Raises Forbidden for one that is not.

    No `Origin` at all: not a browser's cross-site call. A server may do so; a publishable key is for pages only.
    """
    origin = request.headers.get("Origin", "")
    if not origin and not required:
        return
    if not origin:
        raise Forbidden("A publishable key works in web pages only (no Origin header). Use a secret key on a server.")
    if not origins.allowed(origin, request.get_host(), listed):
        if tells_why:  # there is nothing of anybody's in the refusal
            remember_origin(request, origin)
        raise Forbidden("This key may not be used from this origin. Add the origin to the key in the console.")
    remember_origin(request, origin)


def remember_origin(request: Any, origin: str) -> None:
    request.welcome_origin = origin
