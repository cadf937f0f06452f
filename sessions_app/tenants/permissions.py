"""Who may do what: the one table that console, API and sockets ask. docs/security.md prints it."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final


class Who(StrEnum):
    """A person's standing. The four in the middle are roles in one tenant (`models.Role`)."""

    OPERATOR = "operator"
    OWNER = "owner"
    ADMIN = "admin"
    EDITOR = "editor"
    VIEWER = "viewer"
    LOOKING = "looking"
    """An operator who looks into a tenant: sees everything, changes nothing, and the tenant's audit log says so."""


class Can(StrEnum):
    """What there is to be allowed. Those of a tenant are also the scopes that its secret keys may have."""

    RUN_INSTALLATION = "installation"
    READ_TENANT = "tenant:read"
    WRITE_TENANT = "tenant:write"
    READ_MEMBERS = "members:read"
    WRITE_MEMBERS = "members:write"
    WRITE_OWNERS = "owners:write"
    READ_ASSISTANTS = "assistants:read"
    WRITE_ASSISTANTS = "assistants:write"
    READ_SESSIONS = "sessions:read"
    OPEN_SESSIONS = "sessions:open"
    USE_SESSIONS = "sessions:use"
    ERASE_VISITORS = "visitors:erase"
    READ_FILES = "files:read"
    WRITE_FILES = "files:write"
    READ_KEYS = "keys:read"
    WRITE_KEYS = "keys:write"
    READ_WEBHOOKS = "webhooks:read"
    WRITE_WEBHOOKS = "webhooks:write"
    READ_AUDIT = "audit:read"


MEMBERS = frozenset({Who.OWNER, Who.ADMIN, Who.EDITOR, Who.VIEWER})
READERS = MEMBERS | {Who.LOOKING}
EDITORS = frozenset({Who.OWNER, Who.ADMIN, Who.EDITOR})
ADMINS = frozenset({Who.OWNER, Who.ADMIN})
OWNERS = frozenset({Who.OWNER})

TABLE: Final[dict[Can, frozenset[Who]]] = {
    Can.RUN_INSTALLATION: frozenset({Who.OPERATOR}),
    Can.READ_TENANT: READERS,
    Can.WRITE_TENANT: ADMINS,
    Can.READ_MEMBERS: READERS,
    Can.WRITE_MEMBERS: ADMINS,
    Can.WRITE_OWNERS: OWNERS,
    Can.READ_ASSISTANTS: READERS,
    Can.WRITE_ASSISTANTS: EDITORS,
    Can.READ_SESSIONS: READERS,
    Can.OPEN_SESSIONS: EDITORS,
    Can.USE_SESSIONS: EDITORS,
    Can.ERASE_VISITORS: ADMINS,
    Can.READ_FILES: EDITORS | {Who.LOOKING},
    Can.WRITE_FILES: ADMINS,
    Can.READ_KEYS: ADMINS | {Who.LOOKING},
    Can.WRITE_KEYS: ADMINS,
    Can.READ_WEBHOOKS: ADMINS | {Who.LOOKING},
    Can.WRITE_WEBHOOKS: ADMINS,
    Can.READ_AUDIT: ADMINS | {Who.LOOKING},
}

KEY_SCOPES: Final = tuple(can for can in Can if can not in {Can.RUN_INSTALLATION, Can.WRITE_OWNERS})
"""What a tenant's secret key may be given. Owners are made by people, and the installation is no tenant's."""
SESSION_SCOPES: Final = (Can.READ_SESSIONS, Can.OPEN_SESSIONS, Can.USE_SESSIONS)
"""What a secret key has that was given nothing else: enough to put an assistant on a site of one's own."""
OPERATOR: Final = frozenset({Can.RUN_INSTALLATION})
"""What an operator's key may do."""
PUBLISHABLE: Final = frozenset({Can.OPEN_SESSIONS})
"""What a key that stands in a page, or a token made from it, may do."""
VISITOR: Final = frozenset({Can.READ_SESSIONS, Can.USE_SESSIONS})
"""What the token of a session may do, with that session alone."""


def granted(who: str | None, can: Can) -> bool:
    """`who`: one of `Who`; None is nobody."""
    return who in TABLE[can]


def scopes_of(names: Iterable[str]) -> frozenset[Can]:
    """As a key keeps them; names that no longer exist grant nothing."""
    return frozenset(can for can in KEY_SCOPES if can in set(names))
