"""Who may import whom (docs/architecture.md): the contracts in pyproject.toml, and what is really loaded."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import grimp
import pytest

from tests.house.tree import ROOT

LOADED = """
import importlib, json, pkgutil, sys
for name in sys.argv[1:]:
    package = importlib.import_module(name)
    for module in pkgutil.walk_packages(package.__path__, name + "."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
print(json.dumps(sorted(sys.modules)))
"""
FALSE_CONTRACT = """
[tool.importlinter]
root_packages = ["pipeline"]
[[tool.importlinter.contracts]]
name = "The host takes no offers"
type = "forbidden"
source_modules = ["pipeline.worker"]
forbidden_modules = ["pipeline.core"]
"""


def loaded_by(*packages: str) -> set[str]:
    """Names of all modules that a fresh interpreter holds after importing every module of these packages."""
    run = subprocess.run([sys.executable, "-c", LOADED, *packages], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return set(json.loads(run.stdout))


def top(modules: set[str]) -> set[str]:
    return {name.partition(".")[0] for name in modules}


def cycles(imports: Mapping[str, set[str]]) -> list[list[str]]:
    """Modules that reach one another (a set is closed under reachability: small enough here to ask for each)."""

    def reach(start: str) -> frozenset[str]:
        seen: set[str] = set()
        waiting = list(imports[start])
        while waiting:
            name = waiting.pop()
            if name not in seen:
                seen.add(name)
                waiting += imports.get(name, ())
        return frozenset(seen)

    reached = {name: reach(name) for name in imports}
    circles = {
        frozenset({name, *(other for other in reached[name] if name in reached.get(other, ()))})
        for name in imports
        if name in reached[name]
    }
    return sorted(sorted(circle) for circle in circles)


def lint_imports(config: Path) -> subprocess.CompletedProcess[str]:
    """In an interpreter of its own: what Twisted does to classes in this one, import-linter does not survive."""
    command = "from importlinter.cli import lint_imports_command as lint; lint()"
    arguments = ["--config", str(config), "--no-cache", "--no-logo"]
    return subprocess.run([sys.executable, "-c", command, *arguments], cwd=ROOT, capture_output=True, text=True)


def test_the_import_contracts_are_kept():
    run = lint_imports(ROOT / "pyproject.toml")
    assert run.returncode == 0, run.stdout + run.stderr


def test_a_broken_contract_would_be_noticed(tmp_path):
    (tmp_path / "pyproject.toml").write_text(FALSE_CONTRACT)
    run = lint_imports(tmp_path / "pyproject.toml")
    assert run.returncode == 1
    assert "pipeline.worker.host -> pipeline.core.session" in run.stdout


def test_the_machine_loads_nothing_of_the_office():
    modules = loaded_by("pipeline")
    assert {"pipeline.worker.host", "pipeline.soak.run"} <= modules
    assert not top(modules) & {"django", "channels", "celery", "twisted", "sessions_app", "goassist_site"}


@pytest.mark.parametrize("room", ["contracts", "core"])
def test_the_lower_floors_load_the_standard_library_only(room):
    modules = loaded_by(f"pipeline.{room}")
    at_start = top(loaded_by())  # what a site's .pth files bring along
    strangers = top(modules) - sys.stdlib_module_names - at_start - {"pipeline"}
    assert not strangers
    allowed = {"pipeline.contracts", f"pipeline.{room}"}
    rooms = {".".join(name.split(".")[:2]) for name in modules if name.startswith("pipeline.")}
    assert rooms <= allowed


def test_the_soak_client_loads_no_other_room_of_the_machine():
    rooms = {".".join(name.split(".")[:2]) for name in loaded_by("pipeline.soak") if name.startswith("pipeline.")}
    assert rooms == {"pipeline.soak", "pipeline.contracts"}


def test_no_modules_import_one_another_in_a_circle():
    graph = grimp.build_graph("pipeline", "sessions_app", "goassist_site", cache_dir=None)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    assert cycles(imports) == []


def test_a_circle_would_be_noticed():
    assert cycles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [["a", "b", "c"]]
