"""The child process that builds language models (see `pipeline.engines.child`): one stream, one version, one answer."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipeline.contracts.spec import AssistantSpec
from pipeline.engines import language_model


class Builder:
    def __init__(self, folder: Path, send: Callable[[Any], bool]) -> None:
        self._folder = folder
        self._send = send

    def receive(self, manifest: dict[str, Any] | None) -> None:
        """A version's manifest; the answer, when its files are there, is its digest. None: the general half, ""."""
        if manifest is None:
            language_model.prepare_general(self._folder)
            self._send("")
            return
        spec = AssistantSpec.from_manifest(manifest)
        language_model.build(spec, self._folder)
        self._send(spec.digest())

    def close(self) -> None:
        """Nothing is held."""


def serve(options: dict[str, Any]) -> Callable[[Any, Callable[[Any], bool]], Builder]:
    """Options: `folder`, where the models are kept."""
    folder = Path(options["folder"])
    return lambda request, send: Builder(folder, send)
