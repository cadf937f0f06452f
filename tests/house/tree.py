"""The repository as its own tests see it: tracked files, and tables in its documentation."""

import re
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]


@cache
def tracked() -> tuple[Path, ...]:
    """Paths relative to the root, of files that git knows and that are there."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return tuple(path for name in listed.split("\0") if name and (ROOT / (path := Path(name))).is_file())


def code(*suffixes: str, under: tuple[str, ...] = ()) -> list[Path]:
    """Tracked files with one of these suffixes, in one of these top folders (none given: all). Migrations are written
    by Django, and what lies in static/vendor by others.
    """
    return [
        path
        for path in tracked()
        if path.suffix in suffixes
        and (not under or path.parts[0] in under)
        and "migrations" not in path.parts
        and path.parts[:2] != ("static", "vendor")
    ]


def text(path: str | Path) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def section(document: str, heading: str) -> str:
    """The text under a heading of any level, up to the next heading of the same or a higher one."""
    found = re.search(rf"^(#+) {re.escape(heading)}$", text(document), re.MULTILINE)
    assert found, f"{document} has no heading {heading!r}"
    rest = text(document)[found.end() :]
    end = re.search(rf"^#{{1,{len(found[1])}}} ", rest, re.MULTILINE)
    return rest[: end.start()] if end else rest


def rows(markdown: str) -> list[list[str]]:
    """Cells of every table row, without head and rule lines."""
    lines = [line for line in markdown.splitlines() if line.startswith("|")]
    heads = {i - 1 for i, line in enumerate(lines) if is_rule(line)}
    body = (line for i, line in enumerate(lines) if i not in heads and not is_rule(line))
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in body]


def is_rule(line: str) -> bool:
    return set(line) <= set("|-: ")


def names(cell: str) -> list[str]:
    """What stands in back-quotes."""
    return re.findall(r"`([^`]+)`", cell)
