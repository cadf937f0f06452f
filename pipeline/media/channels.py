"""The two data channels beside the sound. The page opens them in its offer; docs/architecture.md lists the messages.

Sending never waits: what does not fit is dropped and counted.
"""

import json
import logging
from collections.abc import Callable
from typing import Any

from aiortc import RTCDataChannel
from aiortc.exceptions import InvalidStateError

log = logging.getLogger(__name__)

CONTROL_IN_BYTES = 16_384
CONTROL_BUFFER_BYTES = 262_144
"""A visitor this far behind on the reliable channel has lost the connection; events come over the websocket too."""
FACE_BUFFER_BYTES = 8_192
"""About a quarter of a second of face: older frames would come too late to be shown."""
FACE_BYTES = 1_100
"""Fits one SCTP packet: larger messages are cut up, and stall on paths with a small MTU."""


class SideChannels:
    """`control` (reliable) and `face` (lossy) of one peer."""

    def __init__(self, on_control: Callable[[dict[str, Any]], None], on_heard: Callable[[], None]) -> None:
        self._on_control = on_control
        self._on_heard = on_heard
        self._control: RTCDataChannel | None = None
        self._face: RTCDataChannel | None = None
        self.dropped = 0
        self.garbage = 0
        """Messages from the visitor that were not JSON objects of a sane size."""

    def opened(self, channel: RTCDataChannel) -> None:
        """The page has opened a channel. The first of each name counts; others are closed."""
        if channel.label == "control" and self._control is None:
            self._control = channel
            channel.on("message", self._receive)
        elif channel.label == "face" and self._face is None:
            self._face = channel
        else:
            channel.close()

    def control(self, message: dict[str, Any]) -> bool:
        return self._send(self._control, _text(message), CONTROL_BUFFER_BYTES)

    def face(self, message: dict[str, Any]) -> bool:
        text = _text(message)
        if len(text) > FACE_BYTES:
            self.dropped += 1
            return False
        return self._send(self._face, text, FACE_BUFFER_BYTES)

    def _send(self, channel: RTCDataChannel | None, text: str, bound: int) -> bool:
        if channel is None or channel.readyState != "open":
            return False
        if channel.bufferedAmount + len(text) > bound:
            self.dropped += 1
            return False
        try:
            channel.send(text)
        except (InvalidStateError, ValueError):  # closing, or larger than the browser takes
            self.dropped += 1
            return False
        return True

    def _receive(self, data: str | bytes) -> None:
        """Nothing may be raised from here: aiortc calls it from the pump that keeps the whole call alive."""
        self._on_heard()
        message = _parsed(data)
        if message is None:
            self.garbage += 1
            return
        try:
            self._on_control(message)
        except Exception:
            log.exception("a control message could not be handled")


def _text(message: dict[str, Any]) -> str:
    """ASCII, so that characters are bytes."""
    return json.dumps(message, separators=(",", ":"))


def _parsed(data: str | bytes) -> dict[str, Any] | None:
    if len(data) > CONTROL_IN_BYTES:
        return None
    try:
        message = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return message if isinstance(message, dict) else None
