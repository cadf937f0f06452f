"""The way out: phrases of PCM become paced Opus packets on our own track.

aiortc asks the track for a packet, sends it, and asks again. We answer each 20 ms by absolute deadlines while there is
something to say, then with TAIL_FRAMES of silence, then not at all until there is sound again: the RTP timestamp goes
on with the clock, so the browser sees a pause, not a loss. Stopping dead, without the silent frames, makes Chromium
stretch the last sound by 70 to 100 ms.
"""

from collections.abc import Callable
from dataclasses import dataclass

import av
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError

from pipeline.contracts.audio import AudioPacket
from pipeline.contracts.errors import StreamEnded
from pipeline.contracts.numbers import PACKET_MS, WIRE_RATE_HZ
from pipeline.core.ports import Clock
from pipeline.core.stream import Stream
from pipeline.media.edges import FRAME_BYTES, SILENCE, ease_out, fade_in, last_sample
from pipeline.media.opus import TIME_BASE, Encoder, Resampler
from pipeline.media.unsent import Unsent

PACKET_S = PACKET_MS / 1000
QUEUE_FRAMES = 15
"""300 ms: what `play()` may be ahead of the transport. More would only be thrown away at a barge-in."""
TAIL_FRAMES = 10
CATCH_UP_S = 5 * PACKET_S
"""Later than this, the missed time is given up (the RTP clock jumps) instead of sending a burst."""
SLICE_MS = 200
"""Sound is resampled in slices of this length: a long phrase must not hold up the loop."""


@dataclass(frozen=True, slots=True)
class Frame:
    """20 ms of sound waiting to be sent. `samples`: how many of them are sound, the rest is padding."""

    pcm: bytes
    samples: int
    reply: int
    era: int
    """How many flushes came before it: a frame of an older era is never sent."""


class Speaker:
    """`core.ports.Speaker` over a WebRTC track, for one producer. After `close()` it swallows what it is given."""

    def __init__(self, clock: Clock, session_t0: float) -> None:
        self.track = OutgoingTrack(self)
        self.packets_out = 0
        self._clock = clock
        self._t0 = session_t0
        self._frames: Stream[Frame] = Stream(QUEUE_FRAMES)
        self._unsent = Unsent()
        self._resampler = Resampler(WIRE_RATE_HZ)
        self._encoder = Encoder()
        self._tail = bytearray()
        self._reply = 0
        self._era = 0
        self._played_samples = 0
        self._on_first_packet: Callable[[], None] | None = None
        self._silent_left = 0
        self._last = 0
        self._sounding = False
        self._due_s = 0.0
        self._started_s: float | None = None
        self._session_id = ""
        self._on_packet: Callable[[AudioPacket], None] | None = None

    def tap(self, session_id: str, on_packet: Callable[[AudioPacket], None]) -> None:
        """Have every outgoing packet shown to `on_packet` as well (V4), silent ones included."""
        self._session_id, self._on_packet = session_id, on_packet

    # The port ---------------------------------------------------------------------------------------------------

    def begin(self, reply: int, on_first_packet: Callable[[], None]) -> None:
        self._end_phrase()
        self._reply, self._played_samples, self._on_first_packet = reply, 0, on_first_packet

    async def play(self, pcm: bytes, rate_hz: int) -> None:
        """`pcm`: mono s16le. Returns early when `flush()` or `close()` is called meanwhile."""
        era = self._era
        size = rate_hz * SLICE_MS // 1000 * 2
        for start in range(0, len(pcm), size):
            self._tail += self._resampler.feed(pcm[start : start + size], rate_hz)
            while len(self._tail) >= FRAME_BYTES:
                frame = self._cut(FRAME_BYTES)
                if not await self._put(frame) or era != self._era:
                    return

    async def drain(self) -> None:
        self._tail += self._resampler.rest()
        while self._tail:
            await self._put(self._cut(min(len(self._tail), FRAME_BYTES)))
        await self._unsent.none()

    def flush(self) -> float:
        self._era += 1
        self._frames.clear()
        self._unsent.forget()
        self._resampler.rest()
        self._tail.clear()
        self._on_first_packet = None
        return self.played_ms

    @property
    def played_ms(self) -> float:
        return self._played_samples * 1000 / WIRE_RATE_HZ

    def close(self) -> None:
        """Nothing goes out any more; whoever waits in `play` or `drain` returns."""
        self.flush()
        self._frames.close()
        self.track.stop()

    # Towards the transport --------------------------------------------------------------------------------------

    async def next_packet(self) -> av.Packet:
        """The next packet when it is due; waits while there is nothing to say. Raises MediaStreamError at the end."""
        while True:
            if self._silent_left and not len(self._frames):
                await self._pace()
                if not len(self._frames):
                    return self._silent_packet()
            try:
                frame = await self._frames.get()
            except StreamEnded as end:
                raise MediaStreamError from end
            await self._pace()
            if frame.era == self._era:
                return self._sound_packet(frame)

    async def _pace(self) -> None:
        """Wait for the next packet's time: 20 ms after the last one, by the clock, so that errors never add up."""
        await self._clock.sleep(self._due_s - self._clock.now())
        if self._clock.now() > self._due_s + CATCH_UP_S:
            self._due_s = self._clock.now()

    def _sound_packet(self, frame: Frame) -> av.Packet:
        pcm = frame.pcm if self._sounding else fade_in(frame.pcm)
        self._sounding, self._last, self._silent_left = True, last_sample(pcm), TAIL_FRAMES
        packet = self._packet(pcm)
        self._unsent.sent()
        if frame.reply == self._reply:
            self._played_samples += frame.samples
            if on_first_packet := self._on_first_packet:
                self._on_first_packet = None
                on_first_packet()
        return packet

    def _silent_packet(self) -> av.Packet:
        pcm = ease_out(self._last) if self._sounding else SILENCE
        self._sounding = False
        self._silent_left -= 1
        return self._packet(pcm)

    def _packet(self, pcm: bytes) -> av.Packet:
        if self._started_s is None:
            self._started_s = self._due_s
        payload = self._encoder.encode(pcm)
        packet = av.Packet(payload)
        packet.pts = round((self._due_s - self._started_s) * WIRE_RATE_HZ)
        packet.time_base = TIME_BASE
        if self._on_packet:
            self._on_packet(self._described(payload))
        self.packets_out += 1
        self._due_s += PACKET_S
        return packet

    def _described(self, payload: bytes) -> AudioPacket:
        return AudioPacket(
            session_id=self._session_id,
            reply=self._reply,
            seq=self.packets_out,
            t_audio_ms=(self._due_s - self._t0) * 1000,
            duration_ms=PACKET_MS,
            overlap_ms=0.0,
            codec="opus",
            payload=payload,
        )

    # Towards the queue ------------------------------------------------------------------------------------------

    def _cut(self, size: int) -> Frame:
        pcm = bytes(self._tail[:size])
        del self._tail[:size]
        return Frame(pcm.ljust(FRAME_BYTES, b"\0"), len(pcm) // 2, self._reply, self._era)

    async def _put(self, frame: Frame) -> bool:
        """Queue it, waiting for room. False: the line is closed."""
        self._unsent.queued()
        try:
            await self._frames.put(frame)
        except StreamEnded:
            self._unsent.forget()
            return False
        return True

    def _end_phrase(self) -> None:
        """A reply that was not drained gets its last partial frame out, if there is room for it."""
        self._tail += self._resampler.rest()
        while self._tail:
            if self._frames.offer(self._cut(min(len(self._tail), FRAME_BYTES))):
                self._unsent.queued()


class OutgoingTrack(MediaStreamTrack):
    """What aiortc pulls packets from. They are encoded already: aiortc passes an `av.Packet` on as it is."""

    kind = "audio"

    def __init__(self, speaker: Speaker) -> None:
        super().__init__()
        self._speaker = speaker

    async def recv(self) -> av.Packet:
        if self.readyState != "live":
            raise MediaStreamError
        return await self._speaker.next_packet()
