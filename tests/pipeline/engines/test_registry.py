"""Engines are found by port and kind, imported when first asked for."""

import importlib
import re
from pathlib import Path

import pytest

from pipeline.contracts.errors import EngineError
from pipeline.engines import registry
from pipeline.engines.scripted import ScriptedLanguage


@pytest.mark.parametrize(("port", "kind"), [(p, k) for p, kinds in registry.KINDS.items() for k in kinds])
def test_every_kind_names_a_class_that_exists(port, kind):
    module, _, name = registry.KINDS[port][kind].partition(":")
    assert getattr(importlib.import_module(module), name)


def test_every_port_with_a_model_behind_it_has_a_scripted_twin():
    assert {port for port, kinds in registry.KINDS.items() if "scripted" not in kinds} == {"retriever", "echo"}


def test_an_engine_is_made_with_its_options():
    engine = registry.create("llm", "scripted", {"replies": ("Hello.",)})
    assert isinstance(engine, ScriptedLanguage)


def test_an_unknown_kind_is_refused_with_the_choices():
    with pytest.raises(EngineError, match="no tts engine is called 'singing'; choose one of: espeak, scripted"):
        registry.create("tts", "singing")


def test_an_unknown_port_is_refused_with_the_choices():
    with pytest.raises(EngineError, match="no port is called 'nose'; there are: vad, asr"):
        registry.create("nose", "scripted")


def test_an_option_the_engine_does_not_have_is_refused_in_words():
    with pytest.raises(EngineError, match="does not take these options: .*colour"):
        registry.create("tts", "scripted", {"colour": "blue"})


def test_a_library_that_is_not_installed_is_told_in_words(monkeypatch):
    monkeypatch.setitem(registry.KINDS["tts"], "absent", "pipeline.engines.not_installed:Voice")
    with pytest.raises(EngineError, match="the tts engine 'absent' cannot be loaded"):
        registry.create("tts", "absent")


def test_the_documentation_names_every_kind():
    text = (Path(__file__).parents[3] / "docs" / "engines.md").read_text()
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*?) \|", text, re.MULTILINE))
    assert {port: re.findall(r"`([\w-]+)`", kinds) for port, kinds in rows.items() if port in registry.KINDS} == {
        port: list(kinds) for port, kinds in registry.KINDS.items()
    }
