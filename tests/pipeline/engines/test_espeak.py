"""The real espeak-ng, in its process: sound as it comes, marks that fit it, and nothing left running."""

import asyncio
import os
import signal
from itertools import pairwise

import pytest

from pipeline.contracts.errors import EngineError
from pipeline.contracts.spec import VoiceSettings
from pipeline.engines.child_frames import WINDOW
from pipeline.engines.espeak import RATE_HZ, EspeakVoice
from pipeline.engines.speakable import PIECE_LENGTH

SETTINGS = VoiceSettings()
TEXT = (
    "Hello <b>there</b>! 🙂 Dr. Chen is in on Saturday, 9:00-17:30; a visit costs $25.50. See https://riverside.vet/x."
)


@pytest.fixture
async def voice():
    voice = EspeakVoice()
    await voice.start()
    yield voice
    await voice.close()


async def spoken(voice, text, settings=SETTINGS):
    return [chunk async for chunk in voice.speak(text, settings)]


def length_ms(chunks):
    return sum(len(chunk.pcm) for chunk in chunks) / 2 / RATE_HZ * 1000


async def test_a_phrase_comes_as_sound_in_small_chunks(voice):
    chunks = await spoken(voice, "We are open on Saturday.")
    assert 1000 < length_ms(chunks) < 4000
    assert all(len(chunk.pcm) / 2 / RATE_HZ <= 0.0601 and chunk.rate_hz == RATE_HZ for chunk in chunks)
    loudest = max(
        abs(int.from_bytes(chunk.pcm[i : i + 2], "little", signed=True)) for chunk in chunks for i in (0, 500)
    )
    assert loudest > 500


async def test_word_marks_name_words_of_the_text_as_given(voice):
    words = [mark for chunk in await spoken(voice, TEXT) for mark in chunk.words]
    heard = [TEXT[mark.start : mark.start + mark.length] for mark in words]
    assert heard[:5] == ["Hello", "there", "Dr.", "Chen", "is"]
    assert "$25.50" in heard
    assert heard.count("$25.50") == 1
    assert heard[-1] == "https://riverside.vet/x"
    assert [mark.start for mark in words] == sorted({mark.start for mark in words})


async def test_marks_lie_in_the_sound_in_order(voice):
    chunks = await spoken(voice, TEXT)
    phonemes = [mark for chunk in chunks for mark in chunk.phonemes]
    words = [mark for chunk in chunks for mark in chunk.words]
    for marks in (phonemes, words):
        times = [mark.t_ms for mark in marks]
        assert times == sorted(times)
        assert 0 <= times[0] <= times[-1] <= length_ms(chunks)
    assert [mark.symbol for mark in phonemes[:4]] == ["h", "@", "l", "'oU"]
    assert phonemes[-1].symbol.startswith("_")


async def test_a_mark_comes_no_later_than_its_sound(voice):
    """So that the face knows a phoneme by the time its chunk is played."""
    end_ms = 0.0
    for chunk in await spoken(voice, TEXT):
        end_ms += len(chunk.pcm) / 2 / RATE_HZ * 1000
        assert all(mark.t_ms <= end_ms + 0.1 for mark in (*chunk.phonemes, *chunk.words))


async def test_the_same_phrase_sounds_the_same_length_in_one_piece_or_many(voice):
    one = length_ms(await spoken(voice, "We are open on Saturday."))
    ten = length_ms(await spoken(voice, "We are open on Saturday. " * 10))
    assert ten == pytest.approx(10 * one, rel=0.02)


async def test_a_sentence_too_long_for_one_piece_has_no_pause_where_it_was_cut(voice):
    sentence = "we are open on every Saturday " * 12
    marks = [mark for chunk in await spoken(voice, sentence + "indeed.") for mark in chunk.phonemes]
    pauses = [after.t_ms - mark.t_ms for mark, after in pairwise(marks) if mark.symbol == "_:"]
    assert len(sentence) > 2 * PIECE_LENGTH
    assert len(pauses) == 3
    assert max(pauses[:2]) < 20
    assert pauses[2] > 200


async def test_speed_and_voice_are_the_settings(voice):
    slow = await spoken(voice, "We are open on Saturday.", VoiceSettings("en-us", 100))
    fast = await spoken(voice, "We are open on Saturday.", VoiceSettings("en-gb", 300))
    assert length_ms(slow) > 1.8 * length_ms(fast)


@pytest.mark.parametrize("name", ["klingon-x", "../../etc/passwd", "", "a/b", "en us"])
async def test_a_voice_that_does_not_exist_is_told_in_words(voice, name):
    with pytest.raises(EngineError, match="there is no voice called") as caught:
        await spoken(voice, "Hello.", VoiceSettings(name))
    assert caught.value.engine == "tts"
    assert await spoken(voice, "Hello.")


@pytest.mark.parametrize("text", ["", "🙂", "<speak></speak>", "\u202e\u200b", " \n "])
async def test_a_text_with_nothing_to_say_is_silence_without_a_chunk(voice, text):
    assert await spoken(voice, text) == []


async def test_phoneme_and_markup_commands_are_not_obeyed(voice):
    commanded = await spoken(voice, "[[h@l'oU]] <break time='60s'/>")
    assert length_ms(commanded) < 4000


async def test_synthesis_waits_for_a_listener_who_does_not_take_it(voice):
    phrase = voice.speak("We are open on Saturday. " * 60, SETTINGS)
    await anext(phrase)
    call = voice._child._calls[max(voice._child._calls)]
    for _ in range(20):
        await spoken(voice, "Hello.")
    assert len(call._items) <= WINDOW
    await phrase.aclose()


async def test_closing_the_phrase_aborts_it_and_the_next_one_is_whole(voice):
    expected = await spoken(voice, "Hello.")
    for _ in range(5):
        phrase = voice.speak("We are open on Saturday. " * 60, SETTINGS)
        await anext(phrase)
        await phrase.aclose()
    again = await spoken(voice, "Hello.")
    assert length_ms(again) == pytest.approx(length_ms(expected), abs=20)  # it rounds to pitch periods
    assert [m.symbol for c in again for m in c.phonemes] == [m.symbol for c in expected for m in c.phonemes]


async def test_phrases_of_many_sessions_do_not_mix(voice):
    texts = [f"Number {n} {word}." for n, word in enumerate(["apple", "banana", "cherry", "damson", "elder"])]
    alone = [await spoken(voice, text) for text in texts]
    together = await asyncio.gather(*(spoken(voice, text) for text in texts))
    for one, other in zip(alone, together, strict=True):
        assert [m.symbol for c in one for m in c.phonemes] == [m.symbol for c in other for m in c.phonemes]


async def test_when_its_process_dies_the_phrase_fails_and_the_next_is_spoken(voice):
    phrase = voice.speak("We are open on Saturday. " * 60, SETTINGS)
    await anext(phrase)
    os.kill(voice._child.pid, signal.SIGKILL)
    with pytest.raises(EngineError, match="its process ended"):
        async for _ in phrase:
            pass
    assert await spoken(voice, "Hello.")
