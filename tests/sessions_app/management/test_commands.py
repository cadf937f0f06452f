"""The commands as somebody types them wrong: one sentence that helps, and no traceback."""

import os
import secrets
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
DISTRIBUTED = {
    "GOASSIST_MODE": "distributed",
    "GOASSIST_SECRET_KEY": secrets.token_urlsafe(48),
    "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing",
    "REDIS_URL": "redis://127.0.0.1:1/0",
}


def typed(data: Path, *words: str, **env: str) -> str:
    """What the command said when it failed."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    done = subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=ROOT,
        env={**kept, "GOASSIST_DATA": str(data), **env},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode != 0
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    return done.stderr


@pytest.mark.parametrize("command", ["runweb", "runpipeline"])
def test_a_process_of_its_own_wants_a_layer_that_is_shared(tmp_path: Path, command: str) -> None:
    assert "set REDIS_URL" in typed(tmp_path, command)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["runweb", "--port", "eighty"], "invalid int value: 'eighty'"),
        (["runweb", "--port", "70000"], "--port must be 1 to 65535"),
        (["runweb", "--bind", "nowhere"], "--bind must be an IP address"),
        (["runpipeline", "--seats", "0"], "--seats must be at least 1"),
        (["runpipeline", "--http-port", "70000"], "--http-port must be 0 to 65535"),
        (["runpipeline", "--pool", "No Such Pool"], "--pool must be"),
        (["runpipeline", "--processes", "none"], "--processes must be auto, or a number"),
        (["runpipeline", "--processes", "3", "--http-port", "65534"], "with room for a port of each process"),
        (["runembedded", "--port", "1"], "unrecognized arguments"),
        (["seed_demo", "--yaml"], "unrecognized arguments"),
    ],
)
def test_a_wrong_argument_is_named(tmp_path: Path, words: list[str], said: str) -> None:
    assert said in typed(tmp_path, *words, REDIS_URL="redis://127.0.0.1:1/0")


def test_embedded_is_not_for_production(tmp_path: Path) -> None:
    assert "use runweb, runpipeline and Celery instead" in typed(tmp_path, "runembedded", **DISTRIBUTED)


def test_a_bad_setting_stops_every_command(tmp_path: Path) -> None:
    assert "PORT: " in typed(tmp_path, "runembedded", PORT="eighty")


def test_a_database_that_is_away_is_said_in_words(tmp_path: Path) -> None:
    assert "The database cannot be reached" in typed(tmp_path, "seed_demo", "--json", **DISTRIBUTED)


def test_a_database_without_tables_wants_migrating(tmp_path: Path) -> None:
    assert "manage.py migrate" in typed(tmp_path, "seed_demo", "--json")


def test_a_port_that_is_taken_is_said_in_words(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert port in typed(tmp_path, "runweb", "--port", port, REDIS_URL="redis://127.0.0.1:1/0")
