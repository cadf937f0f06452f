"""The child process in which pocketsphinx recognises (see `pipeline.engines.child`): one stream per session.

Items to the child are `["warm", model, dictionary]`, `["pcm", utterance, model, dictionary, bytes]`,
`["so_far", question]`, `["finish", utterance]` and `["discard"]`; items from it `["partial", utterance, text]`,
`["so_far", question, text, confidence, unended]` and `["final", utterance, text, confidence]`.

What was said so far is had by ending a segment and beginning the next one: the decoder's guess in the middle lacks its
third pass (the best path through the lattice) and is worse, while the whole loses nothing, for people are asked where
they pause (docs/engines.md). An utterance's text is that of its segments. But an ended segment takes it for granted
that the sentence ends, and hears "bring in mind" for "bring in my": the guess does not, and is told as `unended`.

Decoders are costly (26 MB, 60 to 120 ms) and only needed while somebody speaks, so all sessions of a version share a
pool of them; what a decoder knows of a session's microphone (the cepstral mean) moves with the session.

Of pocketsphinx's three passes the second (`fwdflat`) is left out: it takes 60 to 110 ms after the end of the utterance,
a large part of what the voice contract gives until the first sound, and gains about two words in a hundred.
"""

import math
from collections.abc import Callable, Collection, Iterator
from typing import Any, Final

import pocketsphinx

from pipeline.contracts.numbers import EAR_RATE_HZ

STEP_BYTES: Final = EAR_RATE_HZ * 2 // 10
"""One step of work: 100 ms of sound, about 7 ms of computing."""
PARTIAL_EVERY_BYTES: Final = EAR_RATE_HZ * 2 // 5
"""A look at the best guess so far every 200 ms of sound."""
IDLE_VERSIONS: Final = 6
"""Decoders nobody uses are kept for so many versions."""

CEPSTRAL_MEAN: Final = "50,0,0,25,0,0,0,0,0,0,0,0,0"
"""What a new session is taken to sound like until it has spoken: loudness and tilt as all flite voices have them.

pocketsphinx's own default (40,3,-1) makes more errors in the first utterance (docs/engines.md)."""

Files = tuple[str, str]
"""Paths of a language model and its dictionary."""


class Decoders:
    """Those that nobody uses at the moment, per version."""

    def __init__(self, make: Callable[[Files], Any] | None = None) -> None:
        self._idle: dict[Files, list[Any]] = {}
        self._make = make or new_decoder

    def lease(self, files: Files) -> Any:
        """Raises RuntimeError when the files cannot be read."""
        idle = self._idle.get(files)
        return idle.pop() if idle else self._make(files)

    def give_back(self, files: Files, decoder: Any) -> None:
        """The version used last moves to the end; the one used longest ago is forgotten when there are too many."""
        self._idle[files] = [*self._idle.pop(files, []), decoder]
        while len(self._idle) > IDLE_VERSIONS:
            del self._idle[next(iter(self._idle))]


def new_decoder(files: Files) -> Any:
    model, dictionary = files
    return pocketsphinx.Decoder(lm=model, dict=dictionary, fwdflat=False, loglevel="FATAL")


class Recognition:
    """One session's utterances, one after the other."""

    def __init__(self, decoders: Decoders, send: Callable[[Any], bool]) -> None:
        self._decoders = decoders
        self._send = send
        self._files: Files = ("", "")
        self._decoder: Any = None
        self._cepstral_mean = CEPSTRAL_MEAN
        self._segments: list[tuple[str, float]] = []
        """Text and confidence of what has been ended of the utterance under way; those without words left out."""
        self._unended = ""
        """What was guessed just before the last segment with words in it ended."""
        self._fresh = False
        """There was sound since the last segment ended."""
        self._partial = ""
        self._unlooked_bytes = 0

    def receive(self, item: list[Any]) -> Iterator[None] | None:
        match item:
            case ["pcm", utterance, model, dictionary, pcm]:
                return self._hear(utterance, (model, dictionary), pcm)
            case ["so_far", question]:
                self._send(["so_far", question, *self._so_far()])
            case ["finish", utterance]:
                self._send(["final", utterance, *self._finish()])
            case ["warm", model, dictionary]:
                self._decoders.give_back((model, dictionary), self._decoders.lease((model, dictionary)))
            case ["discard"]:
                self._finish()
            case _:
                raise ValueError("not an item that a recognition knows")
        return None

    def pressing(self, waiting: Collection[list[Any]]) -> bool:
        """The words are waited for, for good or so far."""
        return any(item[0] in ("finish", "so_far") for item in waiting)

    def close(self) -> None:
        self._finish()

    def _hear(self, utterance: int, files: Files, pcm: bytes) -> Iterator[None]:
        if self._decoder is None:
            self._begin(files)
        for start in range(0, len(pcm), STEP_BYTES):
            step = pcm[start : start + STEP_BYTES]
            self._decoder.process_raw(step)
            self._fresh = True
            self._unlooked_bytes += len(step)
            yield
        self._tell_partial(utterance)

    def _begin(self, files: Files) -> None:
        """An utterance keeps the model it began with."""
        self._files, self._decoder = files, self._decoders.lease(files)
        self._decoder.set_cmn(self._cepstral_mean)
        self._decoder.start_utt()
        self._segments, self._unended, self._fresh = [], "", False
        self._partial, self._unlooked_bytes = "", 0

    def _tell_partial(self, utterance: int) -> None:
        if self._unlooked_bytes < PARTIAL_EVERY_BYTES:
            return
        self._unlooked_bytes = 0
        text = self._guess()
        if text and text != self._partial:
            self._partial = text
            self._send(["partial", utterance, text])

    def _guess(self) -> str:
        """All words up to now, nothing taken to end here."""
        guess = self._decoder.hyp()
        return " ".join([*(text for text, _ in self._segments), guess.hypstr if guess is not None else ""]).strip()

    def _so_far(self) -> tuple[str, float, str]:
        if self._decoder is None:
            return "", 0.0, ""
        if self._fresh:
            guess, known = self._guess(), len(self._segments)
            self._end_segment()
            self._decoder.start_utt()
            if len(self._segments) > known:
                self._unended = guess
        return *joined(self._segments), self._unended

    def _end_segment(self) -> None:
        self._decoder.end_utt()
        self._fresh = False
        guess = self._decoder.hyp()
        if guess is not None and guess.hypstr:
            self._segments.append((guess.hypstr, confidence(guess)))

    def _finish(self) -> tuple[str, float]:
        """Text and confidence of the utterance; the decoder goes back to the others."""
        if self._decoder is None:
            return "", 0.0
        self._end_segment()
        self._cepstral_mean = self._decoder.get_cmn(True)
        self._decoders.give_back(self._files, self._decoder)
        self._decoder = None
        return joined(self._segments)


def joined(segments: list[tuple[str, float]]) -> tuple[str, float]:
    """One text; its confidence is the geometric mean per word, as that of each segment is."""
    text = " ".join(text for text, _ in segments)
    if not text:
        return "", 0.0
    whole = math.prod(confidence ** len(text.split()) for text, confidence in segments)
    return text, float(whole ** (1 / len(text.split())))


def confidence(guess: Any) -> float:
    """The lattice posterior of the utterance, as its geometric mean per word: long ones should not look worse."""
    return float(min(max(guess.prob, 0.0), 1.0) ** (1 / len(guess.hypstr.split())))


def serve(options: dict[str, Any]) -> Callable[[Any, Callable[[Any], bool]], Recognition]:
    decoders = Decoders()
    return lambda request, send: Recognition(decoders, send)
