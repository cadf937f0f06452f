"""Sizes, names and words that the house does not have (CONTRIBUTING.md)."""

import ast
import re
from pathlib import Path

import pytest

from tests.house.tree import code, text, tracked

DICTATED = {"templates/admin/base.html", "templates/allauth/layouts/base.html"}
"""Names that Django and allauth give."""
MAX_FILE_LINES = 300
MAX_FUNCTION_LINES = 60
PRODUCT = ("pipeline", "sessions_app", "goassist_site")
VAGUE = re.compile(r"(^|_)(managers?|helpers?|utils?|base|misc|common)(_|$)")
# Put together here, so that this file does not find itself.
UNFINISHED = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "X" + "XX"]) + r")\b")
MACHINE_PATHS = re.compile(r"(?<![\w.])/(" + "|".join(["wo" + "rk", "ro" + "ot", "ho" + r"me/\w+"]) + r")/")
HOSTS = ["python" + r"hosted\.", r"\bpy" + r"pi\.", "index" + "-url ?=", "artif" + "actory"]
PACKAGE_HOSTS = re.compile("|".join(HOSTS))


def offences(pattern: re.Pattern[str]) -> list[str]:
    """`path:line: text` of every line of a tracked text file that the pattern finds."""
    found = []
    for path in tracked():
        try:
            lines = text(path).splitlines()
        except UnicodeDecodeError:
            continue
        found += [f"{path}:{n}: {line.strip()[:100]}" for n, line in enumerate(lines, 1) if pattern.search(line)]
    return found


def functions(source: str) -> list[tuple[str, int]]:
    """(name, lines) of every function in it."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return [
        (node.name, (node.end_lineno or node.lineno) - node.lineno + 1)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, kinds)
    ]


def test_no_file_is_a_monument():
    sizes = {str(path): len(text(path).splitlines()) for path in code(".py", ".js", ".css", ".html")}
    assert {path: lines for path, lines in sizes.items() if lines > MAX_FILE_LINES} == {}


def test_no_function_is_a_monument():
    long = {
        f"{path}:{name}": lines
        for path in code(".py", under=PRODUCT)
        for name, lines in functions(text(path))
        if lines > MAX_FUNCTION_LINES
    }
    assert long == {}


def test_a_long_function_would_be_noticed():
    source = "class A:\n    async def f(self):\n" + "        pass\n" * 60
    assert functions(source) == [("f", 61)]


def test_file_names_say_what_is_inside():
    assert [
        str(path)
        for path in code(".py", ".js", ".css", ".html")
        if VAGUE.search(path.stem) and str(path) not in DICTATED
    ] == []


@pytest.mark.parametrize("name", ["session_manager", "utils", "base", "db_helpers"])
def test_a_vague_name_would_be_noticed(name):
    assert VAGUE.search(name)


def test_database_is_no_vague_name():
    assert not VAGUE.search(Path("database.py").stem)


def test_nothing_is_left_unfinished():
    assert offences(UNFINISHED) == []


def test_no_path_of_one_machine_is_written_down():
    assert offences(MACHINE_PATHS) == []


def test_no_package_host_is_written_down():
    assert offences(PACKAGE_HOSTS) == []


@pytest.mark.parametrize(
    ("pattern", "line"),
    [
        (UNFINISHED, "# TO" + "DO: later"),
        (MACHINE_PATHS, "open('/ro" + "ot/x')"),
        (PACKAGE_HOSTS, "https://py" + "pi.org/simple"),
    ],
)
def test_a_forbidden_word_would_be_noticed(pattern, line):
    assert pattern.search(line)
