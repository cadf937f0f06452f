"""Files that were recorded: real sound in the store of the tests."""

from pathlib import Path
from uuid import uuid4

from pipeline.contracts.recording import Recording
from pipeline.media.ogg import OggFile
from sessions_app.files.models import StoredFile
from sessions_app.history import recordings
from sessions_app.history.models import Consent, Privacy, Session
from sessions_app.tenants.scope import tenant_scope


def sound(folder: Path, seconds: float = 1.0) -> Path:
    """A file with so much of it."""
    path = folder / f"{uuid4().hex}.ogg"
    file = OggFile(path)
    for _ in range(round(seconds * 2)):
        file.write(b"\x10\x20" * 8000, b"\x10\x30" * 12000, 24_000)
    file.close()
    return path


def of_call(session: Session, t_audio_ms: float = 0.0) -> Recording:
    return Recording(session.pk, str(session.tenant_id), 1, t_audio_ms, 1_800_000_000.0)


def record_calls(session: Session, **rules: object) -> None:
    """The tenant wishes it, and this session's visitor has agreed."""
    with tenant_scope(session.tenant_id):
        Privacy.objects.update_or_create(tenant=session.tenant, defaults={"recordings": True, **rules})
        Session.objects.filter(pk=session.pk).update(recording=Consent.AGREED)


def make_recording(session: Session, folder: Path, *, seconds: float = 1.0, t_audio_ms: float = 0.0) -> StoredFile:
    """As a worker hands it in."""
    record_calls(session)
    recordings.keep(of_call(session, t_audio_ms), sound(folder, seconds), round(seconds * 1000))
    with tenant_scope(session.tenant_id):
        return StoredFile.objects.get(name=f"{of_call(session, t_audio_ms).name}.ogg")
