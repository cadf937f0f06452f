"""The way out: phrases of PCM become paced frames, and a transport's outlet takes them from here.

A frame leaves each 20 ms by absolute deadlines while there is something to say, then the outlet's number of silent
frames, then none at all until there is sound again: positions go on with the clock, so the listener's side sees a
pause, not a loss. The first frame after a pause leaves at once; the others with the process's ticker.
"""

from collections.abc import Callable
from dataclasses import replace

from pipeline.contracts.audio import AudioPacket
from pipeline.contracts.numbers import PACKET_MS
from pipeline.core.ports import Clock
from pipeline.media.edges import (
    FRAME_BYTES,
    FRAME_SAMPLES,
    SILENCE,
    VOICE_RATE_HZ,
    ease_out,
    fade_in,
    last_sample,
)
from pipeline.media.opus import Resampler
from pipeline.media.outlet import Outlet
from pipeline.media.playout import Frame, Playout
from pipeline.media.reference import Reference
from pipeline.media.ticker import STEP_S, ticker_of

PACKET_S = PACKET_MS / 1000
CATCH_UP_S = 5 * PACKET_S
"""Later than this, the missed time is given up (positions jump) instead of sending a burst."""
SLICE_MS = 200
"""Sound is resampled in slices of this length: a long phrase must not hold up the loop."""


class Speaker:
    """`core.ports.Speaker`, for one producer. After `close()` it swallows what it is given."""

    def __init__(self, clock: Clock, session_t0: float, outlet: Outlet) -> None:
        """`session_t0`: clock seconds at which the session's audio clock reads zero."""
        self.packets_out = 0
        self.packets_missed = 0
        """Left out because the loop was too late for them."""
        self._clock = clock
        self._t0 = session_t0
        self._outlet = outlet
        self._ticker = ticker_of(clock)
        self._queue = Playout(outlet.rewind_ms // PACKET_MS)
        self._reference = Reference()
        self._resampler = Resampler(VOICE_RATE_HZ)
        self._rest = bytearray()
        self._reply = 0
        self._era = 0
        self._played_samples = 0
        self._on_first_packet: Callable[[], None] | None = None
        self._paused = False
        self._closed = False
        self._silent_left = 0
        self._last = 0
        self._sounding = False
        self._started_s: float | None = None
        self._due_s = 0.0
        self._position = 0
        self._session_id = ""
        self._on_packet: Callable[[AudioPacket], None] | None = None
        outlet.on_ready = self._rouse

    def tap(self, session_id: str, on_packet: Callable[[AudioPacket], None]) -> None:
        """Have every outgoing packet shown to `on_packet` as well (V4), silent ones included."""
        self._session_id, self._on_packet = session_id, on_packet

    # The port ---------------------------------------------------------------------------------------------------

    def begin(self, reply: int, on_first_packet: Callable[[], None]) -> None:
        self._end_phrase()
        self._reply, self._played_samples, self._on_first_packet = reply, 0, on_first_packet
        self.resume()

    async def play(self, pcm: bytes, rate_hz: int) -> None:
        """`pcm`: mono s16le. Returns early when `flush()` or `close()` is called meanwhile."""
        era = self._era
        size = rate_hz * SLICE_MS // 1000 * 2
        for start in range(0, len(pcm), size):
            self._rest += self._resampler.feed(pcm[start : start + size], rate_hz)
            while len(self._rest) >= FRAME_BYTES:
                if not await self._add(FRAME_BYTES, era):
                    return

    async def drain(self) -> None:
        era = self._era
        self._rest += self._resampler.rest()
        while self._rest:
            if not await self._add(min(len(self._rest), FRAME_BYTES), era):
                return
        await self._queue.empty()

    def flush(self) -> float:
        self._era += 1
        self._paused = False
        self._resampler.rest()
        self._rest.clear()
        self._on_first_packet = None
        self._queue.clear()
        return self.played_ms

    def pause(self) -> float:
        if not self._paused:
            self._paused = True
            again = self._queue.put_back(self._clock.now() - self._outlet.rewind_ms / 1000)
            self._played_samples -= sum(frame.samples for frame in again if frame.reply == self._reply)
        return self.played_ms

    def resume(self) -> None:
        self._paused = False
        self._rouse()

    def reference(self, seconds: float) -> tuple[bytes, int]:
        """At most reference.KEPT_S seconds back."""
        now = self._position + round((self._clock.now() - self._due_s) * VOICE_RATE_HZ)
        return self._reference.until(now, round(seconds * VOICE_RATE_HZ)), VOICE_RATE_HZ

    @property
    def packets_due(self) -> int:
        """With those that the loop was too late for."""
        return self.packets_out + self.packets_missed

    @property
    def played_ms(self) -> float:
        return self._played_samples * 1000 / VOICE_RATE_HZ

    def close(self) -> None:
        """Nothing goes out any more; whoever waits in `play` or `drain` returns."""
        self._closed = True
        self.flush()
        self._ticker.leave(self._beat)
        self._outlet.close()

    # Towards the transport --------------------------------------------------------------------------------------

    def _rouse(self) -> None:
        """There may be something to send: now, if the line was at rest."""
        if self._beat not in self._ticker and self._outlet.ready and self._sound_waits():
            now = self._clock.now()
            if now > self._due_s:
                self._miss(now)
            if (next_s := self._beat(now)) is not None:
                self._ticker.join(self._beat, next_s)

    def _sound_waits(self) -> bool:
        return bool(len(self._queue)) and not self._paused

    def _beat(self, now: float) -> float | None:
        """Send what is due. Returns when the next frame is; None when there is nothing more to send."""
        if not self._sound_waits() and not self._silent_left:
            return None
        if not self._outlet.ready:
            return self._held_up(now)
        if now > self._due_s + CATCH_UP_S:
            self.packets_missed += int((now - self._due_s) / PACKET_S)
            self._miss(now)
        if self._sound_waits():
            self._send_sound(now)
        else:
            self._send_silence()
        return max(self._due_s, now + STEP_S)

    def _held_up(self, now: float) -> float | None:
        """The transport takes nothing: for long, that is a pause of the line, and no fault of ours."""
        if self._started_s is None:
            return None
        if now > self._due_s + CATCH_UP_S:
            self._miss(now)
        return now + STEP_S

    def _miss(self, now: float) -> None:
        """Time has passed in which nothing was sent."""
        if self._started_s is None:
            self._started_s = now
        else:
            self._position += round((now - self._due_s) * VOICE_RATE_HZ)
        self._due_s = now

    def _send_sound(self, now: float) -> None:
        frame = self._queue.take(now)
        if not self._sounding and self._outlet.tail_frames:
            frame = replace(frame, pcm=fade_in(frame.pcm))
        self._sounding, self._last, self._silent_left = True, last_sample(frame.pcm), self._outlet.tail_frames
        self._reference.add(self._position, frame.pcm)
        if frame.reply != self._reply:
            self._send(frame)
            return
        if on_first_packet := self._on_first_packet:  # before it: who is told and hears on one socket unmutes in time
            self._on_first_packet = None
            on_first_packet()
        self._send(frame)
        self._played_samples += frame.samples

    def _send_silence(self) -> None:
        pcm = ease_out(self._last) if self._sounding else SILENCE
        self._sounding = False
        self._silent_left -= 1
        self._send(Frame(pcm, 0, self._reply))

    def _send(self, frame: Frame) -> None:
        started_s = self._started_s or 0.0
        t_audio_ms = (started_s - self._t0) * 1000 + self._position * 1000 / VOICE_RATE_HZ
        payload = self._outlet.send(frame, self._position, t_audio_ms)
        if self._on_packet:
            self._on_packet(self._described(payload, frame, t_audio_ms))
        self.packets_out += 1
        self._position += FRAME_SAMPLES
        self._due_s += PACKET_S

    def _described(self, payload: bytes, frame: Frame, t_audio_ms: float) -> AudioPacket:
        return AudioPacket(
            session_id=self._session_id,
            reply=frame.reply,
            seq=self.packets_out,
            t_audio_ms=t_audio_ms,
            duration_ms=PACKET_MS,
            overlap_ms=self._outlet.overlap_ms(frame),
            codec=self._outlet.codec,
            payload=payload,
        )

    # Towards the queue ------------------------------------------------------------------------------------------

    async def _add(self, size: int, era: int) -> bool:
        """Queue so many bytes of the rest, waiting for room. False: flushed or closed meanwhile."""
        if self._queue.full:
            await self._queue.room()
        if self._closed or era != self._era:
            return False
        self._queue.add(self._cut(size), self._reply)
        self._rouse()
        return True

    def _cut(self, size: int) -> bytes:
        pcm = bytes(self._rest[:size])
        del self._rest[:size]
        return pcm

    def _end_phrase(self) -> None:
        """A reply that was not drained gets its last partial frame out, if there is room for it."""
        self._rest += self._resampler.rest()
        while self._rest and not self._closed:
            pcm = self._cut(min(len(self._rest), FRAME_BYTES))
            if not self._queue.full:
                self._queue.add(pcm, self._reply)
        self._rest.clear()
