"""What can go wrong for a caller."""


class SoakError(Exception):
    """Top of the family; the text says what to do about it."""


class Usage(SoakError):
    """The run cannot begin: wrong key, assistant or address."""


class NotNow(SoakError):
    """The house is full or asks for patience: try again after `wait_s`. No failure of the product."""

    def __init__(self, text: str, wait_s: float) -> None:
        super().__init__(text)
        self.wait_s = wait_s


class Refused(SoakError):
    """The product did not give what it owes: a failure, in words."""


class Lost(SoakError):
    """The connection is gone or the worker asks to move: offer again. `planned`: the worker said so in time."""

    def __init__(self, text: str, *, planned: bool) -> None:
        super().__init__(text)
        self.planned = planned


class SessionOver(SoakError):
    """The office ended the session; a caller who wants to go on needs a new one."""
