"""When to greet: not before the visitor can hear us."""

from collections.abc import Callable

from pipeline.core.ports import Clock, Line

GREET_AFTER_S = 1.0
"""A page that has not said a word on the control channel this long after it was heard is greeted anyway."""
LOOK_S = 0.1


async def visitor_hears(line: Line, clock: Clock, page_spoke: Callable[[], bool]) -> None:
    """Returns when the page has spoken on the control channel, or was otherwise heard for GREET_AFTER_S."""
    began, heard_s = clock.now(), 0.0
    while not page_spoke() and heard_s < GREET_AFTER_S:
        await clock.sleep(LOOK_S)
        heard_s += LOOK_S if line.last_heard > began else 0.0
