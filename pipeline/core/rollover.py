"""Which lines become the Session State block, and how much room everything in a prompt may take. Pure functions."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from pipeline.contracts.dialogue import Message
from pipeline.contracts.numbers import CONTEXT_TOKENS, ROLLOVER_PREPARE_TOKENS, ROLLOVER_TOKENS
from pipeline.core.conversation import Line
from pipeline.core.tokens import MESSAGE_TOKENS, estimated_tokens

_KEPT_TOKENS: Final = 2500
"""The last turns stay word for word as far as they fit into this."""
_STATE_TOKENS: Final = 1000
_KNOWLEDGE_TOKENS: Final = 2000
_INSTRUCTION_TOKENS: Final = 1000
"""For a summary: what the engine says to the model, and the summary itself."""
_SENTENCE_END: Final = re.compile(r"(?<=[.!?])\s|\n")


@dataclass(frozen=True, slots=True)
class Allowance:
    """Tokens. The contract's figures where the model takes 8192, in proportion where it takes less."""

    cap: int = CONTEXT_TOKENS
    """Prompt and reply together."""
    rollover: int = ROLLOVER_TOKENS
    prepare: int = ROLLOVER_PREPARE_TOKENS
    kept: int = _KEPT_TOKENS
    state: int = _STATE_TOKENS
    knowledge: int = _KNOWLEDGE_TOKENS
    summary_input: int = ROLLOVER_PREPARE_TOKENS - _INSTRUCTION_TOKENS
    """Lines that one request for a summary may carry, besides the summary before it."""

    @classmethod
    def of(cls, context_tokens: int) -> "Allowance":
        cap = max(1, min(CONTEXT_TOKENS, context_tokens))
        whole = cls()
        shares = (
            whole.rollover, whole.prepare, whole.kept, whole.state, whole.knowledge, whole.summary_input,
        )  # fmt: skip
        return cls(cap, *(share * cap // CONTEXT_TOKENS for share in shares))


def older_lines(lines: Sequence[Line], kept_tokens: int) -> int:
    """How many of the oldest lines may go, so that what stays fits into `kept_tokens` and begins with the visitor.

    The visitor's words that wait for an answer always stay.
    """
    stay = len(lines)
    while stay and lines[stay - 1].role == "user":
        stay -= 1
    tokens = sum(line.tokens for line in lines[stay:])
    while stay and tokens + lines[stay - 1].tokens <= kept_tokens:
        stay -= 1
        tokens += lines[stay].tokens
    while 0 < stay < len(lines) and lines[stay].role != "user":
        stay += 1
    return stay


def next_part(lines: Sequence[Line], older: int, limit_tokens: int) -> tuple[int, list[list[Message]]]:
    """The oldest lines that fit into one request for a summary: (how many, the requests).

    It is more than one request only for a single line that does not fit into one.
    """
    count, tokens = 0, 0
    while count < older and (count == 0 or tokens + lines[count].tokens <= limit_tokens):
        tokens += lines[count].tokens
        count += 1
    if count == 1 and tokens > limit_tokens:
        return 1, [[Message(lines[0].role, piece)] for piece in pieces(lines[0].content, limit_tokens)]
    return count, [[Message(line.role, line.content) for line in lines[:count]]] if count else []


def pieces(text: str, limit_tokens: int) -> Iterator[str]:
    """The text cut where it must be, so that each piece fits by estimate. A character has four tokens at most."""
    size = max(1, (limit_tokens - MESSAGE_TOKENS) // 4)
    begin = 0
    while begin < len(text):
        length = len(text) - begin
        while length > size and estimated_tokens(text[begin : begin + length]) > limit_tokens - MESSAGE_TOKENS:
            length = max(size, length // 2)
        yield text[begin : begin + length]
        begin += length


def bounded(state: str, limit_tokens: int) -> str:
    """A summary that is longer than asked for ends with the last sentence that fits, or where it must."""
    begin = next(pieces(state, limit_tokens), "")
    if begin == state:
        return state
    ends = [match.start() for match in _SENTENCE_END.finditer(begin)]
    return begin[: ends[-1]] if ends else begin
