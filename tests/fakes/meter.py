"""A Meter that keeps what it is told."""

from pipeline.contracts.dialogue import Usage


class FakeMeter:
    def __init__(self) -> None:
        self.failures: list[str] = []
        self.lags: list[float] = []
        self.yields = 0
        self.prompts: list[int] = []
        self.speculated = 0
        """Prompts of replies that might never be told."""
        self.speculations: list[str] = []
        self.interruptions: list[str] = []
        self.costs: dict[str, list[float]] = {}
        self.timeouts = 0
        self.rollovers: list[str] = []
        self.usages: list[tuple[Usage, bool]] = []
        self.wordings: list[tuple[float, float]] = []

    def failed(self, where: str) -> None:
        self.failures.append(where)

    def face_lag(self, lag_s: float) -> None:
        self.lags.append(lag_s)

    def prompt(self, tokens: int, *, speculative: bool = False) -> None:
        self.prompts.append(tokens)
        self.speculated += speculative

    def speculation(self, outcome: str) -> None:
        self.speculations.append(outcome)

    def interruption(self, outcome: str) -> None:
        self.interruptions.append(outcome)

    def spent(self, component: str, actual_ms: float) -> None:
        self.costs.setdefault(component, []).append(actual_ms)

    def turn_timeout(self) -> None:
        self.timeouts += 1

    def usage(self, usage: Usage, *, speculative: bool = False) -> None:
        self.usages.append((usage, speculative))

    def rollover(self, outcome: str) -> None:
        self.rollovers.append(outcome)

    def signals(self, verbosity: float, clarification: float) -> None:
        self.wordings.append((verbosity, clarification))

    def face_yielded(self) -> None:
        self.yields += 1
