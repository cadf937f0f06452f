"""Secrets sent to a running installation, in every place where a request has room for them: no log and no metric has
them afterwards. That logs would have them without redaction is shown in tests/goassist_site/test_redaction.py."""

import contextlib
import http.client
import json
import secrets
import urllib.request
from pathlib import Path
from typing import Any

import pytest
import websockets
from websockets.asyncio.client import connect

from tests.stack import Stack, embedded

pytestmark = [pytest.mark.route, pytest.mark.slow, pytest.mark.timeout(180)]

BEARERS = ("pk_", "sk_", "op_", "eyJzIjoic2VzXzEyMzQ1Njc4OSJ9.1vO.", "")
PATHS = (
    "/api/v1/sessions?token={}",
    "/api/v1/sessions/x?api_key={}",
    "/nowhere?ticket={}",
    "/account/password/reset/key/1-{}/",
    "/account/invitation/{}/",
    "/admin/login/?password={}",
)


def asked(stack: Stack, path: str, **headers: str) -> int:
    line = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=20)
    line.request("GET", path, headers=headers)
    status = line.getresponse().status
    line.close()
    return status


def planted_in_requests(stack: Stack, key: str) -> list[str]:
    used: list[str] = []

    def one(prefix: str = "") -> str:
        used.append(prefix + secrets.token_urlsafe(32))
        return used[-1]

    for prefix in BEARERS:
        asked(stack, "/api/v1/sessions", Authorization=f"Bearer {one(prefix)}")
    for path in PATHS:
        asked(stack, path.format(one()), Cookie=f"sessionid={one()}; csrftoken={one()}")
    asked(stack, f"/healthz?token={one()}", Referer=f"{stack.url}/?token={one()}")
    stack.api("POST", "/sessions", {"assistant": one(), "channel": one("sk_")}, token=key)
    return used


async def planted_in_sockets(stack: Stack, session: dict[str, Any]) -> list[str]:
    url = f"ws://127.0.0.1:{stack.port}/ws/v1/sessions/{session['id']}/"
    forged = ["eyJzIjoic2VzXzEyMzQ1Njc4OSJ9.1vO." + secrets.token_urlsafe(32), "sk_" + secrets.token_urlsafe(32)]
    for token in [*forged, session["token"]]:
        for address in (url, f"{url}audio/", f"{url}blendshapes", f"{url}?token={token}"):
            with contextlib.suppress(websockets.WebSocketException):
                async with connect(address, subprotocols=["goassist.v1", token], proxy=None) as socket:
                    await socket.send(json.dumps({"type": "offer", "sdp": f"v=0 {forged[0]}"}))
                    await socket.recv()
    return [*forged, session["token"]]


async def test_no_log_and_no_metric_has_a_secret(tmp_path: Path) -> None:
    settings = {
        name: secrets.token_hex(24) for name in ("GOASSIST_TURN_SECRET", "LLM_API_KEY", "GOASSIST_METRICS_TOKEN")
    }
    more = {"GOASSIST_TURN_URLS": "turn:127.0.0.1:9", "GOASSIST_LOG_LEVEL": "DEBUG"}
    with embedded(tmp_path, **settings, **more) as stack:
        key = stack.tenant("riverside-vet")["secret_key"]
        status, session = stack.api("POST", "/sessions", {"assistant": "reception"}, token=key)
        assert status == 201
        # Not the demo's own key: the start prints it, for people to try.
        planted = [*settings.values(), session["ice_servers"][0]["credential"]]
        planted += planted_in_requests(stack, key) + await planted_in_sockets(stack, session)
        metrics = urllib.request.Request(f"{stack.url}/metrics")
        metrics.add_header("Authorization", f"Bearer {settings['GOASSIST_METRICS_TOKEN']}")
        with urllib.request.urlopen(metrics, timeout=20) as answer:
            texts = {"/metrics": answer.read().decode()}
    files = [tmp_path / "embedded.log", *(tmp_path / "data" / "logs").iterdir()]
    texts |= {file.name: file.read_text(errors="replace") for file in files}
    planted.append((tmp_path / "data" / "secret_key").read_text().strip())
    assert len(planted) >= 30
    assert "/api/v1/sessions" in texts["goassist.log"] and "[secret]" in texts["goassist.log"]
    assert [(name, text) for name, content in texts.items() for text in planted if text in content] == []
