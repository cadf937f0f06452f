"""A visitor's connection: an SDP offer becomes a `core.ports.Line`."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from aiortc import RTCRtpSender, RTCSessionDescription

from pipeline.contracts.errors import MediaError
from pipeline.core.ports import Clock
from pipeline.media import guard, offer
from pipeline.media.channels import SideChannels
from pipeline.media.connection import Connection
from pipeline.media.incoming import Incoming
from pipeline.media.microphone import Microphone
from pipeline.media.outgoing import RtpOutlet
from pipeline.media.outlet import Unheard
from pipeline.media.speaker import Speaker


async def answer(
    sdp: str,
    *,
    ice_servers: Sequence[dict[str, Any]] = (),
    clock: Clock,
    session_t0: float,
    may_be_deaf: bool = False,
) -> tuple["Peer", str]:
    """Take the call that `sdp` offers. Returns its line and our SDP answer, which holds all our candidates.

    `session_t0`: clock seconds at which the session's audio clock reads zero. `may_be_deaf`: an offer that takes no
    sound of ours is a call, too. Raises MediaError for anything wrong with the offer, and leaves nothing behind then.
    """
    remote = offer.checked(sdp, may_be_deaf=may_be_deaf)
    peer = Peer(ice_servers, clock, session_t0, deaf=may_be_deaf and offer.is_deaf(remote))
    negotiating = asyncio.create_task(peer._negotiate(remote), name="answer a call")
    try:
        return peer, await asyncio.shield(negotiating)
    except Exception as error:  # seven kinds at least, for SDP that parses but makes no sense
        await peer.close()
        raise MediaError(f"the offer cannot be answered ({type(error).__name__})") from error
    except asyncio.CancelledError:
        # aioice forgets its queries to STUN servers when gathering is cancelled: let it end, within GATHER_S.
        await asyncio.gather(negotiating, return_exceptions=True)
        await peer.close()
        raise


class Peer:
    """`core.ports.Line` over WebRTC. Made by `answer()`."""

    def __init__(
        self, ice_servers: Sequence[dict[str, Any]], clock: Clock, session_t0: float, *, deaf: bool = False
    ) -> None:
        self.microphone = Microphone(clock, session_t0, self._heard)
        self._outlet = None if deaf else RtpOutlet()
        self.speaker = Speaker(clock, session_t0, self._outlet or Unheard())
        self.on_control: Callable[[dict[str, Any]], None] = _nobody
        self._clock = clock
        self._last_heard = clock.now()
        self._ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._channels = SideChannels(lambda message: self.on_control(message), self._heard)
        self._connection = Connection(ice_servers, self._end)
        self._incoming = Incoming(clock, self.microphone)
        self._guards: list[guard.Guard] = []
        self._candidates = 0

    # The port ---------------------------------------------------------------------------------------------------

    def control(self, message: dict[str, Any]) -> bool:
        return self._channels.control(message)

    def face(self, message: dict[str, Any]) -> bool:
        return self._channels.face(message)

    @property
    def last_heard(self) -> float:
        return self._last_heard

    async def add_candidate(self, candidate: str, sdp_mid: str | None, sdp_m_line_index: int | None) -> None:
        parsed = offer.candidate(candidate, sdp_mid, sdp_m_line_index)
        self._candidates += 1
        if self._candidates > offer.CANDIDATE_LIMIT:
            raise MediaError("too many candidates")
        if parsed is None or self._ended.done():
            return
        try:
            await self._connection.pc.addIceCandidate(parsed)
        except Exception as error:
            raise MediaError(f"the candidate cannot be used ({type(error).__name__})") from error

    async def closed(self) -> str:
        return await asyncio.shield(self._ended)

    async def close(self) -> None:
        self._end("closed")
        self.speaker.close()
        await self.microphone.close()
        await self._connection.close()

    def stats(self) -> dict[str, float]:
        """Counts since the call began, and the jitter and delay of late; ms where the name says so."""
        return {
            **self._incoming.stats(),
            "packets_out": self.speaker.packets_out,
            "packets_due": self.speaker.packets_due,
            "messages_dropped": self._channels.dropped,
            "messages_garbage": self._channels.garbage,
            "datagrams_dropped": sum(watch.dropped for watch in self._guards),
        }

    # Making it --------------------------------------------------------------------------------------------------

    async def _negotiate(self, remote: str) -> str:
        pc = self._connection.pc
        pc.on("datachannel", self._channels.opened)
        if self._outlet is None:
            audio = pc.addTransceiver("audio", direction="recvonly")
        else:
            audio = pc.addTransceiver(self._outlet.track, direction="sendrecv")
        audio.setCodecPreferences(
            [c for c in RTCRtpSender.getCapabilities("audio").codecs if c.mimeType == "audio/opus"]
        )
        await pc.setRemoteDescription(RTCSessionDescription(remote, "offer"))
        for other in pc.getTransceivers():
            if other is not audio:
                other.direction = "inactive"  # so the browser sends none of it, and nothing is decoded
        self._connection.hurry()
        tapped = self._incoming.tap(audio.receiver)
        ours = offer.tuned((await pc.createAnswer()).sdp, silence_unsent=tapped)
        await pc.setLocalDescription(RTCSessionDescription(ours, "answer"))
        self._guards = [guard.install(ice, self._heard) for ice in self._connection.ice()]
        if on_rtp := self._incoming.shortcut(audio.receiver):
            for watch in self._guards:
                watch.on_rtp = on_rtp
        opus_type = offer.opus_type(ours)
        if self._outlet is not None:
            self._outlet.depart_from(audio.sender, opus_type)
        if audio.receiver.track is not None:  # an offer may want to listen only
            self.microphone.listen(audio.receiver.track, self._incoming.beat)
        return str(pc.localDescription.sdp)

    def _heard(self) -> None:
        self._last_heard = self._clock.now()

    def _end(self, reason: str) -> None:
        if not self._ended.done():
            self._ended.set_result(reason)


def _nobody(message: dict[str, Any]) -> None:
    """Until the session listens, control messages go nowhere."""
