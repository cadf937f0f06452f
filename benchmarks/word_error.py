"""`python -m benchmarks.word_error`: how well the embedded recogniser understands, and how fast it is done.

Compares the general language model alone with the mixture per assistant version, on sentences that stand in neither
tenant's texts (`benchmarks.visitor_questions`), spoken by flite's voices. Prints one table; docs/engines.md quotes it.
`--voices slt,rms` takes fewer voices.
"""

import argparse
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.demo_specs import demo_spec
from benchmarks.visitor_questions import IN_DOMAIN, OUT_OF_DOMAIN
from pipeline.contracts.numbers import EAR_RATE_HZ
from pipeline.engines import language_model
from pipeline.engines.pocketsphinx_child import CEPSTRAL_MEAN, new_decoder
from tests.speech import FLITE_VOICES, pieces, spoken


@dataclass
class Tally:
    errors: int = 0
    words: int = 0
    sound_s: float = 0.0
    compute_s: float = 0.0
    finish_ms: list[float] = field(default_factory=list)

    def add(self, said: str, heard: str) -> None:
        self.errors += word_errors(said.split(), heard.split())
        self.words += len(said.split())

    def row(self) -> str:
        finish = sorted(self.finish_ms)
        p50, p95 = finish[len(finish) // 2], finish[int(len(finish) * 0.95)]
        share = self.errors / self.words
        return f"{share:6.1%} | {self.compute_s / self.sound_s:5.3f} | {p50:4.0f} | {p95:4.0f} |"


def word_errors(said: list[str], heard: list[str]) -> int:
    """Levenshtein distance in words: substitutions, insertions and deletions."""
    row = list(range(len(heard) + 1))
    for i, word in enumerate(said, 1):
        corner, row[0] = row[0], i
        for j, other in enumerate(heard, 1):
            corner, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, corner + (word != other))
    return row[-1]


def recognise(decoder: Any, sentence: str, voice: str, tally: Tally) -> None:
    sound = spoken(sentence, voice)
    began = time.process_time()
    decoder.start_utt()
    for piece in pieces(sound):
        decoder.process_raw(piece)
    over = time.process_time()
    decoder.end_utt()
    guess = decoder.hyp()
    done = time.process_time()
    tally.add(sentence, guess.hypstr if guess else "")
    tally.finish_ms.append((done - over) * 1000)
    tally.compute_s += done - began
    tally.sound_s += len(sound) / 2 / EAR_RATE_HZ


def measure(files: language_model.ModelFiles, sentences: Iterable[str], voice: str, tally: Tally) -> None:
    """One session: the decoder learns the voice from utterance to utterance, as it does in a call."""
    decoder = new_decoder((str(files.model), str(files.dictionary)))
    decoder.set_cmn(CEPSTRAL_MEAN)
    for sentence in sentences:
        recognise(decoder, sentence, voice, tally)


def main() -> None:
    arguments = argparse.ArgumentParser(description="Word error of the embedded recogniser")
    arguments.add_argument("--voices", default=",".join(FLITE_VOICES))
    voices = arguments.parse_args().voices.split(",")
    print("| language model | sentences | voice | word error | real-time factor | final p50 ms | p95 ms |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        general = language_model.general_files()
        mixed = {slug: language_model.build(demo_spec(slug), Path(folder)) for slug in IN_DOMAIN}
        for kind, files in (("mixed", mixed), ("general alone", dict.fromkeys(mixed, general))):
            for name, sentences in (("in domain", IN_DOMAIN), ("out of domain", {"riverside-vet": OUT_OF_DOMAIN})):
                for voice in voices:
                    tally = Tally()
                    for slug in sentences:
                        measure(files[slug], sentences[slug], voice, tally)
                    print(f"| {kind} | {name} | {voice} | {tally.row()}", flush=True)


if __name__ == "__main__":
    main()
