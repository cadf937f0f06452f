"""Whole sessions on the pause set: counted honestly, and measured once with the real ears."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.pauses.live import Visitor, _judged, summary
from benchmarks.pauses.make import Utterance
from pipeline.contracts.dialogue import TurnRecord

ROOT = Path(__file__).parents[2]
SAID = Utterance("tuning", "c", "slt", "vet", ("my dog is ill", "and a cat"), b"", ((500, 1000), (1500, 2000)), False)


def turn(text: str) -> TurnRecord:
    return TurnRecord("told", "s", "t", 1, 0, "voice", text, 0.0, 0.0, "v")


def judged(heard_ms: list[float], *texts: str):
    visitor = Visitor()
    visitor.heard_s = [10 + at / 1000 for at in heard_ms]
    return _judged(visitor, [turn(text) for text in texts], SAID, 10.0)


def test_an_agent_that_speaks_into_the_pause_is_measured_from_the_visitors_onset():
    one = judged([1300, 1320, 1580, 2440], "my dog is ill and a cat")
    assert one.spoke_into_it and one.one_turn and one.both_parts
    assert one.silent_ms == pytest.approx(80)
    assert one.first_audio_ms == pytest.approx(440)


def test_an_agent_that_begins_after_the_onset_is_measured_from_its_own_first_sound():
    assert judged([1600, 1640, 2440], "my dog is ill and a cat").silent_ms == pytest.approx(40)


def test_two_turns_are_not_one_and_half_a_text_is_not_both_parts():
    assert not judged([1300, 2440], "my dog is ill", "and a cat").one_turn
    assert not judged([2440], "my dog is ill").both_parts
    assert judged([2440], "my dog is ill").one_turn


def test_the_summary_speaks_of_those_it_spoke_into():
    found = summary([judged([1300, 1700, 2440], "dog cat"), judged([2400], "dog cat"), judged([])])
    assert (found["utterances"], found["spoke_into_it"], found["silent_in_time"]) == (3, 1, 0.0)
    assert found["silent_ms"]["max"] == 200
    assert found["one_turn"] == pytest.approx(66.7)


@pytest.mark.slow
def test_a_visitor_who_goes_on_is_answered_once():
    """A sentence with one voice, in real time."""
    code = (
        "import asyncio, json; from benchmarks.pauses import live, make;"
        "from benchmarks.pauses.sentences import TUNING;"
        "spoken = [make._make('tuning', 'rms', 'c', TUNING['c'][0])];"
        "print(json.dumps(live.summary(asyncio.run(live.measure(spoken)))))"
    )
    printed = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    found = json.loads(printed)
    assert found["utterances"] == 1
    assert found["one_turn"] == 100
    assert found["first_audio_ms"]["p50"] > 0
