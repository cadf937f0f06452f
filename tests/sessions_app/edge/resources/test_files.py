"""Files over the API: recordings listed, downloaded whole and in part, deleted; and what a visitor says to being
recorded."""

from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from sessions_app.edge import calls
from sessions_app.files.models import StoredFile
from sessions_app.history import recordings
from sessions_app.history.models import Consent, Privacy, Session
from sessions_app.tenants.models import AuditEntry
from sessions_app.tenants.permissions import Can
from sessions_app.tenants.scope import everyone, tenant_scope
from sessions_app.tenants.services import issue_secret_key
from tests.fakes.files import make_recording
from tests.fakes.house import Business, Caller, is_problem
from tests.fakes.office import make_session
from tests.fakes.worker import FakeWorker


@pytest.fixture
def recorded(riverside: Business, tmp_path: Path) -> StoredFile:
    return make_recording(riverside.session, tmp_path, seconds=2.0)


def caller(business: Business, *scopes: Can) -> Caller:
    with tenant_scope(business.tenant.id):
        return Caller(issue_secret_key(tenant=business.tenant, label="Archive", scopes=scopes)[1])


@pytest.fixture
def archive(riverside: Business) -> Caller:
    return caller(riverside, Can.READ_FILES, Can.WRITE_FILES)


def record_calls(business: Business) -> None:
    with tenant_scope(business.tenant.id):
        Privacy.objects.create(tenant=business.tenant, recordings=True)


def said(session: Session) -> str:
    with everyone():
        return str(Session.objects.values_list("recording", flat=True).get(pk=session.pk))


# Files ----------------------------------------------------------------------------------------------------------------


async def test_a_recording_is_listed_described_and_downloaded(
    riverside: Business, archive: Caller, recorded: StoredFile
) -> None:
    listed = (await archive("GET", f"/files?session_id={riverside.session.id}&purpose=recording")).json()
    assert [file["id"] for file in listed["data"]] == [recorded.pk]
    one = (await archive("GET", f"/files/{recorded.pk}")).json()
    assert one == listed["data"][0]
    assert (one["session_id"], one["length_ms"], one["content_type"]) == (riverside.session.id, 2000, "audio/ogg")
    whole = await archive("GET", f"/files/{recorded.pk}/content")
    assert (whole.status_code, whole["Content-Type"], whole.content[:4]) == (200, "audio/ogg", b"OggS")
    assert len(whole.content) == one["size_bytes"]
    part = await archive("GET", f"/files/{recorded.pk}/content", Range="bytes=4-7")
    assert (part.status_code, part.content) == (206, whole.content[4:8])
    beyond = await archive("GET", f"/files/{recorded.pk}/content", Range="bytes=999999999-")
    assert beyond.status_code == 416


async def test_a_list_names_only_what_was_asked_for(
    riverside: Business, archive: Caller, recorded: StoredFile, tmp_path: Path
) -> None:
    other = await sync_to_async(make_session)(riverside.assistant)
    second = await sync_to_async(make_recording)(other, tmp_path)
    every = (await archive("GET", "/files?limit=1")).json()
    assert ([file["id"] for file in every["data"]], every["has_more"]) == ([second.pk], True)
    rest = (await archive("GET", f"/files?limit=1&cursor={every['next']}")).json()
    assert [file["id"] for file in rest["data"]] == [recorded.pk]
    assert is_problem(await archive("GET", "/files?purpose=virus"), 422)


async def test_who_downloads_is_in_the_audit_log(archive: Caller, recorded: StoredFile) -> None:
    await archive("GET", f"/files/{recorded.pk}/content")
    await archive("GET", f"/files/{recorded.pk}/content", Range="bytes=4-7")
    actions = await sync_to_async(lambda: _entries("file.read"))()
    assert actions == [("Archive", recorded.pk)]


def _entries(action: str) -> list[Any]:
    with everyone():
        return list(AuditEntry.objects.filter(action=action).values_list("actor", "target_ref"))


async def test_a_deleted_file_is_not_there_any_more(archive: Caller, recorded: StoredFile) -> None:
    assert (await archive("DELETE", f"/files/{recorded.pk}")).status_code == 204
    for method, path in (("GET", ""), ("GET", "/content"), ("DELETE", "")):
        assert is_problem(await archive(method, f"/files/{recorded.pk}{path}"), 404)
    listed = (await archive("GET", "/files")).json()["data"]
    assert recorded.pk not in [file["id"] for file in listed]
    assert await sync_to_async(lambda: _entries("file.deleted"))() == [("Archive", recorded.pk)]


async def test_a_store_that_is_away_is_a_problem_in_words(
    archive: Caller, recorded: StoredFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*args: object) -> None:
        raise ConnectionError("away")

    monkeypatch.setattr("django.core.files.storage.FileSystemStorage._open", away)
    assert is_problem(await archive("GET", f"/files/{recorded.pk}/content"), 503, "unreadable")


# Consent --------------------------------------------------------------------------------------------------------------


async def test_a_session_says_whether_its_visitor_is_to_be_asked(riverside: Business, server: Caller) -> None:
    async def asked(channel: str) -> bool:
        body = {"assistant": riverside.assistant.slug, "channel": channel}
        return bool((await server("POST", "/sessions", body)).json()["recording"])

    assert await asked("voice") is False
    await sync_to_async(record_calls)(riverside)
    assert await asked("voice") is True
    assert await asked("chat") is False


async def test_nobody_agrees_to_what_is_not_done(visitor: Caller, path: str) -> None:
    assert is_problem(await visitor("PUT", f"{path}/recording"), 409)


async def test_a_visitors_yes_and_no_reach_the_worker_and_the_next_one(
    riverside: Business, visitor: Caller, path: str, worker: FakeWorker
) -> None:
    await sync_to_async(record_calls)(riverside)
    offer = {"sdp": "v=0", "type": "offer"}
    assert (await visitor("POST", f"{path}/offer", offer)).status_code == 200
    assert worker.offers[-1].record is False
    assert (await visitor("PUT", f"{path}/recording")).status_code == 204
    assert await worker.mail_of("record") == {"type": "record", "session_id": riverside.session.id, "on": True}
    assert (await visitor("GET", path)).json()["recording"] == "agreed"
    await visitor("POST", f"{path}/offer", offer)
    assert worker.offers[-1].record is True
    worker.mail.clear()
    assert (await visitor("DELETE", f"{path}/recording")).status_code == 204
    assert (await worker.mail_of("record"))["on"] is False
    await visitor("POST", f"{path}/offer", offer)
    assert worker.offers[-1].record is False
    assert (await visitor("GET", path)).json()["recording"] == "refused"


async def test_a_yes_that_comes_while_a_worker_is_sought_is_told_to_it(
    riverside: Business, visitor: Caller, path: str, worker: FakeWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    await sync_to_async(record_calls)(riverside)
    attach = calls._attach

    def agreed_meanwhile(session: Session, answer: Any) -> tuple[bool, bool]:
        with tenant_scope(session.tenant_id):
            recordings.agree(session_id=session.pk)
        return attach(session, answer)

    monkeypatch.setattr(calls, "_attach", agreed_meanwhile)
    await visitor("POST", f"{path}/offer", {"sdp": "v=0", "type": "offer"})
    assert worker.offers[-1].record is False
    assert (await worker.mail_of("record"))["on"] is True


async def test_a_no_counts_after_the_call_too_and_a_yes_does_not(
    riverside: Business, visitor: Caller, path: str, recorded: StoredFile
) -> None:
    assert (await visitor("DELETE", path)).status_code == 204
    assert is_problem(await visitor("PUT", f"{path}/recording"), 409, "session_over")
    assert (await visitor("DELETE", f"{path}/recording")).status_code == 204
    assert await sync_to_async(said)(riverside.session) == Consent.REFUSED
    archive = await sync_to_async(caller)(riverside, Can.READ_FILES)
    assert (await archive("GET", f"/files?session_id={riverside.session.id}")).json()["data"] == []


async def test_another_session_has_no_say(riverside: Business, visitor: Caller) -> None:
    other = await sync_to_async(make_session)(riverside.assistant)
    for method in ("PUT", "DELETE"):
        assert is_problem(await visitor(method, f"/sessions/{other.pk}/recording"), 404)
