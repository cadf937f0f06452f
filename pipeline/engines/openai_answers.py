"""What an OpenAI-compatible server answers, read with care; what it fails with, in words that anyone may see."""

from typing import Any, Final

from openai import APIConnectionError, APIError, APIStatusError, APITimeoutError, OpenAIError

from pipeline.contracts.dialogue import Usage


class BadStream(ValueError):
    """What came is no stream of chat completion chunks, or ended before the reply did."""


BROKEN: Final = (OpenAIError, TimeoutError, ValueError)
"""What a server that fails, hangs, hangs up or talks nonsense makes the client raise."""


def content_of(chunk: Any) -> tuple[str, str | None]:
    """Text and finish reason of a chunk. The client checks no types, so a server can make it hand over anything."""
    try:
        if not chunk.choices:
            return "", None
        choice = chunk.choices[0]
        text, reason = choice.delta.content or "", choice.finish_reason
    except (AttributeError, TypeError, KeyError) as error:
        raise BadStream("not a chat completion chunk") from error
    if not isinstance(text, str):
        raise BadStream("content is not text")
    return text, reason


def usage_of(chunk: Any) -> Usage | None:
    """vLLM and OpenAI send the counts in a chunk of its own behind the last; `cached_tokens` only if they know it."""
    counted = getattr(chunk, "usage", None)
    prompt = getattr(counted, "prompt_tokens", None)
    cached = getattr(getattr(counted, "prompt_tokens_details", None), "cached_tokens", None)
    if not isinstance(prompt, int):
        return None
    return Usage(prompt, cached if isinstance(cached, int) else 0)


def whole_text_of(answer: Any) -> str:
    try:
        text = answer.choices[0].message.content
    except (AttributeError, TypeError, KeyError, IndexError) as error:
        raise BadStream("not a chat completion") from error
    if not isinstance(text, str) or not text.strip():
        raise BadStream("empty summary")
    return text.strip()


def may_retry(error: Exception) -> bool:
    if isinstance(error, APIStatusError):
        return error.status_code == 429 or error.status_code >= 500
    return isinstance(error, APIConnectionError | APIError) and not isinstance(error, APITimeoutError)


_STATUS_WORDS: Final = {
    401: "refused the key: check LLM_API_KEY",
    403: "refused the key: check LLM_API_KEY",
    404: "does not know the address or the model: check LLM_BASE_URL and LLM_MODEL",
    429: "has too much to do",
}


def in_words(error: Exception) -> str:
    """What is wrong with the server; never what it said, which may quote the prompt."""
    if isinstance(error, APIStatusError):
        return _STATUS_WORDS.get(error.status_code, f"failed (HTTP {error.status_code})")
    if isinstance(error, APITimeoutError | TimeoutError):
        return "did not answer in time"
    if isinstance(error, APIConnectionError):
        return "cannot be reached: is it running, and is LLM_BASE_URL right?"
    return "sent a reply that breaks off or cannot be read"
