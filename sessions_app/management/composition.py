"""A worker's composition root: the machine, given the office's stores and the process's channel layer."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from channels.layers import get_channel_layer
from django.conf import settings
from django.db import close_old_connections

from pipeline.contracts.dialogue import Record
from pipeline.contracts.recording import Recording
from pipeline.contracts.spec import AssistantSpec
from pipeline.media.addresses import gather_only
from pipeline.worker.host import Host
from pipeline.worker.settings import WorkerSettings
from sessions_app.history import recordings, services
from sessions_app.history.selectors import versions_called_last
from sessions_app.tenants.scope import everyone

REHEARSED = 6
"""So many versions' recognisers pocketsphinx keeps at hand."""

Found = TypeVar("Found")


def worker_host(**changes: Any) -> Host:
    """A worker as the environment describes it; `changes` are fields of WorkerSettings. To be run on one loop only."""
    env = settings.GOASSIST
    gather_only(env.goassist_media_addresses)
    described: dict[str, Any] = {
        "spool_dir": settings.DATA_DIR / "journal",
        "seats": env.goassist_seats,
        "pool": env.goassist_pool,
        "engines": env.engines(),
        "drain_deadline_s": env.goassist_drain_s,
        "http_port": env.worker_http_port,
        "ice_servers": tuple(env.goassist_ice_servers),
        "recordings_dir": settings.DATA_DIR / "recordings",
        "audio_dir": settings.DATA_DIR / "audio",
        "audio_bind": env.goassist_audio_bind,
        "audio_port": env.goassist_audio_port,
        "audio_address": env.goassist_audio_address,
    }
    return Host(WorkerSettings(**{**described, **changes}), get_channel_layer(), store, touch, cast, keep)


def store(records: list[Record]) -> None:
    """The journal's way into the database; called in a thread, again and again until it does not raise."""
    _with_a_live_connection(lambda: services.apply_records(records))


def keep(recording: Recording, path: Path, length_ms: int) -> None:
    """A recording's way into the store; called in a thread, again and again until it does not raise."""
    _with_a_live_connection(lambda: recordings.keep(recording, path, length_ms))


def touch(session_ids: list[str]) -> None:
    def write() -> None:
        with everyone():
            services.touch(session_ids)

    _with_a_live_connection(write)


def cast() -> list[AssistantSpec]:
    """For the worker's rehearsal: what visitors spoke with last answers them first."""

    def read() -> list[AssistantSpec]:
        with everyone():
            return versions_called_last(REHEARSED)

    return _with_a_live_connection(read)


def _with_a_live_connection(work: Callable[[], Found]) -> Found:
    """A connection that the database dropped, or that an error left unusable, must not stay with the thread."""
    close_old_connections()
    try:
        return work()
    finally:
        close_old_connections()
