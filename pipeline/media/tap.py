"""Packets taken from aiortc's receiver before its jitter buffer, its decoder thread and its queue.

With aiortc's own way each packet changes threads twice and sound comes 80 ms later. The tap replaces one method of one
receiver, which aiortc awaits for every RTP packet; it goes on keeping the statistics from which aiortc makes its
receiver reports.
"""

import logging
from collections.abc import Callable
from typing import Any

from aiortc.rtcrtpreceiver import StreamStatistics

from pipeline.contracts.numbers import WIRE_RATE_HZ

log = logging.getLogger(__name__)

HANDLE = "_handle_rtp_packet"
STREAMS = "_RTCRtpReceiver__remote_streams"
CODECS = "_RTCRtpReceiver__codecs"
"""Private to aiortc 1.16 (pinned). tests/pipeline/media/test_tap.py notices when they disappear."""
STREAMS_LIMIT = 4
"""Each new SSRC costs a line in every report; a visitor who changes it for ever gets no more than this."""


def possible(receiver: Any) -> bool:
    """Whether this `aiortc.RTCRtpReceiver` still has what a tap needs. The log names what is missing."""
    if missing := [name for name in (HANDLE, STREAMS, CODECS) if not hasattr(receiver, name)]:
        log.warning("aiortc has no %s any more: sound comes through its own decoder, 80 ms later", ", ".join(missing))
    return not missing


def install(receiver: Any, take: Callable[[Any], None]) -> Callable[[Any], None]:
    """From now on every RTP packet of a known payload type goes to `take`, an `aiortc.rtp.RtpPacket` each.

    Returns what does that, for packets that come another way.
    """
    streams, codecs, failing = getattr(receiver, STREAMS), getattr(receiver, CODECS), False

    def handle(packet: Any) -> None:
        """Nothing may be raised from here: it is called from the pump that keeps the whole call alive."""
        nonlocal failing
        if packet.payload_type not in codecs:
            return
        try:
            _counted(streams, packet)
            take(packet)
        except Exception:
            log.log(logging.DEBUG if failing else logging.ERROR, "a packet could not be heard", exc_info=True)
            failing = True

    async def handle_rtp_packet(packet: Any, arrival_time_ms: int) -> None:
        handle(packet)

    setattr(receiver, HANDLE, handle_rtp_packet)
    return handle


def _counted(streams: dict[int, StreamStatistics], packet: Any) -> None:
    stream = streams.get(packet.ssrc)
    if stream is None:
        if len(streams) >= STREAMS_LIMIT:
            streams.pop(next(iter(streams)))
        stream = streams[packet.ssrc] = StreamStatistics(WIRE_RATE_HZ)
    stream.add(packet)
