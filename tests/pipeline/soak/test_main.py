"""The command line: exit status and words."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.soak.__main__ import main
from tests.fakes.installation import ASSISTANT, KEY, Installation

ARGUMENTS = ["--url", "http://127.0.0.1:9", "--assistant", ASSISTANT, "--key", KEY]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--callers", "0"], "--callers"),
        (["--minutes", "9999"], "--minutes"),
        (["--duty", "2"], "--duty"),
        (["--url", "ftp://x"], "http://"),
        (["--key", ""], "GOASSIST_SOAK_KEY"),
    ],
)
def test_a_wrong_option_is_told_in_words(arguments, words, capsys, monkeypatch):
    monkeypatch.delenv("GOASSIST_SOAK_KEY", raising=False)
    assert main([*ARGUMENTS, *arguments]) == 2
    assert words in capsys.readouterr().err


@pytest.mark.slow
async def test_a_stopped_run_still_writes_its_report(tmp_path: Path):
    async with Installation().open() as installation:
        file = tmp_path / "report.json"
        command = [sys.executable, "-m", "pipeline.soak", "--url", installation.url, "--assistant", ASSISTANT]
        command += ["--callers", "1", "--minutes", "5", "--duty", "1", "--report", str(file)]
        process = await asyncio.create_subprocess_exec(
            *command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={**os.environ, "GOASSIST_SOAK_KEY": KEY}
        )
        assert process.stdout is not None
        while True:
            message = json.loads(await process.stdout.readline())
            if message["type"] == "progress" and message["turns"] > 0:
                break
        process.send_signal(signal.SIGTERM)
        await process.communicate()
        assert process.returncode == 1
        report = json.loads(file.read_text())
        assert report["stopped"] and report["verdict"] == "stopped" and report["turns"] > 0
        assert installation.ended == installation.created == 1


@pytest.mark.slow
async def test_a_run_whose_starter_has_died_ends_by_itself(tmp_path: Path):
    async with Installation().open() as installation:
        command = [sys.executable, "-m", "pipeline.soak", "--url", installation.url, "--assistant", ASSISTANT]
        reader, writer = os.pipe()
        process = await asyncio.create_subprocess_exec(
            *command, "--key", KEY, "--callers", "1", "--minutes", "5", stdout=writer, stderr=subprocess.DEVNULL
        )
        os.close(writer)
        await asyncio.to_thread(os.read, reader, 1)
        os.close(reader)
        assert await process.wait() == 1
