"""Scripted twins of all engines: they do what they were told after the delays they were given, and nothing by chance.

For tests, the demo and the soak: a fault in a conversation that shows with these is not a model's.
"""

from pipeline.engines.scripted.face import ScriptedFace
from pipeline.engines.scripted.hearing import ScriptedAsr, ScriptedVad
from pipeline.engines.scripted.language import ScriptedLanguage
from pipeline.engines.scripted.turns import ScriptedTurns
from pipeline.engines.scripted.voice import ScriptedVoice

__all__ = ["ScriptedAsr", "ScriptedFace", "ScriptedLanguage", "ScriptedTurns", "ScriptedVad", "ScriptedVoice"]
