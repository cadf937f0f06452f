"""What was said and told in a turn, at the moment it is known: to the journal, and to whoever watches."""

from pipeline.contracts.events import EventKind
from pipeline.core.exchange import Exchange
from pipeline.core.surroundings import Journal
from pipeline.core.telling import Teller


class PuttingDown:
    """Of one session. Nothing here waits."""

    def __init__(self, journal: Journal, teller: Teller) -> None:
        self._journal = journal
        self._teller = teller

    def words(self, exchange: Exchange) -> None:
        """The visitor's words are known. Of an exchange that is over they come with its end."""
        self._teller.tell(
            EventKind.FINAL,
            turn=exchange.number,
            t_audio_ms=exchange.t_audio_ms,
            text=exchange.visitor.text,
            origin=exchange.origin.value,
        )
        if not exchange.over:
            self._journal.record(exchange.said())

    def turn(self, exchange: Exchange, heard: str) -> None:
        """The turn is finished; `heard` of its reply."""
        record = exchange.told(heard)
        self._journal.record(record)
        if (refusal := exchange.refusal) is not None:
            text = str(refusal)
            self._teller.tell(EventKind.ERROR, turn=exchange.number, code=refusal.code, text=text, fatal=False)
        self._teller.tell(
            EventKind.TURN,
            turn=exchange.number,
            text=heard,
            reply=exchange.number,
            interrupted=record.interrupted,
            timings=record.timings,
            warmup=record.warmup,
            turn_id=record.turn_id,
            origin=record.origin,
        )
