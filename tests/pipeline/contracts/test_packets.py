import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.contracts.audio import AudioPacket
from pipeline.contracts.errors import WireError
from pipeline.contracts.packets import (
    MICROPHONE_PCM_BYTES,
    PCM16,
    VOICE_RATE_HZ,
    pack_microphone,
    pack_voice,
    unpack_microphone,
    unpack_voice,
)

U32 = st.integers(0, 2**32 - 1)
TIMES_MS = st.floats(0, 4e6, allow_nan=False)


@st.composite
def voice_packets(draw: st.DrawFn) -> AudioPacket:
    overlap_ms, duration_ms = draw(st.integers(0, 5)), draw(st.integers(1, 20))
    size = (overlap_ms + duration_ms) * VOICE_RATE_HZ // 1000 * 2
    return AudioPacket(
        "s1",
        draw(U32),
        draw(U32),
        draw(TIMES_MS),
        duration_ms,
        overlap_ms,
        PCM16,
        bytes([draw(st.integers(0, 255))]) * size,
    )


@given(voice_packets())
def test_a_voice_packet_comes_back_as_it_was(packet: AudioPacket) -> None:
    assert unpack_voice(pack_voice(packet), "s1") == packet


@given(U32, st.binary(min_size=MICROPHONE_PCM_BYTES, max_size=MICROPHONE_PCM_BYTES))
def test_a_microphone_packet_comes_back_as_it_was(seq: int, pcm: bytes) -> None:
    assert unpack_microphone(pack_microphone(seq, pcm)) == (seq, pcm)


def test_numbers_wrap_where_the_form_ends() -> None:
    assert unpack_microphone(pack_microphone(2**32 + 7, bytes(MICROPHONE_PCM_BYTES)))[0] == 7


@given(st.binary(max_size=1500))
def test_garbage_is_an_error_in_words(data: bytes) -> None:
    for unpack in (unpack_microphone, lambda d: unpack_voice(d, "s1")):
        with pytest.raises(WireError, match="packet"):
            unpack(data)


@given(voice_packets(), st.data())
def test_a_damaged_packet_is_a_packet_or_an_error_in_words(packet: AudioPacket, data: st.DataObject) -> None:
    broken = bytearray(pack_voice(packet))
    for _ in range(data.draw(st.integers(1, 4))):
        broken[data.draw(st.integers(0, min(40, len(broken) - 1)))] = data.draw(st.integers(0, 255))
    broken = broken[: data.draw(st.integers(0, len(broken)))]
    try:
        unpack_voice(bytes(broken), "s1")
    except WireError as error:
        assert "packet" in str(error)


def test_the_form_is_the_documented_one() -> None:
    """Byte by byte, as static/sdk/packets.js reads and writes it."""
    packet = AudioPacket("s1", 3, 258, 1000.5, 20, 5, PCM16, b"\x01\x02" * 600)
    header = pack_voice(packet)[:24]
    assert header == bytes.fromhex("0101010002010000030000000000000000448f4014000500")
    assert pack_microphone(258, bytes(640))[:8] == bytes.fromhex("0102000002010000")


@pytest.mark.parametrize(
    "packet",
    [
        AudioPacket("s1", 1, 1, 0.0, 20, 0, "opus", b""),
        AudioPacket("s1", 1, 1, 0.0, 2.5, 0, PCM16, b""),
    ],
)
def test_what_the_form_cannot_hold_is_refused(packet: AudioPacket) -> None:
    with pytest.raises(ValueError):
        pack_voice(packet)


def test_a_microphone_packet_of_another_length_is_not_made() -> None:
    with pytest.raises(ValueError):
        pack_microphone(1, b"12")
