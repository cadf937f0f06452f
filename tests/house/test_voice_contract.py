"""docs/voice-contract.md names tests and files that exist."""

import re

from tests.house.tree import ROOT, code, text

NAMED = re.compile(r"`(test_[a-z0-9_]+)`")
PATHS = re.compile(r"`((?:tests|core|media|engines|contracts|worker|edge|static|goassist_site)/[\w/.]+\.(?:py|js))`")
DOC = "docs/voice-contract.md"


def test_every_test_named_in_the_voice_contract_exists():
    defined = {name for path in code(".py", under=("tests",)) for name in re.findall(r"def (test_\w+)\(", text(path))}
    missing = set(NAMED.findall(text(DOC))) - defined
    assert not missing


def test_every_file_named_in_the_voice_contract_exists():
    missing = []
    for path in PATHS.findall(text(DOC)):
        places = [ROOT / path, ROOT / "pipeline" / path, ROOT / "sessions_app" / path]
        if not any(place.exists() for place in places):
            missing.append(path)
    assert not missing
