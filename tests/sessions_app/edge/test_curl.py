"""The curl lines of docs/api.md, sent as they stand there."""

import json
import shlex
from pathlib import Path

from tests.fakes.house import Business, Caller
from tests.fakes.worker import FakeWorker

DOC = Path(__file__).parents[3] / "docs" / "api.md"


def lines() -> list[list[str]]:
    section = DOC.read_text().split("## With curl")[1]
    return [shlex.split(line) for line in section.split("```")[1].splitlines() if line.startswith("curl")]


def option(words: list[str], name: str, default: str = "") -> str:
    return words[words.index(name) + 1] if name in words else default


async def test_the_documented_conversation_works(riverside: Business, worker: FakeWorker) -> None:
    known = {"$KEY": riverside.secret_key, "$URL": "", "reception": riverside.assistant.slug}
    statuses = []
    for words in lines():
        for name, value in known.items():
            words = [word.replace(name, value) for word in words]
        path = next(word for word in words if word.startswith("/api/v1")).removeprefix("/api/v1")
        bearer = next(w for w in words if w.startswith("Authorization")).rpartition(" ")[2]
        body = option(words, "-d") or None
        method = option(words, "-X", "POST" if body else "GET")
        answer = await Caller(bearer)(method, path, json.loads(body) if body else None)
        statuses.append(answer.status_code)
        if path == "/sessions":
            known |= {"$ID": answer.json()["id"], "$TOKEN": answer.json()["token"]}
    assert statuses == [201, 200, 200, 201, 204]
