"""What a worker is told at its start, by whoever composes it (a management command, a test)."""

import os
import socket
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

EngineChoice = tuple[str, dict[str, Any]]
"""(kind, options) of `pipeline.engines.registry`."""

DEFAULT_ENGINES: dict[str, EngineChoice] = {
    "vad": ("silero", {}),
    "asr": ("pocketsphinx", {}),
    "turns": ("lexical", {}),
    "echo": ("correlation", {}),
    "retriever": ("lexical", {}),
    "llm": ("frontdesk", {}),
    "tts": ("espeak", {}),
    "face": ("phoneme", {}),
}


def default_name() -> str:
    return f"{socket.gethostname()}-{os.getpid()}"


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """`engines` may name some ports only; the others keep their defaults."""

    spool_dir: Path
    """Where the journal's spool files lie; shared by the workers of one machine."""
    recordings_dir: Path | None = None
    """Where recordings lie until they are kept elsewhere; shared likewise. None: nothing is recorded."""
    seats: int = 8
    pool: str = "default"
    name: str = field(default_factory=default_name)
    engines: dict[str, EngineChoice] = field(default_factory=dict)
    drain_deadline_s: float = 30.0
    http_port: int = 0
    """Health and metrics on 127.0.0.1; 0: none (embedded mode, where the web process answers)."""
    http_bind: str = "127.0.0.1"
    ice_servers: tuple[dict[str, Any], ...] = ()
    audio_dir: Path | None = None
    """Where the audio door's unix socket lies; None: in a temporary folder."""
    audio_bind: str = ""
    """Address that the audio door listens on instead, for web processes on other machines."""
    audio_port: int = 0
    """The first free one from here on; 0: the kernel chooses."""
    audio_address: str = ""
    """What web processes connect to, `host` or `host:port`; empty: `audio_bind`."""

    def choice(self, port: str) -> EngineChoice:
        return self.engines.get(port, DEFAULT_ENGINES[port])
