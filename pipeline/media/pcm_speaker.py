"""The way out over a websocket: phrases of PCM become paced packets, each with the 5 ms before it (V4).

Packets go out every 20 ms by absolute deadlines while there is something to say, and not at all otherwise: the page
fades what ends. `t_audio_ms` is counted in samples from where sound last began.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from pipeline.contracts.audio import AudioPacket
from pipeline.contracts.numbers import OVERLAP_MS, PACKET_MS
from pipeline.contracts.packets import PCM16, VOICE_RATE_HZ, pack_voice
from pipeline.core.ports import Clock
from pipeline.media.opus import Resampler

RATE_HZ = VOICE_RATE_HZ
FRAME_SAMPLES = RATE_HZ * PACKET_MS // 1000
FRAME_BYTES = FRAME_SAMPLES * 2
OVERLAP_BYTES = RATE_HZ * OVERLAP_MS // 1000 * 2
PACKET_S = PACKET_MS / 1000
QUEUE_BYTES = 15 * FRAME_BYTES
"""300 ms: what `play()` may be ahead of the transport. More would only be thrown away at a barge-in."""
SLICE_MS = 100
"""Sound is resampled and queued in slices of this length: a long phrase must not hold up the loop."""
SLICE_BYTES = RATE_HZ * SLICE_MS // 1000 * 2
CATCH_UP_S = 5 * PACKET_S
"""Later than this, the missed time is given up (the clock of the packets jumps) instead of sending a burst."""
LISTENER_S = 0.06
"""What was sent this lately still waits in the page's jitter buffer (40 ms) or on its way there."""
REFERENCE_S = 2.0


class Sent(NamedTuple):
    """A packet that went out."""

    due_s: float
    pcm: bytes
    """20 ms."""
    sound: bytes
    """How much of it is sound of the current reply; the rest is padding."""
    before: bytes
    """The overlap that it was sent with."""


class PcmSpeaker:
    """`core.ports.Speaker` for one producer. After `close()` it swallows what it is given. `run()` is its pacing."""

    def __init__(
        self,
        clock: Clock,
        session_t0: float,
        session_id: str,
        send: Callable[[bytes], object],
        behind: Callable[[], bool],
    ) -> None:
        """`send` never waits; `behind`: the socket takes less than we send, so nothing more should go out just now."""
        self.packets_out = 0
        self._clock, self._t0, self._session_id = clock, session_t0, session_id
        self._send, self._behind = send, behind
        self._resampler = Resampler(RATE_HZ)
        self._ahead = bytearray()
        """Sound that has not gone out, in order."""
        self._old = (0, 0)
        """(reply, bytes): the head of it that belongs to an earlier reply."""
        self._ending = False
        """What is less than a packet goes out, too."""
        self._paused = False
        self._closed = False
        self._reply = 0
        self._era = 0
        """How many flushes there were: who waits to play something older gives up."""
        self._played_samples = 0
        self._on_first_packet: Callable[[], None] | None = None
        self._before = b""
        self._recent: deque[Sent] = deque(maxlen=8)
        self._reference: deque[Sent] = deque(maxlen=int(REFERENCE_S / PACKET_S) + 1)
        self._anchor_s = float("-inf")
        self._since_anchor = 0
        self._changed = asyncio.Event()
        self._moved = asyncio.Event()

    # The port ---------------------------------------------------------------------------------------------------

    def begin(self, reply: int, on_first_packet: Callable[[], None]) -> None:
        self._ahead += self._resampler.rest()
        if self._ahead:
            self._ahead += bytes(-len(self._ahead) % FRAME_BYTES)
            self._old = (self._reply, len(self._ahead))
        self._reply, self._played_samples, self._on_first_packet = reply, 0, on_first_packet
        self._paused, self._before = False, b""
        self._recent.clear()
        self._changed.set()

    async def play(self, pcm: bytes, rate_hz: int) -> None:
        """`pcm`: mono s16le. Returns early when `flush()` or `close()` is called meanwhile."""
        era, self._ending = self._era, False
        size = rate_hz * SLICE_MS // 1000 * 2
        for start in range(0, len(pcm), size):
            await self._until(lambda: len(self._ahead) + SLICE_BYTES <= QUEUE_BYTES or era != self._era)
            if era != self._era or self._closed:
                return
            self._ahead += self._resampler.feed(pcm[start : start + size], rate_hz)
            self._changed.set()

    async def drain(self) -> None:
        era, self._ending = self._era, True
        self._ahead += self._resampler.rest()
        self._changed.set()
        await self._until(lambda: not self._ahead or era != self._era)

    def flush(self) -> float:
        self._era += 1
        self._ahead.clear()
        self._old = (0, 0)
        self._resampler.rest()
        self._recent.clear()
        self._before, self._paused, self._on_first_packet = b"", False, None
        self._moved.set()
        return self.played_ms

    def pause(self) -> float:
        if not self._paused:
            self._paused = True
            self._take_back(self._clock.now() - LISTENER_S)
        return self.played_ms

    def resume(self) -> None:
        if self._paused:
            self._paused = False
            self._anchor_s, self._since_anchor = max(self._due_s(), self._clock.now()), 0
            self._changed.set()

    def reference(self, seconds: float) -> tuple[bytes, int]:
        begin_s = self._clock.now() - seconds
        samples = int(seconds * RATE_HZ)
        out = bytearray(samples * 2)
        for sent in self._reference:
            at = round((sent.due_s - begin_s) * RATE_HZ)
            skip, end = max(0, -at), min(FRAME_SAMPLES, samples - at)
            if skip < end:
                out[(at + skip) * 2 : (at + end) * 2] = sent.pcm[skip * 2 : end * 2]
        return bytes(out), RATE_HZ

    @property
    def played_ms(self) -> float:
        return self._played_samples * 1000 / RATE_HZ

    def close(self) -> None:
        """Nothing goes out any more; whoever waits in `play` or `drain` returns."""
        self._closed = True
        self.flush()
        self._changed.set()

    # Towards the transport --------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Sends each packet when it is due, until `close()`."""
        while not self._closed:
            if not self._ready():
                self._changed.clear()
                await self._changed.wait()
                continue
            await self._pace()
            if self._ready():
                self._send_next()

    def _ready(self) -> bool:
        enough = FRAME_BYTES if not self._ending else 1
        return not self._paused and not self._closed and len(self._ahead) >= enough

    async def _pace(self) -> None:
        """Wait for the next packet's time: 20 ms after the last one, by the clock, so that errors never add up."""
        while self._behind():
            await self._clock.sleep(PACKET_S)
        await self._clock.sleep(self._due_s() - self._clock.now())
        now = self._clock.now()
        if now > self._due_s() + CATCH_UP_S:
            self._anchor_s, self._since_anchor = now, 0

    def _due_s(self) -> float:
        return self._anchor_s + self._since_anchor / RATE_HZ

    def _send_next(self) -> None:
        sound = bytes(self._ahead[:FRAME_BYTES])
        del self._ahead[:FRAME_BYTES]
        reply, old_bytes = self._old
        if old_bytes:
            self._old = (reply, old_bytes - len(sound))
            self._put(sound, reply, self._last(OVERLAP_BYTES))
        else:
            if on_first_packet := self._on_first_packet:
                self._on_first_packet = None
                on_first_packet()
            self._played_samples += len(sound) // 2
            self._put(sound, self._reply, self._before)
            self._before = (self._before + sound)[-OVERLAP_BYTES:]
        self._moved.set()

    def _put(self, sound: bytes, reply: int, before: bytes) -> None:
        pcm, due_s = sound.ljust(FRAME_BYTES, b"\0"), self._due_s()
        packet = AudioPacket(
            session_id=self._session_id,
            reply=reply,
            seq=self.packets_out,
            t_audio_ms=(self._anchor_s - self._t0) * 1000 + self._since_anchor * 1000 / RATE_HZ,
            duration_ms=PACKET_MS,
            overlap_ms=OVERLAP_MS if before else 0,
            codec=PCM16,
            payload=before + pcm,
        )
        sent = Sent(due_s, pcm, sound, before)
        self._reference.append(sent)
        if reply == self._reply:
            self._recent.append(sent)
        self.packets_out += 1
        self._since_anchor += FRAME_SAMPLES
        self._send(pack_voice(packet))

    def _last(self, size: int) -> bytes:
        return self._reference[-1].pcm[-size:] if self._reference else b""

    def _take_back(self, since_s: float) -> None:
        """Sound that went out after `since_s` is in nobody's ear yet: it sounds again after the pause."""
        while self._recent and self._recent[-1].due_s > since_s:
            sent = self._recent.pop()
            self._ahead[:0] = sent.sound
            self._played_samples -= len(sent.sound) // 2
            self._before = sent.before

    async def _until(self, enough: Callable[[], bool]) -> None:
        while not self._closed and not enough():
            self._moved.clear()
            await self._moved.wait()
