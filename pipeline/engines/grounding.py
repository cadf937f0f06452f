"""The tenant's knowledge as part of the prompt, how the reply is to be worded, and what the model may say without it.

Both go into the visitor's last message: what stands before stays byte-identical from turn to turn, so that the server's
prefix cache holds, and chat templates that want one system message only (Gemma's, Mistral's) accept it.
"""

from typing import Any, Final

from pipeline.contracts.dialogue import LanguageRequest, Passage

_KNOWN: Final = (
    "What the business has told you that bears on this. Answer from it alone, in one or two short spoken sentences; if"
    " it does not answer the question, say that you don't have that information."
)
_NOTHING_KNOWN: Final = (
    "The business has told you nothing that bears on this. If the visitor only makes conversation, reply kindly in one"
    " short sentence. Otherwise say that you don't have that information and offer a next step. Do not guess."
)
_NEXT_STEP: Final = "A next step to offer:"
_VISITOR: Final = "The visitor says:"


def grounded_messages(request: LanguageRequest) -> list[dict[str, Any]]:
    """The chat messages to send: as the session built them, with the knowledge put before the visitor's last words."""
    messages: list[dict[str, Any]] = [{"role": m.role, "content": m.content} for m in request.messages]
    last = next((n for n in reversed(range(len(messages))) if messages[n]["role"] == "user"), None)
    if last is not None:
        style = f"\n{request.style}" if request.style else ""
        messages[last]["content"] = f"{_knowledge(request)}{style}\n\n{_VISITOR} {messages[last]['content']}"
    return messages


def _knowledge(request: LanguageRequest) -> str:
    known = [passage for passage in request.passages if passage.score >= request.confidence_threshold]
    if known:
        return "\n".join([_KNOWN, *map(_line, known)])
    contact = [passage for passage in request.passages if passage.score == 0]
    return "\n".join([_NOTHING_KNOWN, *(f"{_NEXT_STEP} {passage.text}" for passage in contact)])


def _line(passage: Passage) -> str:
    return f"- {passage.title}: {passage.text}"
