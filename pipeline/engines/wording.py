"""What the words of a turn say about whether it is finished: classes of English words, and marks read off a text.

The word classes are closed ones from any English grammar (determiners, prepositions, conjunctions, auxiliaries, subject
pronouns) and short lists of everyday verbs. A recogniser's text has no capitals and no punctuation, and may be wrong.
"""

from typing import Final, NamedTuple

DETERMINERS: Final = frozenset(
    "a an the my your our their its his every each these those some any another such".split()
)
PREPOSITIONS: Final = frozenset(
    "of at from into onto for with without between during against than until before after behind under near since "
    "per via towards upon among beside beyond above below like across along to about".split()
)
CONJUNCTIONS: Final = frozenset(
    "and or but because if whether although while unless so as when where how who what which whose why nor".split()
)
SUBJECTS: Final = frozenset("i we he she they i'm we're he's she's they're i've we've i'd we'd i'll we'll".split())
CONTRACTED: Final = frozenset("i'm we're they're i've we've i'd we'd i'll we'll it's that's there's what's".split())
BE: Final = frozenset("am is are was were be been being isn't aren't wasn't weren't".split())
HAVE: Final = frozenset("have has had haven't hasn't hadn't".split())
MODALS: Final = frozenset(
    "can could will would shall should may might must can't couldn't won't wouldn't shouldn't cannot".split()
)
AUXILIARIES: Final = (
    BE | MODALS | frozenset("do does did don't doesn't didn't has have had hasn't haven't hadn't".split())
)
ADVERBS: Final = frozenset(
    "though not very really just only also even quite too always never still already more".split()
)
"""They want a word after them; `already`, `too`, `more` less so, but few turns end in them."""
FILLERS: Final = frozenset("um uh er erm hmm well".split())
STRANDED: Final = frozenset("to about with from".split())
TALKING: Final = frozenset("talk talking speak speaking write send go going come work deal belong refer".split())
"""A question may end in such a verb and its preposition: "who should I talk to"."""
ADJECTIVES: Final = frozenset(
    "best other same own next last first second third new simple small big able ready".split()
)
"""Few of many: those that stand before nouns more than at ends."""
PARTICLES: Final = frozenset("in on up out off over by down back around through".split())
"""Prepositions that also stand alone: "can I come in"."""
MOVING: Final = frozenset(
    "come comes coming came go goes going went move moves moving moved get got stay stays staying drop drops walk "
    "walks walking fell fall run ran send drive drives".split()
)
"""Verbs that a particle completes: "move out", "stay on"."""
POINTERS: Final = frozenset("you it that this her one there me us them him".split())
"""Whole things or the beginning of one: "is that | her"."""
QUESTIONS: Final = frozenset("what when where who whom which why how whose".split())

TRANSITIVE: Final = frozenset(
    "make making made need needs needed want wants wanted buy buying bought bring bringing brought get getting "
    "got take taking took give giving gave tell told telling find finding found keep keeps keeping see seeing use "
    "using used say said put send sending sent let lets sell selling sold treat treats treating offer offers "
    "handle handles like own owns has have had having book booking write writing wrote schedule know think thinks "
    "believe wonder wondering discuss ask asked swallowed ate receive received do".split()
)
"""Verbs that want an object; at the end of a turn more is likely to come."""
INTRANSITIVE: Final = frozenset(
    "come comes coming came go goes going went work works working worked help helps helping pay paid paying wait "
    "call called calling speak speaking talk talking park meet meets meeting open close closes closed start "
    "starts stop live lives limping bleeding sleep sleeps walk walks eat eats eating breathe breathing move moves "
    "happen happens happened cancel change look looks looking cost costs charge charges sneezing coughing "
    "vomiting drink drinks pick sign signed fired arrested stole stolen keeps fell hit lost broke died "
    "hurts seems feels visit stay leave left drive".split()
)
VERBS: Final = AUXILIARIES | TRANSITIVE | INTRANSITIVE | CONTRACTED
REPORTING: Final = frozenset("think thought believe know knew say said told hope heard sure wonder".split())
"""Before "that", a clause is still to come."""

ANSWERS: Final = frozenset(
    "yes|no|know|yeah|yep|nope|okay|ok|sure|right|hello|hi|hey|goodbye|bye|thanks|thank you|thank you very much|please|"
    "yes please|no thanks|no thank you|good morning|good afternoon|good evening|okay goodbye|okay thanks|alright|sorry|"
    "excuse me|pardon|what|of course|perfect|great|fine|i see|stop|cancel|hold on|wait|never mind|bye bye|"
    "have a nice day|that is all|that's all|not today|maybe|exactly|correct|good bye".split("|")
)
CLOSERS: Final = frozenset(
    "please thanks today tomorrow tonight yesterday morning afternoon evening noon night week weekend month year "
    "now monday tuesday wednesday thursday friday saturday sunday again goodbye bye soon later all everything yet "
    "anymore either anyway o'clock ago online".split()
)
"""What turns like to end in: times, and words that round off."""
DIGITS: Final = frozenset("zero oh one two three four five six seven eight nine double triple".split())
PHONE_DIGITS: Final = 7
"""So many and more are a whole number; fewer after one another are the middle of one."""


class Marks(NamedTuple):
    """What can be read off a turn's words; each 0 or 1 unless said otherwise."""

    demand: float
    """The last word wants another: an article, a preposition, a conjunction, an auxiliary, a subject."""
    lean: float
    """The last word may stand alone or want another."""
    object: float
    """The last word is a verb that wants an object."""
    answer: float
    """The whole is something that is said by itself: yes, thank you, good morning."""
    closer: float
    number_open: float
    """In the middle of a phone number."""
    number_whole: float
    content: float
    """A verb, and later, at the end, a word of no closed class: a sentence may be whole."""
    short: float
    """1 for a single word, falling to 0 at five."""


NOTHING: Final = Marks(0, 0, 0, 0, 0, 0, 0, 0, 1)


def marks(text: str) -> Marks:
    words = text.lower().replace("?", " ").replace(".", " ").replace(",", " ").replace("!", " ").split()
    if not words:
        return NOTHING
    last, digits = words[-1], _digits_at_end(words)
    answer, numbered = " ".join(words[-4:]) in ANSWERS or " ".join(words) in ANSWERS, digits >= 3
    demand = not (answer or numbered) and _demands(words)
    lean = not (answer or numbered or demand) and _leans(words)
    wants = not (answer or demand or lean) and last in TRANSITIVE
    verb = any(word in VERBS for word in words)
    content = verb and not (demand or lean or wants or numbered) and last not in AUXILIARIES
    return Marks(
        demand=demand,
        lean=lean,
        object=wants and not _asks_for_object(words),
        answer=answer,
        closer=last in CLOSERS and not demand,
        number_open=numbered and digits < PHONE_DIGITS,
        number_whole=digits >= PHONE_DIGITS,
        content=content,
        short=max(0.0, (5 - len(words)) / 4) if not answer else 0.0,
    )


def _demands(words: list[str]) -> bool:
    last, before = words[-1], words[-2] if len(words) > 1 else ""
    asks = words[0] in QUESTIONS
    if last in PREPOSITIONS:
        misheard_four = last == "for" and before in PREPOSITIONS | PARTICLES
        who_to_talk_to = asks and last in STRANDED and before in TALKING
        return not misheard_four and not who_to_talk_to
    if last == "will" and DETERMINERS & set(words[-3:-1]):
        return False  # the lawyer's one
    if last == "that":
        return before in REPORTING
    if last in POINTERS:
        return before in AUXILIARIES and not asks and last in ("you", "it", "there")
    known = DETERMINERS | CONJUNCTIONS | SUBJECTS | ADVERBS | FILLERS | MODALS | BE | HAVE
    return last in known or (last in AUXILIARIES and before in SUBJECTS | POINTERS and not asks)


def _leans(words: list[str]) -> bool:
    last, before = words[-1], words[-2] if len(words) > 1 else ""
    if last in PARTICLES:
        return before not in MOVING
    return last in ADJECTIVES or (last in POINTERS and last not in ("me", "us", "them", "him"))


def _asks_for_object(words: list[str]) -> bool:
    """ "what should I bring": the object came first."""
    return words[0] in ("what", "which", "who", "how")


def _digits_at_end(words: list[str]) -> int:
    count = 0
    for word in reversed(words):
        if word not in DIGITS and word not in ("for", "to", "or", "too", "won", "ate"):  # how digits are misheard
            break
        count += 1
    return count
