from hypothesis import given
from hypothesis import strategies as st

from pipeline.contracts.dialogue import Message
from pipeline.core.rollover import Allowance
from pipeline.core.tokens import estimated_tokens
from pipeline.engines.extract import extract

MESSAGES = st.lists(
    st.builds(Message, st.sampled_from(["system", "user", "assistant"]), st.text(max_size=300)), max_size=40
)


def test_it_keeps_what_was_told_and_what_was_asked_with_its_answer() -> None:
    notes = extract(
        [
            Message("user", "My dog is called Bella. When do you open?"),
            Message("assistant", "We open at nine. Anything else?"),
            Message("user", "No thank you."),
        ]
    )
    assert notes.splitlines() == [
        "- told: My dog is called Bella.",
        "- asked: When do you open? answered: We open at nine.",
    ]


def test_it_carries_on_the_notes_before_it() -> None:
    first = extract([Message("user", "My dog is called Bella.")])
    notes = extract([Message("system", first), Message("user", "How much is a checkup?")])
    assert notes.splitlines() == [first, "- asked: How much is a checkup?"]


def test_what_was_told_first_outlives_hundreds_of_questions() -> None:
    notes = extract([Message("user", "My dog is called Bella.")])
    for n in range(300):
        turn = [Message("user", f"What does treatment number {n} cost?"), Message("assistant", "It costs 40 dollars.")]
        notes = extract([Message("system", notes), *turn])
    assert "Bella" in notes
    assert "number 299" in notes
    assert "number 5 " not in notes


@given(MESSAGES)
def test_whatever_was_said_it_is_short_enough_for_the_block_and_the_same_each_time(messages) -> None:
    notes = extract(messages)
    assert notes == extract(messages)
    assert notes.isascii() <= (estimated_tokens(notes) <= Allowance().state * 2)
    assert len(notes) <= 2400
    assert extract([Message("system", notes)]) == notes
