from dataclasses import dataclass
from itertools import pairwise

from aiortc import RTCPeerConnection
from aiortc.jitterbuffer import JitterBuffer
from hypothesis import given
from hypothesis import strategies as st

from pipeline.media import arrivals
from pipeline.media.arrivals import Arrivals
from tests.fakes.clock import FakeClock


@dataclass
class Packet:
    """The fields of `aiortc.rtp.RtpPacket` that count here."""

    sequence_number: int
    timestamp: int
    _data: bytes = b"opus"


def packet(number: int) -> Packet:
    return Packet(number & 0xFFFF, number * 960 & 0xFFFFFFFF)


async def test_aiortc_still_has_the_buffer_that_we_replace(caplog):
    pc = RTCPeerConnection()
    receiver = pc.addTransceiver("audio").receiver
    assert isinstance(getattr(receiver, arrivals.BUFFER), JitterBuffer)
    ours = arrivals.install(receiver, FakeClock())
    assert getattr(receiver, arrivals.BUFFER) is ours
    assert not caplog.records
    await pc.close()


def test_without_that_buffer_calls_go_on_and_the_log_says_so_once(caplog):
    arrivals.install(object(), FakeClock())
    assert len(caplog.records) == 1


def test_each_packet_comes_out_as_it_comes_in():
    buffer = Arrivals(FakeClock())
    for number in range(5):
        key_frame, frame = buffer.add(packet(number))
        assert not key_frame
        assert frame.data == b"opus" and frame.timestamp == number * 960


def test_a_lost_packet_holds_nothing_up():
    buffer = Arrivals(FakeClock())
    out = [buffer.add(packet(number))[1] for number in (0, 1, 4, 5)]
    assert all(out)
    assert buffer.packets_lost == 2


def test_an_overtaken_packet_and_a_repeated_one_are_left_out():
    buffer = Arrivals(FakeClock())
    assert [buffer.add(packet(number))[1] is not None for number in (0, 2, 1, 2, 3)] == [True, True, False, False, True]


def test_an_empty_packet_does_not_end_the_decoder():
    buffer = Arrivals(FakeClock())
    assert buffer.add(Packet(1, 960, b"")) == (False, None)


def test_a_sender_that_starts_over_is_heard():
    buffer = Arrivals(FakeClock())
    buffer.add(packet(100))
    assert buffer.add(packet(30_000))[1] is not None
    assert buffer.packets_lost == 0


@given(st.integers(0, 0xFFFF), st.lists(st.integers(0, 0xFFFF), max_size=50))
def test_whatever_comes_is_released_in_order_or_not_at_all(first, numbers):
    buffer = Arrivals(FakeClock())
    released = [number for number in [first, *numbers] if buffer.add(packet(number))[1] is not None]
    assert all(0 < (b - a) & 0xFFFF <= 0x10000 - arrivals.RESTART for a, b in pairwise(released))
    assert buffer.packets_in == len(released)


async def test_the_delay_from_arrival_to_the_microphone_is_measured():
    clock = FakeClock()
    buffer = Arrivals(clock)
    for number in range(200):
        buffer.add(packet(1000 + number))
        await clock.advance(0.005)
        buffer.heard(number * 960)
        await clock.advance(0.015)
    assert 4.5 < buffer.delay_ms < 5.5
    assert buffer.jitter_ms < 0.1
    assert not buffer._arrived_s


async def test_jitter_is_what_rfc_3550_says():
    clock = FakeClock()
    buffer = Arrivals(clock)
    for number in range(300):
        buffer.add(packet(number))
        await clock.advance(0.030 if number % 2 else 0.010)
    assert 9.0 < buffer.jitter_ms < 10.5


def test_packets_that_never_reach_the_microphone_are_forgotten():
    buffer = Arrivals(FakeClock())
    for number in range(1000):
        buffer.add(packet(number))
    assert len(buffer._arrived_s) <= arrivals.REMEMBERED
