"""The recordings that callers speak, as Opus packets ready to send."""

import json
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np

from pipeline.contracts.numbers import PACKET_MS
from pipeline.soak.measure import AUDIBLE_RMS, PIECE_SAMPLES, levels

SPEECH = Path(__file__).parent / "speech"
SILENCE = b"\xf8\xff\xfe"
"""20 ms of mono digital silence in Opus (RFC 6716, section 3.1: TOC byte 0xF8 is CELT, full band, 20 ms, mono)."""


@dataclass(frozen=True, slots=True)
class Line:
    """Something a caller says."""

    text: str
    packets: tuple[bytes, ...]
    """20 ms of Opus each, ended with the last audible one."""
    speech_end_ms: float
    """Where in the recording the last audible sound ends."""


@dataclass(frozen=True, slots=True)
class Repertoire:
    lines: dict[str, Line]
    interruptions: dict[str, Line]

    def line(self, name: str) -> Line:
        return self.lines.get(name) or self.interruptions[name]


def load(folder: Path = SPEECH) -> Repertoire:
    """Raises OSError or ValueError when the recordings are not there or not of the right form."""
    index = json.loads((folder / "lines.json").read_text())
    return Repertoire(
        *({name: _line(folder / f"{name}.opus", text) for name, text in index[group].items()}
          for group in ("lines", "interruptions"))
    )  # fmt: skip


def _line(path: Path, text: str) -> Line:
    with av.open(str(path)) as recording:
        packets = [bytes(packet) for packet in recording.demux(audio=0) if packet.size]
    end_ms = _speech_end_ms(packets)
    return Line(text, tuple(packets[: int(end_ms // PACKET_MS) + 1]), end_ms)


def _speech_end_ms(packets: list[bytes]) -> float:
    decode = Decoder()
    sound = np.concatenate([decode(packet) for packet in packets])
    audible = [index for index, level in enumerate(levels(sound)) if level >= AUDIBLE_RMS]
    return (audible[-1] + 1) * PIECE_SAMPLES / 48 if audible else 0.0


class Decoder:
    """Opus packets to 48 kHz mono s16 samples, one stream: a packet is decoded knowing those before it."""

    def __init__(self) -> None:
        self._codec = av.CodecContext.create("libopus", "r")
        self._codec.layout = "mono"

    def __call__(self, packet: bytes) -> np.ndarray:
        frames = self._codec.decode(av.Packet(packet))
        return np.concatenate([frame.to_ndarray()[0] for frame in frames])
