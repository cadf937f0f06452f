"""Speech over a reply, from its first window to the verdict: is it our own echo, is it nothing, or has somebody taken
the floor?"""

from pipeline.contracts.dialogue import CancelReason, Origin
from pipeline.core.clock import SessionClock
from pipeline.core.echo import LONGEST_PATH_S, EchoCheck
from pipeline.core.exchange import Exchange
from pipeline.core.floor import Floor
from pipeline.core.interrupting import Verdict, command, verdict
from pipeline.core.listening import Listening
from pipeline.core.patience import GOES_ON_MS
from pipeline.core.surroundings import Meter
from pipeline.core.turns import Turns

ECHO_EVERY = 3
"""While our echo is heard, every so manieth window is compared: each costs most of a millisecond."""


class Overtalk:
    """Of one session. `listening` is set by who wires the two."""

    def __init__(self, floor: Floor, turns: Turns, echo: EchoCheck, meter: Meter, clock: SessionClock) -> None:
        self.listening: Listening | None = None
        self.cutting = False
        """The utterance under way has cut a reply."""
        self.echoing = False
        """The utterance under way is our own voice, as far as it has gone."""
        self.settling = 0
        """Utterances over a reply whose words are still being made out."""
        self.onset_ms = 0.0
        self._floor = floor
        self._turns = turns
        self._echo = echo
        self._meter = meter
        self._clock = clock
        self._windows = 0
        self._echo_ms = 0.0
        """Speech that was in the utterance before somebody was heard over our echo."""

    def begin(self, t_audio_ms: float) -> None:
        """The first window of speech. A reply under way falls silent, unless it hears itself."""
        self.onset_ms, self.cutting, self.echoing = t_audio_ms, False, False
        self._windows, self._echo_ms = 0, 0.0
        self.look(0.0)

    def look(self, speech_ms: float) -> None:
        """At each window of speech."""
        self._windows += 1
        if self._floor.held or self.cutting or not self._may_echo():
            return
        if self.echoing and self._windows % ECHO_EVERY:
            return
        assert self.listening is not None
        was_echo, self.echoing = self.echoing, self._echo.heard(self.listening.latest)
        if self.echoing:
            if not was_echo:
                self._meter.interruption("echo")
            return
        if was_echo:  # somebody speaks over it: what came before was ours, words and all
            self.onset_ms, self._echo_ms = self._clock.now_ms(), speech_ms
            self.listening.begin_anew()
        self._floor.speech_started()

    def lost(self) -> None:
        """It was too short to be speech."""
        if not self.settling:
            self.keep("noise")

    def keep(self, why: str) -> None:
        if self._floor.held:
            self._meter.interruption(why)
            self._floor.kept()

    def judge(self, text: str, speech_ms: float, *, over: bool = False) -> Verdict:
        """Of a reply that is held. KEPT: the utterance is forgotten, the reply goes on."""
        if not (self._floor.held and self._floor.replying):
            return Verdict.OPEN
        judged = self.verdict(text, speech_ms, over=over)
        if judged is Verdict.TAKEN:
            self.take_floor(text, self.onset_ms)
        elif judged is Verdict.KEPT:
            if self.listening is not None:
                self.listening.forget()
            self.keep("backchannel" if text else "noise")
        return judged

    def verdict(self, text: str, speech_ms: float, *, over: bool) -> Verdict:
        return verdict(text, speech_ms - self._echo_ms, over=over, asked=self._floor.asking)

    def take_floor(self, text: str, onset_ms: float) -> None:
        """`onset_ms`: where the speech began, on the session's clock."""
        exchange = self._floor.exchange
        if exchange is None or not self._floor.replying:
            return
        self._meter.interruption("cancelled")
        self.cutting = True
        if _goes_on(exchange, onset_ms) and not command(text):
            self._floor.take_back()
            self._turns.continue_from(exchange)
        else:
            stopped = command(text) == "stop"
            self._floor.stop(CancelReason.USER_STOP if stopped else CancelReason.USER_BARGE_IN)

    def _may_echo(self) -> bool:
        """While a reply is under way, and until the last of it can have come back."""
        since_ms = self._clock.now_ms() - self._floor.over_at_ms
        return self._floor.replying or since_ms <= LONGEST_PATH_S * 1000.0


def _goes_on(exchange: Exchange, onset_ms: float) -> bool:
    return exchange.origin is Origin.VOICE and onset_ms - exchange.t_audio_ms <= GOES_ON_MS
