"""The phoneme face: articulates what sounds, blinks, never snaps, is at rest where nothing sounds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.contracts.audio import PhonemeMark
from pipeline.contracts.face import ARKIT_52, INDEX, NEUTRAL
from pipeline.contracts.numbers import FACE_EASE_MS, FACE_HOLD_MS
from pipeline.contracts.spec import VoiceSettings
from pipeline.engines.espeak import RATE_HZ, EspeakVoice
from pipeline.engines.phoneme_face import BLINK_MS, BLINK_SLOT_MS, REACH_MS, TOP_SPEED, PhonemeFace, blink
from pipeline.engines.visemes import REST, SHAPES, visemes

EYES = {INDEX["eyeBlinkLeft"], INDEX["eyeBlinkRight"]}
MOVING = EYES | {INDEX[shape] for shape in SHAPES}
SYMBOLS = [
    "p",
    "b",
    "m",
    "f",
    "v",
    "T",
    "t",
    "k",
    "s",
    "S",
    "tS",
    "n",
    "l",
    "r",
    "w",
    "A:",
    "'aI",
    "oU",
    "E",
    "i:",
    "u:",
]

STRIDE_MS = 2

symbols = st.sampled_from([*SYMBOLS, "_", "_:"]) | st.text(max_size=3)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.floats(-100, 300), st.lists(st.tuples(symbols, st.floats(0, 400)), max_size=6)),
        st.tuples(st.just("wait"), st.integers(1, 300), st.none()),
        st.tuples(st.just("flush"), st.floats(-50, 50), st.none()),
    ),
    max_size=12,
)


def mouth(pose):
    return tuple(0.0 if i in EYES else weight for i, weight in enumerate(pose))


def track_of(*marks, end_ms, seed=1):
    track = PhonemeFace().open(seed)
    track.add([PhonemeMark(symbol, t_ms) for symbol, t_ms in marks], 0, end_ms)
    return track


@given(steps, st.integers(0, 5))
def test_whatever_is_told_and_when_the_face_never_snaps(script, seed):
    track = PhonemeFace().open(seed)
    now_ms, before = 0.0, track.pose(0.0)
    for verb, amount, marks in script:
        if verb == "add":
            start_ms = now_ms + amount
            track.add([PhonemeMark(s, start_ms + t) for s, t in marks], start_ms, start_ms + 400)
        elif verb == "flush":
            track.flush(now_ms)
        for _ in range(amount // STRIDE_MS if verb == "wait" else 1):
            now_ms += STRIDE_MS
            pose = track.pose(now_ms)
            assert max(abs(a - b) for a, b in zip(pose, before, strict=True)) <= TOP_SPEED * STRIDE_MS
            before = pose


@given(steps, st.integers(0, 5))
def test_every_pose_has_52_weights_from_0_to_1_and_brows_cheeks_and_nose_at_rest(script, seed):
    track = PhonemeFace().open(seed)
    now_ms = 0.0
    for verb, amount, marks in script:
        if verb == "add":
            start_ms = max(now_ms + amount, 0)
            track.add([PhonemeMark(s, start_ms + t) for s, t in marks], start_ms, start_ms + 400)
        elif verb == "flush":
            track.flush(now_ms + amount)
        else:
            now_ms += amount
        pose = track.pose(now_ms)
        assert len(pose) == 52
        assert all(0.0 <= weight <= 1.0 for weight in pose)
        assert all(pose[i] == 0.0 for i in range(52) if i not in MOVING)


@given(st.lists(st.tuples(symbols, st.floats(0, 900)), max_size=12), st.floats(0, 5000))
def test_long_after_the_last_sound_the_mouth_is_at_rest(marks, later_ms):
    track = track_of(*marks, end_ms=1000)
    for t in range(0, 1000, 50):
        track.pose(t)
    assert mouth(track.pose(1000 + FACE_HOLD_MS + FACE_EASE_MS + later_ms)) == NEUTRAL


def test_before_anything_was_said_the_mouth_is_at_rest():
    track = PhonemeFace().open(3)
    assert all(mouth(track.pose(t)) == NEUTRAL for t in range(-1000, 10_000, 33))


def test_the_mouth_begins_to_move_before_the_sound_and_not_long_before():
    track = track_of(("A:", 500), end_ms=800)
    assert mouth(track.pose(500 - REACH_MS)) == NEUTRAL
    assert track.pose(480)[INDEX["jawOpen"]] > 0.01


@pytest.mark.parametrize("symbol", ["p", "b", "m"])
def test_lips_close_for_p_b_and_m_between_open_vowels(symbol):
    track = track_of(("A:", 0), (symbol, 200), ("A:", 270), end_ms=500)
    open_jaw, shut_jaw = track.pose(130)[INDEX["jawOpen"]], track.pose(235)[INDEX["jawOpen"]]
    assert open_jaw > 0.4
    assert shut_jaw < 0.15
    assert track.pose(235)[INDEX["mouthPressLeft"]] > 0.3
    assert track.pose(235)[INDEX["mouthRollLower"]] > 0.25


def test_an_open_vowel_opens_the_jaw_and_a_rounded_one_the_lips():
    open_vowel, rounded = track_of(("A:", 0), end_ms=400).pose(200), track_of(("u:", 0), end_ms=400).pose(200)
    assert open_vowel[INDEX["jawOpen"]] > 2 * rounded[INDEX["jawOpen"]]
    assert rounded[INDEX["mouthPucker"]] > 0.4
    assert open_vowel[INDEX["mouthPucker"]] == 0


def test_a_diphthong_glides_from_one_shape_to_the_other():
    track = track_of(("'aU", 0), end_ms=400)
    assert track.pose(120)[INDEX["jawOpen"]] > 0.5
    assert track.pose(320)[INDEX["mouthPucker"]] > 0.5


def test_a_phoneme_that_goes_on_in_the_next_chunk_goes_on_in_the_face():
    whole = track_of(("A:", 0), ("p", 300), end_ms=400)
    parts = track_of(("A:", 0), end_ms=100)
    parts.add([], 100, 200)
    parts.add([PhonemeMark("p", 300)], 200, 400)
    for t in range(0, 600, 10):
        assert parts.pose(t) == pytest.approx(whole.pose(t))


def test_a_clock_that_jitters_by_a_packet_between_chunks_does_not_show():
    steady, jittery = PhonemeFace().open(1), PhonemeFace().open(1)
    marks = [PhonemeMark(symbol, i * 55) for i, symbol in enumerate(("A:", "p", "A:", "m", "u:", "b", "E"))]
    for chunk, jitter_ms in enumerate((0, 20, -20, 15, -20, 5, 20)):
        begin, end = chunk * 60, chunk * 60 + 60
        inside = [mark for mark in marks if begin <= mark.t_ms < end]
        steady.add(inside, begin, end)
        late = [PhonemeMark(mark.symbol, mark.t_ms + jitter_ms) for mark in inside]
        jittery.add(late, begin + jitter_ms, end + jitter_ms)
    for t in range(0, 420, 10):
        assert jittery.pose(t) == pytest.approx(steady.pose(t), abs=1e-6)


def test_where_marks_end_without_a_pause_the_mouth_holds_then_eases_to_rest():
    track = track_of(("A:", 0), end_ms=400)
    held = mouth(track.pose(350))
    assert mouth(track.pose(400 + FACE_HOLD_MS)) == pytest.approx(held)
    eased = mouth(track.pose(400 + FACE_HOLD_MS + FACE_EASE_MS / 2))
    assert 0 < eased[INDEX["jawOpen"]] < held[INDEX["jawOpen"]]
    assert mouth(track.pose(400 + FACE_HOLD_MS + FACE_EASE_MS)) == pytest.approx(NEUTRAL)


def test_a_flushed_reply_eases_to_neutral_from_where_the_mouth_was():
    track = track_of(("A:", 0), end_ms=5000)
    before = mouth(track.pose(1000))
    track.flush(1000)
    jaws = [track.pose(1000 + t)[INDEX["jawOpen"]] for t in range(151)]
    assert jaws[0] == pytest.approx(before[INDEX["jawOpen"]])
    assert jaws == sorted(jaws, reverse=True)
    assert mouth(track.pose(1000 + FACE_EASE_MS)) == NEUTRAL
    assert mouth(track.pose(3000)) == NEUTRAL


def test_a_flush_in_the_past_of_poses_already_made_eases_from_its_own_moment():
    track = track_of(("A:", 0), end_ms=2000)
    expected = track.pose(900)
    track.pose(1000)
    track.flush(900)
    assert track.pose(900) == pytest.approx(expected)
    assert mouth(track.pose(900 + FACE_EASE_MS)) == NEUTRAL


def test_what_is_said_after_a_flush_is_articulated():
    track = track_of(("A:", 0), end_ms=2000)
    track.pose(500)
    track.flush(500)
    track.add([PhonemeMark("u:", 700)], 700, 1000)
    assert track.pose(850)[INDEX["mouthPucker"]] > 0.5


def test_eyes_blink_together_at_natural_intervals_and_the_seed_repeats_them():
    first, again, other = (PhonemeFace().open(seed) for seed in (7, 7, 8))
    times = range(0, 60_000, 5)
    poses = [first.pose(t) for t in times]
    assert poses == [again.pose(t) for t in times]
    lids = [pose[INDEX["eyeBlinkLeft"]] for pose in poses]
    assert lids == [pose[INDEX["eyeBlinkRight"]] for pose in poses]
    assert lids != [other.pose(t)[INDEX["eyeBlinkLeft"]] for t in times]
    falls = sum(1 for a, b in zip(lids, lids[1:], strict=False) if a == 0 < b)
    assert falls == 60_000 / BLINK_SLOT_MS
    assert max(lids) > 0.99


@given(st.integers(), st.integers(0, 1000))
def test_a_blink_is_over_after_its_time(seed, slot):
    moments = [slot * BLINK_SLOT_MS + t for t in range(0, int(BLINK_SLOT_MS), 20)]
    shut = [t for t in moments if blink(seed, t) > 0]
    assert shut[-1] - shut[0] <= BLINK_MS


def test_a_long_call_does_not_make_the_track_grow():
    track = PhonemeFace().open(1)
    for t in range(0, 3_600_000, 500):
        track.add([PhonemeMark("A:", t), PhonemeMark("m", t + 200)], t, t + 400)
        track.pose(t)
    assert len(track._steps) < 20


def test_a_face_nobody_looks_at_does_not_grow_either():
    track = PhonemeFace().open(1)
    for t in range(0, 3_600_000, 500):
        track.add([PhonemeMark("A:", t), PhonemeMark("m", t + 200)], t, t + 400)
    assert len(track._steps) < 1000


@given(st.text())
def test_every_mnemonic_has_a_shape(symbol):
    assert 1 <= len(visemes(symbol)) <= 2


def test_stress_marks_do_not_change_the_shape_and_pauses_are_rest():
    assert visemes("'oU") == visemes("oU") == visemes(",oU")
    assert visemes("_:") == visemes("_") == (REST,)


async def test_a_real_phrase_of_espeak_moves_the_mouth_and_ends_at_rest():
    voice = EspeakVoice()
    await voice.start()
    track, end_ms = PhonemeFace().open(1), 0.0
    async for chunk in voice.speak("Please stop by my window on Saturday.", VoiceSettings()):
        start_ms, end_ms = end_ms, end_ms + len(chunk.pcm) / 2 / RATE_HZ * 1000
        track.add(chunk.phonemes, start_ms, end_ms)
    await voice.close()
    poses = [track.pose(t) for t in range(0, int(end_ms), 33)]
    highest = {shape: max(pose[INDEX[shape]] for pose in poses) for shape in ARKIT_52}
    assert highest["jawOpen"] > 0.35
    assert highest["mouthPucker"] > 0.3
    assert highest["mouthPressLeft"] > 0.25
    assert mouth(track.pose(end_ms)) == NEUTRAL
