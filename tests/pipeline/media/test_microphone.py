import asyncio

import av
import pytest
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError

from pipeline.contracts.errors import StreamEnded
from pipeline.media.microphone import QUEUE_FRAMES, Microphone
from tests.fakes.clock import FakeClock, settle
from tests.pipeline.media.conftest import tone


class Track(MediaStreamTrack):
    """A visitor's track as aiortc's decoder delivers it: 48 kHz stereo, 20 ms a frame in its time, then the end."""

    kind = "audio"

    def __init__(self, pcm: bytes, skip: frozenset[int] = frozenset()) -> None:
        super().__init__()
        self.frames = [n for n in range(len(pcm) // 1920) if n not in skip]
        self.pcm = pcm
        self.clock = FakeClock(1000.0)

    async def recv(self) -> av.AudioFrame:
        if not self.frames:
            raise MediaStreamError
        n = self.frames.pop(0)
        self.clock._now = 1000.0 + n * 0.02
        mono = memoryview(self.pcm[n * 1920 : (n + 1) * 1920]).cast("h")
        frame = av.AudioFrame(format="s16", layout="stereo", samples=960)
        frame.planes[0].update(b"".join(s.to_bytes(2, "little", signed=True) * 2 for s in mono))
        frame.sample_rate, frame.pts = 48_000, n * 960
        return frame


async def listened(track: Track) -> tuple[Microphone, list]:
    microphone = Microphone(track.clock, 990.0, lambda pts: None)
    microphone.listen(track)
    await settle(300)
    sounds = []
    while True:
        try:
            sounds.append(await microphone.read())
        except StreamEnded:
            return microphone, sounds


async def test_speech_comes_as_whole_20_ms_pieces_of_16_khz_mono():
    microphone, sounds = await listened(Track(tone(300, 0.4, 48_000)))
    assert [len(sound.pcm) for sound in sounds] == [640] * 20
    middle = memoryview(sounds[10].pcm).cast("h")
    assert max(middle) == pytest.approx(9000, rel=0.05)
    await microphone.close()


async def test_no_piece_waits_for_the_next_packet():
    microphone, sounds = await listened(Track(tone(300, 0.02, 48_000)))
    assert len(sounds) == 1
    await microphone.close()


async def test_times_follow_the_rtp_clock_and_short_losses_are_silence():
    microphone, sounds = await listened(Track(tone(300, 0.2, 48_000), skip=frozenset({4, 5})))
    assert len(sounds) == 10, "two lost packets are replaced"
    steps = {round(b.t_audio_ms - a.t_audio_ms) for a, b in zip(sounds[4:], sounds[5:], strict=False)}
    assert steps == {20}
    assert max(map(abs, memoryview(sounds[5].pcm).cast("h"))) == 0
    await microphone.close()


async def test_a_long_gap_is_not_filled():
    microphone, sounds = await listened(Track(tone(300, 0.6, 48_000), skip=frozenset(range(5, 25))))
    assert len(sounds) == 10
    await microphone.close()


async def test_a_slow_reader_loses_the_oldest_sound_and_it_is_counted():
    microphone, sounds = await listened(Track(tone(300, 1.4, 48_000)))
    assert len(sounds) == QUEUE_FRAMES
    assert microphone.frames_dropped == 20
    await microphone.close()


async def test_the_reader_runs_whether_anyone_listens_or_not():
    track = Track(tone(300, 2.0, 48_000))
    microphone = Microphone(FakeClock(), 0.0, lambda pts: None)
    microphone.listen(track)
    await settle(300)
    assert track.frames == []
    await microphone.close()


async def test_closing_wakes_whoever_reads():
    microphone = Microphone(FakeClock(), 0.0, lambda pts: None)
    reading = asyncio.create_task(microphone.read())
    await settle()
    await microphone.close()
    with pytest.raises(StreamEnded):
        await reading


async def test_a_track_that_fails_ends_the_stream_and_is_logged(caplog):
    class Broken(Track):
        async def recv(self):
            raise ZeroDivisionError

    microphone, sounds = await listened(Broken(b""))
    assert sounds == [] and "the microphone failed" in caplog.text
    await microphone.close()
