"""What the websockets share: the token as subprotocol, Origin, the session, an end in words."""

import enum
import time
from typing import Any

import structlog
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from redis.exceptions import RedisError

from pipeline.contracts import wire
from pipeline.contracts.events import EventKind
from sessions_app.edge import calls, origins, tokens
from sessions_app.edge.callers import listed_origins
from sessions_app.edge.problems import NotFound
from sessions_app.history.journal import FINAL_REASONS
from sessions_app.history.models import Session
from sessions_app.operations.admission import SessionOver

log = structlog.get_logger(__name__)

PROTOCOL = "goassist.v1"
MAX_MESSAGE_CHARS = 40_000


class CloseCode(enum.IntEnum):
    DONE = 1000
    TRY_AGAIN = 1013
    BAD_MESSAGE = 4400
    UNAUTHORIZED = 4401
    ORIGIN = 4403
    NOT_FOUND = 4404
    TOO_SLOW = 4408
    ENDED = 4410
    TOO_MANY = 4429


class Pace:
    """Admits `burst` messages at once and `per_s` a second in the long run."""

    def __init__(self, per_s: float, burst: int) -> None:
        self._per_s, self._burst = per_s, burst
        self._left, self._at = float(burst), time.monotonic()

    def admits(self) -> bool:
        now = time.monotonic()
        self._left = min(self._burst, self._left + (now - self._at) * self._per_s)
        self._at = now
        self._left -= 1
        return self._left >= 0


class Refused(Exception):
    def __init__(self, code: CloseCode, reason: str) -> None:
        super().__init__(reason)
        self.code = code


def admitted_token(scope: Any, opened_by: tokens.Scope) -> tokens.SessionToken:
    """The token that came as subprotocol, when it opens this session's socket. Raises Refused."""
    offered = [text for text in scope["subprotocols"] if text != PROTOCOL]
    token = tokens.read(offered[0]) if offered else None
    if token is None or token.scope != opened_by:
        raise Refused(CloseCode.UNAUTHORIZED, "The token is missing, expired or for something else.")
    if token.session_id != str(scope["url_route"]["kwargs"]["session_id"]):
        raise Refused(CloseCode.NOT_FOUND, "There is no such session.")
    return token


async def check_origin(scope: Any, token: tokens.SessionToken) -> None:
    """Without an Origin it is no browser; the token alone then opens the door. Raises Refused."""
    headers = {name: value.decode("latin1") for name, value in scope["headers"]}
    origin = headers.get(b"origin", "")
    if origin and not origins.allowed(
        origin, headers.get(b"host", ""), await database_sync_to_async(listed_origins)(token.tenant_id)
    ):
        raise Refused(CloseCode.ORIGIN, "This origin is not allowed.")


def close_reason(text: str) -> str:
    """As much of it as a close frame holds (RFC 6455: 123 bytes)."""
    return text.encode()[:120].decode(errors="ignore")


class SessionSocket(AsyncWebsocketConsumer):
    """One websocket of one session. Subclasses say which token opens it and which groups it hears."""

    opened_by: tokens.Scope

    def groups_of(self, session_id: str) -> list[str]:
        return [wire.events_group(session_id)]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """A channel layer that goes away ends the socket in words; the page opens another. The call goes on."""
        try:
            await super().__call__(scope, receive, send)
        except (RedisError, OSError) as error:
            log.warning("socket_lost_layer", error=type(error).__name__)
            await send({"type": "websocket.close", "code": int(CloseCode.TRY_AGAIN), "reason": "Try again."})

    async def connect(self) -> None:
        self.over = False
        self.joined: list[str] = []
        self.pace = Pace(per_s=20, burst=100)
        try:
            await self._admit()
        except Refused as refused:
            await self._accept()
            await self.end(refused.code, str(refused))
            return
        await self._accept()

    async def _accept(self) -> None:
        """A refusal, too, is accepted first: browsers are shown no reason for a failed handshake."""
        await self.accept(PROTOCOL if PROTOCOL in self.scope["subprotocols"] else None)

    async def _admit(self) -> None:
        """Raises Refused. The groups are joined before the session is looked at, so that its end is not missed."""
        token = admitted_token(self.scope, self.opened_by)
        await check_origin(self.scope, token)
        for group in self.groups_of(token.session_id):
            await self.channel_layer.group_add(group, self.channel_name)
            self.joined.append(group)
        self.tenant_id, self.session_id = token.tenant_id, token.session_id
        try:
            calls.ensure_open(await self.session())
        except NotFound as error:
            raise Refused(CloseCode.NOT_FOUND, "There is no such session.") from error
        except SessionOver as error:
            raise Refused(CloseCode.ENDED, str(error)) from error

    async def session(self) -> Session:
        """The row as it is now. Raises NotFound."""
        return await database_sync_to_async(calls.find_session)(self.tenant_id, self.session_id)

    async def end(self, code: CloseCode, reason: str) -> None:
        """Closes, once, with a reason in words."""
        if not self.over:
            self.over = True
            await self.close(int(code), close_reason(reason))

    async def disconnect(self, code: int) -> None:
        self.over = True
        for group in getattr(self, "joined", []):
            await self.channel_layer.group_discard(group, self.channel_name)

    async def session_event(self, message: dict[str, Any]) -> None:
        """A worker's event. One that says the visitor will not come back closes the socket."""
        event = message["payload"]
        if event.get("event") == EventKind.ENDED and event.get("reason") in FINAL_REASONS:
            await self.end(CloseCode.ENDED, f"The session is over ({event['reason']}).")

    async def session_over(self, message: dict[str, Any]) -> None:
        """Ended by the office: nobody else may know of it."""
        await self.end(CloseCode.ENDED, f"The session is over ({message['reason']}).")


class Nowhere(AsyncWebsocketConsumer):
    """Any other address."""

    async def connect(self) -> None:
        await self.accept(PROTOCOL if PROTOCOL in self.scope["subprotocols"] else None)
        await self.close(int(CloseCode.NOT_FOUND), "There is no such socket.")
