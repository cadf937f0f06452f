import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.media import libopus
from pipeline.media.libopus import Decoder, Encoder, OpusError
from tests.pipeline.media.conftest import tone


def redundant(pcm: bytes) -> list[bytes]:
    """20 ms packets of 48 kHz mono as a browser makes them on a lossy path: voice, with forward error correction."""
    codec = av.CodecContext.create("libopus", "w")
    codec.bit_rate, codec.sample_rate = 32_000, 48_000
    codec.format, codec.layout = av.AudioFormat("s16"), av.AudioLayout("mono")
    codec.options = {"application": "voip", "fec": "1", "packet_loss": "20", "frame_duration": "20"}
    packets = []
    for at in range(0, len(pcm), 1920):
        frame = av.AudioFrame(format="s16", layout="mono", samples=960)
        frame.sample_rate, frame.pts = 48_000, at // 2
        frame.planes[0].update(pcm[at : at + 1920])
        packets += [bytes(packet) for packet in codec.encode(frame)]
    return packets


def loudness(pcm: bytes) -> float:
    return sum(map(abs, memoryview(pcm).cast("h"))) / (len(pcm) / 2)


def beep(seconds: float = 0.4) -> list[bytes]:
    """Silence, and in the middle of it one frame of sound."""
    frames = int(seconds / 0.02)
    return redundant(bytes(1920 * (frames // 2)) + tone(300, 0.02, 48_000) + bytes(1920 * (frames // 2)))


def test_packets_become_16_khz_mono():
    decoder = Decoder(16_000)
    sounds = [decoder.decode(packet) for packet in redundant(tone(300, 0.4, 48_000))]
    assert {len(sound) for sound in sounds} == {640}
    assert loudness(sounds[10]) == pytest.approx(9000 * 2 / 3.1416, rel=0.1)


def test_a_lost_frame_is_recovered_from_the_packet_that_follows_it():
    """Not guessed from what came before: that was silence."""
    packets = beep()
    whole = Decoder(16_000)
    middle = max(range(len(packets)), key=lambda n: loudness(whole.decode(packets[n])))
    lossy, guessing = Decoder(16_000), Decoder(16_000)
    for packet in packets[:middle]:
        lossy.decode(packet)
        guessing.decode(packet)
    assert loudness(lossy.recover(packets[middle + 1], 320)) > 20 * loudness(guessing.conceal(320)) + 100


def test_concealment_goes_on_and_fades():
    decoder = Decoder(16_000)
    for packet in redundant(tone(300, 0.4, 48_000)):
        decoder.decode(packet)
    made_up = [loudness(decoder.conceal(320)) for _ in range(20)]
    assert made_up[0] > 1000 and made_up[-1] < 100


def test_after_a_reset_the_decoder_knows_nothing_of_the_stream_before():
    decoder = Decoder(16_000)
    for packet in redundant(tone(300, 0.2, 48_000)):
        decoder.decode(packet)
    decoder.reset()
    assert not any(decoder.conceal(320))


@given(st.binary(max_size=1500))
def test_whatever_comes_is_sound_or_an_opus_error(payload):
    decoder = Decoder(16_000)
    for attempt in (decoder.decode, lambda data: decoder.recover(data, 320)):
        try:
            assert len(attempt(payload)) <= 16_000 * 0.12 * 2
        except OpusError as error:
            assert str(error)


def test_a_frame_of_a_length_that_opus_does_not_know_is_an_error():
    with pytest.raises(OpusError, match="invalid argument"):
        Encoder(24_000, 32_000, 5).encode(bytes(100))


def test_a_rate_that_opus_does_not_know_is_an_error():
    with pytest.raises(OpusError):
        Decoder(22_050)


def test_where_there_is_no_libopus_it_is_an_os_error(monkeypatch):
    libopus.library.cache_clear()
    monkeypatch.setattr(libopus, "_places", lambda: iter(["/nowhere/libopus.so"]))
    with pytest.raises(OSError, match="not found"):
        Decoder(16_000)
    libopus.library.cache_clear()
