"""What a secret of ours looks like, so that it can be taken out of logs and of texts that leave the house."""

import re
from collections.abc import Iterable
from typing import Any, Final

TAKEN_OUT: Final = "[secret]"
_START: Final = r"(?:\b|(?<=\\[nrt]))"
"""Also behind the letter of an escape: much of what is logged went through `repr`."""
SHAPES: Final = re.compile(
    rf"{_START}(?:sk|pk|op|emb)_[A-Za-z0-9_.-]{{20,}}"  # keys of servers and pages, embed tokens
    rf"|{_START}whsec_[A-Za-z0-9+/=_-]{{16,}}"  # secrets of webhooks
    rf"|{_START}eyJ[A-Za-z0-9_-]{{20,}}(?:[.:][A-Za-z0-9_-]+){{1,2}}"  # session tokens, JSON web tokens
    rf"|(?i:{_START}(?:bearer|basic)\s+)[A-Za-z0-9._~+/=-]{{16,}}"
    r"|(?<=://)[^/\s:@\"]*:[^/\s@\"]+(?=@)"  # user:password in an address
    r"|(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{27}=(?![A-Za-z0-9+/=])"  # a relay's credential: HMAC-SHA1 in base64
    rf"|(?i:{_START}(?:sessionid|csrftoken)=)[^;\s\"',]+"  # cookies
    r"|(?i:(?<=[?&])[a-z_-]*(?:token|key|secret|password|code|signature|ticket|credential)=)[^&\s\"'#]+"
    r"|(?<=/password/reset/key/)[^/\s\"']+"  # links that log somebody in
    r"|(?<=/invitation/)[A-Za-z0-9_-]{20,}"
)
TELLING: Final = re.compile(
    r"(?i)(?:^|[_-])(?:password|secret|token|authorization|cookie|credential|api_?key|secret_?key)$"
)
"""Names whose values are secret whatever they look like."""
LEAST_CHARS: Final = 8
"""Of a known secret: a shorter one would be found in ordinary words."""


def without_secrets(text: str) -> str:
    return SHAPES.sub(TAKEN_OUT, text)


class Redactor:
    """Takes out what looks like a secret, what is named like one, and the installation's `own`, whatever they are."""

    def __init__(self, own: Iterable[str] = ()) -> None:
        known = sorted({text for text in own if len(text) >= LEAST_CHARS}, key=len, reverse=True)
        self._own = re.compile("|".join(map(re.escape, known))) if known else None

    def text(self, text: str) -> str:
        return without_secrets(self._own.sub(TAKEN_OUT, text) if self._own else text)

    def value(self, value: Any) -> Any:
        """Of anything that is logged; what is neither text nor number is written as its `repr`."""
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.text(str(name)): self._named(name, each) for name, each in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self.value(each) for each in value]
        return self.text(repr(value))

    def _named(self, name: Any, value: Any) -> Any:
        if value and isinstance(value, str | bytes) and TELLING.search(str(name)):
            return TAKEN_OUT
        return self.value(value)
