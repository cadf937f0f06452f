"""livekit-agents under the same callers: AgentSession with an audio input and output of our own, no room, no server.

Its latency settings are at their shortest: Silero (its plugin) with 200 ms of silence, no endpointing delay, any
speech interrupts at once, no warm-up of an echo canceller that is not there.
"""

import asyncio
import logging
from contextlib import aclosing
from typing import Any

from livekit import rtc
from livekit.agents import Agent, AgentSession, llm, stt, tts, utils
from livekit.agents.types import DEFAULT_API_CONNECT_OPTIONS, NOT_GIVEN, APIConnectOptions
from livekit.agents.voice import io
from livekit.plugins import silero

from benchmarks.inproc import engines
from benchmarks.inproc.caller import Caller
from benchmarks.inproc.pacer import Pacer
from benchmarks.inproc.run import Close, Open, main

EAR_RATE_HZ = 16_000
STOP_S = 0.2
QUEUE_S = 0.2
"""What rtc.AudioSource of its own room output holds."""


class Ear(io.AudioInput):
    def __init__(self) -> None:
        super().__init__(label="bench")
        self._frames = utils.aio.Chan[rtc.AudioFrame]()

    def hear(self, pcm: bytes) -> None:
        self._frames.send_nowait(rtc.AudioFrame(pcm, EAR_RATE_HZ, 1, len(pcm) // 2))

    async def __anext__(self) -> rtc.AudioFrame:
        return await self._frames.__anext__()


class Mouth(io.AudioOutput):
    """Takes sound as fast as it comes, up to QUEUE_S ahead; sends 20 ms at a time."""

    def __init__(self, caller: Caller) -> None:
        super().__init__(
            label="bench",
            capabilities=io.AudioOutputCapabilities(pause=True),
            sample_rate=engines.VOICE_RATE_HZ,
        )
        self._pacer = Pacer(caller.heard, self._dry)
        self._enabled = asyncio.Event()
        self._enabled.set()
        self._flushed = self._pending = False
        self._held = b""

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        await super().capture_frame(frame)
        if not self._pending:
            self._pending, self._flushed = True, False
            self._pacer.restart()
            self.on_playback_started(created_at=asyncio.get_running_loop().time())
        while self._pending and (self._pacer.queued_s >= QUEUE_S or not self._enabled.is_set()):
            await asyncio.sleep(0.01)
        if self._pending:
            self._pacer.push(bytes(frame.data))

    def flush(self) -> None:
        super().flush()
        self._flushed = True
        self._pacer.pad()
        if not self._pacer.running:
            self._dry()

    def clear_buffer(self) -> None:
        self._pacer.clear()
        self._held = b""
        self._enabled.set()
        self._finish(interrupted=True)

    def pause(self) -> None:
        super().pause()
        self._enabled.clear()
        self._held = self._pacer.take()

    def resume(self) -> None:
        super().resume()
        self._enabled.set()
        held, self._held = self._held, b""
        self._pacer.push(held)

    def _dry(self) -> None:
        if self._flushed and not self._held:
            self._finish(interrupted=False)

    def _finish(self, *, interrupted: bool) -> None:
        if self._pending:
            self._pending = False
            self.on_playback_finished(playback_position=self._pacer.sent_s, interrupted=interrupted)


class Stt(stt.STT):
    """Streaming; its final text comes STT_S after the session's VAD says that speech is over."""

    def __init__(self, caller: Caller) -> None:
        super().__init__(capabilities=stt.STTCapabilities(streaming=True, interim_results=False))
        self.caller = caller
        self.over = asyncio.Event()

    async def _recognize_impl(self, buffer: Any, **kwargs: Any) -> stt.SpeechEvent:
        raise NotImplementedError

    def stream(
        self, *, language: Any = NOT_GIVEN, conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS
    ) -> "SttStream":
        return SttStream(stt=self, conn_options=conn_options)


class SttStream(stt.RecognizeStream):
    async def _run(self) -> None:
        swallowing = asyncio.create_task(self._swallow())
        try:
            while True:
                await self._stt.over.wait()
                self._stt.over.clear()
                text = self._stt.caller.words
                await asyncio.sleep(engines.STT_S)
                said = stt.SpeechData(language="en", text=text, confidence=1.0)
                self._event_ch.send_nowait(stt.SpeechEvent(stt.SpeechEventType.FINAL_TRANSCRIPT, alternatives=[said]))
        finally:
            swallowing.cancel()

    async def _swallow(self) -> None:
        async for _ in self._input_ch:
            pass


class Llm(llm.LLM):
    def chat(self, *, chat_ctx: Any, tools: Any = None, conn_options: Any = DEFAULT_API_CONNECT_OPTIONS,
             **kwargs: Any) -> "LlmStream":  # fmt: skip
        return LlmStream(self, chat_ctx=chat_ctx, tools=tools or [], conn_options=conn_options)


class LlmStream(llm.LLMStream):
    async def _run(self) -> None:
        async with aclosing(engines.tokens()) as tokens:
            async for token in tokens:
                delta = llm.ChoiceDelta(role="assistant", content=token)
                self._event_ch.send_nowait(llm.ChatChunk(id="fixed", delta=delta))


class Tts(tts.TTS):
    def __init__(self) -> None:
        super().__init__(
            capabilities=tts.TTSCapabilities(streaming=False), sample_rate=engines.VOICE_RATE_HZ, num_channels=1
        )

    def synthesize(self, text: str, *, conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS) -> "TtsStream":
        return TtsStream(tts=self, input_text=text, conn_options=conn_options)


class TtsStream(tts.ChunkedStream):
    async def _run(self, output_emitter: tts.AudioEmitter) -> None:
        output_emitter.initialize(
            request_id="fixed",
            sample_rate=engines.VOICE_RATE_HZ,
            num_channels=1,
            mime_type="audio/pcm",
            frame_size_ms=engines.CHUNK_MS,
        )
        async with aclosing(engines.sound(self.input_text)) as chunks:
            async for chunk in chunks:
                output_emitter.push(chunk)
        output_emitter.flush()


async def prepare() -> Open:
    logging.getLogger("livekit").setLevel(logging.ERROR)
    vad = silero.VAD.load(min_silence_duration=STOP_S)

    async def open_session(caller: Caller) -> Close:
        hearing = Stt(caller)
        session: AgentSession[None] = AgentSession(
            stt=hearing,
            vad=vad,
            llm=Llm(),
            tts=Tts(),
            turn_handling={
                "turn_detection": "vad",
                "endpointing": {"min_delay": 0.0},
                "interruption": {"mode": "vad", "min_duration": 0.05},
            },
            aec_warmup_duration=None,
            user_away_timeout=None,
        )

        def changed(event: Any) -> None:
            if event.old_state == "speaking" and event.new_state == "listening":
                caller.decided()
                caller.asked()
                hearing.over.set()

        session.on("user_state_changed", changed)
        ear = Ear()
        session.input.audio, session.output.audio = ear, Mouth(caller)
        await session.start(Agent(instructions="You answer questions."), record=False)
        caller.hear = ear.hear
        return session.aclose

    return open_session


if __name__ == "__main__":
    main(prepare)
