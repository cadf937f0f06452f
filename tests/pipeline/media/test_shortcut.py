from aiortc import RTCPeerConnection
from aiortc.rtp import RtpPacket
from hypothesis import given
from hypothesis import strategies as st
from pylibsrtp import Policy, Session

from pipeline.media import shortcut
from pipeline.media.shortcut import LONGEST_BYTES, Rtp, parsed, way


class Receiver:
    """As much of aiortc's as is looked at: a transport with its keys, once there are any."""

    def __init__(self) -> None:
        self.transport = self
        self._rx_srtp = None

    def agree(self) -> Session:
        """The handshake is done. Returns the other side's keys."""
        key = bytes(30)
        self._rx_srtp = Session(Policy(key=key, ssrc_type=Policy.SSRC_ANY_INBOUND))
        return Session(Policy(key=key, ssrc_type=Policy.SSRC_ANY_OUTBOUND))


def a_packet(number: int = 7) -> bytes:
    return RtpPacket(111, 1, number, 960, 5, b"opus").serialize()


async def test_aiortc_still_has_the_name_that_the_shortcut_needs(caplog):
    pc = RTCPeerConnection()
    assert shortcut.possible(pc.addTransceiver("audio").receiver) and not caplog.records
    await pc.close()


def test_without_it_the_log_says_so_and_packets_go_the_long_way(caplog):
    receiver = Receiver()
    del receiver._rx_srtp
    assert not shortcut.possible(receiver) and len(caplog.records) == 1


def test_before_there_are_keys_nothing_is_taken():
    taken = []
    assert not way(Receiver(), taken.append)(a_packet()) and taken == []


def test_a_packet_is_decrypted_and_taken():
    receiver, taken = Receiver(), []
    receive, theirs = way(receiver, taken.append), receiver.agree()
    assert receive(theirs.protect(a_packet()))
    assert taken == [Rtp(111, 7, 960, 5, b"opus")]


def test_what_is_forged_or_repeated_or_too_long_goes_no_further():
    receiver, taken = Receiver(), []
    receive, theirs = way(receiver, taken.append), receiver.agree()
    good = theirs.protect(a_packet())
    for data in (good, good, good[:-1] + b"\0", a_packet(9), b"\x80" * 12, b"\x80" * (LONGEST_BYTES + 1)):
        assert receive(data)
    assert len(taken) == 1


@given(st.binary(max_size=80))
def test_whatever_comes_is_understood_as_aiortc_understands_it(data):
    agrees_with_aiortc(data)


@given(st.integers(0, 63), st.binary(min_size=11, max_size=60))
def test_and_so_is_what_begins_like_rtp(flags, rest):
    agrees_with_aiortc(bytes([0x80 | flags]) + rest)


def agrees_with_aiortc(data: bytes) -> None:
    try:
        theirs = RtpPacket.parse(data)
    except ValueError:
        theirs = None
    ours = parsed(data)
    if theirs is None or ours is None:
        # aiortc looks into header extensions and refuses some; we pass over them.
        assert ours is None or data[0] & 0x10
        assert theirs is None
        return
    for name in ("payload_type", "sequence_number", "timestamp", "ssrc", "payload"):
        assert getattr(ours, name) == getattr(theirs, name)
