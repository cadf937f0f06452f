"""Run by test_server in a process of its own: the real server in front of an application that floods one websocket.
`REQUEST_LIMIT_S` may be given as an argument.

Prints its port, then one JSON line per event: how many frames the application sent or skipped, and each close.
"""

import asyncio
import json
import os
import sys
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "goassist_site.settings")
django.setup()

from sessions_app.edge import server  # noqa: E402

FRAME = "x" * 4000


def tell(**event: Any) -> None:
    print(json.dumps(event), flush=True)


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["path"] == "/broken":
        raise RuntimeError("on purpose")
    if scope["type"] == "http":
        await answer(receive, send)
    elif scope["path"] == "/flood":
        await flood(scope, receive, send)
    else:
        await close(receive, send)


async def answer(receive: Any, send: Any) -> None:
    size, more = 0, True
    while more:
        message = await receive()
        size, more = size + len(message.get("body", b"")), message.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(size).encode()})


async def close(receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.close", "code": 4410, "reason": "The session is over."})


async def flood(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Frames as fast as the loop turns, heeding the reader as the blendshape consumer does."""
    reader = scope["extensions"]["goassist.reader"]
    await receive()
    await send({"type": "websocket.accept"})
    gone = asyncio.create_task(until_disconnected(receive))
    sent = skipped = 0
    while not gone.done():
        if reader.behind:
            skipped += 1
        else:
            sent += 1
            await send({"type": "websocket.send", "text": FRAME})
        await asyncio.sleep(0.0005)
    tell(sent=sent, skipped=skipped, code=gone.result())


async def until_disconnected(receive: Any) -> int:
    while (message := await receive())["type"] != "websocket.disconnect":
        pass
    return int(message["code"])


def main() -> None:
    if sys.argv[1:]:
        server.REQUEST_LIMIT_S = float(sys.argv[1])
    web = server.WebServer(application, host="127.0.0.1", port=0)
    web.on_start = lambda: tell(port=web.listening_addresses[0][1])
    web.run()
    sys.exit(web.failure or 0)


main()
