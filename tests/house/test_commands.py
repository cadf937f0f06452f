"""Every command, link and variable that the documentation names exists."""

import re
import shlex
import subprocess
from importlib.util import find_spec
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class

from goassist_site.env import Env
from tests.house.tree import ROOT, code, text, tracked

PAGES = [str(path) for path in code(".md")]
ADVICE = ["README.md", "CONTRIBUTING.md", "docs/operations.md", "docs/soak.md", "docs/usage.md"]
NOT_OURS = {"DJANGO_SETTINGS_MODULE"}


def shell_lines(page: str) -> list[list[str]]:
    """Words of each command line in the page's shell blocks."""
    blocks = re.findall(r"^[ ]*```sh\n(.*?)^[ ]*```", text(page), re.MULTILINE | re.DOTALL)
    lines = (line for block in blocks for line in block.splitlines() if line.strip())
    return [words for line in lines if (words := shlex.split(line, comments=True))]


def after(words: list[str], *prefix: str) -> list[str] | None:
    """What follows the prefix in the line; None when it is not there."""
    for start in range(len(words) - len(prefix) + 1):
        if tuple(words[start : start + len(prefix)]) == prefix:
            return words[start + len(prefix) :]
    return None


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):.*## ", text("Makefile"), re.MULTILINE))


def test_every_make_target_that_is_named_exists():
    named = {target for page in PAGES for target in re.findall(r"`(?:[A-Z]+=\S+ )*make ([a-z][a-z-]*)", text(page))}
    named |= {rest[0] for page in ADVICE for words in shell_lines(page) if (rest := after(words, "make"))}
    assert {"run", "test", "check", "help", "run-distributed"} <= named
    assert named <= make_targets()


def test_make_help_lists_every_target():
    listed = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    phony = set(re.search(r"^\.PHONY: (.*)$", text("Makefile"), re.MULTILINE)[1].split())
    assert phony == make_targets()
    assert set(re.findall(r"^  make ([a-z-]+)", listed, re.MULTILINE)) == phony


def manage_lines() -> list[tuple[str, list[str]]]:
    found = []
    for page in ADVICE:
        for words in shell_lines(page):
            rest = after(words, "manage.py")
            if rest:
                found.append((page, rest))
    return found


def test_every_management_command_exists_and_knows_its_options():
    lines = manage_lines()
    assert {"migrate", "runweb", "runpipeline"} <= {words[0] for _, words in lines}
    for page, (name, *options) in lines:
        parser = load_command_class(get_commands()[name], name).create_parser("manage.py", name)
        known = parser._option_string_actions
        assert [o for o in options if o.startswith("--") and o not in known] == [], f"{page}: {name}"


def test_every_module_that_is_run_exists():
    for page in ADVICE:
        for words in shell_lines(page):
            if rest := after(words, "-m"):
                assert find_spec(rest[0]), f"{page}: {rest[0]}"


def variables(page: str) -> set[str]:
    return set(re.findall(r"\b(GOASSIST_[A-Z_]+|[A-Z]+_URL|LLM_[A-Z_]+|ASR_[A-Z]+|WORKER_HTTP_PORT)\b", text(page)))


@pytest.mark.parametrize("page", [*PAGES, ".env.example"])
def test_every_variable_that_is_named_is_a_setting(page):
    from pipeline.soak.__main__ import KEY_VARIABLE

    settings = {name.upper() for name in Env.model_fields} | {KEY_VARIABLE} | NOT_OURS
    assert {name for name in variables(page) if name.removesuffix("_FILE") not in settings} == set()


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page):
    files = set(map(str, tracked()))
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#\s]*)(#[^)\s]*)?\)", text(page)):
        where = (ROOT / page).parent / target if target else ROOT / page
        path = str(where.resolve().relative_to(ROOT))
        assert path in files, f"{target} is not there"
        assert not anchor or anchor[1:] in anchors(path), f"{target}{anchor}"


def anchors(page: str) -> set[str]:
    """As GitHub makes them from headings."""
    headings = re.findall(r"^#+ (.*)$", text(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_page_is_in_the_index():
    index = text("docs/index.md")
    pages = {Path(page).name for page in PAGES if page.startswith("docs/")} - {"index.md"}
    assert {name for name in pages if f"({name})" not in index} == set()


def test_files_that_the_code_refers_to_exist():
    files = set(map(str, tracked()))
    named = {
        (str(path), page)
        for path in code(".py", ".js", ".html", ".css")
        for page in re.findall(r"\bdocs/[a-z-]+\.md\b", text(path))
    }
    assert {(path, page) for path, page in named if page not in files} == set()
