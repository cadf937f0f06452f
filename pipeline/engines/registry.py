"""Which engines there are: port → kind → "module:Class". A kind is imported when it is first asked for, so that an
installation carries only the libraries of the engines it uses."""

import importlib
from typing import Any, Final

from pipeline.contracts.errors import EngineError

KINDS: Final[dict[str, dict[str, str]]] = {
    "vad": {
        "silero": "pipeline.engines.silero:SileroVad",
        "scripted": "pipeline.engines.scripted:ScriptedVad",
    },
    "asr": {
        "auto": "pipeline.engines.auto_asr:AutoAsr",
        "pocketsphinx": "pipeline.engines.pocketsphinx_asr:PocketsphinxAsr",
        "faster-whisper": "pipeline.engines.faster_whisper_asr:FasterWhisperAsr",
        "scripted": "pipeline.engines.scripted:ScriptedAsr",
    },
    "turns": {
        "lexical": "pipeline.engines.lexical_turns:LexicalTurns",
        "smart-turn": "pipeline.engines.smart_turn:SmartTurn",
        "scripted": "pipeline.engines.scripted:ScriptedTurns",
    },
    "llm": {
        "frontdesk": "pipeline.engines.frontdesk:FrontdeskLanguage",
        "openai": "pipeline.engines.openai_language:OpenAiLanguage",
        "scripted": "pipeline.engines.scripted:ScriptedLanguage",
    },
    "tts": {
        "espeak": "pipeline.engines.espeak:EspeakVoice",
        "scripted": "pipeline.engines.scripted:ScriptedVoice",
    },
    "face": {
        "phoneme": "pipeline.engines.phoneme_face:PhonemeFace",
        "scripted": "pipeline.engines.scripted:ScriptedFace",
    },
    "echo": {
        "correlation": "pipeline.engines.echo:CorrelationEcho",
    },
    "retriever": {
        "lexical": "pipeline.engines.lexical:LexicalRetriever",
    },
}


def create(port: str, kind: str, options: dict[str, Any] | None = None) -> Any:
    """A new engine, not yet started. `options` are the class's keyword arguments.

    Raises EngineError, in words: unknown port or kind, a library that is not installed, an option it does not have.
    """
    path = _path(port, kind)
    module_name, _, class_name = path.partition(":")
    try:
        engine_class = getattr(importlib.import_module(module_name), class_name)
    except ImportError as error:
        raise EngineError(port, f"the {port} engine '{kind}' cannot be loaded: {error}") from error
    try:
        return engine_class(**(options or {}))
    except TypeError as error:
        raise EngineError(port, f"the {port} engine '{kind}' does not take these options: {error}") from error


def _path(port: str, kind: str) -> str:
    if port not in KINDS:
        raise EngineError(port, f"no port is called '{port}'; there are: {', '.join(KINDS)}")
    if kind not in KINDS[port]:
        raise EngineError(port, f"no {port} engine is called '{kind}'; choose one of: {', '.join(KINDS[port])}")
    return KINDS[port][kind]
