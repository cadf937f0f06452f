"""A visitor on a websocket: brings their socket to a worker's audio door and speaks in packets, in real time."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import numpy as np
from websockets.asyncio.client import ClientConnection, unix_connect
from websockets.exceptions import ConnectionClosed

from pipeline.contracts.audio import AudioPacket
from pipeline.contracts.packets import MICROPHONE_PCM_BYTES, pack_microphone, unpack_voice

LOUD = 500


class WireCaller:
    """`await connect(answer)`, then `say`."""

    def __init__(self) -> None:
        self.controls: list[dict[str, Any]] = []
        self.faces: list[dict[str, Any]] = []
        self.packets: list[AudioPacket] = []
        self._seq = 0
        self._socket: ClientConnection | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._speech = bytearray()

    async def connect(self, answer: dict[str, Any]) -> "WireCaller":
        headers = {"Authorization": f"Bearer {answer['ticket']}"}
        path = answer["audio"].removeprefix("unix:")
        self._socket = await unix_connect(path, additional_headers=headers, compression=None)
        self._tasks = {asyncio.create_task(self._hear(self._socket)), asyncio.create_task(self._speak(self._socket))}
        await self.send({"type": "beat"})
        return self

    @property
    def socket(self) -> ClientConnection:
        assert self._socket is not None
        return self._socket

    async def send(self, message: dict[str, Any]) -> None:
        await self.socket.send(json.dumps(message))

    async def say(self, pcm: bytes) -> None:
        """16 kHz mono s16le, at the pace at which it is spoken."""
        self._speech += pcm
        await self.until(lambda: not self._speech)

    async def until(self, condition: Callable[[], Any], limit_s: float = 15.0) -> None:
        async with asyncio.timeout(limit_s):
            while not condition():
                await asyncio.sleep(0.02)

    def events(self, kind: str) -> list[dict[str, Any]]:
        return [message for message in self.controls if message.get("event") == kind]

    def loud(self) -> bool:
        pcm = b"".join(packet.payload for packet in self.packets)
        return bool(pcm) and int(np.abs(np.frombuffer(pcm, np.int16).astype(int)).max()) > LOUD

    async def close(self) -> None:
        await self.socket.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks)

    async def _speak(self, socket: ClientConnection) -> None:
        """A microphone is never off: where nothing is said it hears silence."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        try:
            while True:
                piece = bytes(self._speech[:MICROPHONE_PCM_BYTES]).ljust(MICROPHONE_PCM_BYTES, b"\0")
                del self._speech[:MICROPHONE_PCM_BYTES]
                await socket.send(pack_microphone(self._seq, piece))
                self._seq += 1
                due += 0.02
                await asyncio.sleep(due - loop.time())
        except ConnectionClosed:
            return

    async def _hear(self, socket: ClientConnection) -> None:
        try:
            async for message in socket:
                if isinstance(message, bytes):
                    self.packets.append(unpack_voice(message, ""))
                elif '"blendshapes"' in message:
                    self.faces.append(json.loads(message))
                else:
                    self.controls.append(json.loads(message))
        except ConnectionClosed:
            return
