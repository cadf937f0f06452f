"""Our side without speculation: nothing is known, so nothing is prepared, before the turn is decided.

What it takes over the engines' 190 ms compares with the other sides, who all wait like this.
"""

from benchmarks.inproc import ours
from benchmarks.inproc.run import Open, main
from pipeline.contracts.dialogue import Transcript
from pipeline.contracts.errors import EngineError


class LateHearing(ours.FixedHearing):
    """Knows the words only when the utterance is over."""

    async def so_far(self) -> Transcript:
        raise EngineError("asr", "it is too early to say")

    async def finish(self) -> Transcript:
        self.discard()
        return await super().so_far()


async def prepare() -> Open:
    return await ours.prepare(LateHearing)


if __name__ == "__main__":
    main(prepare)
