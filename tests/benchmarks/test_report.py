"""Tables of what was measured, whole or in part."""

from typing import Any

from benchmarks.browser import silences
from benchmarks.inproc.tally import Tally, percentile, summary
from benchmarks.report import tables

MACHINE = {"cpu": "A CPU", "cores": 2, "python": "3.11.7", "commit": "abc"}


def figures() -> dict[str, Any]:
    tally = Tally(open=True, turns=3)
    tally.overhead_ms.extend([1.0, 2.0, 30.0])
    return {
        **summary(tally),
        "cpu_s_per_session_min": 0.4,
        "rss_mb_per_session": 0.3,
        "gc_longest_ms": 1.0,
    }


def test_percentiles_are_measurements_and_err_to_the_strict_side() -> None:
    assert percentile([], 0.5) is None
    assert percentile([5.0, 1.0, 3.0], 0.5) == 3.0
    assert percentile([5.0, 1.0, 3.0], 0.95) == 5.0


def test_every_side_and_number_of_sessions_has_a_row() -> None:
    limit = {"sessions": 25, "broken_at": 30, "because": "2 missed turns"}
    shown = tables({
        "machine": MACHINE,
        "inproc": {"25": figures(), "limit": limit},
        "floor": {"25": figures()},
        "peers": {"pipecat": {"25": {"sessions": 25, "failed": "did not end in time"}}},
    })  # fmt: skip
    assert "| ours | 25 | 2.0 / 30.0 |" in shown
    assert "| floor | 25 |" in shown
    assert "| pipecat | 25 | failed |" in shown
    assert "ours: 25 sessions hold; 2 missed turns" in shown


def test_parts_that_were_not_measured_are_left_out() -> None:
    shown = tables({"machine": MACHINE, "browser": {"barge_in_ms": {"p50": 12.0, "p95": 20.0}}})
    assert "barge_in_ms.p95: 20.0" in shown
    assert "WebRTC" not in shown


def test_silence_after_a_hold_is_counted_from_the_servers_event() -> None:
    messages = [
        {"type": "beat", "at": 1010.0, "t_audio_ms": 0.0},
        {"type": "beat", "at": 2000.0, "t_audio_ms": 1000.0},
        {"type": "hold", "at": 3003.0, "t_audio_ms": 2000.0},
    ]
    audible = [[2500.0, True], [2700.0, False], [2720.0, True], [3012.0, False]]
    assert silences(messages, audible) == [12.0]


def test_a_hold_that_nobody_could_hear_does_not_count() -> None:
    messages = [{"type": "beat", "at": 0.0, "t_audio_ms": 0.0}, {"type": "hold", "at": 1000.0, "t_audio_ms": 1000.0}]
    assert silences(messages, [[500.0, True], [800.0, False]]) == []
    assert silences(messages, [[500.0, True], [990.0, False], [4000.0, True], [5000.0, False]]) == []
    assert silences(messages, []) == []


def test_a_reply_that_goes_on_ends_the_silence_that_is_timed() -> None:
    messages = [
        {"type": "beat", "at": 0.0, "t_audio_ms": 0.0},
        {"type": "hold", "at": 1001.0, "t_audio_ms": 1000.0},
        {"type": "resume", "at": 1050.0, "t_audio_ms": 1050.0},
    ]
    assert silences(messages, [[500.0, True], [1015.0, False], [1055.0, True], [2000.0, False]]) == [15.0]
