"""What counts as a word, and which words only hold a sentence together. Standard library only; English."""

import re
from typing import Final

_WORD: Final = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")

FUNCTION_WORDS: Final = frozenset(
    """a about above actually after again all almost already also always am an and another any anybody anyone
    anything are aren't as ask asking at away back be because been before being between both but by can can't
    cannot certainly come could couldn't did didn't do does doesn't doing don't done down during early either
    else er erm especially even ever every everything exactly for from further get gets getting give given go
    goes going gonna got had has have haven't having he he's hello help her here hers hey hi him his hm how i
    i'd i'll i'm i've if in instead into is isn't it it'd it'll it's its just kind know late later let let's
    like little long look looking lot make makes many matter may maybe me mean might mine more most much must my
    myself near need needed needs never next no nor not now of off often oh okay on once one ones only or other
    our ours out over own per perhaps please possible possibly quick quickly quite rather really right said same
    say see shall she she's should show simply since so some somebody someone something sometime soon sorry sort
    still such sure take takes tell than thank thanks that that's the their theirs them then there there's these
    they they're thing things think this those though through time times to today together tomorrow tonight too
    two uh um under understand until up upon us usually very want wanted wants was wasn't way we we'd we'll
    we're we've well were what what's whatever when when's where where's whether which while who who's whom
    whose why will with within without won't wonder wondering would wouldn't yeah yes yet you you'd you'll
    you're you've your yours yourself""".split()
)
"""Words without a subject of their own: they neither find an answer nor speak against one."""

_BEFORE_A_THING: Final = frozenset("a the my your his her our their this that simple new last of".split())


def words(text: str) -> list[str]:
    """The words of `text` in lower case, in order. `check-up` is one word, `checkup`; `8:30` is two."""
    joined = re.sub(r"(?<=[^\W\d_])-(?=[^\W\d_])", "", text)
    return [word.replace("’", "'") for word in _WORD.findall(joined.lower())]


def informative_words(text: str) -> list[str]:
    """The words of `text` that say what it is about, in order, repetitions kept.

    "Will" is a verb that says nothing, but "a will" and "my will" are a thing.
    """
    spoken = words(text)
    return [
        word
        for before, word in zip(["", *spoken], spoken, strict=False)
        if word not in FUNCTION_WORDS or (word == "will" and before in _BEFORE_A_THING)
    ]


def content_words(text: str) -> list[str]:
    """`informative_words`, each once."""
    return list(dict.fromkeys(informative_words(text)))
