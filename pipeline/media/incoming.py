"""The visitor's packets on their way to the microphone: tapped, ordered, decoded. Or left to aiortc."""

import logging
from collections.abc import Callable
from typing import Any

from pipeline.core.ports import Clock
from pipeline.media import shortcut, tap
from pipeline.media.arrivals import Arrivals
from pipeline.media.decoding import Decoding
from pipeline.media.microphone import Microphone

log = logging.getLogger(__name__)


class Incoming:
    """One line's way in. Without a tap its numbers stay zero."""

    def __init__(self, clock: Clock, microphone: Microphone) -> None:
        self._clock = clock
        self._microphone = microphone
        self._decoding: Decoding | None = None
        self._arrivals: Arrivals | None = None
        self._handle: Callable[[Any], None] | None = None

    def tap(self, receiver: Any) -> bool:
        """Take this `aiortc.RTCRtpReceiver`'s packets. False, and a line in the log: it goes on by itself."""
        if not tap.possible(receiver):
            return False
        try:
            self._decoding = Decoding(self._microphone, self._microphone.quiet)
        except OSError as error:
            log.warning("%s: sound comes through aiortc's decoder, 80 ms later", error)
            return False
        self._arrivals = Arrivals(self._decoding)
        self._handle = tap.install(receiver, self._take)
        return True

    def shortcut(self, receiver: Any) -> Callable[[bytes], bool] | None:
        """For datagrams that may be RTP, after `tap`; None: there is none."""
        if self._handle is None or not shortcut.possible(receiver):
            return None
        return shortcut.way(receiver, self._handle)

    def _take(self, packet: Any) -> None:
        if self._arrivals:
            self._arrivals.add(packet, self._clock.now())

    def beat(self, now: float) -> None:
        """To be called each 20 ms."""
        if self._arrivals:
            self._arrivals.expire(now)

    def stats(self) -> dict[str, float]:
        """As `core.ports.Line.stats`, and more of the kind."""
        came, heard = self._arrivals, self._decoding
        return {
            "packets_in": came.packets_in if came else 0,
            "packets_lost": came.packets_lost if came else 0,
            "packets_late": came.packets_late if came else 0,
            "packets_concealed": heard.packets_concealed if heard else 0,
            "packets_bad": heard.packets_bad if heard else 0,
            "jitter_ms": came.jitter_ms if came else 0.0,
            "jitter_buffer_ms": came.delay_ms if came else 0.0,
            "longest_hold_ms": came.longest_delay_ms if came else 0.0,
        }
