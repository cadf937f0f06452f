"""From what is heard to whose turn it is: prepares a reply while it is quiet, and takes the turn when it is over.

Nothing here waits but for the recogniser's and the detector's word, in tasks of the session's own.
"""

import logging
from collections.abc import Callable

from pipeline.contracts.dialogue import CancelReason, Origin, Transcript
from pipeline.contracts.errors import EngineError
from pipeline.contracts.events import EventKind
from pipeline.core.drafting import Drafting
from pipeline.core.exchange import Exchange
from pipeline.core.floor import Floor
from pipeline.core.interrupting import Verdict, command
from pipeline.core.limits import Limits
from pipeline.core.listening import Listening, Silence
from pipeline.core.overtalk import Overtalk
from pipeline.core.ports import Pause, TurnDetector
from pipeline.core.surroundings import Meter
from pipeline.core.tasks import Tasks
from pipeline.core.telling import Teller
from pipeline.core.turns import Turns

NOISE_MS = 400
"""Shorter than this and without a word in it: a cough, not a question that was not understood."""

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
        over: Overtalk,
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
        self._over = over
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
        self._partial = ""

    @property
    def _listening(self) -> Listening:
        assert self.listening is not None
        return self.listening

    # Speech begins --------------------------------------------------------------------------------------------------

    def onset(self, t_audio_ms: float) -> None:
        self._partial = ""
        self._over.begin(t_audio_ms)

    def onset_lost(self) -> None:
        self._over.lost()

    def speech_started(self, t_audio_ms: float) -> None:
        self._over.look(0.0)
        if not self._over.echoing:
            self._limits.touch()
            self._on_speech()

    def speech_goes_on(self, speech_ms: float) -> None:
        self._over.look(speech_ms)
        if not self._over.echoing:
            self._over.judge(self._partial, speech_ms)

    def partial(self, text: str, t_audio_ms: float) -> None:
        """Of the turn that this will be."""
        if self._over.echoing:
            return
        self._partial = text
        self._teller.tell(
            EventKind.PARTIAL, turn=self._turns.coming, t_audio_ms=t_audio_ms, text=self._turns.whole(text)
        )

    # It is quiet ----------------------------------------------------------------------------------------------------

    def lull(self, silence: Silence) -> None:
        self._lull += 1
        if self._over.echoing:
            self._listening.forget()
            return
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
            self._over.judge(transcript.text, silence.speech_ms, over=True)
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
        self._lull += 1
        known, self._known = self._known, None
        if self._over.echoing:
            self._listening.hearing.discard()
            return
        self._limits.touch()
        if self._floor.replying:
            self._tasks.spawn("words of an interruption", self._settle(end, self._floor.exchange, self._over.onset_ms))
        elif known is not None:
            self._listening.hearing.discard()  # what was heard is known as well as it will ever be
            self._take_turn(known, end)
        else:
            exchange = self._turns.new(Origin.VOICE, end.t_audio_ms, endpoint_ms=end.silence_ms)
            self._floor.turn_ended(exchange)
            self._tasks.spawn(f"words {exchange.number}", self._understand(exchange, end))

    async def _settle(self, end: Silence, over: Exchange | None, onset_ms: float) -> None:
        """Silence came before it was known whether the words took the floor from the reply that they were spoken over.

        Meanwhile the reply may have ended, and others may speak; who typed has said it otherwise.
        """
        self._over.settling += 1
        try:
            transcript = await self._words()
        finally:
            self._over.settling -= 1
        same, judged = self._floor.exchange is over, self._over.verdict(transcript.text, end.speech_ms, over=True)
        if judged is not Verdict.TAKEN:
            if same and not self._listening.speaking:
                self._over.keep("backchannel" if transcript.text else "noise")
        elif same and (self._floor.replying or transcript.text):
            self._over.take_floor(transcript.text, onset_ms)
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
        exchange.timings.asr_ms = 0.0
        exchange.timings.decision_ms, self._decision_ms = self._decision_ms, None
        self._floor.turn_ended(exchange)
        self._on_words(transcript, end.speech_ms)
        self._answer(exchange, transcript)

    def _answer(self, exchange: Exchange, transcript: Transcript) -> None:
        stopped, self._over.cutting = self._over.cutting and bool(command(transcript.text)), False
        self._floor.understood(exchange, transcript)
        if stopped:
            self._floor.heard_and_done(exchange)

    # Typed, and the end ---------------------------------------------------------------------------------------------

    def typed(self, text: str, message_id: str = "") -> Exchange:
        """The visitor typed: what they were saying is no longer waited for."""
        self._limits.touch()
        self._on_speech()
        self._drafting.discard()
        self._known, self._lull = None, self._lull + 1
        exchange = self._turns.new(Origin.CHAT)
        exchange.message_id = message_id
        self._floor.turn_ended(exchange)
        self._floor.understood(exchange, Transcript(text))
        return exchange

    def leaving(self) -> None:
        """The session ends: what is being said, or was said in a turn that had not ended, is kept as far as it goes."""
        if not (self.listening is not None and self.listening.speaking) and self._turns.earlier is None:
            return
        exchange = self._turns.new(Origin.VOICE)
        exchange.over, exchange.cancelled = True, CancelReason.USER_STOP
        exchange.settle()
        self._tasks.spawn(f"words {exchange.number} at the end", self._keep_words(exchange, self._known))

    async def _keep_words(self, exchange: Exchange, known: Transcript | None) -> None:
        speaking = self.listening is not None and self.listening.speaking
        transcript = known or (await self._words() if speaking else Transcript(""))
        if exchange.earlier is not None:
            await exchange.earlier.words
        if transcript.text or (exchange.earlier is not None and exchange.earlier.visitor.text):
            self._floor.understood(exchange, transcript)

    def listening_failed(self, error: EngineError) -> None:
        self._on_failure("listening", error)

    def microphone_ended(self) -> None:
        self._on_end("closed")
