"""Whose turn it is among the streams of one process: every owner (a tenant) once a round, however many streams it has.

Within a round those come first for whom somebody waits (a final transcript, a phrase's first sound). Among the streams
of one owner they come first, too, but let every BULK_EVERYth turn go to the others.
"""

from collections.abc import Iterable, Sequence
from typing import Final, Protocol, TypeVar

BULK_EVERY: Final = 4


class Stream(Protocol):
    number: int
    owner: str

    @property
    def pressing(self) -> bool:
        """Somebody waits for what the next step makes."""
        ...


S = TypeVar("S", bound=Stream)


class Rota:
    """Remembers who had a turn. Who has no stream any more is forgotten by `keep`."""

    def __init__(self) -> None:
        self._turn = 0
        self._round = 1
        self._rounds: dict[str, int] = {}
        """The last round in which each owner had its turn..."""
        self._owners: dict[str, int] = {}
        """... and that turn's number."""
        self._streams: dict[int, int] = {}
        self._pressed: dict[str, int] = {}
        """How many pressing turns in a row each owner has given itself."""

    def pick(self, ready: Sequence[S]) -> S:
        """The stream whose turn it is; `ready` are those with work, not empty."""
        self._turn += 1
        owner = self._owner(ready)
        stream = self._stream(owner, [s for s in ready if s.owner == owner])
        self._rounds[owner] = self._round
        self._owners[owner] = self._streams[stream.number] = self._turn
        return stream

    def keep(self, streams: Iterable[Stream]) -> None:
        """Only these streams are left."""
        numbers, owners = set(), set()
        for stream in streams:
            numbers.add(stream.number)
            owners.add(stream.owner)
        for of_owner in (self._rounds, self._owners, self._pressed):
            for owner in of_owner.keys() - owners:
                del of_owner[owner]
        for number in self._streams.keys() - numbers:
            del self._streams[number]

    def _owner(self, ready: Sequence[S]) -> str:
        pressing = {stream.owner for stream in ready if stream.pressing}
        owners = {stream.owner for stream in ready}
        due = {owner for owner in owners if self._rounds.get(owner, 0) < self._round}
        if not due:
            self._round, due = self._round + 1, owners
        return min(due, key=lambda owner: (owner not in pressing, self._owners.get(owner, 0), owner))

    def _stream(self, owner: str, streams: Sequence[S]) -> S:
        pressing = [stream for stream in streams if stream.pressing]
        bulk = [stream for stream in streams if not stream.pressing]
        run = self._pressed.get(owner, 0)
        if pressing and (not bulk or run < BULK_EVERY - 1):
            self._pressed[owner] = run + 1 if bulk else 0
            return min(pressing, key=self._longest_ago)
        self._pressed[owner] = 0
        return min(bulk, key=self._longest_ago)

    def _longest_ago(self, stream: Stream) -> tuple[int, int]:
        return self._streams.get(stream.number, 0), stream.number
