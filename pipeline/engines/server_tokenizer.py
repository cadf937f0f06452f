"""The language server's own tokenizer, where it offers it: vLLM's `POST /tokenize`.

It lies at the server's root, not under /v1: `{"model", "prompt", "add_special_tokens"}` is answered with `{"count",
"max_model_len", "tokens"}`. Source: https://docs.vllm.ai/en/stable/serving/openai_compatible_server.html#tokenizer-api
"""

import logging
from collections.abc import Sequence
from typing import Any

from openai import AsyncOpenAI, OpenAIError

from pipeline.contracts.numbers import CONTEXT_TOKENS
from pipeline.engines.patience import Patience

_LIMIT_S = 2.0

logger = logging.getLogger(__name__)


class ServerTokenizer:
    """`offered` and `context_tokens` are known after `find`."""

    def __init__(self, client: AsyncOpenAI, base_url: str) -> None:
        self._client = client
        self._address = f"{base_url.rstrip('/').removesuffix('/v1')}/tokenize"
        self.offered = False
        self.context_tokens = CONTEXT_TOKENS
        """What the model takes, prompt and reply together; never more than the contract's cap."""

    async def find(self, model: str) -> None:
        """Never raises: a server without a tokenizer is as good as any, its tokens are estimated."""
        try:
            answer = await self._ask(model, "Good morning.")
            self.offered = _count_of(answer) > 0
        except (OpenAIError, TimeoutError, ValueError):
            logger.info("the language server offers no /tokenize: tokens are estimated")
            return
        longest = answer.get("max_model_len")
        if isinstance(longest, int) and 0 < longest < CONTEXT_TOKENS:
            self.context_tokens = longest
            logger.warning("the model takes %d tokens; the context is cut down to that", longest)

    async def count(self, model: str, texts: Sequence[str]) -> list[int]:
        """Raises OpenAIError, TimeoutError, ValueError."""
        return [_count_of(await self._ask(model, text)) if text else 0 for text in texts]

    async def _ask(self, model: str, text: str) -> dict[str, Any]:
        body = {"model": model, "prompt": text, "add_special_tokens": False}
        answer = await Patience(_LIMIT_S).wait(self._client.post(self._address, cast_to=object, body=body))
        if not isinstance(answer, dict):
            raise ValueError("not an answer of /tokenize")
        return answer


def _count_of(answer: dict[str, Any]) -> int:
    count = answer.get("count")
    if not isinstance(count, int) or isinstance(count, bool) or count < 0:
        raise ValueError("no count in the answer of /tokenize")
    return count
