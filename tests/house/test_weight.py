"""What visitors must load, gzipped: the widget's promise (docs/widget.md) and the talk page's."""

import gzip
import re
from pathlib import Path

from tests.house.tree import ROOT

STATIC = ROOT / "static"
IMPORT = re.compile(r"^(?:import|export) (?:[^;]*?from )?'(\.[^']+)'", re.MULTILINE)
ASKED_BY_PAGES = re.compile(r"\{% static '([^']+)' %\}")
KB = 1000


def modules(path: Path, known: set[Path]) -> set[Path]:
    """The module and all that it imports at once; what it imports later by `import()` is not meant."""
    if path not in known:
        known.add(path)
        for name in IMPORT.findall(path.read_text()):
            modules((path.parent / name).resolve(), known)
    return known


def weight(paths: set[Path]) -> int:
    return sum(len(gzip.compress(path.read_bytes(), 9)) for path in paths)


def test_the_widget_weighs_less_than_40_kb() -> None:
    """With one language: the button at once, the rest when a visitor reaches for it."""
    button = modules(STATIC / "widget.js", set())
    assert weight(button) < 6 * KB
    for language in ("en", "de", "es", "fr"):
        whole = modules(
            STATIC / "widget" / "conversation.js", {*button, STATIC / "widget" / "texts" / f"{language}.js"}
        )
        whole = modules(STATIC / "widget" / "texts.js", whole)
        assert len(whole) > 20
        assert weight(whole) < 40 * KB, language


def test_the_talk_page_weighs_less_than_150_kb() -> None:
    """First load, whole: page, styles, icons and every module."""
    pages = [ROOT / "templates" / name for name in ("talk.html", "site/layout.html", "site/face.svg")]
    named = {STATIC / name for page in pages for name in ASKED_BY_PAGES.findall(page.read_text())}
    loaded = set(pages)
    for path in named:
        loaded |= modules(path, set()) if path.suffix == ".js" else {path}
    assert len(loaded) > 30
    assert weight(loaded) < 150 * KB
