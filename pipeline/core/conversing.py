"""From what is heard to whose turn it is: prepares a reply while it is quiet, takes the turn when it is over, and
judges whoever speaks over a reply.

Nothing here waits but for the recogniser's and the detector's word, in tasks of the session's own.
"""

import logging
from collections.abc import Callable

from pipeline.contracts.dialogue import CancelReason, Origin, Transcript
from pipeline.contracts.errors import EngineError
from pipeline.contracts.events import EventKind
from pipeline.core.drafting import Drafting
from pipeline.core.echo import EchoCheck
from pipeline.core.exchange import Exchange
from pipeline.core.floor import Floor
from pipeline.core.interrupting import Verdict, command, verdict
from pipeline.core.limits import Limits
from pipeline.core.listening import Listening, Silence
from pipeline.core.ports import Pause, TurnDetector
from pipeline.core.surroundings import Meter
from pipeline.core.tasks import Tasks
from pipeline.core.telling import Teller
from pipeline.core.turns import Turns

NOISE_MS = 400
"""Shorter than this and without a word in it: a cough, not a question that was not understood."""
GOES_ON_MS = 1200
"""Who speaks again this soon after their last word was not done with their turn; later they interrupt a reply."""

log = logging.getLogger(__name__)


class Conversing:
    """`core.listening.Listener` of one session."""

    def __init__(
        self,
        *,
        floor: Floor,
        turns: Turns,
        drafting: Drafting,
        detector: TurnDetector,
        echo: EchoCheck,
        teller: Teller,
        limits: Limits,
        tasks: Tasks,
        meter: Meter,
        on_speech: Callable[[], None],
        on_words: Callable[[Transcript, float], None],
        on_end: Callable[[str], None],
        on_failure: Callable[[str, BaseException], None],
    ) -> None:
        """`on_speech`: the visitor says something. `on_words`: what they said, and how many ms of speech it was.
        `on_end`: why there will be no more sound."""
        self.listening: Listening | None = None
        """Set by who wires the two; None in writing."""
        self._floor = floor
        self._turns = turns
        self._drafting = drafting
        self._detector = detector
        self._echo = echo
        self._teller = teller
        self._limits = limits
        self._tasks = tasks
        self._meter = meter
        self._on_speech = on_speech
        self._on_words = on_words
        self._on_end = on_end
        self._on_failure = on_failure
        self._lull = 0
        """Counts lulls and what ends them: whoever began to think in one sees whether it still lasts."""
        self._known: Transcript | None = None
        """The words up to the lull under way."""
        self._decision_ms: float | None = None
        self._onset_ms = 0.0
        self._partial = ""
        self._interrupting = False
        """The utterance under way has cut a reply."""

    @property
    def _listening(self) -> Listening:
        assert self.listening is not None
        return self.listening

    # Speech begins --------------------------------------------------------------------------------------------------

    def onset(self, t_audio_ms: float) -> None:
        self._onset_ms, self._partial, self._interrupting = t_audio_ms, "", False
        self._perhaps_hold()

    def onset_lost(self) -> None:
        self._keep("noise")

    def speech_started(self, t_audio_ms: float) -> None:
        self._onset_ms = min(t_audio_ms, self._onset_ms or t_audio_ms)
        self._limits.touch()
        self._on_speech()
        self._perhaps_hold()

    def speech_goes_on(self, speech_ms: float) -> None:
        if self._floor.replying and not self._interrupting:
            self._perhaps_hold()
            self._judge(self._partial, speech_ms)

    def partial(self, text: str, t_audio_ms: float) -> None:
        """Of the turn that this will be."""
        self._partial = text
        self._teller.tell(
            EventKind.PARTIAL, turn=self._turns.coming, t_audio_ms=t_audio_ms, text=self._turns.whole(text)
        )

    def _perhaps_hold(self) -> None:
        """Our own voice, come back through the visitor's microphone, is nobody speaking."""
        if not self._floor.replying or self._floor.held:
            return
        if self._echo.heard(self._listening.latest):
            self._meter.interruption("echo")
        else:
            self._floor.speech_started()

    # Somebody speaks over a reply -----------------------------------------------------------------------------------

    def _judge(self, text: str, speech_ms: float, *, over: bool = False) -> Verdict:
        if not self._floor.held:
            return Verdict.OPEN
        judged = verdict(text, speech_ms, over=over)
        if judged is Verdict.TAKEN:
            self._take_floor(text)
        elif judged is Verdict.KEPT:
            self._listening.forget()
            self._keep("backchannel" if text else "noise")
        return judged

    def _take_floor(self, text: str) -> None:
        exchange = self._floor.exchange
        self._meter.interruption("cancelled")
        self._interrupting = True
        if exchange is not None and self._goes_on(exchange) and not command(text):
            self._floor.take_back()
            self._turns.continue_from(exchange)
        else:
            stopped = command(text) == "stop"
            self._floor.stop(CancelReason.USER_STOP if stopped else CancelReason.USER_BARGE_IN)

    def _goes_on(self, exchange: Exchange) -> bool:
        return exchange.origin is Origin.VOICE and self._onset_ms - exchange.t_audio_ms <= GOES_ON_MS

    def _keep(self, why: str) -> None:
        if self._floor.held:
            self._meter.interruption(why)
            self._floor.kept()

    # It is quiet ----------------------------------------------------------------------------------------------------

    def lull(self, silence: Silence) -> None:
        self._lull += 1
        self._tasks.spawn(f"lull {self._lull}", self._consider(self._lull, silence))

    def resumed(self) -> None:
        self._lull += 1
        self._known = None

    async def _consider(self, lull: int, silence: Silence) -> None:
        """What was said, and what would be answered, should this be the end."""
        try:
            transcript = await self._listening.so_far()
        except Exception:  # whatever an engine raises: without its word nothing is prepared, and `final` is asked
            log.info("the recogniser failed in a lull", exc_info=True)
            return
        if lull != self._lull:
            return
        if self._floor.replying:
            self._judge(transcript.text, silence.speech_ms, over=True)
        if self._floor.replying or not transcript.text:
            return
        self._known = transcript
        self._prepare(transcript, silence)
        await self._ask_detector(lull, transcript, silence)

    def _prepare(self, transcript: Transcript, silence: Silence) -> None:
        whole = self._turns.whole(transcript.text)
        if not self._drafting.answers(whole) and not command(whole):
            self._drafting.begin(self._turns.draft(transcript, silence.t_audio_ms))

    async def _ask_detector(self, lull: int, transcript: Transcript, silence: Silence) -> None:
        whole = self._turns.whole
        pause = Pause(
            text=whole(transcript.text),
            unended=whole(transcript.unended) if transcript.unended else "",
            pcm=self._listening.sound,
            speech_ms=silence.speech_ms,
            silence_ms=silence.silence_ms,
        )
        asked_ms = self._turns.now_ms()
        try:
            completeness = await self._detector.completeness(pause)
        except Exception:  # silence alone decides then
            self._meter.failed("turns")
            log.exception("the end of a turn could not be judged")
            return
        self._decision_ms = self._turns.now_ms() - asked_ms
        if lull == self._lull:
            self._listening.end_after(self._turns.silence_needed_ms(completeness))

    # The turn is over -----------------------------------------------------------------------------------------------

    def speech_ended(self, end: Silence) -> None:
        self._limits.touch()
        self._lull += 1
        known, self._known = self._known, None
        if self._floor.replying:
            self._end_over_reply(end)
        elif known is not None:
            self._listening.hearing.discard()  # what was heard is known as well as it will ever be
            self._take_turn(known, end)
        else:
            exchange = self._turns.new(Origin.VOICE, end.t_audio_ms, endpoint_ms=end.silence_ms)
            self._floor.turn_ended(exchange)
            self._tasks.spawn(f"words {exchange.number}", self._understand(exchange, end))

    def _end_over_reply(self, end: Silence) -> None:
        if self._floor.held:
            self._tasks.spawn("words of an interruption", self._settle(end))
        else:
            self._listening.hearing.discard()  # an echo

    async def _settle(self, end: Silence) -> None:
        """Silence came before it was known whether the words took the floor."""
        transcript = await self._words()
        judged = self._judge(transcript.text, end.speech_ms, over=True)
        if judged is Verdict.TAKEN or (judged is Verdict.OPEN and transcript.text):
            self._take_turn(transcript, end)

    async def _words(self) -> Transcript:
        try:
            return await self._listening.final()
        except Exception:  # whatever an engine raises: the visitor is asked to say it again
            self._meter.failed("asr")
            log.exception("the recogniser failed")
            return Transcript("", 0.0)

    async def _understand(self, exchange: Exchange, end: Silence) -> None:
        """The recogniser's last word. Goes on when the reply is cut: what was said is kept."""
        asked_ms = self._turns.now_ms()
        transcript = await self._words()
        exchange.timings.asr_ms = self._turns.now_ms() - asked_ms
        self._drafting.discard()
        if transcript.text or end.speech_ms >= NOISE_MS or exchange.earlier is not None:
            self._on_words(transcript, end.speech_ms)
            self._answer(exchange, transcript)
        else:
            self._turns.uncount()
            self._floor.noise(exchange)

    def _take_turn(self, transcript: Transcript, end: Silence) -> None:
        whole = self._turns.whole(transcript.text)
        draft = self._drafting.release(whole)
        exchange = self._turns.adopt(draft, Origin.VOICE, end.t_audio_ms, endpoint_ms=end.silence_ms)
        exchange.timings.asr_ms, exchange.timings.decision_ms = 0.0, self._decision_ms
        self._floor.turn_ended(exchange)
        self._on_words(transcript, end.speech_ms)
        self._answer(exchange, transcript)

    def _answer(self, exchange: Exchange, transcript: Transcript) -> None:
        stopped, self._interrupting = self._interrupting and bool(command(transcript.text)), False
        self._floor.understood(exchange, transcript)
        if stopped:
            self._floor.heard_and_done(exchange)

    # Typed, and the end ---------------------------------------------------------------------------------------------

    def typed(self, text: str) -> Exchange:
        """The visitor typed: what they were saying is no longer waited for."""
        self._limits.touch()
        self._on_speech()
        self._drafting.discard()
        self._known, self._lull = None, self._lull + 1
        exchange = self._turns.new(Origin.CHAT)
        self._floor.turn_ended(exchange)
        self._floor.understood(exchange, Transcript(text))
        return exchange

    def listening_failed(self, error: EngineError) -> None:
        self._on_failure("listening", error)

    def microphone_ended(self) -> None:
        self._on_end("closed")
