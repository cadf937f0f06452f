"""The same set with what the visitor truly said in place of what was heard: what of a figure is the recogniser's."""

from dataclasses import replace

from benchmarks.pauses.hear import Look, Trace, arrival_ms
from benchmarks.pauses.make import Utterance
from pipeline.core.words import words


def with_true_words(trace: Trace) -> Trace:
    """Times stay as they are: only the texts are put right."""
    return replace(trace, looks=tuple(_told(trace.utterance, look) for look in trace.looks))


def _told(utterance: Utterance, look: Look) -> Look:
    """A look inside a part (a long closure) keeps what was heard: how far the words had come, nobody knows."""
    at_ms = arrival_ms(look.window)
    if at_ms >= utterance.end_ms:
        said = utterance.text
    elif len(utterance.parts) > 1 and utterance.spans_ms[0][1] <= at_ms <= utterance.spans_ms[1][0]:
        said = utterance.parts[0]
    else:
        return look
    return replace(look, text=" ".join(words(said)), unended="")
