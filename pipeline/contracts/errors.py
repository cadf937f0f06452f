"""What can go wrong, as one family. `code` is what clients see and may branch on; the text says what to do."""


class PipelineError(Exception):
    """Top of the family. `retryable`: trying the same thing again later may work."""

    code = "pipeline_error"
    retryable = False


class WireError(PipelineError):
    """A message that does not have the form that `contracts.wire` describes."""

    code = "bad_message"


class SpecError(PipelineError):
    """A manifest that is not a valid assistant version."""

    code = "bad_manifest"


class MediaError(PipelineError):
    """The offer cannot be answered: broken SDP, no audio, no codec in common."""

    code = "bad_offer"


class BusyError(PipelineError):
    """No free seat."""

    code = "busy"
    retryable = True


class EngineError(PipelineError):
    """A model or its server failed. `engine` says which port: vad, asr, llm, tts, face."""

    code = "engine_failed"
    retryable = True

    def __init__(self, engine: str, message: str) -> None:
        super().__init__(message)
        self.engine = engine


class ContextFull(PipelineError):
    """The prompt would not fit, and no rollover made room in time: the turn is refused. Its text is for the visitor."""

    code = "context_full"
    retryable = True


class StreamEnded(PipelineError):
    """Nothing more will come out of this stream (the microphone's end, a closed queue)."""

    code = "ended"


class IllegalTransition(PipelineError):
    """The turn machine was given an event its state does not allow. Logged, never silent."""

    code = "illegal_transition"
