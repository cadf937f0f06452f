"""The turns of one session: their numbers, which version answers, what is warm-up, and which of them go on."""

from pipeline.contracts.dialogue import Origin, Transcript
from pipeline.contracts.numbers import WARMUP_S, WARMUP_TURNS
from pipeline.core.clock import SessionClock
from pipeline.core.exchange import Exchange
from pipeline.core.patience import needed_ms
from pipeline.core.versions import Versions


class Turns:
    """`asked`: how many the visitor had asked before this leg began."""

    def __init__(self, session_id: str, leg: int, clock: SessionClock, versions: Versions, asked: int) -> None:
        self._session_id = session_id
        self._leg = leg
        self._clock = clock
        self._versions = versions
        self._asked = asked
        self._next = 0
        self._earlier: Exchange | None = None
        """The exchange that was taken back because its visitor goes on speaking."""

    @property
    def none_yet(self) -> bool:
        return self._next == 0

    @property
    def coming(self) -> int:
        """The number that the visitor's next turn will have."""
        return self._next if self._earlier is None else self._earlier.number

    def now_ms(self) -> float:
        return self._clock.now_ms()

    def silence_needed_ms(self, completeness: float) -> float:
        turns = self._versions.spec.turns
        return needed_ms(turns.patience, completeness, turns.endpoint_ms)

    def whole(self, text: str) -> str:
        """With what was said of this turn before its reply was taken back."""
        if self._earlier is None:
            return text
        return f"{self._earlier.visitor.text} {text}".strip()

    @property
    def earlier(self) -> Exchange | None:
        return self._earlier

    def continue_from(self, earlier: Exchange) -> None:
        """What the visitor says next belongs to this exchange's turn."""
        self._earlier = earlier

    def new(self, origin: Origin, t_audio_ms: float | None = None, *, endpoint_ms: float | None = None) -> Exchange:
        """The turn that begins now."""
        return self.adopt(None, origin, t_audio_ms, endpoint_ms=endpoint_ms)

    def draft(self, transcript: Transcript, t_audio_ms: float) -> Exchange:
        """What would be the next turn. It counts for nothing until it is adopted."""
        self._versions.adopt()
        exchange = self._exchange(Origin.VOICE, t_audio_ms)
        exchange.hear(transcript)
        return exchange

    def adopt(
        self,
        draft: Exchange | None,
        origin: Origin,
        t_audio_ms: float | None = None,
        *,
        endpoint_ms: float | None = None,
    ) -> Exchange:
        """The turn that begins now, with the draft's reply if there is one."""
        if draft is None:
            self._versions.adopt()
        if origin is Origin.VOICE or origin is Origin.CHAT:
            self._asked += self._earlier is None
        exchange = draft or self._exchange(origin, self.now_ms() if t_audio_ms is None else t_audio_ms)
        if t_audio_ms is not None:  # a draft may have been kept through a breath
            exchange.t_audio_ms = t_audio_ms
        exchange.number, exchange.earlier = self.coming, self._earlier
        if self._earlier is None:
            self._next += 1
        self._earlier = None
        exchange.decided_at = self._clock.clock.now()
        exchange.warmup = self._asked <= WARMUP_TURNS and self._clock.age_s() < WARMUP_S
        exchange.timings.endpoint_ms = endpoint_ms
        return exchange

    def uncount(self) -> None:
        """The last turn was none: noise."""
        self._asked -= 1

    def _exchange(self, origin: Origin, t_audio_ms: float) -> Exchange:
        return Exchange(
            session_id=self._session_id,
            leg=self._leg,
            number=self.coming,
            origin=origin,
            spec=self._versions.spec,
            version=self._versions.digest,
            t_audio_ms=t_audio_ms,
            decided_at=self._clock.clock.now(),
            warmup=False,
            earlier=self._earlier,
            fragment=self._earlier.fragment if self._earlier is not None else "",
        )
