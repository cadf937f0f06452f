"""Where the answer to a request should point to."""

from django.http import HttpRequest


def socket_url(request: HttpRequest, path: str) -> str:
    """The websocket's address as the caller can reach it."""
    return request.build_absolute_uri(path).replace("http", "ws", 1)
