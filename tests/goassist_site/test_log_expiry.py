"""Session control signals in the log: in a file of their own, and gone after seven days."""

import json
import logging
import os
import subprocess
import sys
import time

import pytest

from goassist_site.log_expiry import KEPT_S, ExpiringFileHandler, forget_old
from goassist_site.logs import EXPIRING_FILE

SCRIPT = """
import logging
from pathlib import Path
from goassist_site import logs
from pipeline.core.scos import Scos
logs.configure({level!r}, {form!r}, Path({folder!r}))
Scos("s-1").signals()
logging.getLogger("machine").warning("the database is away")
"""
DAY_S = 86_400.0


def run(level, form, folder):
    script = SCRIPT.format(level=level, form=form, folder=str(folder))
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    return done.stderr


def last_written(path, days_ago, text="line\n"):
    path.write_text(text)
    at = time.time() - days_ago * DAY_S
    os.utime(path, (at, at))
    return path


def test_at_level_debug_the_signals_lie_in_their_own_file_and_nowhere_else(tmp_path):
    assert "verbosity" not in run("DEBUG", "file", tmp_path)
    assert "verbosity" not in (tmp_path / "goassist.log").read_text()
    (line,) = (tmp_path / EXPIRING_FILE).read_text().splitlines()
    assert json.loads(line)["session"] == "s-1"


@pytest.mark.parametrize(("level", "form"), [("DEBUG", "json"), ("DEBUG", "console"), ("INFO", "file")])
def test_where_their_end_cannot_be_promised_or_nobody_debugs_they_are_not_logged(tmp_path, level, form):
    last_written(tmp_path / EXPIRING_FILE, 1)
    last_written(tmp_path / f"{EXPIRING_FILE}.2026-01-01", 2)
    assert "verbosity" not in run(level, form, tmp_path)
    assert not list(tmp_path.glob(f"{EXPIRING_FILE}*"))


def test_a_day_that_was_last_written_six_days_ago_is_removed_at_the_start(tmp_path):
    old = last_written(tmp_path / f"{EXPIRING_FILE}.2026-01-01", 6.01)
    young = last_written(tmp_path / f"{EXPIRING_FILE}.2026-01-02", 5.9)
    other = last_written(tmp_path / "goassist.log", 30)
    ExpiringFileHandler(tmp_path / EXPIRING_FILE).close()
    assert (old.exists(), young.exists(), other.exists()) == (False, True, True)


def test_a_process_that_logs_nothing_more_ends_the_day_and_removes_what_is_old(tmp_path):
    handler = ExpiringFileHandler(tmp_path / EXPIRING_FILE)
    handler.emit(logging.makeLogRecord({"msg": "a signal"}))
    handler.rolloverAt = int(time.time()) - 1
    handler.expire()
    (day,) = tmp_path.glob(f"{EXPIRING_FILE}*")
    assert day.name > EXPIRING_FILE
    last_written(day, 6.5)
    handler.expire()
    assert not list(tmp_path.iterdir())
    handler.close()


def test_the_oldest_line_of_a_file_that_is_kept_is_less_than_seven_days_old():
    """A file holds the lines of one day, and goes KEPT_S after its last line; it is looked at every hour."""
    assert KEPT_S + DAY_S <= 7 * DAY_S


def test_a_file_that_cannot_be_removed_stops_nothing(tmp_path, caplog):
    (tmp_path / EXPIRING_FILE).mkdir()
    forget_old(tmp_path / EXPIRING_FILE, kept_s=0.0)
    assert "could not be removed" in caplog.text
