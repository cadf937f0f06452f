"""What of a reply can be seen and heard: sound, face, captions and the page's mute button, moved together."""

import asyncio
from collections.abc import Callable

from pipeline.contracts.events import EventKind
from pipeline.core.clock import SessionClock
from pipeline.core.exchange import Exchange
from pipeline.core.facing import Facing
from pipeline.core.ports import Speaker
from pipeline.core.telling import Teller

PROGRESS_S = 0.1
LAST_MOMENTS_MS = 1200.0
"""Who hears a question coming answers it before it has ended."""


class Mouth:
    """Of one session. Without `speaker` the conversation is in writing."""

    def __init__(
        self,
        speaker: Speaker | None,
        facing: Facing | None,
        clock: SessionClock,
        teller: Teller,
        take_up_face: Callable[[], None],
    ) -> None:
        """`take_up_face` lays what is still to be heard on the face's clock anew (`Speaking.take_up_face`)."""
        self.speaker = speaker
        self._facing = facing
        self._take_up_face = take_up_face
        self._clock = clock
        self._teller = teller
        self._telling: Exchange | None = None
        """The reply whose captions follow its sound."""
        self._told = ""
        self._speaks = asyncio.Event()

    @property
    def audible(self) -> bool:
        return self.speaker is not None

    def began(self, exchange: Exchange) -> None:
        """The reply's first packet goes out now: unmute."""
        at_ms = round(self._clock.now_ms(), 1)
        self._teller.control({"type": "reply", "reply": exchange.number, "t_audio_ms": at_ms})
        if self._facing is not None:
            self._facing.speech_began()
        self._telling, self._told = exchange, ""
        self._speaks.set()

    def hold(self, exchange: Exchange) -> None:
        """Silent at once, here and at the page; nothing is thrown away."""
        heard_ms = self.speaker.pause() if self.speaker is not None else 0.0
        at_ms, heard = round(self._clock.now_ms(), 1), round(heard_ms, 1)
        self._teller.control({"type": "hold", "reply": exchange.number, "heard_ms": heard, "t_audio_ms": at_ms})
        if self._facing is not None:
            self._facing.speech_over(cut=True)

    def release(self, exchange: Exchange) -> None:
        """Go on from the sample where it was held."""
        at_ms = round(self._clock.now_ms(), 1)
        self._teller.control({"type": "resume", "reply": exchange.number, "t_audio_ms": at_ms})
        if self.speaker is not None:
            self.speaker.resume()
        if self._facing is not None:
            self._facing.speech_began()
            self._take_up_face()

    def cut(self, exchange: Exchange) -> str:
        """Sound first. Returns what was heard of the reply."""
        heard_ms = self.speaker.flush() if self.speaker is not None else 0.0
        self._teller.control({"type": "stop", "reply": exchange.number, "heard_ms": round(heard_ms, 1)})
        return self._heard(exchange, heard_ms)

    def ends_asking(self, exchange: Exchange) -> bool:
        """All of the reply is thought and spoken but for its last moments, and it ends with a question mark."""
        if self.speaker is None or not exchange.planned.done():
            return False
        whole, timeline = exchange.planned.result().rstrip(), exchange.timeline
        left_ms = timeline.length_ms - self.speaker.played_ms
        return whole.endswith("?") and timeline.planned == whole and left_ms <= LAST_MOMENTS_MS

    def over(self, *, cut: bool) -> None:
        self._telling = None
        self._speaks.clear()
        if self._facing is not None:
            self._facing.speech_over(cut=cut)

    def tell_progress(self) -> None:
        """The reply as far as it has sounded, when that has grown."""
        exchange = self._telling
        if exchange is None:
            return
        heard = self._heard(exchange, self.speaker.played_ms if self.speaker is not None else 0.0)
        if heard and heard != self._told:
            self._told = heard
            self._teller.tell(EventKind.AGENT_TEXT, turn=exchange.number, text=heard, reply=exchange.number)

    async def follow_progress(self) -> None:
        """Until cancelled; sleeps while nothing is said."""
        while True:
            await self._speaks.wait()
            await self._clock.clock.sleep(PROGRESS_S)
            self.tell_progress()

    def _heard(self, exchange: Exchange, played_ms: float) -> str:
        return exchange.timeline.planned if self.speaker is None else exchange.timeline.heard(played_ms)
