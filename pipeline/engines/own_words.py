"""What an assistant version's visitors are likely to say: plain spoken sentences made from the version's own texts."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from pipeline.contracts.spec import AssistantSpec

WORD: Final = re.compile(r"[a-z]+(?:'[a-z]+)*")
"""A word as recognisers write it: lower case, apostrophes inside."""

QUESTIONS: Final = """
what are your hours
when are you open
are you open on the weekend
are you open today
when do you open in the morning
when do you close
where are you located
what is your address
what is your phone number
how do i get there
how can i reach you
can i talk to someone
can i speak to a person please
i would like to make an appointment
i want to book an appointment for tomorrow
can i come in tomorrow afternoon
i need to cancel my appointment
how much does it cost
how much is it
what does it cost
what do you charge
do you take credit cards
can i pay by card
how long does it take
who works there
who are you
what can you do
is there parking
what should i bring
what do i need to bring
what should i do
could you tell me more about that
can you help me
can you help me with something
thank you very much
thanks
thank you goodbye
goodbye
hello
hi there
good morning
yes
yes please
no
no thank you
okay
that's all
i don't know
can you repeat that please
could you say that again
sorry what was that
stop
i have a question
""".strip().splitlines()
"""Forms that are asked of any front desk."""

FRAMES: Final = """
what is {}
what is the {}
what about {}
what is your {}
what are your {}
what are the {}
what kind of {} do you have
when is the {}
where is the {}
where is your {}
how much is {}
how much is a {}
how much is the {}
how much does a {} cost
how much does {} cost
what does a {} cost
do you have {}
do you have a {}
do you do {}
do you offer {}
do you handle {}
do you treat {}
do you take {}
do you sell {}
is there a {}
is there {}
are there {}
is {} included
is the {} free
can i {}
can i get a {}
can i bring my {}
can i talk to a {}
can you {}
i need a {}
i need to {}
i would like a {}
i would like to {}
i want to {}
i have a {}
i have a question about {}
my {}
my {} has been
my {} is
for my {}
tell me about {}
tell me about your {}
should i {}
how do i {}
how long does a {} take
how long does the {} take
how often should i {}
who is {}
who does the {}
which {} do you
""".strip().splitlines()
"""Forms that take one of the version's own words."""


def sentences(spec: AssistantSpec) -> Iterator[tuple[tuple[str, ...], float]]:
    """Sentences as words, each with a weight: how often it counts."""
    for question in QUESTIONS:
        yield tuple(question.split()), 4.0
    for topic in _topics(spec):
        for frame in FRAMES:
            yield tuple(frame.format(" ".join(topic)).split()), 0.3
    for text in _texts(spec):
        for sentence in spoken_sentences(text):
            yield sentence, 1.0


def spoken_sentences(text: str) -> Iterator[tuple[str, ...]]:
    """Sentences and their words; digits read one by one, the way recognisers need them."""
    for sentence in re.split(r"[.!?;:\n]+", text.lower()):
        if words := tuple(WORD.findall(_digits_spoken(sentence.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")))):
            yield words


def _texts(spec: AssistantSpec) -> Iterable[str]:
    yield from (spec.greeting, spec.tenant_name, spec.assistant_name)
    for fact in spec.facts:
        yield from (fact.topic, fact.answer)
    for passage in spec.passages:
        yield from (passage.title, passage.text)


def _topics(spec: AssistantSpec) -> set[tuple[str, ...]]:
    """Single words and neighbours of the facts' topics, and whole titles of documents."""
    found: set[tuple[str, ...]] = set()
    for fact in spec.facts:
        words = WORD.findall(fact.topic.lower())
        found.update((word,) for word in words)
        found.update(zip(words, words[1:], strict=False))
    found.update(tuple(WORD.findall(passage.title.lower())) for passage in spec.passages)
    return found - {()}


_DIGITS = dict(zip("0123456789", "zero one two three four five six seven eight nine".split(), strict=True))


def _digits_spoken(text: str) -> str:
    return re.sub(r"[0-9]", lambda digit: f" {_DIGITS[digit[0]]} ", text)
