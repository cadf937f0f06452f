"""Recordings on the console's page of a session: listed, heard, deleted."""

from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse

from sessions_app.files import sending, services
from sessions_app.files.models import StoredFile
from sessions_app.files.selectors import Unreadable, kept
from sessions_app.history import recordings
from sessions_app.history.models import Session
from sessions_app.history.session_page import clock
from sessions_app.tenants.console import standing
from sessions_app.tenants.permissions import Can


def shown(session: Session) -> list[dict[str, Any]]:
    return [
        {
            "id": file.pk,
            "begins": clock(int((file.starts_ms or 0) / 1000)),
            "length": clock(round((file.length_ms or 0) / 1000)),
            "starts_ms": file.starts_ms,
            "megabytes": file.size_bytes / 1_000_000,
        }
        for file in recordings.of(session)
    ]


def heard(request: HttpRequest, session: Session, file_id: str) -> HttpResponse:
    """Its sound, as a player asks for it; the audit log tells who began to listen. Raises Http404, PermissionDenied."""
    file = _found(request, session, file_id, Can.READ_FILES)
    try:
        return sending.handed_out(file, request.headers.get("Range", ""))
    except Unreadable as error:
        return HttpResponse(str(error), status=503, content_type="text/plain")


def delete(request: HttpRequest, session: Session, file_id: str) -> None:
    """Raises Http404, PermissionDenied."""
    services.delete(_found(request, session, file_id, Can.WRITE_FILES))


def _found(request: HttpRequest, session: Session, file_id: str, can: Can) -> StoredFile:
    try:
        file = kept().filter(about=session.pk, pk=file_id).first()
    except ValidationError:
        file = None
    if file is None:
        raise Http404
    if not standing(request).may(can):
        raise PermissionDenied
    return file
