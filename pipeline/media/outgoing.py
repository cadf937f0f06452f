"""The outlet of a WebRTC line: frames are encoded here, and go out as RTP.

aiortc asks the track for a packet when the connection stands; that is when we are ready. Packets go to its transport
(`departures`), or where that is impossible to the track: aiortc passes an `av.Packet` on as it is, neither converts nor
measures loudness (in Python, per sample), nor uses its executor. Ten silent packets after speech: to stop dead makes
Chromium stretch the last sound by 70 to 100 ms.
"""

import asyncio
import logging
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import av
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError

from pipeline.contracts.numbers import WIRE_RATE_HZ
from pipeline.media import departures
from pipeline.media.departures import Departures
from pipeline.media.edges import VOICE_RATE_HZ
from pipeline.media.opus import encoder
from pipeline.media.playout import Frame

log = logging.getLogger(__name__)

TIME_BASE = Fraction(1, WIRE_RATE_HZ)
RTP_TICKS = WIRE_RATE_HZ // VOICE_RATE_HZ
"""Of the RTP clock, for each sample."""
TAIL_FRAMES = 10
REWIND_MS = 60
"""Chromium's jitter buffer holds 45 to 70 ms; aiortc's 80."""


class RtpOutlet:
    """`media.outlet.Outlet` by way of an aiortc track."""

    codec = "opus"
    tail_frames = TAIL_FRAMES
    rewind_ms = REWIND_MS

    def __init__(self) -> None:
        self.on_ready: Callable[[], None] = _nobody
        self.track = OutgoingTrack(self._asked_for)
        self._encoder = encoder()
        self._departures: Departures | None = None

    def depart_from(self, sender: Any, payload_type: int) -> None:
        """Send by way of this `aiortc.RTCRtpSender`'s transport, past its task. Call when all is negotiated."""
        if departures.possible(sender):
            self._departures = Departures(sender, payload_type)

    @property
    def ready(self) -> bool:
        return self.track.waiting

    def overlap_ms(self, frame: Frame) -> float:
        """A codec has its own."""
        return 0.0

    def send(self, frame: Frame, position: int, t_audio_ms: float) -> bytes:
        payload = self._encoder.encode(frame.pcm)
        if self._departures is None:
            self._give(payload, position * RTP_TICKS)
        elif not self._departures.send(payload, position * RTP_TICKS):
            log.warning("aiortc's transport has to wait before it sends: its sender is given the packets")
            self._departures = None
        return payload

    def close(self) -> None:
        self.track.stop()

    def _give(self, payload: bytes, ticks: int) -> None:
        packet = av.Packet(payload)
        packet.pts, packet.time_base = ticks, TIME_BASE
        self.track.give(packet)

    def _asked_for(self) -> None:
        self.on_ready()


class OutgoingTrack(MediaStreamTrack):
    """What aiortc pulls packets from."""

    kind = "audio"

    def __init__(self, on_asked: Callable[[], None]) -> None:
        super().__init__()
        self._on_asked = on_asked
        self._asked: asyncio.Future[av.Packet] | None = None

    @property
    def waiting(self) -> bool:
        """aiortc waits for a packet."""
        return self._asked is not None and not self._asked.done()

    def give(self, packet: av.Packet) -> None:
        """Only when `waiting`."""
        if self._asked is not None:
            self._asked.set_result(packet)

    async def recv(self) -> av.Packet:
        if self.readyState != "live":
            raise MediaStreamError
        self._asked = asyncio.get_running_loop().create_future()
        self._on_asked()
        return await self._asked

    def stop(self) -> None:
        super().stop()
        if self._asked is not None and not self._asked.done():
            self._asked.set_exception(MediaStreamError())


def _nobody() -> None:
    """Until a speaker sends here."""
