"""A blendshape subscriber as a process of its own: `python -m tests.routes.watcher URL TOKEN` prints its frames."""

import asyncio
import sys

import websockets


async def watch(url: str, token: str) -> None:
    async with websockets.connect(url, subprotocols=["goassist.v1", token]) as socket:  # type: ignore[list-item]
        print("watching", flush=True)
        async for frame in socket:
            print(frame, flush=True)


if __name__ == "__main__":
    asyncio.run(watch(sys.argv[1], sys.argv[2]))
