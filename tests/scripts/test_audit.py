"""`make audit`, against a database on this machine that answers as OSV does."""

import json
import runpy
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.house.test_dependencies import pins
from tests.house.tree import ROOT


class Osv(HTTPServer):
    """`vulnerable`: (name, version) → ids. `body`: says this instead."""

    def __init__(self, vulnerable: dict[tuple[str, str], list[str]], body: bytes | None = None) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.vulnerable, self.body = vulnerable, body
        self.asked: list[dict[str, Any]] = []


class Answer(BaseHTTPRequestHandler):
    server: Osv

    def do_POST(self) -> None:
        queries = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["queries"]
        self.server.asked += queries
        known = self.server.vulnerable
        found = [known.get((query["package"]["name"], query["version"])) for query in queries]
        results = [{"vulns": [{"id": one} for one in ids]} if ids else {} for ids in found]
        body = self.server.body if self.server.body is not None else json.dumps({"results": results}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """The test's output is its own."""


@contextmanager
def a_database(vulnerable: dict[tuple[str, str], list[str]], body: bytes | None = None) -> Iterator[tuple[Osv, str]]:
    server = Osv(vulnerable, body)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server, f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def audit(osv: str, root: Path = ROOT) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, ROOT / "scripts/audit", "--osv", osv, "--root", root]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_every_pinned_package_is_asked_about() -> None:
    with a_database({}) as (server, address):
        done = audit(address)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "No known hole.")
    asked = {(query["package"]["ecosystem"], query["package"]["name"], query["version"]) for query in server.asked}
    for file in ("requirements.txt", "requirements/dev.txt"):
        assert {("PyPI", name, version) for name, version in pins(file).items()} <= asked
    assert ("npm", "uplot", "1.6.32") in asked


def test_a_hole_is_named_and_fails() -> None:
    name, version = next(iter(pins("requirements.txt").items()))
    with a_database({(name, version): ["GHSA-1", "PYSEC-2"]}) as (_, address):
        done = audit(address)
    assert done.returncode == 1
    assert f"{name} {version}: GHSA-1  https://osv.dev/vulnerability/GHSA-1" in done.stdout
    assert "2 known holes." in done.stdout


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"results": []}', b"<html>"])
def test_an_answer_of_another_kind_is_no_clean_bill(body: bytes) -> None:
    with a_database({}, body) as (_, address):
        done = audit(address)
    assert done.returncode == 2
    assert "Nothing is known about holes." in done.stderr


@pytest.mark.parametrize(
    "one", [None, [], {"vulns": None}, {"vulns": "x"}, {"vulns": [{}]}, {"next_page_token": "more"}]
)
def test_one_result_of_another_kind_is_no_clean_bill_and_no_hole(one: object) -> None:
    count = len({*pinned()})
    with a_database({}, json.dumps({"results": [one] + [{}] * (count - 1)}).encode()) as (_, address):
        done = audit(address)
    assert done.returncode == 2
    assert "Nothing is known about holes." in done.stderr
    assert "Traceback" not in done.stderr


def pinned() -> list[object]:
    found: list[object] = runpy.run_path(str(ROOT / "scripts/audit"))["pinned"](ROOT)
    return found


def test_a_database_that_cannot_be_reached_is_said_in_words() -> None:
    done = audit("http://127.0.0.1:9")
    assert done.returncode == 2
    assert "could not be asked" in done.stderr
    assert "Traceback" not in done.stderr
