"""What a conversation tells its meter shows on the metrics page, and nothing of whose it was."""

import pytest
from prometheus_client import REGISTRY, generate_latest

from pipeline.contracts.dialogue import Usage
from pipeline.worker.observed import PrometheusMeter


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def test_prompt_tokens_and_those_from_the_prefix_cache_are_counted() -> None:
    def counted() -> list[float]:
        told = [value("goassist_prompt_tokens_total", speculative=speculative) for speculative in ("false", "true")]
        return [*told, value("goassist_prompt_cached_tokens_total")]

    before = counted()
    PrometheusMeter().usage(Usage(900, 768))
    PrometheusMeter().usage(Usage(100, 0), speculative=True)
    assert [now - was for now, was in zip(counted(), before, strict=True)] == [900, 100, 768]


@pytest.mark.parametrize("outcome", ["done", "failed", "late"])
def test_rollovers_are_counted_by_their_outcome(outcome: str) -> None:
    before = value("goassist_rollovers_total", outcome=outcome)
    PrometheusMeter().rollover(outcome)
    assert value("goassist_rollovers_total", outcome=outcome) == before + 1


def test_of_the_signals_only_sums_over_all_sessions_are_seen() -> None:
    before = value("goassist_reply_verbosity_count"), value("goassist_reply_clarification_sum")
    PrometheusMeter().signals(0.25, 0.75)
    assert value("goassist_reply_verbosity_count") == before[0] + 1
    assert value("goassist_reply_clarification_sum") == pytest.approx(before[1] + 0.75)
    page = generate_latest(REGISTRY).decode()
    lines = [line for line in page.splitlines() if line.startswith(("goassist_reply_verbosity", "goassist_reply_clar"))]
    assert lines
    assert all("{" not in line or line.split("{")[1].startswith("le=") for line in lines)
