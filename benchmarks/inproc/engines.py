"""Engines that take exactly as long as they say, the same for everybody: what is left is the framework's own time.

STT: the final text 20 ms after it is asked for. Language: first token after 40 ms, then one each 10 ms, 30 tokens in
three sentences. Voice: the first sound of a phrase after 40 ms, then ten times faster than it sounds.
"""

import asyncio
from array import array
from collections.abc import AsyncGenerator

STT_S = 0.020
FIRST_TOKEN_S = 0.040
TOKEN_S = 0.010
FIRST_CHUNK_S = 0.040
CHUNK_MS = 100
CHUNK_S = 0.010
WORD_MS = 90
VOICE_RATE_HZ = 24_000
REPLY = (
    "We are open on Saturday from nine until two. You can park right in front of our main entrance. "
    "Please call us again if you need anything else at all."
)
TOKENS = tuple(word if at == 0 else f" {word}" for at, word in enumerate(REPLY.split()))
FIRST_PHRASE_TOKENS = 10
"""The first sentence has nine; that it is over shows with the blank of the tenth."""
NEEDED_S = STT_S + FIRST_TOKEN_S + (FIRST_PHRASE_TOKENS - 1) * TOKEN_S + FIRST_CHUNK_S
"""What the engines take from the end of the turn to the first sound: 190 ms."""
REPLY_MS = len(TOKENS) * WORD_MS

_TONE = array("h", [3000 if at // 60 % 2 else -3000 for at in range(VOICE_RATE_HZ * CHUNK_MS // 1000)]).tobytes()


async def until(deadline_s: float) -> None:
    """Sleeps to an absolute time of the loop's clock: lateness does not add up."""
    await asyncio.sleep(max(0.0, deadline_s - asyncio.get_running_loop().time()))


async def tokens() -> AsyncGenerator[str, None]:
    due_s = asyncio.get_running_loop().time() + FIRST_TOKEN_S
    for token in TOKENS:
        await until(due_s)
        due_s += TOKEN_S
        yield token


def phrase_ms(text: str) -> int:
    return len(text.split()) * WORD_MS


async def sound(text: str) -> AsyncGenerator[bytes, None]:
    """The phrase as 24 kHz mono s16le, no sample of it zero; chunks of CHUNK_MS."""
    left_ms, due_s = phrase_ms(text), asyncio.get_running_loop().time() + FIRST_CHUNK_S
    while left_ms > 0:
        await until(due_s)
        due_s += CHUNK_S
        yield _TONE[: VOICE_RATE_HZ * min(left_ms, CHUNK_MS) // 1000 * 2]
        left_ms -= CHUNK_MS
