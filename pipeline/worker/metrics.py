"""Every metric of the machine, its buckets beside it; docs/metrics.md mirrors this file."""

from prometheus_client import Counter, Gauge, Histogram

from pipeline.core.degradation import Level, Pressure

_LATENCY_S = (0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.125, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.75, 1.0, 2.0, 5.0)

TTFA = Histogram(
    "goassist_ttfa_seconds", "End-of-turn decision to first agent audio packet", ["phase"], buckets=_LATENCY_S
)
BARGE_IN = Histogram(
    "goassist_barge_in_seconds", "Speech-start event to output stopped on the server",
    buckets=(0.0005, 0.001, 0.002, 0.005, 0.01, 0.05, 0.1, 0.15, 0.25, 0.5),
)  # fmt: skip
ENDPOINT = Histogram(
    "goassist_endpoint_seconds", "Silence waited for before a turn counted as ended", buckets=_LATENCY_S
)
ASR = Histogram("goassist_asr_seconds", "End-of-turn decision to final transcript", buckets=_LATENCY_S)
LLM_FIRST_TOKEN = Histogram("goassist_llm_first_token_seconds", "Final transcript to first words", buckets=_LATENCY_S)
TTS_FIRST_AUDIO = Histogram("goassist_tts_first_audio_seconds", "First phrase to its first audio", buckets=_LATENCY_S)

TURNS = Counter("goassist_turns_total", "Finished turns", ["origin", "interrupted"])
CANCELS = Counter("goassist_cancels_total", "CANCEL messages", ["reason"])
SESSIONS = Gauge("goassist_sessions", "Sessions held by this worker")
SEATS = Gauge("goassist_seats", "Seats of this worker")
SESSIONS_ENDED = Counter("goassist_sessions_ended_total", "Ended legs of sessions", ["reason"])
OFFERS = Counter("goassist_offers_total", "Offers taken from the channel layer", ["outcome"])
ERRORS = Counter("goassist_errors_total", "Failures that reached a session", ["where"])

LOOP_LAG = Histogram(
    "goassist_loop_lag_seconds", "How late the event loop turns",
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1.0, 5.0),
)  # fmt: skip
ANIMATION_LAG = Histogram(
    "goassist_animation_lag_seconds", "How late a frame of the face was made",
    buckets=(0.001, 0.005, 0.01, 0.025, 0.05, 0.08, 0.12, 0.25, 1.0),
)  # fmt: skip
GC_PAUSE = Histogram(
    "goassist_gc_pause_seconds", "Pauses of the garbage collector", ["generation"],
    buckets=(0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5),
)  # fmt: skip
GC_PAUSE_MAX = Gauge("goassist_gc_pause_max_seconds", "Longest pause so far", ["generation"])
WORKER_RESTARTS = Counter("goassist_worker_restarts_total", "How often a supervisor has started this worker again")
DEGRADATION_LEVEL = Gauge("goassist_degradation_level", "How hard this worker is pressed, 0 (normal) to 5")
DEGRADATION_CHANGES = Counter("goassist_degradation_changes_total", "Levels that were entered", ["level"])
TTFA_P95 = Gauge("goassist_ttfa_rolling_p95_seconds", "Rolling p95 that drives the level; 0 while too few turns say it")
PACKETS_SENT_SHARE = Gauge("goassist_packets_sent_share", "Audio packets that went out of those that were due")
PACKETS_SENT_SHARE.set(1.0)
VRAM_SHARE = Gauge("goassist_vram_share", "Used share of the working cap of the fullest GPU")
CONTEXT_TOKENS = Histogram(
    "goassist_context_tokens",
    "Length of a prompt, in tokens",
    buckets=(128, 256, 512, 1024, 2048, 4096, 6500, 7500, 8192),
)
PROMPT_TOKENS = Counter(
    "goassist_prompt_tokens_total", "Prompt tokens, as the language server counted them", ["speculative"]
)
PROMPT_CACHED_TOKENS = Counter(
    "goassist_prompt_cached_tokens_total", "Prompt tokens that the language server had in its prefix cache"
)
ROLLOVERS = Counter("goassist_rollovers_total", "Attempts to put older turns into the Session State block", ["outcome"])
_ZERO_TO_ONE = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
REPLY_VERBOSITY = Histogram(
    "goassist_reply_verbosity", "How wordy replies were to be, 0 to 1 (all sessions together)", buckets=_ZERO_TO_ONE
)
REPLY_CLARIFICATION = Histogram(
    "goassist_reply_clarification", "How far replies were to make sure of what was meant, 0 to 1", buckets=_ZERO_TO_ONE
)
SPECULATIONS = Counter(
    "goassist_speculations_total", "Replies prepared before the turn was known to be over", ["outcome"]
)
INTERRUPTIONS = Counter("goassist_interruptions_total", "Speech over a reply, by what came of it", ["outcome"])
TURN_TIMEOUTS = Counter("goassist_turn_timeouts_total", "Turns reset because nothing could be heard in time")
OVERAGE = Counter("goassist_ttfa_overage_count", "Turns in which a component took more than its budget", ["component"])
ACTUAL = Histogram(
    "goassist_ttfa_actual_ms", "What a component of the latency budget took in a turn", ["component"],
    buckets=(1, 2, 5, 10, 15, 20, 40, 60, 80, 120, 160, 250, 500, 1000, 5000),
)  # fmt: skip
ANIMATION_YIELDS = Counter("goassist_animation_yields_total", "Times that the face left frames out for the voice")
PUBLISH_DROPPED = Counter("goassist_publish_dropped_total", "Live events and face batches that were not sent", ["what"])
JOURNAL_WAITING = Gauge("goassist_journal_waiting_bytes", "Journal bytes on disk that the database does not have yet")
JOURNAL_HELD = Gauge("goassist_journal_held_records", "Journal records in memory that the disk does not take")
JOURNAL_LOST = Counter("goassist_journal_lost_total", "Journal records given up because disk and memory were full")
JOURNAL_RETRIES = Counter("goassist_journal_retries_total", "Times the database did not take the journal")
JOURNAL_TORN = Counter("goassist_journal_torn_total", "Unreadable journal lines that were skipped")
JOURNAL_ADOPTED = Counter("goassist_journal_adopted_total", "Spools of dead workers taken over")
RECORDINGS = Gauge("goassist_recordings", "Calls that this worker is recording")
RECORDINGS_ENDED = Counter("goassist_recordings_ended_total", "Recordings, by how they ended", ["outcome"])
RECORDINGS_WAITING = Gauge("goassist_recordings_waiting", "Recordings on this machine's disk, those under way included")

PACKETS_LOST = Gauge("goassist_packets_lost", "Inbound RTP packets lost, running sessions of this worker")
PACKET_JITTER = Gauge("goassist_packet_jitter_seconds", "Worst inbound RTP jitter of this worker's sessions")
JITTER_BUFFER = Gauge("goassist_jitter_buffer_seconds", "Worst jitter buffer delay of this worker's sessions")

_BY_TIMING = {
    "endpoint_ms": ENDPOINT,
    "asr_ms": ASR,
    "llm_first_token_ms": LLM_FIRST_TOKEN,
    "tts_first_audio_ms": TTS_FIRST_AUDIO,
    "barge_in_ms": BARGE_IN,
}


def observe_turn(timings: dict[str, float], *, origin: str, interrupted: bool, warmup: bool) -> None:
    """Count a finished turn. TTFA keeps warm-up apart, as the contract's percentiles do."""
    TURNS.labels(origin, str(interrupted).lower()).inc()
    for name, histogram in _BY_TIMING.items():
        if name in timings:
            histogram.observe(timings[name] / 1000.0)
    if "ttfa_ms" in timings and origin != "greeting":
        TTFA.labels("warmup" if warmup else "steady").observe(timings["ttfa_ms"] / 1000.0)


def show_pressure(pressure: Pressure, level: Level) -> None:
    DEGRADATION_LEVEL.set(level)
    TTFA_P95.set((pressure.ttfa_p95_ms or 0.0) / 1000.0)
    PACKETS_SENT_SHARE.set(pressure.frame_share)
    VRAM_SHARE.set(pressure.vram_share or 0.0)
