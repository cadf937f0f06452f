"""The floor: the same work written by hand in bare asyncio, with no product around it.

Silero for all sessions in one call each BATCH_S, two counters for the ends of speech, the engines, the pacer. Speech
stops the reply at once; a backchannel stops it too. What it leaves out is what a product is for.
"""

import asyncio
from contextlib import aclosing

import numpy as np

from benchmarks.inproc import engines
from benchmarks.inproc.caller import Caller
from benchmarks.inproc.pacer import Pacer
from benchmarks.inproc.run import Close, Open, main
from pipeline.engines.silero import CONTEXT_SAMPLES, MODEL_FILE, STATE_SIZE

WINDOW_BYTES = 1024
START_WINDOWS = 1
STOP_WINDOWS = 6
"""Of 32 ms: 192 ms of silence."""
ENTER, LEAVE = 0.5, 0.35
BATCH_S = 0.008


class Silero:
    """Windows of all sessions, answered together."""

    def __init__(self) -> None:
        from pathlib import Path

        import faster_whisper.utils

        from pipeline.engines.silero import _load

        self._model = _load(Path(faster_whisper.utils.get_assets_path(), MODEL_FILE))
        self._waiting: list[tuple[Talk, bytes]] = []
        self._loop = asyncio.get_running_loop()

    def ask(self, talk: "Talk", window: bytes) -> None:
        if not self._waiting:
            self._loop.call_later(BATCH_S, self._answer)
        self._waiting.append((talk, window))

    def _answer(self) -> None:
        waiting, self._waiting = self._waiting, []
        now: dict[Talk, bytes] = {}
        for talk, window in waiting:
            if talk in now:  # it has two waiting: the second one later
                self.ask(talk, window)
            else:
                now[talk] = window
        talks = list(now)
        sound = np.empty((len(talks), CONTEXT_SAMPLES + 512), np.float32)
        for row, talk in enumerate(talks):
            sound[row, :CONTEXT_SAMPLES] = talk.context
            sound[row, CONTEXT_SAMPLES:] = np.frombuffer(now[talk], np.int16)
            sound[row, CONTEXT_SAMPLES:] /= 32768
        states = {"h": np.concatenate([t.h for t in talks], 1), "c": np.concatenate([t.c for t in talks], 1)}
        probabilities, h, c = self._model.run(None, {"input": sound, **states})
        for row, talk in enumerate(talks):
            talk.context, talk.h, talk.c = sound[row, -CONTEXT_SAMPLES:], h[:, row : row + 1], c[:, row : row + 1]
            talk.judged(float(probabilities[row]))


class Talk:
    """One session."""

    def __init__(self, caller: Caller, silero: Silero) -> None:
        self.context = np.zeros(CONTEXT_SAMPLES, np.float32)
        self.h = np.zeros((1, 1, STATE_SIZE), np.float32)
        self.c = np.zeros((1, 1, STATE_SIZE), np.float32)
        self._caller, self._silero = caller, silero
        self._window = bytearray()
        self._speech = self._silence = 0
        self._speaking = False
        self._reply: asyncio.Task[None] | None = None
        self._pacer = Pacer(caller.heard)

    def hear(self, pcm: bytes) -> None:
        self._window += pcm
        if len(self._window) >= WINDOW_BYTES:
            self._silero.ask(self, bytes(self._window[:WINDOW_BYTES]))
            del self._window[:WINDOW_BYTES]

    def judged(self, probability: float) -> None:
        if self._speaking:
            self._silence = self._silence + 1 if probability < LEAVE else 0
            if self._silence == STOP_WINDOWS:
                self._speaking, self._speech = False, 0
                self._caller.decided()
                self._reply = asyncio.create_task(self._answer())
        else:
            self._speech = self._speech + 1 if probability >= ENTER else 0
            if self._speech == START_WINDOWS:
                self._speaking, self._silence = True, 0
                self.stop()

    def stop(self) -> None:
        if self._reply:
            self._reply.cancel()
            self._reply = None
        self._pacer.clear()

    async def _answer(self) -> None:
        await asyncio.sleep(engines.STT_S)
        phrases: asyncio.Queue[str] = asyncio.Queue()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._think(phrases))
            group.create_task(self._say(phrases))

    async def _think(self, phrases: "asyncio.Queue[str]") -> None:
        text = ""
        async with aclosing(engines.tokens()) as tokens:
            async for token in tokens:
                if text.endswith("."):
                    phrases.put_nowait(text)
                    text = ""
                text += token
        phrases.put_nowait(text)
        phrases.put_nowait("")

    async def _say(self, phrases: "asyncio.Queue[str]") -> None:
        while phrase := await phrases.get():
            async with aclosing(engines.sound(phrase)) as chunks:
                async for chunk in chunks:
                    self._pacer.push(chunk)
        self._pacer.pad()


async def prepare() -> Open:
    silero = Silero()

    async def open_session(caller: Caller) -> Close:
        talk = Talk(caller, silero)
        caller.hear = talk.hear

        async def close() -> None:
            talk.stop()

        return close

    return open_session


if __name__ == "__main__":
    main(prepare)
