"""What may be done with a session, whichever door it came through: open, offer, candidate, chat, hang up."""

import asyncio
import time
from typing import Any, NoReturn
from uuid import UUID
from weakref import WeakValueDictionary

from channels.db import database_sync_to_async
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction

from pipeline.contracts import wire
from pipeline.contracts.errors import BusyError, PipelineError
from sessions_app import switchboard
from sessions_app.assistants.selectors import assistant_named, live_version, spec_of, version_of
from sessions_app.edge import consent
from sessions_app.edge.problems import Conflict, Forbidden, NotFound
from sessions_app.history import services
from sessions_app.history.models import Session, SessionState
from sessions_app.history.selectors import answer_to, conversation
from sessions_app.operations.admission import Limit, SessionOver, ensure_going
from sessions_app.operations.seating import Attempt, OnPlace, forget, seated
from sessions_app.tenants.scope import tenant_scope
from sessions_app.usage import quotas

_placing: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
"""One leg of a session is placed at a time (per process; a second process gets a later leg number)."""


def find_session(tenant_id: str, session_id: str) -> Session:
    """Raises NotFound; also for another tenant's session."""
    with tenant_scope(tenant_id):
        try:
            return Session.objects.select_related("assistant", "version").get(id=session_id)
        except (Session.DoesNotExist, ValidationError) as error:
            raise NotFound("There is no such session.") from error


def open_session(
    tenant_id: str,
    assistant: str,
    channel: str,
    publishable_key: str | None = None,
    visitor: str = "",
    only: str | None = None,
    version_id: str = "",
) -> Session:
    """`assistant`: id or slug. `publishable_key`: the id of the page's key that asks. `visitor`: whom the tenant says
    it is. `only`: the id of the one assistant that the caller may ask for. `version_id`: of a draft on trial.

    Raises NotFound, Forbidden for another assistant, Conflict when nothing is published yet, QuotaExceeded.
    """
    with tenant_scope(tenant_id), transaction.atomic():
        found = assistant_named(assistant)
        if found is None:
            raise NotFound("There is no such assistant.")
        if only and str(found.id) != only:
            raise Forbidden("This token was given for another assistant.")
        version = version_of(found.id, version_id) if version_id else live_version(found.id)
        if version is None:
            raise Conflict("This assistant has not been published yet.")
        quotas.take_place(UUID(tenant_id))
        return services.create_session(
            tenant_id=tenant_id, assistant=found, version=version, channel=channel, publishable_key=publishable_key,
            visitor=visitor,
        )  # fmt: skip


async def take_offer(
    session: Session, sdp: str, on_place: OnPlace | None = None, *, address: str = "", transport: str = "webrtc"
) -> wire.Answer:
    """Places the visitor's connection on a worker; an earlier one is let go. On a websocket there is no `sdp`.
    `on_place`: see `seating.seated`. `address`: the visitor's, where it was not a tenant's server that asked.

    Raises SessionOver, TooMany, QuotaExceeded, MediaError, Queued, Refused and what else `switchboard.place` raises.
    """
    ensure_open(session)
    await _count("connection offers", settings.GOASSIST.goassist_offers_per_minute, session, address)
    await _keep_place(session)
    return await _seated(session, lambda: _take(session, sdp, transport), on_place)


async def _take(session: Session, sdp: str, transport: str) -> wire.Answer:
    """Offers it once. Raises BusyError."""
    async with _lock(session):
        mailbox = (await _again(session)).mailbox
        try:
            answer = await _place(session, sdp, transport)
        except BusyError:
            # The seat that is missing may be the one our own lost connection still holds.
            if not mailbox:
                raise
            await _let_go(session, mailbox)
            answer = await _place(session, sdp, transport)
        if mailbox and mailbox != answer.mailbox:
            await _let_go(session, mailbox)
        return answer


async def _seated(session: Session, attempt: Attempt, on_place: OnPlace | None) -> wire.Answer:
    """Who was in a call already does not queue behind those who never were."""
    since = session.created_at.timestamp() if session.mailbox else time.time()
    return await seated(session.id, since, attempt, on_place)


async def chat(
    session: Session, text: str, on_place: OnPlace | None = None, *, address: str = "", message_id: str = ""
) -> wire.ChatReply:
    """The reply to typed words; a session that no worker holds (yet, or any more) is placed first, without media.
    `address`: see `take_offer`. `message_id`: the message's own; one that was answered before is not said again.

    Raises SessionOver, TooMany, QuotaExceeded, Queued, Refused, EngineError, Unreachable or MailboxSilent.
    """
    ensure_open(session)
    await _count("messages", settings.GOASSIST.goassist_chats_per_minute, session, address)
    await _keep_place(session)
    if message_id and (told := await database_sync_to_async(_answered)(session, message_id)):
        return told
    silent = ""
    if session.mailbox:
        try:
            return await switchboard.ask_chat(session.mailbox, session.id, text, message_id=message_id)
        except switchboard.MailboxSilent:
            silent = session.mailbox
    answer = await _seated(session, lambda: _instead_of(session, silent), on_place)
    return await switchboard.ask_chat(answer.mailbox, session.id, text, message_id=message_id)


def _answered(session: Session, message_id: str) -> wire.ChatReply | None:
    """What was answered to this message on a connection that is gone, as far as its words were kept."""
    with tenant_scope(session.tenant_id):
        turn = answer_to(session.id, message_id)
        return wire.ChatReply(session.id, turn.turn_id, turn.reply_text) if turn is not None else None


async def add_candidate(session: Session, candidate: str, sdp_mid: str | None, sdp_m_line_index: int | None) -> None:
    """Raises SessionOver, Conflict before the first offer, MailboxSilent or Unreachable."""
    ensure_open(session)
    if not session.mailbox:
        raise Conflict("Send the offer first; candidates belong to it.")
    await switchboard.tell(session.mailbox, wire.Candidate(session.id, candidate, sdp_mid, sdp_m_line_index))


async def hang_up(session: Session, reason: str, leg: int | None = None) -> None:
    """Ends the session. Twice is once. `leg`: only if no later connection than this one has been offered."""
    with tenant_scope(session.tenant_id):
        ended = await database_sync_to_async(services.end_session)(session_id=session.id, reason=reason, leg=leg)
    if leg is not None and not ended:
        return
    await forget(session.id)
    if session.mailbox:
        await _let_go(session, session.mailbox, reason)
    await switchboard.tell_watchers(session.id, {"type": "session_over", "reason": reason})


def ensure_open(session: Session) -> None:
    ensure_going(state=session.state, end_reason=session.end_reason, created_at=session.created_at)


async def _count(what: str, per_minute: int, session: Session, address: str) -> None:
    """A visitor of a page is counted under the session, and under key and address: a new session is no new start.
    A tenant's server stands for many visitors: only the session counts. Raises TooMany."""
    subjects = [f"session {session.id}"]
    if address and session.publishable_key_id:
        subjects.append(f"key {session.publishable_key_id} at {address}")
    await Limit(what, per_minute).admit(session.tenant_id, *subjects)


async def _keep_place(session: Session) -> None:
    """Refuses before anybody queues. Raises QuotaExceeded."""
    if session.state == SessionState.NEW:
        await database_sync_to_async(_renew_place)(session)


def _renew_place(session: Session) -> None:
    with tenant_scope(session.tenant_id):
        quotas.keep_place(session)


def _lock(session: Session) -> asyncio.Lock:
    return _placing.setdefault(session.id, asyncio.Lock())


async def _again(session: Session) -> Session:
    """The row as it is now. Raises SessionOver when it has ended meanwhile."""
    fresh = await database_sync_to_async(find_session)(str(session.tenant_id), session.id)
    ensure_open(fresh)
    return fresh


async def _instead_of(session: Session, silent: str) -> wire.Answer:
    """The session placed anew, unless somebody else did so meanwhile. Raises BusyError."""
    async with _lock(session):
        fresh = await _again(session)
        if fresh.mailbox != silent:
            return wire.Answer(fresh.id, fresh.leg, "", str(fresh.mailbox), str(fresh.worker))
        if silent:
            await _let_go(session, silent)
        return await _place(fresh, "")


async def _place(session: Session, sdp: str, transport: str = "webrtc") -> wire.Answer:
    leg, spec, history, record = await database_sync_to_async(_next_leg)(session)
    answer = await switchboard.place(
        session_id=session.id,
        leg=leg,
        spec=spec,
        sdp=sdp,
        history=history,
        created_at=session.created_at.timestamp(),
        transport=transport,
        record=record,
        pool=settings.GOASSIST.goassist_pool,
    )
    attached, agreed = await database_sync_to_async(_attach)(session, answer)
    if not attached:
        await _too_late(session, answer)
    if agreed != record:
        await consent.tell(session, answer.mailbox, agreed)
    return answer


def _next_leg(session: Session) -> tuple[int, Any, list[list[str]], bool]:
    """Its number, the version that answers, what was said so far, and whether it may be recorded."""
    with tenant_scope(session.tenant_id):
        quotas.keep_place(session)
        leg = services.next_leg(session_id=session.id)
        # A live leg takes over what is published at its next turn; the leg that follows it must not fall back.
        # A draft on trial is what was asked for.
        version = session.version if session.version.trial else live_version(session.assistant_id) or session.version
        return leg, spec_of(version), conversation(session.id), consent.is_recorded(session)


async def _too_late(session: Session, answer: wire.Answer) -> NoReturn:
    """While a worker took the session it ended, or a later connection was placed (which the worker must not lose)."""
    try:
        await _again(session)
    except SessionOver:
        await _let_go(session, answer.mailbox, "hangup")
        raise
    raise Conflict("A later connection took over this session.")


def _attach(session: Session, answer: wire.Answer) -> tuple[bool, bool]:
    """Whether the leg is the session's now, and whether the visitor agrees to be recorded now: they may have spoken
    while the worker was sought."""
    with tenant_scope(session.tenant_id):
        took = services.attach(session_id=session.id, leg=answer.leg, mailbox=answer.mailbox, worker=answer.worker)
        return took, consent.is_recorded(session)


async def _let_go(session: Session, mailbox: str, reason: str = "moved") -> None:
    """Tells a worker that it need not hold the session any more. One that is gone already needs no telling."""
    try:
        await switchboard.tell(mailbox, wire.Hangup(session.id, reason))
    except PipelineError:
        return
