import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.media import libopus
from pipeline.media.edges import FRAME_BYTES, VOICE_RATE_HZ
from pipeline.media.opus import AvEncoder, Resampler, encoder
from tests.pipeline.media.conftest import tone

ENCODERS = pytest.mark.parametrize("make", [encoder, AvEncoder])


@ENCODERS
def test_each_frame_becomes_one_mono_packet_of_20_ms_within_the_bit_rate(make):
    maker, pcm = make(), tone(440, 2.0, VOICE_RATE_HZ)
    packets = [maker.encode(pcm[at : at + FRAME_BYTES]) for at in range(0, len(pcm), FRAME_BYTES)]
    assert len(packets) == 100 and all(packets)
    # The first byte (RFC 6716 section 3.1): bit 2 is stereo, the last two say how many frames; here one.
    assert all(not packet[0] & 0b111 for packet in packets)
    assert sum(map(len, packets)) * 8 / 2.0 < 40_000


@ENCODERS
def test_what_was_encoded_decodes_to_the_same_loudness(make):
    maker, decoder = make(), av.CodecContext.create("libopus", "r")
    pcm, heard = tone(440, 1.0, VOICE_RATE_HZ), []
    for at in range(0, len(pcm), FRAME_BYTES):
        frames = decoder.decode(av.Packet(maker.encode(pcm[at : at + FRAME_BYTES])))
        heard += [abs(frame.to_ndarray()).mean() for frame in frames]
    said = sum(abs(sample) for sample in memoryview(pcm).cast("h")) / (len(pcm) / 2)
    middle = sum(heard[10:40]) / 30
    middle *= 32768 if middle < 1 else 1
    assert middle == pytest.approx(said, rel=0.2)


def test_where_libopus_cannot_be_found_sound_is_encoded_through_av(monkeypatch, caplog):
    def missing():
        raise OSError("libopus was not found")

    monkeypatch.setattr(libopus, "library", missing)
    assert isinstance(encoder(), AvEncoder)
    assert len(caplog.records) == 1


@given(st.lists(st.integers(100, 4000), min_size=1, max_size=8))
def test_resampling_in_pieces_loses_nothing_and_leaves_no_seam(sizes):
    whole, pieces = Resampler(48_000), Resampler(48_000)
    pcm = tone(300, sum(sizes) / 22_050 + 0.001, 22_050)[: sum(sizes) * 2]
    at_once = whole.feed(pcm, 22_050) + whole.rest()
    in_pieces, at = b"", 0
    for size in sizes:
        in_pieces += pieces.feed(pcm[at : at + size * 2], 22_050)
        at += size * 2
    in_pieces += pieces.rest()
    assert in_pieces == at_once
    assert len(at_once) / 2 == pytest.approx(sum(sizes) * 48_000 / 22_050, abs=3)


def test_sound_at_the_right_rate_passes_through():
    assert Resampler(48_000).feed(b"\1\2" * 10, 48_000) == b"\1\2" * 10


def test_a_change_of_rate_lets_the_first_sound_end():
    resampler = Resampler(48_000)
    out = resampler.feed(tone(300, 0.1, 22_050), 22_050) + resampler.feed(tone(300, 0.1, 16_000), 16_000)
    assert len(out + resampler.rest()) / 2 == pytest.approx(9600, abs=6)
