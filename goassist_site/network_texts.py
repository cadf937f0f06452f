"""Forms of settings that name places on a network. What is none of them is said in words, with an example."""

from collections.abc import Callable
from ipaddress import ip_address, ip_network
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator
from pydantic_settings import NoDecode


def split_commas(value: Any) -> Any:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def origin(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.netloc or parts.path or parts.query:
        raise ValueError(f"{text!r} is not an origin; write scheme and host only: https://voice.example.com")
    return text


def address(text: str) -> str:
    try:
        ip_address(text)
    except ValueError:
        raise ValueError(f"{text!r} is not an IP address; write 192.0.2.10, or 2001:db8::10") from None
    return text


def bind(text: str) -> str:
    """Empty, or an address to listen on."""
    try:
        ip_address(text or "0.0.0.0")  # noqa: S104 (it is only read)
    except ValueError:
        raise ValueError(f"{text!r} is not an IP address; write 10.0.0.5, or 0.0.0.0 for all") from None
    return text


def network(text: str) -> str:
    try:
        ip_network(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a network; write 10.1.0.0/16, or fd00:1::/64") from None
    return text


def _each(check: Callable[[str], str]) -> AfterValidator:
    return AfterValidator(lambda texts: [check(text) for text in texts])


CommaList = Annotated[list[str], NoDecode, BeforeValidator(split_commas)]
OriginList = Annotated[CommaList, _each(origin)]
AddressList = Annotated[CommaList, _each(address)]
NetworkList = Annotated[CommaList, _each(network)]
Bind = Annotated[str, AfterValidator(bind)]
