"""A recorder that keeps what is written in memory."""

from dataclasses import dataclass, field

from pipeline.contracts.recording import Recording


@dataclass
class FakeTape:
    recording: Recording
    visitor: bytearray = field(default_factory=bytearray)
    agent: bytearray = field(default_factory=bytearray)
    broken: bool = False
    kept: bool | None = None
    """None: not closed yet."""

    def write(self, visitor: bytes, agent: bytes, agent_hz: int) -> None:
        assert self.kept is None, "written to after it was closed"
        assert len(visitor) / 16_000 == len(agent) / agent_hz, "one side is longer than the other"
        self.visitor += visitor
        self.agent += agent

    def close(self, *, keep: bool) -> None:
        assert self.kept is None, "closed twice"
        self.kept = keep


class FakeRecorder:
    def __init__(self) -> None:
        self.tapes: list[FakeTape] = []
        self.full = False

    def open(self, recording: Recording) -> FakeTape | None:
        if self.full:
            return None
        self.tapes.append(FakeTape(recording))
        return self.tapes[-1]
