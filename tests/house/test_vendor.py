"""What others wrote and we serve (static/vendor) is what its list says it is."""

import base64
import hashlib
import json
import re
import shutil
import tarfile
from dataclasses import replace
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType

import pytest

from tests.house.tree import ROOT, names, rows, text, tracked

VENDOR = "static/vendor"


@pytest.fixture
def script() -> ModuleType:
    loader = SourceFileLoader("vendor_static", str(ROOT / "scripts" / "vendor-static"))
    spec = spec_from_loader(loader.name, loader)
    assert spec is not None
    module = module_from_spec(spec)
    loader.exec_module(module)
    return module


def test_every_third_party_file_is_listed_with_its_hash() -> None:
    listed = {names(row[0])[0]: names(row[4])[0] for row in rows(text(f"{VENDOR}/README.md"))}
    there = [path for path in tracked() if str(path).startswith(f"{VENDOR}/") and path.name != "README.md"]
    found = {str(path.relative_to(VENDOR)): hashlib.sha256((ROOT / path).read_bytes()).hexdigest() for path in there}
    assert found == listed
    assert "uplot/uPlot.iife.min.js" in found


def test_the_list_is_the_one_that_the_script_writes(script: ModuleType) -> None:
    assert text(f"{VENDOR}/README.md") == script.listing()


def test_versions_are_exact_and_every_package_brings_its_licence(script: ModuleType) -> None:
    for package in script.PACKAGES:
        assert re.fullmatch(r"\d+\.\d+\.\d+", package.version)
        assert re.match(r"sha512-[A-Za-z0-9+/]{86}==$", package.integrity)
        assert any("licen" in name.lower() for name in package.files.values())


def packed(folder: Path, **about: str) -> Path:
    (folder / "package.json").write_text(json.dumps(about))
    with tarfile.open(folder / "uplot-1.6.32.tgz", "w:gz") as archive:
        archive.add(folder / "package.json", "package/package.json")
    return folder / "uplot-1.6.32.tgz"


@pytest.fixture
def other_archive(script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What npm brings instead of the real one."""
    archive = packed(tmp_path, license="GPL-3.0-only")

    def pack(command: list[str], **options: object) -> None:
        shutil.copy(archive, command[command.index("--pack-destination") + 1])

    monkeypatch.setattr(script.subprocess, "run", pack)
    monkeypatch.setattr(script, "VENDOR", tmp_path / "vendor")
    return archive


def test_an_archive_that_is_not_the_one_meant_is_refused(script: ModuleType, other_archive: Path) -> None:
    with pytest.raises(SystemExit, match="another checksum"):
        script.fetch(script.PACKAGES[0])
    assert not script.VENDOR.exists()


def test_an_archive_under_another_licence_is_refused(script: ModuleType, other_archive: Path) -> None:
    digest = base64.b64encode(hashlib.sha512(other_archive.read_bytes()).digest()).decode()
    with pytest.raises(SystemExit, match="another licence: GPL-3.0-only"):
        script.fetch(replace(script.PACKAGES[0], integrity=f"sha512-{digest}"))
    assert not script.VENDOR.exists()
