import asyncio

from aiortc import RTCPeerConnection
from aiortc.rtp import RtcpSrPacket, RtpPacket

from pipeline.media import departures
from pipeline.media.departures import Departures
from pipeline.media.outgoing import RtpOutlet
from pipeline.media.playout import Frame
from tests.pipeline.media.conftest import tone
from tests.pipeline.media.speaking import frames


class Sender:
    """As much of aiortc's as is used, and its transport too."""

    def __init__(self, waits: bool = False, gone: bool = False) -> None:
        self.transport, self.waits, self.gone = self, waits, gone
        self._ssrc, self.sent = 77, []
        for name in (departures.PACKETS, departures.OCTETS, departures.NTP_TIME, departures.RTP_TIME):
            setattr(self, name, 0)

    async def _send_rtp(self, data: bytes) -> None:
        if self.gone:
            raise ConnectionError
        if self.waits:
            await asyncio.sleep(0)
        self.sent.append(RtpPacket.parse(data))


async def test_aiortc_still_has_the_names_that_are_needed(caplog):
    pc = RTCPeerConnection()
    assert departures.possible(pc.addTransceiver("audio").sender) and not caplog.records
    await pc.close()


def test_without_them_the_log_says_so_once(caplog):
    sender = Sender()
    delattr(sender, departures.OCTETS)
    assert not departures.possible(sender)
    assert len(caplog.records) == 1 and departures.OCTETS in caplog.text


def test_packets_are_numbered_and_dated_and_a_talkspurt_is_marked():
    sender = Sender()
    out = Departures(sender, 111)
    for ticks in (0, 960, 1920, 48_000, 48_960):
        assert out.send(b"opus", ticks)
    first = sender.sent[0]
    assert [(p.sequence_number - first.sequence_number) & 0xFFFF for p in sender.sent] == [0, 1, 2, 3, 4]
    assert [(p.timestamp - first.timestamp) & 0xFFFFFFFF for p in sender.sent] == [0, 960, 1920, 48_000, 48_960]
    assert [p.marker for p in sender.sent] == [1, 0, 0, 1, 0]
    assert {(p.payload_type, p.ssrc, p.payload) for p in sender.sent} == {(111, 77, b"opus")}


def test_numbers_wrap():
    sender = Sender()
    out = Departures(sender, 111)
    out._sequence, out._origin = 0xFFFF, 0xFFFFFFFF
    for ticks in (0, 960):
        out.send(b"", ticks)
    assert [(p.sequence_number, p.timestamp) for p in sender.sent] == [(0xFFFF, 0xFFFFFFFF), (0, 959)]


def test_a_connection_that_is_gone_swallows_packets():
    assert Departures(Sender(gone=True), 111).send(b"opus", 0)


async def test_a_transport_that_would_have_to_wait_is_left_to_aiortcs_sender(caplog):
    sender, outlet = Sender(waits=True), RtpOutlet()
    outlet.depart_from(sender, 111)
    pulled = asyncio.create_task(outlet.track.recv())
    await asyncio.sleep(0)
    outlet.send(Frame(frames(1), 480, 1), 0, 0.0)
    outlet.send(Frame(frames(1), 480, 1), 480, 20.0)
    assert (await pulled).pts == 960
    assert len(caplog.records) == 1
    outlet.close()


async def test_the_browser_gets_sender_reports_of_what_was_sent(call):
    peer, caller = await call()
    receiver, reports, told = caller.pc.getReceivers()[0], [], asyncio.Event()
    handle = receiver._handle_rtcp_packet

    async def keep(packet) -> None:
        if isinstance(packet, RtcpSrPacket) and packet.sender_info.packet_count:
            reports.append(packet.sender_info)
            told.set()
        await handle(packet)

    receiver._handle_rtcp_packet = keep
    peer.speaker.begin(1, lambda: None)
    await peer.speaker.play(tone(440, 0.2, 24_000), 24_000)
    await asyncio.wait_for(told.wait(), 15)
    assert 1 <= reports[0].packet_count <= peer.stats()["packets_out"]
    assert reports[0].octet_count > reports[0].packet_count and reports[0].ntp_timestamp


async def test_where_aiortc_has_changed_the_visitor_hears_all_the_same(call, monkeypatch, caplog):
    monkeypatch.setattr(departures, "OCTETS", "_no_such_name")
    peer, caller = await call()
    assert "_no_such_name" in caplog.text
    peer.speaker.begin(1, lambda: None)
    await peer.speaker.play(tone(440, 0.3, 24_000), 24_000)
    await peer.speaker.drain()
    await caller.until(lambda: len(caller.loud()) >= 14)
