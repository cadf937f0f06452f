"""The numbers of the voice contract, each once. Source: the product contract, sections 3 to 9.

Units are in the names. Change none of them to make a test pass.
"""

from typing import Final

# Audio on the way in and out.
EAR_RATE_HZ: Final = 16_000
"""Sample rate of everything we listen to (VAD and ASR): 16 kHz, mono, s16le."""
WIRE_RATE_HZ: Final = 48_000
"""Sample rate of Opus on the wire (RFC 7587 fixes the RTP clock to 48 kHz)."""
PACKET_MS: Final = 20
OVERLAP_MS: Final = 5
"""Repeated tail of the previous packet, on transports without a codec of their own. Never advances the clock."""
VAD_WINDOW_SAMPLES: Final = 512
"""Silero's window at 16 kHz: 32 ms."""

# Voice contract (V1 to V11).
TTFA_P95_MS: Final = 250.0
TTFA_P50_MS: Final = 150.0
BARGE_IN_P95_MS: Final = 150.0
PAUSE_MS: Final = 700
"""V5: silence up to this long inside an utterance must not cut the visitor off."""
FIRST_AUDIO_LIMIT_MS: Final = 500
"""V7: nothing audible this long after the end of turn was decided: the turn is reset, a tone is heard."""
END_DECISION_MS: Final = 15.0
"""V6: compute of one end-of-turn decision."""
BUDGET_MS: Final = {
    "endpoint": END_DECISION_MS, "llm": 160.0, "animation": 20.0, "packaging": 5.0,
    "network": 40.0, "client_buffer": 10.0,
}  # fmt: skip
"""The latency budget's components, p50. One over its budget is counted and logged; the turn goes on."""
TAKES_FLOOR_MS: Final = 500.0
"""Speech over a reply this long takes the floor, whatever the words."""
SILENCE_CUE_S: Final = 2.0
"""Silence where an answer is due, before a listening cue is given."""
WARMUP_TURNS: Final = 3
WARMUP_S: Final = 60.0

# Face.
FACE_FPS: Final = 30
FACE_HOLD_MS: Final = 100.0
"""Missing frames: hold the last one this long, then ease to neutral over FACE_EASE_MS; never snap."""
FACE_EASE_MS: Final = 150.0
FACE_BATCH_MS: Final = 100.0
WATCHED_S: Final = 15.0
"""A worker that has not heard of a watcher for this long sends no frames to watchers."""

# Sessions.
SESSION_LIMIT_S: Final = 3600.0
IDLE_LIMIT_S: Final = 300.0
IDLE_LIMIT_RANGE_S: Final = (60, 3600)
VANISHED_S: Final = 15.0
"""A browser that sends nothing at all for this long has gone; its seat is free again."""
SESSIONS_PER_MINUTE: Final = 5
CHATS_PER_MINUTE: Final = 30
OFFERS_PER_MINUTE: Final = 10

# Context and generation.
CONTEXT_TOKENS: Final = 8192
ROLLOVER_TOKENS: Final = 7500
"""From here on older turns are summarised into the Session State block, off the hot path."""
ROLLOVER_PREPARE_TOKENS: Final = 6500
"""From here on the Session State block is prepared, so that it is there when ROLLOVER_TOKENS are reached."""
ROLLOVER_LIMIT_S: Final = 5.0
MAX_REPLY_TOKENS: Final = 512
LLM_STREAM_LIMIT_S: Final = 30.0

# Signaling.
OFFER_DEADLINE_S: Final = 4.0
"""No worker with a free seat took the offer in this time: the house is full."""
CLOSE_DEADLINE_S: Final = 3.0
BEAT_S: Final = 1.0
"""Both sides say something on the control data channel this often, so that silence means trouble."""
BEAT_LOST_S: Final = 3.0
"""A client that heard no beat for this long offers again and resumes the session elsewhere."""
