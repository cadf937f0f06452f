"""Sound as values. PCM is always `bytes`: signed 16 bit, little endian, mono."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Sound:
    """A piece of what the visitor says: 20 ms of PCM at 16 kHz (640 bytes) from `Microphone.read()`."""

    pcm: bytes
    t_audio_ms: float
    """When its first sample was captured, on the session's audio clock."""


@dataclass(frozen=True, slots=True)
class PhonemeMark:
    """A phoneme begins. `symbol` is espeak-ng's mnemonic (Kirshenbaum-like, e.g. `p`, `A:`, `@`; `_` is a pause)."""

    symbol: str
    t_ms: float
    """Position in the phrase's audio."""


@dataclass(frozen=True, slots=True)
class WordMark:
    """A word begins to sound."""

    start: int
    """Character offset of the word in the phrase's text as it was given to `Voice.speak()`."""
    length: int
    t_ms: float


@dataclass(frozen=True, slots=True)
class SpeechChunk:
    """A piece of synthesised speech with the marks that fall into it (times relative to the phrase's first sample)."""

    pcm: bytes
    rate_hz: int
    phonemes: tuple[PhonemeMark, ...] = field(default=())
    words: tuple[WordMark, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class AudioPacket:
    """One packet on its way out (V4). `payload` is Opus or PCM as `codec` says."""

    session_id: str
    reply: int
    seq: int
    t_audio_ms: float
    duration_ms: float
    overlap_ms: float
    codec: str
    payload: bytes
