"""The answering process: the product's media room and sessions, Silero, the fixed-delay engines. One core.

    python -m benchmarks.webrtc.server --sessions 64 --seconds 30 --sounds FOLDER

Callers run in a process of their own on the other cores. Prints one JSON object.
"""

import argparse
import asyncio
import gc
import json
import multiprocessing
import os
import sys
import time
from array import array
from pathlib import Path
from typing import Any

from benchmarks.inproc import ours
from benchmarks.inproc.sounds import load
from benchmarks.inproc.tally import spread
from benchmarks.inproc.usage import Collections, rss_mb
from benchmarks.media_callers import TICKS
from benchmarks.webrtc.callers import callers
from benchmarks.webrtc.shared import RING, Shared
from pipeline.contracts.audio import AudioPacket, Sound
from pipeline.contracts.dialogue import Record, TurnRecord
from pipeline.core.clock import MonotonicClock, SessionClock
from pipeline.core.surroundings import Surroundings
from pipeline.media.addresses import LOOPBACK, gather_only
from pipeline.media.peer import Peer, answer

WARMUP_S = 12.0
SETTLE_S = 1.0
"""After our own collection, which holds the loop for 30 ms with 100 sessions and is not what is measured."""
GAP_S = 0.060
FRAME_MS = 20.5
"""Two packets whose audio clock is no further apart than this belong to one piece of sound."""


class Room:
    """What is counted over all sessions while `open`."""

    def __init__(self, shared: Shared) -> None:
        self.shared = shared
        self.open = False
        self.pieces = self.packets_out = self.gaps = 0
        self.longest_gap_ms = 0.0
        self.uplink_ms = array("d")
        self.ttfa_ms = array("d")

    def record(self, record: Record) -> None:
        """The Journal."""
        if self.open and isinstance(record, TurnRecord) and record.kind == "told" and "ttfa_ms" in record.timings:
            self.ttfa_ms.append(record.timings["ttfa_ms"])

    def event(self, session_id: str, event: dict[str, Any]) -> None:
        """The Publisher."""
        if event["event"] == "state" and event["state"] == "THINKING":
            self.shared.decided_s[int(session_id)] = time.monotonic()

    def faces(self, session_id: str, frames: list[dict[str, Any]]) -> None: ...


class Watched:
    """One session's sound on its way in and out."""

    def __init__(self, peer: Peer, room: Room, place: int) -> None:
        self._room, self._offset = room, place * RING
        self._last: tuple[float, float] | None = None
        peer.speaker.tap("", self._went_out)
        microphone: Any = peer.microphone
        self._on_sound = microphone._on_sound
        microphone._on_sound = self._heard
        decoding: Any = peer._incoming._decoding
        self._decode = decoding.packet
        decoding.packet = self._came

    def _came(self, timestamp: int, payload: bytes) -> None:
        self._decode(timestamp, payload)
        if self._room.open:
            sent_s = self._room.shared.sent_s[self._offset + timestamp // TICKS % RING]
            self._room.uplink_ms.append((time.monotonic() - sent_s) * 1000)

    def _heard(self, sound: Sound) -> None:
        self._room.pieces += 1
        self._on_sound(sound)

    def _went_out(self, packet: AudioPacket) -> None:
        now_s, room = time.monotonic(), self._room
        if room.open and self._last and packet.t_audio_ms - self._last[1] < FRAME_MS:
            gap_s = now_s - self._last[0]
            room.gaps += gap_s > GAP_S
            room.longest_gap_ms = max(room.longest_gap_ms, gap_s * 1000)
        self._last = (now_s, packet.t_audio_ms)
        room.packets_out += 1


class Told:
    """What the scripted recogniser must know of its caller."""

    def __init__(self, shared: Shared, place: int, texts: list[str]) -> None:
        self._shared, self._place, self._texts = shared, place, texts

    @property
    def words(self) -> str:
        saying = self._shared.saying[self._place]
        return self._texts[saying] if saying >= 0 else ""

    def asked(self) -> None: ...


async def measure(count: int, seconds: float, sounds: Path) -> dict[str, Any]:
    gather_only(LOOPBACK)
    cores = sorted(os.sched_getaffinity(0))
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    shared, engines = Shared.make(context, count), await ours.engines_started()
    process = context.Process(target=callers, args=(there, shared, count, str(sounds), cores[0] if cores[1:] else None))
    process.start()
    os.sched_setaffinity(0, {cores[-1]})
    room, clock = Room(shared), MonotonicClock()
    around = Surroundings("bench", engines, room, room, ours.CountingMeter(), ours.NoLoad())
    said = [[u.text for u in utterances] for utterances in load(sounds).values()]
    before_mb, running, sessions = rss_mb(), [], []
    for place in range(count):
        session_clock = SessionClock(clock, time.time(), time.time())
        peer, sdp = await answer(await asyncio.to_thread(here.recv), clock=clock, session_t0=session_clock.t0)
        told: Any = Told(shared, place, said[place % len(said)])
        session = ours.session_on(peer, str(place), ours.SPEC, session_clock, around, ours.FixedHearing(told))
        running.append(asyncio.create_task(session.run()))
        await asyncio.sleep(0)
        peer.on_control({"type": "face", "on": False})
        Watched(peer, room, place)
        sessions.append(session)
        here.send(sdp)
    await asyncio.to_thread(here.recv)
    await asyncio.sleep(WARMUP_S)
    gc.collect()
    gc.freeze()
    await asyncio.sleep(SETTLE_S)
    figures = await _counted(room, here, count, seconds)
    figures["rss_mb_per_session"] = round((rss_mb() - before_mb) / count, 2)
    for session in sessions:
        session.hang_up("hangup")
    await asyncio.wait(running, timeout=20)
    await asyncio.to_thread(process.join, 20)
    return figures


async def _counted(room: Room, pipe: Any, count: int, seconds: float) -> dict[str, Any]:
    collections = Collections()
    pipe.send("count")
    room.open, room.pieces, room.packets_out = True, 0, 0
    cpu_s, wall_s = time.process_time(), time.monotonic()
    await asyncio.sleep(seconds)
    cpu_s, wall_s, room.open = time.process_time() - cpu_s, time.monotonic() - wall_s, False
    pipe.send("enough")
    client = await asyncio.to_thread(pipe.recv)
    return {
        "sessions": count,
        "cpu_s_per_session_min": round(cpu_s / count / (wall_s / 60), 3),
        "core_used": round(cpu_s / wall_s, 3),
        "frames_per_s": round(room.pieces / count / wall_s, 2),
        "agent_speaks": round(room.packets_out / count / wall_s / 50, 2),
        "caller_speaks": round(client["speech_s"] / count / wall_s, 2),
        "uplink_ms": spread(room.uplink_ms),
        "ttfa_server_ms": spread(room.ttfa_ms),
        "ttfa_client_ms": client["ttfa_ms"],
        "gap_ms": client["gap_ms"],
        "barge_in_ms": client["barge_in_ms"],
        "gaps_over_60ms": room.gaps,
        "longest_gap_ms": round(room.longest_gap_ms, 1),
        "client_gaps_over_60ms": client["gaps_over_60ms"],
        **{name: client[name] for name in ("turns", "missed_turns", "cut_ins", "backchannels",
           "backchannels_that_stopped_the_reply", "callers_late_ms", "callers_cpu_s")},
        "gc_longest_ms": round(collections.longest_ms, 1),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--sounds", type=Path, required=True)
    options = parser.parse_args()
    answered = sys.stdout
    sys.stdout = sys.stderr
    print(json.dumps(asyncio.run(measure(options.sessions, options.seconds, options.sounds))), file=answered)


if __name__ == "__main__":
    main()
