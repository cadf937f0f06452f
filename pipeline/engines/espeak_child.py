"""The process that loads libespeak-ng (global state, GPLv3) by ctypes; `pipeline.engines.espeak` is its other end.

Stream request: `{"voice": name, "rate_wpm": n}`. Items in: `[offset, text]`, a piece of the phrase and where it
begins in it. Items out: `[pcm, [[phoneme, t_ms], ...], [[start, length, t_ms], ...]]`: s16le at 22,050 Hz with the
marks whose sound begins in it; times count from the phrase's first sample, word offsets from its first character.

Source of structures and numbers: espeak-ng 1.52, `speak_lib.h`.
"""

import ctypes
import re
from collections.abc import Callable, Collection
from typing import Any, Final

import espeakng_loader

from pipeline.engines.child_stream import Opener, Send

RATE_HZ: Final = 22_050
BUFFER_MS: Final = 60
"""What one callback brings at most; the library does not go lower."""

_AUDIO_OUTPUT_SYNCHRONOUS: Final = 2
_INITIALIZE_PHONEME_EVENTS: Final = 0x0001
_INITIALIZE_DONT_EXIT: Final = 0x8000
_CHARS_UTF8: Final = 1
_ENDPAUSE: Final = 0x1000
_POS_CHARACTER: Final = 1
_PARAMETER_RATE: Final = 1
_RATE_WPM_RANGE: Final = (80, 450)
_EVENT_WORD: Final = 1
_EVENT_PHONEME: Final = 7
_VOICE_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_+-]{0,40}")
"""A name, never a path: the library would open it as a file."""

_GOES_ON: Final = re.compile(r"[^.,;:!?\s]\s+$")
"""A piece that was cut between two words: no pause after it."""


class _EventId(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8))


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _EventId),
    )


class _Voice(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_char_p),
        ("languages", ctypes.c_void_p),  # for each language: a priority byte, its tag, a zero byte
        ("identifier", ctypes.c_char_p),
        ("gender", ctypes.c_ubyte),
        ("age", ctypes.c_ubyte),
        ("variant", ctypes.c_ubyte),
        ("xx1", ctypes.c_ubyte),
        ("score", ctypes.c_int),
        ("spare", ctypes.c_void_p),
    )


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))
OnSound = Callable[[bytes, list[Any]], bool]
"""Told each buffer and its events; False aborts the synthesis."""


class Library:
    """The one synthesiser of this process."""

    def __init__(self) -> None:
        self._espeak = ctypes.CDLL(espeakng_loader.get_library_path())
        data = espeakng_loader.get_data_path().encode()
        options = _INITIALIZE_PHONEME_EVENTS | _INITIALIZE_DONT_EXIT
        rate_hz = self._espeak.espeak_Initialize(_AUDIO_OUTPUT_SYNCHRONOUS, BUFFER_MS, data, options)
        if rate_hz != RATE_HZ:
            raise RuntimeError(f"espeak-ng did not start: {rate_hz}")
        self._espeak.espeak_Synth.argtypes = (
            *(ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint, ctypes.c_int, ctypes.c_uint, ctypes.c_uint),
            *(ctypes.c_void_p, ctypes.c_void_p),
        )
        self._callback = _Callback(self._heard)  # kept: the library holds only its address
        self._espeak.espeak_SetSynthCallback(self._callback)
        self._on_sound: OnSound = lambda pcm, events: False
        self._identifiers = self._list_voices()
        self._voice: tuple[str, int] | None = None

    def _list_voices(self) -> dict[str, str]:
        """Language tag (en-gb) → the identifier that loads it (gmw/en)."""
        self._espeak.espeak_ListVoices.restype = ctypes.POINTER(ctypes.POINTER(_Voice))
        voices = self._espeak.espeak_ListVoices(None)
        identifiers = {}
        i = 0
        while voices[i]:
            voice = voices[i].contents
            identifiers[ctypes.string_at(voice.languages + 1).decode().lower()] = voice.identifier.decode()
            i += 1
        return identifiers

    def use(self, voice: str, rate_wpm: int) -> None:
        """`voice`: a language tag, and perhaps a variant (en-us+f3). Raises ValueError when there is no such voice."""
        if (voice, rate_wpm) == self._voice:
            return
        self._voice = None
        language, plus, variant = voice.partition("+")
        name = self._identifiers.get(language.lower(), language) + plus + variant
        if not _VOICE_NAME.fullmatch(voice) or self._espeak.espeak_SetVoiceByName(name.encode()) != 0:
            raise ValueError(f"there is no voice called {voice[:40]!r}")
        low, high = _RATE_WPM_RANGE
        self._espeak.espeak_SetParameter(_PARAMETER_RATE, min(max(rate_wpm, low), high), 0)
        self._voice = (voice, rate_wpm)

    def speak(self, text: str, on_sound: OnSound) -> None:
        """Returns when all was synthesised or `on_sound` said no. Neither SSML nor phoneme input is switched on."""
        self._on_sound = on_sound
        encoded = text.encode()
        flags = _CHARS_UTF8 | (0 if _GOES_ON.search(text) else _ENDPAUSE)
        if self._espeak.espeak_Synth(encoded, len(encoded) + 1, 0, _POS_CHARACTER, 0, flags, None, None) != 0:
            raise RuntimeError("espeak-ng refused the text")

    def _heard(self, wav: Any, samples: int, events: Any) -> int:
        """The library's callback. Must not raise: ctypes would print it and go on."""
        marks = []
        i = 0
        while events[i].type != 0:
            marks.append(_mark(events[i]))
            i += 1
        pcm = ctypes.string_at(wav, samples * 2) if wav and samples > 0 else b""
        return 0 if self._on_sound(pcm, [mark for mark in marks if mark]) else 1


def _mark(event: _Event) -> list[Any] | None:
    """`[start, length, sample]` of a word, `[symbol, sample]` of a phoneme, None of other events."""
    if event.type == _EVENT_WORD:
        return [event.text_position - 1, event.length, event.sample]
    if event.type == _EVENT_PHONEME:
        return [event.id.string.decode("utf-8", "replace"), event.sample]
    return None


class Phrase:
    """One stream: a phrase that comes in pieces, each synthesised in one step."""

    def __init__(self, library: Library, request: dict[str, Any], send: Send) -> None:
        self._library = library
        self._voice, self._rate_wpm = str(request["voice"]), int(request["rate_wpm"])
        self._send = send
        self._samples = 0

    def receive(self, item: Any) -> None:
        offset, text = item
        begin = self._samples
        last_word = -1

        def sound(pcm: bytes, marks: list[Any]) -> bool:
            nonlocal last_word
            words = []
            for start, length, sample in (mark for mark in marks if len(mark) == 3):
                if start > last_word:  # one written word ("25.50") may be several spoken ones
                    words.append([offset + start, length, _ms(begin + sample)])
                    last_word = start
            phonemes = [[mark[0], _ms(begin + mark[1])] for mark in marks if len(mark) == 2]
            self._samples += len(pcm) // 2
            return self._send([pcm, phonemes, words]) if pcm or phonemes or words else True

        self._library.use(self._voice, self._rate_wpm)
        self._library.speak(text, sound)

    def pressing(self, waiting: Collection[Any]) -> bool:
        """Nothing of the phrase has been made: its first sound is waited for."""
        return self._samples == 0

    def close(self) -> None:
        """Nothing is held for a phrase."""


def _ms(samples: int) -> float:
    return round(samples * 1000 / RATE_HZ, 2)


def serve(options: dict[str, Any]) -> Opener:
    """Loads the library and speaks once for nobody, so that the first phrase finds everything in memory."""
    library = Library()
    library.use("en-us", 170)
    library.speak("Ready.", lambda pcm, marks: True)
    return lambda request, send: Phrase(library, request, send)
