"""A summary without a model: what the visitor told and asked and what was answered, one short line each.

Things told ("my dog is called Bella") are kept longest, then questions, the newest ones first to stay. Deterministic.
"""

import re
from collections import deque
from collections.abc import Sequence
from itertools import zip_longest
from typing import Final

from pipeline.contracts.dialogue import Message
from pipeline.core.words import informative_words, words

_CHARS: Final = 2400
"""Of the whole extract: within 1000 tokens by any count."""
_LINE_CHARS: Final = 120
_TOLD: Final = "- told: "
_ASKED: Final = "- asked: "
_SENTENCE_END: Final = re.compile(r"(?<=[.!?])\s+")
_ASKING: Final = frozenset(
    """what when where who whom whose which why how is are was were do does did can could will would shall should may
    have has any""".split()
)


def extract(messages: Sequence[Message]) -> str:
    """`messages` as for Language.summarise."""
    lines: dict[str, None] = {}
    for message, answer in zip_longest(messages, messages[1:]):
        if message.role == "system":
            lines.update(dict.fromkeys(line for line in message.content.splitlines() if line.startswith("- ")))
        elif message.role == "user":
            reply = answer.content if answer is not None and answer.role == "assistant" else ""
            lines.update(dict.fromkeys(_noted(message.content, reply)))
    return "\n".join(_fitting(list(lines)))


def _noted(said: str, reply: str) -> list[str]:
    """One line for each sentence that says something; the last question with the beginning of its answer."""
    sentences = [one for one in _SENTENCE_END.split(" ".join(said.split())) if informative_words(one)]
    asked = [one for one in sentences if _is_question(one)]
    answer = _SENTENCE_END.split(" ".join(reply.split()))[0]
    told = [_TOLD + _short(one) for one in sentences if not _is_question(one)]
    return told + [
        _ASKED + _short(one) + (f" answered: {_short(answer)}" if answer and one is asked[-1] else "") for one in asked
    ]


def _is_question(sentence: str) -> bool:
    return sentence.endswith("?") or words(sentence)[0] in _ASKING


def _short(text: str) -> str:
    return text if len(text) <= _LINE_CHARS else text[:_LINE_CHARS].rpartition(" ")[0] or text[:_LINE_CHARS]


def _fitting(lines: list[str]) -> list[str]:
    """Leaves out the oldest questions, and then what was told in the middle: how it began and what is new stay."""
    asked = deque(line for line in lines if line.startswith(_ASKED))
    told = [line for line in lines if not line.startswith(_ASKED)]
    length = sum(len(line) + 1 for line in lines)
    while asked and length > _CHARS:
        length -= len(asked.popleft()) + 1
    while told and length > _CHARS:
        length -= len(told.pop(len(told) // 2)) + 1
    kept = {*asked, *told}
    return [line for line in lines if line in kept]
