"""A recorded stretch of a call: what the worker knows of it, and hands to the office with its file."""

from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from pipeline.contracts.errors import WireError


@dataclass(frozen=True, slots=True)
class Recording:
    """Ogg with Opus in it (RFC 7845), two channels: the visitor left, the assistant right."""

    session_id: str
    tenant_id: str
    leg: int
    t_audio_ms: float
    """Where it begins on the session's audio clock."""
    began_at: float
    """Epoch seconds."""

    @property
    def name(self) -> str:
        """One of a kind: no two stretches of a session begin in the same moment."""
        return f"{self.session_id}.{self.leg}.{round(self.t_audio_ms)}"

    def to_wire(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_wire(cls, message: Any) -> Self:
        """Raises WireError when that is not one."""
        try:
            made = cls(**message)
        except TypeError as error:
            raise WireError(f"not a recording: {error}") from error
        for each in fields(cls):
            value, wanted = getattr(made, each.name), (float, int) if each.type is float else each.type
            if not isinstance(value, wanted):  # type: ignore[arg-type]
                raise WireError(f"not a recording: {each.name} is {value!r}")
        return made
