"""The scripted twins: same script, same conversation, and delays that are exactly the ones they were given."""

import math
from array import array

from hypothesis import given
from hypothesis import strategies as st

from pipeline.contracts.audio import PhonemeMark
from pipeline.contracts.dialogue import LanguageRequest, Message, Transcript
from pipeline.contracts.face import INDEX, NEUTRAL
from pipeline.contracts.spec import AssistantSpec, VoiceSettings
from pipeline.core.ports import Pause
from pipeline.engines.scripted import (
    ScriptedAsr,
    ScriptedFace,
    ScriptedLanguage,
    ScriptedTurns,
    ScriptedVad,
    ScriptedVoice,
)

SPEC = AssistantSpec("t", "Clinic", "a", "reception", "Reception", "Hello.", "You are kind.")
SECOND = bytes(32_000)


class Sleeper:
    """Notes how long it was asked to sleep, and does not."""

    def __init__(self):
        self.slept = []

    async def __call__(self, seconds):
        self.slept.append(seconds)


def tone(amplitude):
    return array("h", (int(amplitude * math.sin(i / 5)) for i in range(512))).tobytes()


def request(question):
    return LanguageRequest((Message("user", question),), question, (), 0.35, 512, "s", "Reception", "Clinic")


async def test_a_tone_is_speech_and_silence_is_not():
    told = []
    stream = ScriptedVad(threshold=500).open(told.append, told.append)
    for window in (tone(4000), tone(100), bytes(1024)):
        stream.feed(window)
    stream.close()
    stream.feed(tone(4000))
    assert told == [1.0, 0.0, 0.0]


async def test_utterances_are_the_lines_over_and_over_for_each_session():
    sleeper = Sleeper()
    asr = ScriptedAsr(lines=["one", "two"], delay_ms=40, confidence=0.9, sleep=sleeper)
    first, second = await asr.open(SPEC), await asr.open(SPEC)
    heard = []
    for _ in range(3):
        first.feed(SECOND)
        heard.append(await first.finish())
    assert heard == [Transcript("one", 0.9), Transcript("two", 0.9), Transcript("one", 0.9)]
    assert sleeper.slept == [0.04] * 3
    second.feed(SECOND)
    assert (await second.finish()).text == "one"


async def test_the_partial_grows_with_the_sound_and_is_forgotten_with_it():
    hearing = await ScriptedAsr(lines=["what are your hours"], word_ms=500).open(SPEC)
    assert hearing.partial == ""
    hearing.feed(SECOND)
    assert hearing.partial == "what are"
    hearing.discard()
    assert hearing.partial == ""
    assert await hearing.finish() == Transcript("")


async def test_what_was_said_so_far_costs_time_only_when_something_new_was_said():
    sleeper = Sleeper()
    hearing = await ScriptedAsr(lines=["What are your hours | on Saturday?"], delay_ms=40, sleep=sleeper).open(SPEC)
    assert await hearing.so_far() == Transcript("")
    hearing.feed(tone(4000))
    assert (await hearing.so_far()).text == "What are your hours"
    hearing.feed(SECOND)
    assert (await hearing.so_far()).text == "What are your hours"
    assert sleeper.slept == [0.04]
    hearing.feed(tone(4000))
    assert (await hearing.so_far()).text == "What are your hours on Saturday?"
    hearing.feed(SECOND)
    assert (await hearing.finish()).text == "What are your hours on Saturday?"
    assert sleeper.slept == [0.04] * 2


async def test_what_was_said_so_far_is_the_whole_line_unless_it_has_parts_and_each_utterance_begins_anew():
    hearing = await ScriptedAsr(lines=["one two", "three | four"]).open(SPEC)
    for text in ("one two", "three"):
        hearing.feed(tone(4000))
        assert (await hearing.so_far()).text == text
        await hearing.finish()


async def test_pauses_are_as_complete_as_the_script_says_after_its_delay():
    sleeper = Sleeper()
    turns = ScriptedTurns(completeness=(0.1, 0.9), delay_ms=10, sleep=sleeper)
    pause = Pause("", b"", 500, 100)
    assert [await turns.completeness(pause) for _ in range(3)] == [0.1, 0.9, 0.1]
    assert sleeper.slept == [0.01] * 3


async def test_replies_come_word_by_word_with_their_delays():
    sleeper = Sleeper()
    language = ScriptedLanguage(replies=["We open at nine."], first_token_ms=100, per_token_ms=10, sleep=sleeper)
    assert [piece async for piece in language.reply(request("?"))] == ["We", " open", " at", " nine."]
    assert sleeper.slept == [0.1, 0.01, 0.01, 0.01]


async def test_without_replies_it_says_what_it_was_asked():
    pieces = [piece async for piece in ScriptedLanguage().reply(request("Are you open?"))]
    assert "".join(pieces) == "You said: Are you open?"


@given(st.text(max_size=60))
async def test_speech_lasts_as_long_as_its_text_and_its_marks_lie_within(text):
    chunks = [chunk async for chunk in ScriptedVoice(char_ms=50).speak(text, VoiceSettings())]
    assert sum(len(chunk.pcm) for chunk in chunks) == len(text) * 50 * 16 * 2
    words = [text[mark.start : mark.start + mark.length] for chunk in chunks for mark in chunk.words]
    assert words == text.split()
    begin_ms = 0.0
    for chunk in chunks:
        end_ms = begin_ms + len(chunk.pcm) / 32
        assert all(begin_ms <= mark.t_ms < end_ms for mark in (*chunk.phonemes, *chunk.words))
        begin_ms = end_ms


async def test_the_tone_is_loud_enough_for_the_scripted_ear():
    chunks = [chunk async for chunk in ScriptedVoice().speak("Hello there", VoiceSettings())]
    pcm = b"".join(chunk.pcm for chunk in chunks)
    told = []
    ScriptedVad().open(told.append, told.append).feed(pcm[:1024])
    assert told == [1.0]


def test_the_jaw_is_open_while_it_sounds_and_shuts_softly_after_a_flush():
    track = ScriptedFace().open(1)
    track.add([PhonemeMark("a", 0)], 0, 500)
    track.add([PhonemeMark("a", 500)], 500, 1000)
    jaws = [track.pose(t)[INDEX["jawOpen"]] for t in range(0, 600, 10)]
    assert set(jaws) == {0.5}
    track.flush(600)
    jaws = [track.pose(t)[INDEX["jawOpen"]] for t in range(600, 800, 10)]
    assert jaws[0] == 0.5
    assert all(0 <= before - after < 0.05 for before, after in zip(jaws, jaws[1:], strict=False))
    assert track.pose(800) == NEUTRAL


def test_a_long_call_does_not_make_the_scripted_face_grow():
    track = ScriptedFace().open(1)
    for t in range(0, 3_600_000, 2000):
        track.add([PhonemeMark("a", t)], t, t + 500)
    assert len(track._spans) < 40
