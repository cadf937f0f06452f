"""A Meter that keeps what it is told."""


class FakeMeter:
    def __init__(self) -> None:
        self.failures: list[str] = []
        self.lags: list[float] = []
        self.yields = 0
        self.prompts: list[int] = []

    def failed(self, where: str) -> None:
        self.failures.append(where)

    def face_lag(self, lag_s: float) -> None:
        self.lags.append(lag_s)

    def prompt(self, tokens: int) -> None:
        self.prompts.append(tokens)

    def face_yielded(self) -> None:
        self.yields += 1
