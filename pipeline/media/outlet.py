"""Where a speaker's frames go: the part of a transport that the pacing does not care about."""

from collections.abc import Callable
from typing import Protocol


class Outlet(Protocol):
    """One line's way out. The speaker sends a frame when it is due and the outlet is ready."""

    codec: str
    """Of the payload: opus, pcm16."""
    overlap_ms: float
    """How much of the frame before the last payload repeats."""
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

    def send(self, pcm: bytes, position: int, reply: int, t_audio_ms: float) -> bytes:
        """Take 20 ms of this reply (edges.FRAME_BYTES), which begin `position` samples after the line's first and at
        `t_audio_ms` on the session's clock. Returns the payload that went out. Never waits, never raises."""
        ...

    def close(self) -> None: ...
