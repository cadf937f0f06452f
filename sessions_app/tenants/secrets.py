"""What a secret of ours looks like, so that it can be taken out of texts that leave the house."""

import re
from typing import Final

TAKEN_OUT: Final = "[secret]"
SHAPES: Final = re.compile(
    r"\b(?:sk|op)_[A-Za-z0-9_-]{20,}"  # keys of servers
    r"|\bwhsec_[A-Za-z0-9+/=_-]{16,}"  # secrets of webhooks
    r"|\beyJ[A-Za-z0-9_-]{20,}(?:[.:][A-Za-z0-9_-]+){1,2}"  # session tokens, JSON web tokens
    r"|(?i:\bbearer\s+)[A-Za-z0-9._~+/=-]{16,}"
    r"|(?<=://)[^/\s:@\"]+:[^/\s@\"]+(?=@)"  # user:password in an address
)


def without_secrets(text: str) -> str:
    return SHAPES.sub(TAKEN_OUT, text)
