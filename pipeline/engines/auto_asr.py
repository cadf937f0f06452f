"""Takes the best recogniser this machine can have: faster-whisper if its weights are on disk or can be fetched, else
pocketsphinx. Says in words, on stderr, which one and why; a start without a network is decided within 3 s."""

import asyncio
import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final, TextIO

from pipeline.contracts.errors import EngineError
from pipeline.contracts.spec import AssistantSpec
from pipeline.core.ports import Asr, Hearing
from pipeline.engines import weights
from pipeline.engines.faster_whisper_asr import FasterWhisperAsr
from pipeline.engines.pocketsphinx_asr import PocketsphinxAsr

logger = logging.getLogger(__name__)

BAR_WIDTH: Final = 30
MEGABYTE: Final = 1_000_000


class AutoAsr:
    """See `core.ports.Asr`. `name` is the chosen engine's once it has started."""

    def __init__(
        self,
        *,
        model: str = "base.en",
        models_dir: str | None = None,
        processes: int = 1,
        reachable: Callable[[], bool] = weights.reachable,
        fetch: Callable[[str, Path, weights.Progress], Path] = weights.fetch,
        out: TextIO | None = None,
    ) -> None:
        """`models_dir`: where weights are fetched to; without it nothing is fetched. `processes`: pocketsphinx's."""
        self.name = "auto"
        self._model = model
        self._models_dir = models_dir
        self._processes = processes
        self._reachable = reachable
        self._fetch = fetch
        self._out = out or sys.stderr
        self._chosen: Asr | None = None

    async def start(self) -> None:
        """Raises EngineError when not even pocketsphinx starts."""
        try:
            await self._provide_weights()
            whisper = FasterWhisperAsr(model=self._model, models_dir=self._models_dir)
            await whisper.start()
            self._choose(whisper)
        except EngineError as error:
            self._say(
                f"Speech recognition: {error}. Pocketsphinx takes its place: it needs nothing, and mishears more."
            )
            language_models = str(Path(self._models_dir, "language")) if self._models_dir else None
            sphinx = PocketsphinxAsr(processes=self._processes, models_dir=language_models)
            self._choose(sphinx)
            await sphinx.start()

    async def open(self, spec: AssistantSpec) -> Hearing:
        if self._chosen is None:
            raise EngineError("asr", "speech recognition has not been started")
        return await self._chosen.open(spec)

    async def close(self) -> None:
        if self._chosen is not None:
            await self._chosen.close()

    def _choose(self, engine: Asr) -> None:
        self._chosen, self.name = engine, engine.name
        logger.info("speech recognition by %s", engine.name)

    async def _provide_weights(self) -> None:
        """Raises EngineError when there are none and none can be had."""
        folder = self._models_dir and Path(self._models_dir)
        if await asyncio.to_thread(weights.find, self._model, folder or None):
            self._say(f"Speech recognition: faster-whisper, the weights of '{self._model}' are on disk.")
            return
        weights.repository(self._model)
        if not folder:
            raise EngineError("asr", f"the weights of '{self._model}' are not on disk")
        if not await asyncio.to_thread(self._reachable):
            raise EngineError("asr", f"the weights of '{self._model}' are not on disk and there is no network")
        self._say(f"Speech recognition: fetching the weights of '{self._model}', once.")
        await asyncio.to_thread(self._fetch, self._model, folder, self._progress)
        self._say("")

    def _say(self, text: str) -> None:
        self._out.write(text + "\n")
        self._out.flush()

    def _progress(self, there: int, whole: int) -> None:
        share = there / max(whole, 1)
        bar = "#" * int(share * BAR_WIDTH)
        self._out.write(f"\r[{bar:<{BAR_WIDTH}}] {share:4.0%} of {whole / MEGABYTE:.0f} MB")
        self._out.flush()
