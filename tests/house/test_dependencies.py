"""docs/dependencies.md is complete, versions are exact, and the base install is light."""

import re
from importlib.metadata import PackageNotFoundError, metadata

import pytest

from tests.house.tree import names, rows, section, text

LICENCES_THAT_BIND = re.compile(r"\b[AL]?GPL|General Public", re.IGNORECASE)
HEAVY = re.compile(r"^(torch|tensorflow|jax|triton|nvidia|cuda|cupy)", re.IGNORECASE)
ALL_PINNED = ["requirements/base.in", "requirements/dev.in", "requirements.txt", "requirements/dev.txt"]
PINNED = re.compile(r"^[A-Za-z0-9._-]+(\[[a-z0-9,-]+\])?==[A-Za-z0-9.+!-]+$")


def requirements(path: str) -> list[str]:
    """The requirements that a file names itself."""
    lines = (line.partition("#")[0].strip() for line in text(path).splitlines())
    return [line for line in lines if line and not line.startswith("-")]


def name_of(requirement: str) -> str:
    return re.split(r"[\[=<>~! ]", requirement)[0]


def pins(path: str) -> dict[str, str]:
    """Normalised name → version."""
    found = (line.partition("==") for line in requirements(path) if "==" in line)
    return {normal(name_of(name)): version.strip(" \\") for name, _, version in found}


def normal(name: str) -> str:
    """PEP 503."""
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize(
    ("path", "heading"), [("requirements/base.in", "Product"), ("requirements/dev.in", "Development and tests")]
)
def test_every_direct_dependency_is_accounted_for(path, heading):
    table = rows(section("docs/dependencies.md", heading))
    assert [names(row[0])[0] for row in table] == [name_of(requirement) for requirement in requirements(path)]
    assert all(len(row) == 5 and all(row) for row in table)


@pytest.mark.parametrize(
    "path", ["requirements/base.in", "requirements/dev.in", "requirements.txt", "requirements/dev.txt"]
)
def test_versions_are_exact(path):
    assert [line for line in requirements(path) if not PINNED.match(line)] == []


@pytest.mark.parametrize("line", ["numpy", "numpy>=2", "numpy==2.*", "numpy @ https://host/numpy.whl"])
def test_a_loose_version_would_be_noticed(line):
    assert not PINNED.match(line)


@pytest.mark.parametrize(("source", "resolved"), [("base.in", "../requirements.txt"), ("dev.in", "dev.txt")])
def test_the_resolved_versions_are_those_asked_for(source, resolved):
    found = pins(f"requirements/{resolved}")
    assert {name: found.get(name) for name in pins(f"requirements/{source}")} == pins(f"requirements/{source}")


def test_development_runs_on_the_versions_of_the_product():
    dev = pins("requirements/dev.txt")
    assert {name: dev.get(name) for name in pins("requirements.txt")} == pins("requirements.txt")


def test_the_base_install_has_no_torch_and_no_cuda():
    assert [name for name in pins("requirements.txt") if HEAVY.match(name)] == []


def test_heavy_packages_would_be_noticed():
    assert all(HEAVY.match(name) for name in ("torch", "nvidia-cublas-cu12", "triton"))


def test_no_package_with_a_binding_licence_comes_in_unseen():
    documented = {
        normal(names(row[0])[0]) for row in rows(text("docs/dependencies.md")) if LICENCES_THAT_BIND.search(row[3])
    }
    binding = {name for name in pins("requirements.txt") if LICENCES_THAT_BIND.search(licence(name))}
    assert {name.removesuffix("-binary") for name in binding} <= documented


def licence(name: str) -> str:
    """As the installed package states it; nothing for one that only other versions of Python need."""
    try:
        about = metadata(name)
    except PackageNotFoundError:
        return ""
    stated = [about.get("License-Expression") or "", (about.get("License") or "")[:100]]
    return " ".join([*stated, *(c for c in about.get_all("Classifier", []) if c.startswith("License"))])
