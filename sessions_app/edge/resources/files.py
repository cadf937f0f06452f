"""Files that a tenant keeps: recordings of its calls. They are made by calls; read, downloaded and deleted here."""

from datetime import datetime
from typing import Any, Literal

from django.http import HttpResponse
from ninja import Query, Router, Schema, Status
from pydantic import Field

from sessions_app.edge.callers import CalledRequest, Key
from sessions_app.edge.paging import Page, PageIn, page_of
from sessions_app.edge.resources.scoped import found, in_scope
from sessions_app.edge.schemas import errors
from sessions_app.files import sending, services
from sessions_app.files.selectors import kept
from sessions_app.tenants.permissions import Can

router = Router(tags=["files"], auth=Key())


class FilesWanted(Schema):
    session_id: str = Field("", max_length=64, description="Only what belongs to this session.")
    purpose: Literal["recording"] | None = None


class FileOut(Schema):
    id: str
    purpose: str = Field(description="recording")
    session_id: str = Field(description="What it is a recording of.", alias="about")
    name: str
    content_type: str
    size_bytes: int
    sha256: str
    starts_ms: float | None = Field(description="Of a recording: where it begins on the session's audio clock.")
    length_ms: int | None
    created_at: datetime


@router.get("/files", response={200: Page[FileOut], **errors()}, by_alias=False)
@in_scope
def list_files(request: CalledRequest, wanted: Query[FilesWanted], page: Query[PageIn]) -> dict[str, Any]:
    """The newest first."""
    request.auth.need(Can.READ_FILES)
    rows = kept()
    if wanted.session_id:
        rows = rows.filter(about=wanted.session_id)
    if wanted.purpose:
        rows = rows.filter(purpose=wanted.purpose)
    return page_of(rows, page, "-created_at", "-id")


@router.get("/files/{file_id}", response={200: FileOut, **errors()}, by_alias=False)
@in_scope
def read_file(request: CalledRequest, file_id: str) -> Any:
    return found(request, kept(), Can.READ_FILES, pk=file_id)


@router.get("/files/{file_id}/content", response={200: None, 206: None, 416: None, **errors(503)})
@in_scope
def read_content(request: CalledRequest, file_id: str) -> HttpResponse:
    """The bytes, whole or the part that `Range` asks for. The audit log tells who listened."""
    row = found(request, kept(), Can.READ_FILES, pk=file_id)
    return sending.handed_out(row, request.headers.get("Range", ""))


@router.delete("/files/{file_id}", response={204: None, **errors()})
@in_scope
def delete_file(request: CalledRequest, file_id: str) -> Status:
    """Nobody sees it any more; its bytes are gone within a minute or two."""
    services.delete(found(request, kept(), Can.WRITE_FILES, pk=file_id))
    return Status(204, None)
