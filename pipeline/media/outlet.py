"""Where a speaker's frames go: the part of a transport that the pacing does not care about."""

from collections.abc import Callable
from typing import Protocol

from pipeline.media.playout import Frame


class Outlet(Protocol):
    """One line's way out. The speaker sends a frame when it is due and the outlet is ready."""

    codec: str
    """Of the payload: opus, pcm16."""
    tail_frames: int
    """How many silent frames go out after the last sound. None: the listener's side fades what begins and ends."""
    rewind_ms: int
    """What a listener's jitter buffer will not have played yet when it is told to fall silent."""
    on_ready: Callable[[], None]
    """Set by the speaker; to be called whenever `ready` turns true."""

    @property
    def ready(self) -> bool:
        """Whether a frame would be taken now."""
        ...

    def overlap_ms(self, frame: Frame) -> float:
        """How much of the sound before it this frame's payload repeats."""
        ...

    def send(self, frame: Frame, position: int, t_audio_ms: float) -> bytes:
        """Take a frame, which begins `position` samples after the line's first and at `t_audio_ms` on the session's
        clock. Returns the payload that went out. Never waits, never raises."""
        ...

    def close(self) -> None: ...


class Unheard:
    """The outlet of a line whose other end takes no sound: replies take their time and are told in writing."""

    codec = "none"
    tail_frames = 0
    rewind_ms = 0
    ready = True

    def __init__(self) -> None:
        self.on_ready: Callable[[], None] = lambda: None

    def overlap_ms(self, frame: Frame) -> float:
        return 0.0

    def send(self, frame: Frame, position: int, t_audio_ms: float) -> bytes:
        return b""

    def close(self) -> None:
        """Nothing is held."""
