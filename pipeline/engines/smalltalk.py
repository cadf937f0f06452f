"""What a receptionist says when nothing is asked: hello, thanks, goodbye, who am I speaking with, say that again.

Only whole utterances count: "hello, when do you open?" is a question. Replies name the assistant and the business and
state nothing else. `{assistant}` and `{business}` are filled in.
"""

import re
from typing import Final

from pipeline.contracts.dialogue import LanguageRequest
from pipeline.core.words import words

NOT_UNDERSTOOD: Final = (
    "I'm sorry, I didn't catch that. Could you say it again?",
    "I didn't catch that. Could you say it in other words?",
)
NOTHING_SAID_YET: Final = "I haven't said anything yet. What can I do for you?"

_POLITE: Final = r"(?: (?:please|then|so much|very much|a lot|for now|sir|madam|there))*"
_REPLIES: Final = tuple(
    (re.compile(f"(?:{pattern}){_POLITE}"), reply)
    for pattern, reply in (
        (
            r"hi|hello|hey|hi hello|hello hello|greetings|can you hear me"
            r"|(?:hi |hello )?good (?:morning|afternoon|evening|day)",
            "Hello, this is {assistant} at {business}. What can I do for you?",
        ),
        (
            r"how are you(?: doing)?(?: today)?|how do you do|how is it going|what's up",
            "All is well here, thank you. What can I do for you?",
        ),
        (
            r"who are you|what are you|what(?:'s| is) your name|do you have a name|who is this|who's this"
            r"|who am i (?:talking|speaking) (?:to|with)|whom am i (?:talking|speaking) (?:to|with)"
            r"|(?:are you|is this|am i (?:talking|speaking) (?:to|with)) (?:a |an )?(?:real |actual )?"
            r"(?:robot|bot|human|human being|person|machine|computer|ai|real|recording|chatbot|someone real)"
            r"(?: or (?:a )?\w+)?",
            "I'm {assistant}, the automated assistant of {business}. I'm a computer, not a person.",
        ),
        (
            r"what can you do|how can you help(?: me)?|what can i ask(?: you)?|help|help me|can you help me"
            r"|i have a question",
            "I answer questions about {business}. What would you like to know?",
        ),
        (
            r"(?:okay |ok |great |alright |perfect |no )?(?:thanks|thank you)|many thanks"
            r"|that(?:'s| is) very (?:kind|helpful)",
            "You're welcome. Is there anything else I can do for you?",
        ),
        (
            r"(?:okay |ok |thanks |thank you |no )*"
            r"(?:bye|goodbye|good bye|bye bye|see you|good night|have a (?:nice|good) day"
            r"|that(?:'s| is| was) all|that(?:'s| is) it|nothing else)(?: thanks| thank you| bye| goodbye)*|no|nope",
            "Thank you for talking with {business}. Goodbye.",
        ),
        (
            r"okay|ok|yes|yeah|yep|sure|all right|alright|right|great|good|fine|perfect|i see|got it|understood"
            r"|mm hm|mhm|aha|never mind|forget it|stop|no problem|that(?:'s| is) (?:okay|fine|all right)",
            "All right. What else can I do for you?",
        ),
        (
            r"(?:one|just a|wait a|give me a) (?:moment|second|minute)|wait|hold on|hang on",
            "Of course, take your time.",
        ),
    )
)
_REPEAT: Final = re.compile(
    r"(?:sorry |excuse me )?(?:what|pardon|pardon me|sorry|excuse me|come again|what was that|what did you say|again"
    r"|(?:can|could|would) you (?:please )?(?:say|repeat) (?:that|it)(?: again)?|(?:please )?repeat(?: that| it)?"
    r"|(?:please )?say (?:that|it) again"
    r"|i (?:did not|didn't|couldn't|could not) (?:catch|hear|understand|get) (?:that|you|it))" + _POLITE
)

FIXED: Final = (*NOT_UNDERSTOOD, NOTHING_SAID_YET, *(reply for _, reply in _REPLIES))


def small_talk(request: LanguageRequest) -> str | None:
    """The reply to an utterance that asks for no knowledge; None where it does."""
    spoken = " ".join(words(request.question))
    if not spoken:
        return NOT_UNDERSTOOD[said_before(request, NOT_UNDERSTOOD) % len(NOT_UNDERSTOOD)]
    if _REPEAT.fullmatch(spoken):
        return _last_reply(request) or NOTHING_SAID_YET
    spoken = _without_name(spoken, request.assistant_name)
    reply = next((reply for pattern, reply in _REPLIES if pattern.fullmatch(spoken)), None)
    return filled(reply, request) if reply else None


def filled(phrase: str, request: LanguageRequest) -> str:
    return phrase.replace("{assistant}", request.assistant_name).replace("{business}", request.business_name)


def said_before(request: LanguageRequest, phrases: tuple[str, ...]) -> int:
    """How many of the assistant's earlier replies began with one of these phrases: the next one is worded anew."""
    return sum(message.role == "assistant" and message.content.startswith(phrases) for message in request.messages)


def _last_reply(request: LanguageRequest) -> str | None:
    return next((message.content for message in reversed(request.messages) if message.role == "assistant"), None)


def _without_name(spoken: str, assistant_name: str) -> str:
    """ "Hello Robin" greets as "hello" does."""
    name = " ".join(words(assistant_name))
    return spoken.removesuffix(f" {name}") if name else spoken
