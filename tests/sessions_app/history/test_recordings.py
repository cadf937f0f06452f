"""Recordings: only with consent, only so long, gone with what they are of; heard by whoever may, in the audit log."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.admin.utils import quote
from django.core.files.storage import storages
from django.urls import reverse
from django.utils import timezone

from sessions_app.files.models import StoredFile
from sessions_app.files.selectors import kept
from sessions_app.files.tasks import sweep
from sessions_app.history import erasure, recordings
from sessions_app.history.models import Consent, Privacy, Session, SessionState
from sessions_app.history.services import apply_records
from sessions_app.history.tasks import forget_old
from sessions_app.tenants.models import AuditEntry, Role
from sessions_app.tenants.scope import everyone, tenant_scope
from tests.fakes.files import make_recording, of_call, record_calls, sound
from tests.fakes.office import make_assistant, make_member, make_session, make_tenant, signed_in
from tests.sessions_app.history.test_journal import told

pytestmark = pytest.mark.django_db


@pytest.fixture
def session() -> Session:
    return make_session(make_assistant(make_tenant()))


def there(file: StoredFile) -> bool:
    return storages["files"].exists(file.path)


def files_of(session: Session) -> list[StoredFile]:
    with tenant_scope(session.tenant_id):
        return recordings.of(session)


def address(session: Session, *more: str) -> str:
    page = "recording" if more else "change"
    return reverse(f"admin:sessions_app_session_{page}", args=[quote(session.pk), *more])


def entries(action: str) -> list[AuditEntry]:
    with everyone():
        return list(AuditEntry.objects.filter(action=action))


# Kept, or not ---------------------------------------------------------------------------------------------------------


def test_a_recording_is_kept_once_however_often_it_is_handed_in(session: Session, tmp_path: Path) -> None:
    record_calls(session)
    path = sound(tmp_path)
    for _ in range(2):
        recordings.keep(of_call(session, 2500.0), path, 1000)
    (file,) = files_of(session)
    assert (file.starts_ms, file.length_ms, file.content_type) == (2500.0, 1000, "audio/ogg")
    assert file.size_bytes == path.stat().st_size
    assert there(file)


@pytest.mark.parametrize("said", [Consent.UNASKED, Consent.REFUSED])
def test_without_the_visitors_consent_nothing_is_kept(session: Session, tmp_path: Path, said: Consent) -> None:
    record_calls(session)
    with everyone():
        Session.objects.update(recording=said)
    recordings.keep(of_call(session), sound(tmp_path), 1000)
    with everyone():
        assert not StoredFile.objects.exists()


def test_consent_that_is_taken_back_while_the_bytes_are_on_their_way_counts(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record_calls(session)
    bring = recordings.files.bring

    def slowly(row: StoredFile, path: Path) -> StoredFile:
        brought = bring(row, path)
        recordings.refuse(session_id=session.pk)
        return brought

    monkeypatch.setattr(recordings.files, "bring", slowly)
    recordings.keep(of_call(session), sound(tmp_path), 1000)
    assert files_of(session) == []
    sweep()
    with everyone():
        assert not StoredFile.objects.exists()


def test_a_recording_of_no_session_or_of_another_tenants_is_not_kept(session: Session, tmp_path: Path) -> None:
    from dataclasses import replace

    record_calls(session)
    path, stranger = sound(tmp_path), make_tenant()
    for recording in (
        replace(of_call(session), session_id="ses_" + "0" * 32),
        replace(of_call(session), session_id="../../etc/passwd"),
        replace(of_call(session), tenant_id=str(stranger.id)),
    ):
        recordings.keep(recording, path, 1000)
    with everyone():
        assert not StoredFile.objects.exists()


def test_a_store_that_is_away_is_told_to_whoever_hands_in(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record_calls(session)

    def away(*args: object) -> None:
        raise ConnectionError("away")

    with monkeypatch.context() as patched:
        patched.setattr("django.core.files.storage.FileSystemStorage.save", away)
        with pytest.raises(ConnectionError):
            recordings.keep(of_call(session), sound(tmp_path), 1000)
    assert files_of(session) == []
    recordings.keep(of_call(session), sound(tmp_path), 1000)
    assert len(files_of(session)) == 1


# What the visitor says ------------------------------------------------------------------------------------------------


def test_a_visitor_agrees_only_to_what_the_tenant_wishes(session: Session) -> None:
    with tenant_scope(session.tenant_id):
        with pytest.raises(recordings.NotRecorded):
            recordings.agree(session_id=session.pk)
        Privacy.objects.create(tenant=session.tenant, recordings=True)
        recordings.agree(session_id=session.pk)
        session.refresh_from_db()
        at = session.recording_at
        recordings.agree(session_id=session.pk)
        session.refresh_from_db()
        assert (session.recording, session.recording_at) == (Consent.AGREED, at)
        assert recordings.may_be_made(session)
        Privacy.objects.update(recordings=False)
        assert not recordings.may_be_made(session)


def test_who_takes_it_back_takes_back_what_was_recorded(session: Session, tmp_path: Path) -> None:
    file = make_recording(session, tmp_path)
    other = make_recording(make_session(make_assistant(make_tenant())), tmp_path)
    with tenant_scope(session.tenant_id):
        recordings.refuse(session_id=session.pk)
        recordings.refuse(session_id=session.pk)
    assert files_of(session) == []
    sweep()
    assert not there(file)
    assert there(other)


# How long -------------------------------------------------------------------------------------------------------------


def test_recordings_go_before_their_sessions_when_the_tenant_says_so(session: Session, tmp_path: Path) -> None:
    record_calls(session, recording_days=7)
    old, young = make_recording(session, tmp_path), make_recording(session, tmp_path, t_audio_ms=9000.0)
    stranger = make_recording(make_session(make_assistant(make_tenant())), tmp_path)
    with everyone():
        Privacy.objects.filter(tenant=session.tenant).update(recording_days=7)
        StoredFile.objects.filter(pk__in=[old.pk, stranger.pk]).update(created_at=timezone.now() - timedelta(days=8))
    forget_old()
    sweep()
    assert files_of(session) == [young]
    assert (there(old), there(young), there(stranger)) == (False, True, True)
    with everyone():
        assert Session.objects.filter(pk=session.pk).exists()


@pytest.mark.parametrize("how", ["retention", "erasure"])
def test_a_recording_goes_with_its_session(session: Session, tmp_path: Path, how: str) -> None:
    file = make_recording(session, tmp_path)
    with tenant_scope(session.tenant_id):
        if how == "retention":
            Privacy.objects.update(retention_days=1)
            days = timezone.now() - timedelta(days=2)
            Session.objects.update(state=SessionState.ENDED, ended_at=days)
            forget_old()
        else:
            erasure.erase([session])
        assert not kept().exists()
    sweep()
    assert not there(file)


def test_who_keeps_no_words_keeps_no_sound(session: Session) -> None:
    page = signed_in(make_member(session.tenant)).post(
        reverse("admin:sessions_app_privacy_add"),
        {"transcripts": "off", "recordings": "on", "recording_days": "30"},
    )
    assert page.status_code == 200
    assert "No words are kept: then calls cannot be recorded either." in page.content.decode()


# In the console -------------------------------------------------------------------------------------------------------


@pytest.fixture
def recorded(session: Session, tmp_path: Path) -> StoredFile:
    apply_records([told(session, number=1, visitor_text="Do you treat parrots?", t_audio_ms=9000.0)])
    return make_recording(session, tmp_path, seconds=3.0)


def test_the_page_of_a_session_plays_its_recording(session: Session, recorded: StoredFile) -> None:
    page = signed_in(make_member(session.tenant, Role.EDITOR)).get(address(session)).content.decode()
    assert address(session, recorded.pk) in page
    assert "From 0:00, 0:03 long" in page
    assert 'data-play-ms="3000"' in page
    assert "Delete this recording" not in page, "editors hear, and delete nothing"


def test_viewers_see_words_and_no_recording(session: Session, recorded: StoredFile) -> None:
    viewer = signed_in(make_member(session.tenant, Role.VIEWER))
    assert "<audio" not in viewer.get(address(session)).content.decode()
    assert viewer.get(address(session, recorded.pk)).status_code == 403


def test_whoever_listens_is_in_the_audit_log_once_for_each_beginning(session: Session, recorded: StoredFile) -> None:
    client: Any = signed_in(make_member(session.tenant, Role.EDITOR))
    whole = client.get(address(session, recorded.pk))
    assert (whole.status_code, whole["Content-Type"]) == (200, "audio/ogg")
    assert len(whole.content) == recorded.size_bytes
    assert client.get(address(session, recorded.pk), headers={"Range": "bytes=0-9"}).status_code == 206
    assert client.get(address(session, recorded.pk), headers={"Range": "bytes=10-19"}).status_code == 206
    assert [entry.target_ref for entry in entries("file.read")] == [recorded.pk] * 2


def test_what_the_store_has_lost_is_said_in_words(session: Session, recorded: StoredFile) -> None:
    storages["files"].delete(recorded.path)
    answer = signed_in(make_member(session.tenant, Role.EDITOR)).get(address(session, recorded.pk))
    assert (answer.status_code, answer.content) == (503, b"The file cannot be read just now.")


@pytest.mark.parametrize(("role", "status"), [(Role.OWNER, 302), (Role.ADMIN, 302), (Role.EDITOR, 403)])
def test_owners_and_admins_delete_a_recording(session: Session, recorded: StoredFile, role: Role, status: int) -> None:
    client = signed_in(make_member(session.tenant, role))
    assert client.post(address(session, recorded.pk)).status_code == status
    assert (files_of(session) == []) is (status == 302)
    assert len(entries("file.deleted")) == (status == 302)


def test_another_tenants_recording_is_not_there(session: Session, recorded: StoredFile) -> None:
    stranger = make_session(make_assistant(make_tenant()))
    client = signed_in(make_member(stranger.tenant))
    assert client.get(address(session, recorded.pk)).status_code == 404
    assert client.get(address(stranger, recorded.pk)).status_code == 404
    assert client.get(address(stranger, "nonsense")).status_code == 404
