import logging

from aiortc import RTCPeerConnection
from aiortc.jitterbuffer import JitterBuffer
from aiortc.rtcrtpparameters import RTCRtpCodecParameters
from aiortc.rtp import RtpPacket

from pipeline.core.clock import MonotonicClock
from pipeline.media import libopus, tap
from pipeline.media.incoming import Incoming
from pipeline.media.microphone import Microphone


def receiver():
    """One of aiortc's, which knows payload type 96."""
    pc = RTCPeerConnection()
    made = pc.addTransceiver("audio").receiver
    getattr(made, tap.CODECS)[96] = RTCRtpCodecParameters("audio/opus", clockRate=48_000, payloadType=96)
    return pc, made


def packet(number: int, ssrc: int = 1, payload_type: int = 96) -> RtpPacket:
    return RtpPacket(payload_type, 0, number & 0xFFFF, number * 960 & 0xFFFFFFFF, ssrc, b"opus")


async def test_aiortc_still_has_the_names_that_the_tap_needs(caplog):
    pc, audio = receiver()
    assert tap.possible(audio) and not caplog.records
    assert isinstance(audio._RTCRtpReceiver__jitter_buffer, JitterBuffer)
    await pc.close()


def test_without_them_the_log_says_so_once(caplog):
    assert not tap.possible(object())
    assert len(caplog.records) == 1 and tap.HANDLE in caplog.text


async def test_without_libopus_aiortc_decodes_by_itself(monkeypatch, caplog):
    def missing():
        raise OSError("libopus was not found")

    monkeypatch.setattr(libopus, "library", missing)
    pc, audio = receiver()
    clock = MonotonicClock()
    incoming = Incoming(clock, Microphone(clock, 0.0, lambda: None))
    assert not incoming.tap(audio) and tap.HANDLE not in vars(audio)
    assert len(caplog.records) == 1
    await pc.close()


async def test_packets_go_to_the_tap_and_are_counted_for_the_reports_as_aiortc_counts_them():
    taken, (pc, ours), (other, theirs) = [], receiver(), receiver()
    tap.install(ours, taken.append)
    for number in [65_533, 65_534, 65_536, 65_535, 65_538]:
        await ours._handle_rtp_packet(packet(number), arrival_time_ms=0)
        await theirs._handle_rtp_packet(packet(number), arrival_time_ms=0)
    assert [p.sequence_number for p in taken] == [65_533, 65_534, 0, 65_535, 2]
    mine, stock = getattr(ours, tap.STREAMS)[1], getattr(theirs, tap.STREAMS)[1]
    for name in ("packets_received", "packets_expected", "packets_lost", "max_seq", "cycles"):
        assert getattr(mine, name) == getattr(stock, name)
    assert mine.packets_lost == 1
    await pc.close()
    await other.close()


async def test_packets_of_an_unknown_payload_type_are_left_out():
    taken, (pc, audio) = [], receiver()
    tap.install(audio, taken.append)
    await audio._handle_rtp_packet(packet(1, payload_type=13), arrival_time_ms=0)
    assert taken == [] and not getattr(audio, tap.STREAMS)
    await pc.close()


async def test_a_visitor_who_changes_ssrc_for_ever_costs_a_bounded_report():
    pc, audio = receiver()
    tap.install(audio, lambda packet: None)
    for ssrc in range(1000):
        await audio._handle_rtp_packet(packet(1, ssrc), arrival_time_ms=0)
    assert list(getattr(audio, tap.STREAMS)) == [996, 997, 998, 999]
    await pc.close()


async def test_whoever_fails_on_a_packet_does_not_end_the_call_and_the_log_does_not_fill(caplog):
    def fail(packet):
        raise ZeroDivisionError

    caplog.set_level(logging.INFO)
    pc, audio = receiver()
    tap.install(audio, fail)
    for number in range(50):
        await audio._handle_rtp_packet(packet(number), arrival_time_ms=0)
    assert len(caplog.records) == 1
    await pc.close()
