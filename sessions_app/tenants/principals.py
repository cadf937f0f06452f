"""Who calls the API: a key, as a value."""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from sessions_app.tenants.permissions import Can


@dataclass(frozen=True, slots=True)
class Principal:
    kind: Literal["publishable", "secret", "operator"]
    tenant_id: UUID | None
    """None: the installation's operator."""
    key_id: str
    label: str
    scopes: frozenset[Can]
    allowed_origins: tuple[str, ...] = ()
    """Where a publishable key may be used from, never empty. Secret keys have none: browsers must not hold them."""

    def may_come_from(self, origin: str | None) -> bool:
        """`origin`: the request's Origin header. A browser's key wants a page's origin that it is bound to."""
        return self.kind != "publishable" or origin in self.allowed_origins
