"""The language models of assistant versions: found where they lie, built in a child process where they are missing."""

import asyncio
import logging
from pathlib import Path
from typing import Final

from pipeline.contracts.errors import EngineError
from pipeline.contracts.spec import AssistantSpec
from pipeline.engines import language_model
from pipeline.engines.child import Child
from pipeline.engines.language_model import ModelFiles

logger = logging.getLogger(__name__)

OPEN_WAIT_S: Final = 2.0
"""A session that opens waits so long for its version's model; less than the offer's deadline."""


class VersionModels:
    """Which versions have a language model; builds those that have none, one at a time, in a child process."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._builds: dict[str, asyncio.Task[None]] = {}
        self._one_at_a_time = asyncio.Lock()
        self._general = language_model.general_files()

    def begin(self) -> None:
        """Make the half that all versions share, in the background."""
        self._begin_build("", None)

    def files(self, version: str) -> ModelFiles:
        """The version's own model if it is there, else the general one."""
        own = language_model.files_of(version, self._folder)
        return own if language_model.ready(own) else self._general

    async def prepare(self, spec: AssistantSpec) -> None:
        """Wait until the version has its model, or for OPEN_WAIT_S; the build goes on then."""
        version = spec.digest()
        if language_model.ready(language_model.files_of(version, self._folder)):
            return
        if version not in self._builds:
            self._begin_build(version, spec)
        await asyncio.wait([self._builds[version]], timeout=OPEN_WAIT_S)

    async def close(self) -> None:
        builds = list(self._builds.values())
        for build in builds:
            build.cancel()
        await asyncio.gather(*builds, return_exceptions=True)

    def _begin_build(self, version: str, spec: AssistantSpec | None) -> None:
        self._builds[version] = task = asyncio.create_task(self._build(spec), name="language model")
        task.add_done_callback(lambda _: self._builds.pop(version, None))

    async def _build(self, spec: AssistantSpec | None) -> None:
        child = Child("pipeline.engines.language_model_child", {"folder": str(self._folder)}, engine="asr")
        try:
            async with self._one_at_a_time:
                with await child.open() as call:
                    await call.send(spec and spec.to_manifest())
                    await anext(call)
        except EngineError as error:
            logger.warning("no language model for a version, the general one serves: %s", error)
        finally:
            await child.close()
