"""In a process of its own: what the logs say must not depend on what the tests do to logging."""

import json
import subprocess
import sys

SCRIPT = """
import logging, structlog
from goassist_site import logs
logs.configure("INFO", {form!r})
structlog.contextvars.bind_contextvars(session_id="s-1")
structlog.get_logger("office").info("offer_taken", leg=1)
logging.getLogger("machine").info("seat %d is free", 3, extra={{"worker": "w-1"}})
logging.getLogger("machine").debug("never shown")
"""


def lines(form):
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(form=form)], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == ""
    return done.stderr.splitlines()


def test_every_line_is_one_json_object_with_the_session():
    office, machine = (json.loads(line) for line in lines("json"))
    assert (office["event"], office["leg"], office["level"], office["logger"]) == ("offer_taken", 1, "info", "office")
    assert (machine["event"], machine["worker"]) == ("seat 3 is free", "w-1")
    assert office["session_id"] == machine["session_id"] == "s-1"
    assert office["timestamp"].endswith("Z")


def test_for_eyes_it_is_plain_text():
    office, _ = lines("console")
    assert "offer_taken" in office
    assert "leg=1" in office
