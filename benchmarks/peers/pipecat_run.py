"""pipecat-ai under the same callers: a transport of our own at both ends, its own VAD, turns, aggregators and queues.

Its latency settings are at their shortest: VAD stop 200 ms (its default), no further wait once the text is final.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from loguru import logger
from pipecat.audio.vad.silero import SileroVADAnalyzer
from pipecat.audio.vad.vad_analyzer import VADParams, VADState
from pipecat.frames.frames import (
    Frame,
    InputAudioRawFrame,
    LLMContextFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    OutputAudioRawFrame,
    StartFrame,
    TranscriptionFrame,
    TTSAudioRawFrame,
    VADUserStoppedSpeakingFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair, LLMUserAggregatorParams
from pipecat.processors.frame_processor import FrameDirection
from pipecat.services.llm_service import LLMService
from pipecat.services.settings import LLMSettings, STTSettings, TTSSettings
from pipecat.services.stt_service import STTService
from pipecat.services.tts_service import TTSService
from pipecat.transports.base_input import BaseInputTransport
from pipecat.transports.base_output import BaseOutputTransport
from pipecat.transports.base_transport import TransportParams
from pipecat.turns.user_stop import SpeechTimeoutUserTurnStopStrategy
from pipecat.turns.user_turn_strategies import UserTurnStrategies
from pipecat.workers.runner import WorkerRunner

from benchmarks.inproc import engines
from benchmarks.inproc.caller import Caller
from benchmarks.inproc.run import Close, Open, main

FRAME_S = 0.02
STOP_S = 0.2


class Vad(SileroVADAnalyzer):
    """Silero, telling the caller when it decides that speech is over."""

    def __init__(self, caller: Caller) -> None:
        super().__init__(params=VADParams(stop_secs=STOP_S))
        self._caller = caller
        self._spoke = False

    async def analyze_audio(self, buffer: bytes) -> VADState:
        state = await super().analyze_audio(buffer)
        if state is VADState.QUIET and self._spoke:
            self._caller.decided()
        if state in (VADState.QUIET, VADState.SPEAKING):
            self._spoke = state is VADState.SPEAKING
        return state


class Ear(BaseInputTransport):
    async def start(self, frame: StartFrame) -> None:
        await super().start(frame)
        await self.set_transport_ready(frame)

    def hear(self, pcm: bytes) -> None:
        self._audio_in_queue.put_nowait(InputAudioRawFrame(audio=pcm, sample_rate=16_000, num_channels=1))


class Mouth(BaseOutputTransport):
    """Takes a frame each 20 ms, by absolute deadlines, the first at once."""

    def __init__(self, caller: Caller, params: TransportParams) -> None:
        super().__init__(params)
        self._caller = caller
        self._due_s = 0.0

    async def start(self, frame: StartFrame) -> None:
        await super().start(frame)
        await self.set_transport_ready(frame)

    async def write_audio_frame(self, frame: OutputAudioRawFrame) -> bool:
        loop = asyncio.get_running_loop()
        if self._due_s > loop.time():
            await asyncio.sleep(self._due_s - loop.time())
        elif loop.time() - self._due_s > FRAME_S:
            self._due_s = loop.time()
        self._due_s += FRAME_S
        self._caller.heard(frame.audio)
        return True


class Stt(STTService):
    def __init__(self, caller: Caller) -> None:
        super().__init__(ttfs_p99_latency=engines.STT_S, settings=STTSettings(model="fixed", language=None))
        self._caller = caller
        self._asked: set[asyncio.Task[None]] = set()

    async def run_stt(self, audio: bytes) -> AsyncGenerator[Frame | None, None]:
        yield None

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        if isinstance(frame, VADUserStoppedSpeakingFrame):
            self._caller.asked()
            task = asyncio.create_task(self._final(self._caller.words))
            self._asked.add(task)
            task.add_done_callback(self._asked.discard)
        await super().process_frame(frame, direction)

    async def _final(self, text: str) -> None:
        await asyncio.sleep(engines.STT_S)
        await self.push_frame(TranscriptionFrame(text, "visitor", "", finalized=True))


class Llm(LLMService[Any]):
    def __init__(self) -> None:
        super().__init__(
            settings=LLMSettings(
                model="fixed", system_instruction=None, temperature=None, max_tokens=None, top_p=None, top_k=None,
                frequency_penalty=None, presence_penalty=None, seed=None, filter_incomplete_user_turns=None,
                user_turn_completion_config=None,
            )
        )  # fmt: skip

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if not isinstance(frame, LLMContextFrame):
            await self.push_frame(frame, direction)
            return
        await self.push_frame(LLMFullResponseStartFrame())
        async with aclosing(engines.tokens()) as tokens:
            async for token in tokens:
                await self._push_llm_text(token)
        await self.push_frame(LLMFullResponseEndFrame())


class Tts(TTSService):
    def __init__(self) -> None:
        super().__init__(
            push_start_frame=True,
            push_stop_frames=True,
            sample_rate=engines.VOICE_RATE_HZ,
            settings=TTSSettings(model="fixed", voice="fixed", language=None),
        )

    async def run_tts(self, text: str, context_id: str) -> AsyncGenerator[Frame | None, None]:
        async with aclosing(engines.sound(text)) as chunks:
            async for chunk in chunks:
                yield TTSAudioRawFrame(chunk, engines.VOICE_RATE_HZ, 1, context_id=context_id)


def pipeline(caller: Caller) -> tuple[Pipeline, Ear]:
    params = TransportParams(audio_in_enabled=True, audio_out_enabled=True, audio_out_10ms_chunks=2)
    ear, mouth = Ear(params), Mouth(caller, params)
    stop = SpeechTimeoutUserTurnStopStrategy(user_speech_timeout=0.0)
    user, assistant = LLMContextAggregatorPair(
        LLMContext(),
        user_params=LLMUserAggregatorParams(
            vad_analyzer=Vad(caller), user_turn_strategies=UserTurnStrategies(stop=[stop])
        ),
    )
    return Pipeline([ear, Stt(caller), user, Llm(), Tts(), mouth, assistant]), ear


async def prepare() -> Open:
    logger.remove()
    runner = WorkerRunner(handle_sigint=False)
    running = asyncio.create_task(runner.run(auto_end=False))

    async def open_session(caller: Caller) -> Close:
        made, ear = pipeline(caller)
        started = asyncio.Event()
        worker = PipelineWorker(
            made,
            params=PipelineParams(audio_in_sample_rate=16_000, audio_out_sample_rate=engines.VOICE_RATE_HZ),
            enable_rtvi=False,
            idle_timeout_secs=None,
        )

        @worker.event_handler("on_pipeline_started")
        async def on_started(worker: PipelineWorker, frame: Frame) -> None:
            started.set()

        await runner.add_workers(worker)
        await asyncio.wait_for(started.wait(), 20)
        caller.hear = ear.hear

        async def close() -> None:
            await worker.cancel()
            running.cancel()

        return close

    return open_session


if __name__ == "__main__":
    main(prepare)
