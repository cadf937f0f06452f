"""In a process of its own: what the logs say must not depend on what the tests do to logging."""

import json
import logging.handlers
import subprocess
import sys
from pathlib import Path

from goassist_site import logs

SCRIPT = """
import logging, structlog
from pathlib import Path
from goassist_site import logs
logs.configure("INFO", {form!r}, Path({folder!r}))
structlog.contextvars.bind_contextvars(session_id="s-1")
structlog.get_logger("office").info("offer_taken", leg=1)
logging.getLogger("machine").info("seat %d is free", 3, extra={{"worker": "w-1"}})
logging.getLogger("machine").debug("never shown")
logging.getLogger("machine").warning("the database is away")
"""


def lines(form, folder=""):
    script = SCRIPT.format(form=form, folder=str(folder))
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == ""
    return done.stderr.splitlines()


def test_every_line_is_one_json_object_with_the_session():
    office, machine, _ = (json.loads(line) for line in lines("json"))
    assert (office["event"], office["leg"], office["level"], office["logger"]) == ("offer_taken", 1, "info", "office")
    assert (machine["event"], machine["worker"]) == ("seat 3 is free", "w-1")
    assert office["session_id"] == machine["session_id"] == "s-1"
    assert office["timestamp"].endswith("Z")


def test_for_eyes_it_is_plain_text():
    office, *_ = lines("console")
    assert "offer_taken" in office
    assert "leg=1" in office


def test_in_a_file_it_is_json_and_the_terminal_shows_what_a_person_must_see(tmp_path):
    (warning,) = lines("file", tmp_path)
    assert "the database is away" in warning
    assert not warning.startswith("{")
    kept = [json.loads(line)["event"] for line in (tmp_path / "goassist.log").read_text().splitlines()]
    assert kept == ["offer_taken", "seat 3 is free", "the database is away"]


def test_the_file_does_not_grow_for_ever(tmp_path, monkeypatch):
    monkeypatch.setattr(logs, "FILE_BYTES", 1000)
    settings = logs._handlers("file", tmp_path)["file"]
    names = {"maxBytes", "backupCount", "encoding", "delay"}
    handler = logging.handlers.RotatingFileHandler(settings["filename"], **{k: settings[k] for k in names})
    for number in range(200):
        handler.emit(logging.makeLogRecord({"msg": f"line {number} " + "x" * 80}))
    handler.close()
    files = list(Path(tmp_path).iterdir())
    assert len(files) == 1 + logs.OLD_FILES
    assert sum(file.stat().st_size for file in files) <= 1000 * (1 + logs.OLD_FILES)
