"""How long a text is for a language model, estimated: meant never to be less than what its tokenizer counts.

Rules of thumb for byte-level BPE vocabularies of 30,000 tokens and more: words of everyday English are one token, rare
ones break into pieces of three letters or more; capitals, digits and punctuation stand alone; outside ASCII a byte may
be a token. tests/pipeline/core/test_tokens.py compares this with real tokenizers; docs/engines.md has the figures.
"""

import re
from collections.abc import Iterable
from typing import Final

from pipeline.contracts.dialogue import Message

MESSAGE_TOKENS: Final = 8
"""Around each message, by its chat template: role and marks. ChatML, Llama 3 and Gemma need 5."""
PROMPT_TOKENS: Final = 48
"""Once a prompt: begin-of-text, generation prompt, and lines that a template adds of its own (Llama 3: the dates)."""

_PIECES: Final = re.compile(r"(?: (?=[A-Za-z]))?[A-Z]?[a-z]+| ?[A-Z]+| +|[\x00-\x1f!-@\[-`{-\x7f]|[^\x00-\x7f]+")
"""A space goes with the word behind it; a capital may begin one."""
_ENGLISH: Final = 3
"""Letters of a token, at least: of English words, and of others (or very long ones)."""
_OTHER: Final = 2
_COMMON_LETTERS: Final = 12


def estimated_tokens(text: str) -> int:
    """Of the text alone, without a template."""
    letters = _ENGLISH if text.isascii() else _OTHER
    tokens = sum(_piece_tokens(piece, letters) for piece in _PIECES.findall(text))
    return tokens if text.isascii() else min(tokens + tokens // 8, len(text.encode("utf-8", "replace")))


def estimated_message_tokens(messages: Iterable[Message]) -> int:
    return sum(estimated_tokens(message.content) + MESSAGE_TOKENS for message in messages)


def _piece_tokens(piece: str, letters_a_token: int) -> int:
    if not piece.isascii():
        return len(piece.encode("utf-8", "replace"))
    letters = len(piece.lstrip(" "))
    if not piece[-1].islower():  # capitals, a mark, spaces: each alone
        return letters or 1 + len(piece) // 16
    return -(-letters // (letters_a_token if letters <= _COMMON_LETTERS else _OTHER))
