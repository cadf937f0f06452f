"""The estimate against real byte-level BPE tokenizers, trained on the spot: never less than they count.

docs/engines.md has the same for two tokenizers of published models; small vocabularies like these are harder, because
they break words into more pieces.
"""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from pipeline.core.thinking import CANNOT_ANSWER, CONTEXT_FULL, NOT_UNDERSTOOD, TOO_LONG
from pipeline.core.tokens import estimated_tokens
from pipeline.engines.smalltalk import FIXED

ROOT = Path(__file__).parents[3]
CORPUS = [
    line.strip()
    for path in sorted([*ROOT.glob("docs/*.md"), *ROOT.glob("sessions_app/assistants/demo/*")])
    if path.is_file() and path.suffix in {".md", ".json", ".txt", ".py"}
    for line in path.read_text().splitlines()
    if line.strip()
]
SPOKEN = [
    *(CANNOT_ANSWER, CONTEXT_FULL, NOT_UNDERSTOOD, TOO_LONG, *FIXED),
    "Good morning, my dog Bella has eaten chocolate, is that dangerous?",
    "Could I have an appointment on Thursday the fourteenth at half past nine, please?",
    "My number is 0151 555 0143 and the order is XK7-QPT-ZZT.",
    "It costs $1,234.56, see https://example.org/terms?page=2.",
    "Ich möchte einen Termin für morgen, bitte.",
    "你好，请问你们几点开门？",
    "Привет, вы открыты в субботу?",
    "😀😀👍🏽",
    "a b c d e f g",
    "   ",
    "\n\n\t- one\n\t- two\n",
]


def trained(vocabulary: int) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=vocabulary, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(CORPUS, trainer)
    return tokenizer


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return trained(8000)


@pytest.mark.parametrize("text", SPOKEN)
def test_what_people_say_is_never_longer_than_estimated(tokenizer: Tokenizer, text: str) -> None:
    assert estimated_tokens(text) >= len(tokenizer.encode(text).ids)


def test_neither_is_a_line_of_our_own_texts(tokenizer: Tokenizer) -> None:
    assert len(CORPUS) > 300
    short = [line for line in CORPUS if estimated_tokens(line) < len(tokenizer.encode(line).ids)]
    assert short == []


def test_the_estimate_wastes_less_than_the_half_of_the_context(tokenizer: Tokenizer) -> None:
    counted = sum(len(tokenizer.encode(line).ids) for line in CORPUS)
    assert sum(map(estimated_tokens, CORPUS)) < 2 * counted


@given(st.text(max_size=200))
def test_any_text_has_an_estimate_between_nothing_and_its_bytes(text: str) -> None:
    size = len(text.encode("utf-8", "replace"))
    assert 0 <= estimated_tokens(text) <= size
    assert (estimated_tokens(text) == 0) <= (text.strip(" ") == "")


@given(st.text(alphabet="ab 1.é", max_size=60), st.text(alphabet="ab 1.é", max_size=60))
def test_a_longer_text_is_never_estimated_shorter_by_more_than_a_joined_word(one: str, other: str) -> None:
    assert estimated_tokens(one + other) >= estimated_tokens(one) - 1
