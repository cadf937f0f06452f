"""What of a reply sounds when: its phrases laid on the reply clock.

An interrupted reply is cut to what was heard by it.
"""

from dataclasses import dataclass, field

from pipeline.contracts.audio import SpeechChunk, WordMark


def duration_ms(chunk: SpeechChunk) -> float:
    return len(chunk.pcm) / 2 / chunk.rate_hz * 1000.0


@dataclass(slots=True)
class _Phrase:
    text: str
    start_ms: float
    length_ms: float = 0.0
    words: list[WordMark] = field(default_factory=list)
    complete: bool = False

    def heard(self, played_ms: float) -> str:
        """The words that have sounded to their end by `played_ms` of this phrase."""
        if self.complete and played_ms >= self.length_ms:
            return self.text
        if not self.words:
            return self._by_proportion(played_ms)
        end = 0
        for word, following in zip(self.words, [*self.words[1:], None], strict=True):
            word_ends_ms = following.t_ms if following else self.length_ms
            if word_ends_ms > played_ms or (following is None and not self.complete):
                break
            end = word.start + word.length
        return self.text[:end].rstrip()

    def _by_proportion(self, played_ms: float) -> str:
        """Without word marks: as much of the text as of the sound, cut at a word's end."""
        if self.length_ms <= 0 or played_ms <= 0:
            return ""
        cut = int(len(self.text) * min(1.0, played_ms / self.length_ms))
        return self.text[:cut].rpartition(" ")[0]


class Timeline:
    """One reply. `length_ms` is where its next sound will stand on the reply clock."""

    def __init__(self) -> None:
        self._phrases: list[_Phrase] = []
        self.length_ms = 0.0

    def begin_phrase(self, text: str) -> None:
        self._phrases.append(_Phrase(text, self.length_ms))

    def add(self, chunk: SpeechChunk) -> None:
        """The next chunk of the current phrase."""
        phrase, length = self._phrases[-1], duration_ms(chunk)
        phrase.words.extend(chunk.words)
        phrase.length_ms += length
        self.length_ms += length

    def end_phrase(self) -> None:
        self._phrases[-1].complete = True

    @property
    def planned(self) -> str:
        """Everything that was meant to be said so far."""
        return " ".join(p.text for p in self._phrases)

    def heard(self, played_ms: float) -> str:
        """What a listener has heard when the reply clock reads `played_ms`: whole words only."""
        parts = (p.heard(played_ms - p.start_ms) for p in self._phrases if played_ms > p.start_ms)
        return " ".join(part for part in parts if part)
