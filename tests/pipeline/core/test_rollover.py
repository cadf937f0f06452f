from hypothesis import given
from hypothesis import strategies as st

from pipeline.contracts.numbers import CONTEXT_TOKENS, ROLLOVER_PREPARE_TOKENS, ROLLOVER_TOKENS
from pipeline.core.conversation import Line
from pipeline.core.rollover import Allowance, bounded, next_part, older_lines, pieces
from pipeline.core.tokens import MESSAGE_TOKENS, estimated_tokens

LINES = st.lists(
    st.builds(
        lambda role, text: Line(role, text, estimated_tokens(text) + MESSAGE_TOKENS),
        st.sampled_from(["user", "assistant"]),
        st.text(min_size=1, max_size=80),
    ),
    max_size=30,
)


def test_the_contracts_figures_hold_where_the_model_takes_all_of_it() -> None:
    budget = Allowance.of(128_000)
    assert budget == Allowance() == Allowance.of(CONTEXT_TOKENS)
    assert (budget.cap, budget.rollover, budget.prepare) == (CONTEXT_TOKENS, ROLLOVER_TOKENS, ROLLOVER_PREPARE_TOKENS)


@given(st.integers(-5, 10_000))
def test_a_smaller_model_has_a_smaller_budget_of_the_same_shape(tokens: int) -> None:
    budget = Allowance.of(tokens)
    assert 1 <= budget.cap <= CONTEXT_TOKENS
    assert budget.prepare <= budget.rollover <= budget.cap


@given(LINES, st.integers(0, 400))
def test_what_stays_fits_begins_with_the_visitor_and_keeps_what_waits_for_an_answer(lines, kept) -> None:
    older = older_lines(lines, kept)
    stays = lines[older:]
    waiting = 0
    while waiting < len(lines) and lines[-1 - waiting].role == "user":
        waiting += 1
    assert len(stays) >= waiting
    assert len(stays) == waiting or sum(line.tokens for line in stays) <= kept
    assert not stays or not older or stays[0].role == "user"


@given(LINES, st.integers(12, 200))
def test_every_line_is_summarised_once_and_no_request_is_too_long(lines, limit) -> None:
    left, seen = list(lines), []
    while left:
        count, requests = next_part(left, len(left), limit)
        assert count >= 1
        for request in requests:
            assert sum(estimated_tokens(m.content) + MESSAGE_TOKENS for m in request) <= limit
        seen.append("".join(m.content for request in requests for m in request))
        left = left[count:]
    assert "".join(seen) == "".join(line.content for line in lines)


def test_nothing_older_nothing_to_summarise() -> None:
    assert next_part([Line("user", "hello", 10)], 0, 100) == (0, [])


@given(st.text(max_size=500), st.integers(12, 100))
def test_pieces_are_the_whole_text_and_fit(text: str, limit: int) -> None:
    cut = list(pieces(text, limit))
    assert "".join(cut) == text
    assert all(estimated_tokens(piece) + MESSAGE_TOKENS <= limit for piece in cut)


@given(st.text(max_size=800), st.integers(12, 100))
def test_a_summary_is_bounded_and_begins_as_it_was_written(text: str, limit: int) -> None:
    kept = bounded(text, limit)
    assert estimated_tokens(kept) <= limit
    assert text.startswith(kept)


def test_a_summary_that_is_too_long_ends_with_a_sentence() -> None:
    assert bounded("They want to come on Friday. " * 20, 30).endswith("Friday.")
