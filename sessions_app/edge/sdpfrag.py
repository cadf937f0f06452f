"""Fragments of SDP by which a WHIP client trickles its candidates (`application/trickle-ice-sdpfrag`, RFC 8840).

    a=ice-ufrag:EsAw
    a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1
    m=audio 9 UDP/TLS/RTP/SAVPF 0
    a=mid:0
    a=candidate:1387637174 1 udp 2122260223 192.0.2.1 61764 typ host
    a=end-of-candidates

Only what a call needs is read; other lines that have the form of SDP are passed over, as RFC 8866 (section 5) demands.
"""

import re
from dataclasses import dataclass
from typing import Final

MAX_CHARS: Final = 32_000
MAX_CANDIDATES: Final = 32
"""In one fragment: each is a message to a mailbox that all calls of a worker share. A worker takes 64 in one call."""
MAX_CANDIDATE_CHARS: Final = 1_000
MAX_MID_CHARS: Final = 64

_LINE: Final = re.compile(r"[a-z]=[^\x00\n\r]*")


class BadFragment(ValueError):
    """The text is no fragment that can be used; says why."""


@dataclass(frozen=True, slots=True)
class Trickled:
    """One candidate, as `RTCIceCandidate.candidate` has it; empty: there are no more of this media section."""

    candidate: str
    mid: str | None


@dataclass(frozen=True, slots=True)
class Fragment:
    candidates: tuple[Trickled, ...]
    ufrag: str = ""
    password: str = ""

    @property
    def has_credentials(self) -> bool:
        return bool(self.ufrag and self.password)


def parse(text: str) -> Fragment:
    """Raises BadFragment, and nothing else, whatever the text is."""
    if len(text) > MAX_CHARS:
        raise BadFragment(f"A fragment may have {MAX_CHARS:,} characters.")
    reader = _Reader()
    for line in text.replace("\r\n", "\n").split("\n"):
        if line:
            reader.read(line)
    return Fragment(tuple(reader.candidates), reader.ufrag, reader.password)


class _Reader:
    """Reads line by line: what belongs to a media section comes after its `m=` line."""

    def __init__(self) -> None:
        self.candidates: list[Trickled] = []
        self.ufrag = self.password = ""
        self._in_media = False
        self._mid: str | None = None

    def read(self, line: str) -> None:
        if not _LINE.fullmatch(line):
            raise BadFragment("A fragment has lines of the form `a=name:value` and `m=media …` only.")
        if line.startswith("m="):
            self._in_media, self._mid = True, None
        elif line.startswith("a="):
            name, _, value = line[2:].partition(":")
            self._attribute(name, value.strip())

    def _attribute(self, name: str, value: str) -> None:
        match name:
            case "ice-ufrag":
                self.ufrag = self.ufrag or value
            case "ice-pwd":
                self.password = self.password or value
            case "mid":
                self._named(value)
            case "candidate":
                self._candidate(value)
            case "end-of-candidates":
                self._add(Trickled("", self._mid))

    def _named(self, mid: str) -> None:
        if not self._in_media:
            raise BadFragment("`a=mid` belongs to a media section: send its `m=` line first.")
        if not 0 < len(mid) <= MAX_MID_CHARS:
            raise BadFragment(f"A mid has 1 to {MAX_MID_CHARS} characters.")
        self._mid = mid

    def _candidate(self, value: str) -> None:
        if not self._in_media:
            raise BadFragment("A candidate belongs to a media section: send its `m=` line, and `a=mid`, first.")
        if not 0 < len(value) <= MAX_CANDIDATE_CHARS - len("candidate:"):
            raise BadFragment(f"A candidate has 1 to {MAX_CANDIDATE_CHARS:,} characters.")
        self._add(Trickled(f"candidate:{value}", self._mid))

    def _add(self, trickled: Trickled) -> None:
        if len(self.candidates) == MAX_CANDIDATES:
            raise BadFragment(f"A fragment may have {MAX_CANDIDATES} candidates.")
        self.candidates.append(trickled)
