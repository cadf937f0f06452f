"""Secrets planted in log lines of every kind, in a process of its own; afterwards none is to be found."""

import base64
import json
import secrets
import subprocess
import sys

import pytest

from sessions_app.edge.relays import credentials
from sessions_app.edge.tokens import SessionToken, issue
from sessions_app.tenants import embed_tokens
from sessions_app.tenants.embed_tokens import EmbedToken
from sessions_app.tenants.secrets import Redactor

SCRIPT = """
import json, logging, sys, traceback
from pathlib import Path
import structlog
from goassist_site import logs
from sessions_app.tenants import secrets
form, redacting, lines, own = json.loads(sys.stdin.read())
if not redacting:
    secrets.Redactor.text = lambda self, text: text
    secrets.Redactor._named = lambda self, name, value: self.value(value)
logs.configure("INFO", form, Path("."), own)
log, plain = structlog.get_logger("office"), logging.getLogger("machine")
class Thing:
    def __init__(self, text): self.text = text
    def __repr__(self): return f"<Thing {self.text}>"
for line in lines:
    log.info(line)
    log.info("event", path=line, deep={"headers": [(b"x", Thing(line)), line.encode()], "then": {line: line}})
    plain.warning("of %s and %r", Thing(line), "\\n" + line, extra={"worker": line})
    try:
        try:
            raise ValueError(line)
        except ValueError as error:
            raise OSError(2, "before\\n" + line) from error
    except OSError:
        log.exception("failed")
        plain.exception("failed")
for text in own:
    log.info("named", password=text, nested={"Set-Cookie": text, "turn_secret": text})
"""


def random(prefix: str = "") -> str:
    return prefix + secrets.token_urlsafe(32)


def planted() -> tuple[dict[str, str], list[str]]:
    """Secret → the line that it stands in; and secrets of the installation's own, of no form at all."""
    own = [secrets.token_hex(8) for _ in range(6)]
    visitor, face = (issue(SessionToken("ses_1", "t", scope))[0] for scope in ("visitor", "subscriber"))  # type: ignore[arg-type]
    embed = embed_tokens.issue(EmbedToken("t", "pbk_1", "ast_1", "https://www.example.com"))[0]
    name, credential = credentials("s" * 40, "ses_1", 2_000_000_000)
    basic = base64.b64encode(random().encode()).decode()
    lines = {
        **{key: f"who is {key}?" for key in map(random, ("pk_", "sk_", "op_", "sk_", "op_"))},
        visitor: f"Sec-WebSocket-Protocol: goassist.v1, {visitor}",
        face: f"token={face}",
        embed: f"token {embed}",
        **{key: f"Authorization: Bearer {key}" for key in (random(), random())},
        basic: f"authorization: basic {basic}",
        credential: f"turn {name} {credential}",
        **{key: f"Cookie: a=b; sessionid={key}; x=y" for key in (random(), random())},
        **{key: f"csrftoken={key}" for key in (random(),)},
        "hunter2pw": "cannot reach postgresql://go:hunter2pw@db:5432/x",
        "hunter3pw": "redis://:hunter3pw@cache:6379/0 is away",
        "hunter4pw": "smtp://me:hunter4pw@mail.example.com",
        "hunter5pw": "smtps://me:hunter5pw@mail.example.com:465",
        **{key: f"webhook {key}" for key in (random("whsec_"), random("whsec_"))},
        **{key: f"GET /x?a=1&token={key}&b=2" for key in (random(), random())},
        **{key: f"GET /x?api_key={key}" for key in (random(),)},
        **{key: f"GET /account/password/reset/key/1-{key}/" for key in (random(), random())},
        **{key: f"GET /account/invitation/{key}/" for key in (random(), random())},
        **{key: f"the value is {key}." for key in own},
    }
    assert len(lines) >= 30
    return lines, own


def found(form: str, *, redacting: bool = True) -> tuple[list[str], str]:
    lines, own = planted()
    given = json.dumps([form, redacting, list(lines.values()), own])
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], input=given, capture_output=True, text=True, timeout=60, check=True
    )
    output = done.stdout + done.stderr
    assert output.count("\n") >= 5 * len(lines)
    return [secret for secret in lines if secret in output], output


@pytest.mark.parametrize("form", ["json", "console"])
def test_no_secret_is_in_any_line(form: str) -> None:
    left, output = found(form)
    assert left == []
    assert "[secret]" in output and "who is" in output


@pytest.mark.parametrize("form", ["json", "console"])
def test_without_redaction_all_would_be(form: str) -> None:
    lines, _ = planted()
    left, _ = found(form, redacting=False)
    assert len(left) == len(lines)


def test_what_is_no_secret_stays() -> None:
    said = {"event": "offer_taken", "leg": 1, "session_id": "ses_0123456789abcdefghij", "path": "/api/v1/sessions"}
    said |= {"tokens": 7, "digest": "a" * 64, "none": None}
    assert Redactor(["", "short"]).value(said) == said
