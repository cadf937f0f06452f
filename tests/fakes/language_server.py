"""A language server that misbehaves as told: a small HTTP server whose answers are scripts."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

Script = Callable[["Asked"], Awaitable[None]]


@dataclass
class Asked:
    """One request, and the way to answer it."""

    path: str
    raw: bytes
    body: dict[str, Any]
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, text: str) -> None:
        self.writer.write(text.encode())
        await self.writer.drain()

    async def begin_stream(self) -> None:
        await self.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")

    async def say(self, text: str, finish: str | None = None) -> None:
        choice = {"index": 0, "delta": {"content": text}, "finish_reason": finish}
        await self.chunk({"choices": [choice]})

    async def chunk(self, members: dict[str, Any]) -> None:
        await self.send(f"data: {json.dumps({'id': 'x', 'object': 'chat.completion.chunk', **members})}\n\n")

    async def answer(self, status: int, body: Any) -> None:
        text = json.dumps(body)
        head = f"HTTP/1.1 {status} Said\r\nContent-Type: application/json\r\nContent-Length: {len(text)}\r\n"
        await self.send(f"{head}Connection: close\r\n\r\n{text}")

    async def hung_up(self) -> None:
        """Returns when the client has closed the connection."""
        while await self.reader.read(1024):
            pass


@dataclass
class ScriptedServer:
    """Each chat request takes the next script, the last one again and again."""

    scripts: list[Script]
    models: tuple[str, ...] = ("tiny",)
    asked: list[dict[str, Any]] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    """The same as bytes."""
    base_url: str = ""
    tokenizer: Callable[[str], Any] | None = None
    """What vLLM's /tokenize answers, at the server's root; without it there is no such address."""
    tokenized: list[dict[str, Any]] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = await _request(reader, writer)
            if request.path.endswith("/models"):
                await request.answer(200, {"object": "list", "data": [{"id": name} for name in self.models]})
                return
            if request.path == "/tokenize":
                await self._tokenize(request)
                return
            script = self.scripts[min(len(self.asked), len(self.scripts) - 1)]
            self.asked.append(request.body)
            self.raw.append(request.raw)
            await script(request)
        except ConnectionError:
            pass
        finally:
            writer.close()

    async def _tokenize(self, request: Asked) -> None:
        self.tokenized.append(request.body)
        if self.tokenizer is None:
            await request.answer(404, {"detail": "Not Found"})
        else:
            await request.answer(200, self.tokenizer(request.body["prompt"]))


@asynccontextmanager
async def scripted_server(*scripts: Script, models: tuple[str, ...] = ("tiny",)) -> AsyncIterator[ScriptedServer]:
    scripted, running = ScriptedServer(list(scripts), models), set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        running.add(asyncio.current_task())
        await scripted.serve(reader, writer)

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    scripted.base_url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    try:
        yield scripted
    finally:
        server.close()
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def _request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Asked:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    size = next((int(line[15:]) for line in head.splitlines() if line.lower().startswith("content-length:")), 0)
    raw = await reader.readexactly(size)
    return Asked(head.split()[1], raw, json.loads(raw) if raw else {}, reader, writer)
