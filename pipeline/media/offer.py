"""Looking at what the browser sends before aiortc does."""

import ipaddress
import re

from aiortc import RTCIceCandidate
from aiortc.sdp import SessionDescription, candidate_from_sdp

from pipeline.contracts.errors import MediaError

SDP_LIMIT = 32_768
"""Characters. Chromium's offer with audio, video and data channels has about 8,000."""
MEDIA_LIMIT = 8
CANDIDATE_LIMIT = 64
CANDIDATE_CHARS = 512

_OPUS = re.compile(r"^a=rtpmap:(\d+) opus/48000/2\r?$", re.MULTILINE | re.IGNORECASE)


def checked(sdp: str, *, may_be_deaf: bool = False) -> str:
    """The offer as it may go to aiortc: sane in size, with audio, its candidates numeric. `may_be_deaf`: the caller
    need not take our sound.

    mDNS candidates are left out (aioice would ask the network for a second, each): a browser that hides its address
    finds us, and aioice learns the address from its check. The end of candidates is left out too, so that
    ICE goes on waiting for that check. Raises MediaError.
    """
    if len(sdp) > SDP_LIMIT:
        raise MediaError("the offer is too long")
    if len(re.findall(r"^a=candidate:", sdp, re.MULTILINE)) > CANDIDATE_LIMIT:
        raise MediaError("the offer has too many candidates")
    lines = [line for line in sdp.splitlines() if line and not _left_out(line)]
    text = "\r\n".join(lines) + "\r\n"
    _check(_parsed(text), may_be_deaf)
    return text


def is_deaf(sdp: str) -> bool:
    """Whether this offer, which is `checked`, takes no sound: an encoder's, as for broadcasting."""
    return next(media for media in _parsed(sdp).media if media.kind == "audio").direction == "sendonly"


def _left_out(line: str) -> bool:
    return line.startswith("a=end-of-candidates") or (line.startswith("a=candidate:") and not _usable(line[2:]))


def _usable(candidate: str) -> bool:
    """Foundation, component, transport, priority, address, port, ... (RFC 8839 section 5.1)."""
    fields = candidate.split()
    if len(fields) < 8 or fields[1] != "1" or fields[2].lower() != "udp":
        return False
    try:
        ipaddress.ip_address(fields[4])
        return 0 < int(fields[5]) < 65536  # sending to another ends the socket, and all of the call
    except ValueError:
        return False


def _parsed(sdp: str) -> SessionDescription:
    try:
        return SessionDescription.parse(sdp)
    except Exception as error:  # aiortc's parser raises whatever its first misstep raises
        raise MediaError(f"the offer is not valid SDP ({type(error).__name__})") from error


def _check(offer: SessionDescription, may_be_deaf: bool) -> None:
    audio = [media for media in offer.media if media.kind == "audio"]
    if not audio:
        raise MediaError("the offer has no audio")
    if audio[0].direction not in {"sendrecv", "recvonly", *(["sendonly"] if may_be_deaf else [])}:
        raise MediaError("the offer's audio cannot receive")
    if len(offer.media) > MEDIA_LIMIT:
        raise MediaError("the offer has too many media sections")
    mids = [media.rtp.muxId for media in offer.media]
    bundles = [group.items for group in offer.group if group.semantic == "BUNDLE"]
    if len(mids) > 1 and bundles != [mids]:
        raise MediaError("the offer must bundle all its media on one transport, in order")
    if any(media.dtls is None or not media.dtls.fingerprints for media in offer.media):
        raise MediaError("the offer has no DTLS fingerprint")


def tuned(answer: str, *, silence_unsent: bool) -> str:
    """Our answer with what we want of the browser's Opus: mono, with forward error correction, and where
    `silence_unsent`, no packets in silence (RFC 7587, 6.1)."""
    wanted = "minptime=20;useinbandfec=1;stereo=0" + (";usedtx=1" if silence_unsent else "")
    return _OPUS.sub(lambda line: f"{line[0].rstrip()}\r\na=fmtp:{line[1]} {wanted}\r", answer)


def opus_type(answer: str) -> int:
    """The RTP payload type of Opus. Raises MediaError when it was not agreed on."""
    if found := _OPUS.search(answer):
        return int(found[1])
    raise MediaError("the offer has no Opus")


def candidate(text: str, sdp_mid: str | None, sdp_m_line_index: int | None) -> RTCIceCandidate | None:
    """A trickled candidate; None: nothing to add (the end of candidates, mDNS, TCP). Raises MediaError."""
    if len(text) > CANDIDATE_CHARS:
        raise MediaError("the candidate is too long")
    line = text.strip().removeprefix("a=").removeprefix("candidate:").strip()
    if not line:
        return None
    try:
        parsed = candidate_from_sdp(line)
    except Exception as error:  # asserts, IndexError, ValueError
        raise MediaError("the candidate cannot be parsed") from error
    if not _usable(line):
        return None
    parsed.sdpMid, parsed.sdpMLineIndex = sdp_mid, sdp_m_line_index
    if sdp_mid is None and sdp_m_line_index is None:
        parsed.sdpMLineIndex = 0
    return parsed
