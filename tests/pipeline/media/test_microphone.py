import av
import pytest
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError

from pipeline.contracts.audio import Sound
from pipeline.media.microphone import GAP_TICKS, LAG_S, PIECE_TICKS, STALLED_S, Microphone
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


class Ear:
    """Whoever is attached."""

    def __init__(self) -> None:
        self.sounds: list[Sound] = []
        self.ends = 0

    def end(self) -> None:
        self.ends += 1

    def steps(self) -> set[int]:
        times = [sound.t_audio_ms for sound in self.sounds]
        return {round(b - a) for a, b in zip(times, times[1:], strict=False)}


def attached(clock: FakeClock) -> tuple[Microphone, Ear]:
    microphone, ear = Microphone(clock, 990.0, lambda: None), Ear()
    microphone.attach(ear.sounds.append, ear.end)
    return microphone, ear


async def listened(track: Track) -> tuple[Microphone, Ear]:
    microphone, ear = attached(track.clock)
    microphone.listen(track)
    await settle(300)
    return microphone, ear


async def test_speech_comes_as_whole_20_ms_pieces_of_16_khz_mono():
    microphone, ear = await listened(Track(tone(300, 0.4, 48_000)))
    assert [len(sound.pcm) for sound in ear.sounds] == [640] * 20
    middle = memoryview(ear.sounds[10].pcm).cast("h")
    assert max(middle) == pytest.approx(9000, rel=0.05)
    await microphone.close()


async def test_no_piece_waits_for_the_next_packet():
    microphone, ear = await listened(Track(tone(300, 0.02, 48_000)))
    assert len(ear.sounds) == 1
    await microphone.close()


async def test_times_follow_the_rtp_clock_and_losses_are_silence():
    microphone, ear = await listened(Track(tone(300, 0.6, 48_000), skip=frozenset(range(4, 24))))
    assert len(ear.sounds) == 30, "lost packets are replaced"
    assert ear.steps() == {20}
    assert max(map(abs, memoryview(ear.sounds[5].pcm).cast("h"))) == 0
    await microphone.close()


async def test_a_gap_of_more_than_a_second_is_a_new_beginning():
    microphone, ear = await listened(Track(tone(300, 2.0, 48_000), skip=frozenset(range(5, 65))))
    assert len(ear.sounds) == 40
    await microphone.close()


async def test_the_reader_runs_whether_anyone_listens_or_not():
    track = Track(tone(300, 2.0, 48_000))
    microphone = Microphone(track.clock, 0.0, lambda: None)
    microphone.listen(track)
    await settle(300)
    assert track.frames == []
    await microphone.close()


async def test_the_end_of_the_track_is_told_once():
    microphone, ear = await listened(Track(b""))
    assert ear.ends == 1
    await microphone.close()
    assert ear.ends == 1


async def test_whoever_attaches_after_the_end_is_told_at_once():
    microphone = Microphone(FakeClock(), 0.0, lambda: None)
    await microphone.close()
    late = Ear()
    microphone.attach(late.sounds.append, late.end)
    assert late.ends == 1


async def test_closing_without_a_track_is_an_end_too():
    microphone, ear = attached(FakeClock())
    await microphone.close()
    assert ear.ends == 1


async def test_a_track_that_fails_is_an_end_and_is_logged(caplog):
    class Broken(Track):
        async def recv(self):
            raise ZeroDivisionError

    microphone, ear = await listened(Broken(b""))
    assert ear.ends == 1 and "the microphone failed" in caplog.text
    await microphone.close()


class Silent(MediaStreamTrack):
    """With a tap nothing comes by way of the track."""

    kind = "audio"

    async def recv(self) -> av.AudioFrame:
        await FakeClock().sleep(1)
        raise AssertionError


@pytest.fixture
async def line():
    clock = FakeClock(1000.0)
    microphone, ear = attached(clock)
    microphone.listen(Silent())
    yield clock, microphone, ear
    await microphone.close()


def say(microphone: Microphone, n: int) -> None:
    microphone.hear(n * PIECE_TICKS, PIECE_TICKS, b"\1\0" * 320)


async def test_when_the_browser_says_it_will_be_quiet_the_clock_feeds_silence(line):
    clock, microphone, ear = line
    say(microphone, 0)
    microphone.quiet(True)
    await clock.advance(0.4)
    assert len(ear.sounds) == 1 + 19, "the clock's silence is 10 ms behind"
    assert ear.steps() == {20}
    microphone.quiet(False)
    say(microphone, 20)
    assert len(ear.sounds) == 21 and ear.steps() == {20}


async def test_before_a_stall_is_taken_for_silence_some_time_passes(line):
    clock, microphone, ear = line
    say(microphone, 0)
    await clock.advance(STALLED_S - 0.03)
    assert len(ear.sounds) == 1
    await clock.advance(1.0)
    assert len(ear.sounds) >= 1 + (STALLED_S + 1.0 - 0.03 - LAG_S - 0.02) // 0.02


async def test_speech_that_was_held_up_is_heard_and_so_is_the_silence_after_it_without_delay(line):
    clock, microphone, ear = line
    say(microphone, 0)
    await clock.advance(0.5)
    for n in range(1, 25):
        say(microphone, n)
    microphone.quiet(True)
    assert sum(1 for sound in ear.sounds if any(sound.pcm)) == 25, "nothing of it is left out"
    before = len(ear.sounds)
    await clock.advance(0.4)
    assert len(ear.sounds) - before >= 18


async def test_a_little_that_came_too_late_is_left_out_of_the_next_silence(line):
    clock, microphone, ear = line
    say(microphone, 0)
    microphone.quiet(True)
    for n in range(10, 110, 10):
        await clock.advance(0.2 + (0.02 if n == 10 else 0))
        say(microphone, n - 1)
    await clock.advance(1.0)
    assert len(ear.sounds) == pytest.approx((10 * 0.2 + 1.0) / 0.02, abs=3), "samples tell the time"


async def test_a_sender_whose_clock_jumps_back_is_heard(line):
    _, microphone, ear = line
    say(microphone, 100)
    microphone.hear(-GAP_TICKS, PIECE_TICKS, bytes(640))
    microphone.hear(-GAP_TICKS + PIECE_TICKS, PIECE_TICKS, bytes(640))
    assert len(ear.sounds) == 3


async def test_packets_of_other_lengths_become_whole_pieces(line):
    clock, microphone, ear = line
    for n in range(6):
        microphone.hear(n * 480, 480, bytes(320))
        await clock.advance(0.01)
    await clock.advance(0.05)
    microphone.hear(6 * 480, 2880, bytes(1920))
    assert [len(sound.pcm) for sound in ear.sounds] == [640] * 6
    assert ear.steps() == {20}


async def test_what_came_before_somebody_listened_is_gone():
    clock = FakeClock()
    microphone, ear = Microphone(clock, 0.0, lambda: None), Ear()
    assert not microphone.attached
    say(microphone, 0)
    microphone.attach(ear.sounds.append, ear.end)
    say(microphone, 1)
    assert microphone.attached and len(ear.sounds) == 1
    await microphone.close()
