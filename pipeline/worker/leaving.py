"""A worker that goes down lets its sessions move to another one, each between two turns."""

import asyncio
from collections.abc import Mapping

from pipeline.core.session import Session

MOVE_GRACE_S = 2.0
"""A page that was asked to move and has not is hung up after this long; it then offers again by itself."""
LOOK_S = 0.05


async def move_out(sessions: Mapping[str, Session], deadline_s: float) -> None:
    """Returns when all are gone, or at the deadline."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + deadline_s
    asked: dict[str, float] = {}
    while sessions and (now := loop.time()) < deadline:
        for session in list(sessions.values()):
            if session.id not in asked and session.at_turn_boundary:
                asked[session.id] = now
                session.move()
            elif now - asked.get(session.id, now) > MOVE_GRACE_S and session.at_turn_boundary:
                session.hang_up("moved")
        await asyncio.sleep(LOOK_S)
