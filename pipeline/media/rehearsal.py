"""A call between two ends of this process that nobody makes: what aiortc loads on first use is loaded then."""

from aiortc import RTCConfiguration, RTCPeerConnection

from pipeline.core.clock import MonotonicClock
from pipeline.media import peer


async def one_call() -> None:
    """Offer, answer, hang up. Raises MediaError, or OSError when the machine gives no sockets."""
    caller = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    try:
        caller.addTransceiver("audio")
        caller.createDataChannel("control")
        await caller.setLocalDescription(await caller.createOffer())
        line, _ = await peer.answer(caller.localDescription.sdp, clock=MonotonicClock(), session_t0=0.0)
        await line.close()
    finally:
        await caller.close()
