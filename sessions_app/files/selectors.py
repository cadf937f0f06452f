"""Reading files."""

from typing import TYPE_CHECKING

import structlog

from pipeline.contracts.errors import PipelineError
from sessions_app.files.models import FileState, StoredFile
from sessions_app.files.services import store

if TYPE_CHECKING:
    from django.db.models import QuerySet

log = structlog.get_logger(__name__)


class Unreadable(PipelineError):
    """The store is away, or has lost it."""

    code = "unreadable"
    retryable = True


def kept() -> "QuerySet[StoredFile]":
    """Those in scope that are to be seen."""
    rows: QuerySet[StoredFile] = StoredFile.objects.filter(state=FileState.KEPT)
    return rows


def piece(file: StoredFile, first: int, last: int) -> bytes:
    """Its bytes from `first` to `last`, both included. Raises Unreadable."""
    try:
        with store().open(file.path) as bytes_:
            bytes_.seek(first)
            return bytes(bytes_.read(last - first + 1))
    except Exception as error:  # whatever the store's library raises
        log.warning("file_not_read", file=file.pk, error=type(error).__name__)
        raise Unreadable("The file cannot be read just now.") from error
