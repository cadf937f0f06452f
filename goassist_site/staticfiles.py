"""Static files by WhiteNoise, without making every other request synchronous.

WhiteNoise's own middleware is synchronous only, and one such link makes Django run the whole chain below it in a
thread. This one is both.
"""

import contextlib
import gzip
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from whitenoise.middleware import WhiteNoiseMiddleware

TEXTS = frozenset(
    {"text/javascript", "application/javascript", "text/css", "image/svg+xml", "application/json", "text/html"}
)
"""What gets shorter by gzip."""


class StaticFiles(WhiteNoiseMiddleware):
    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        super().__init__(get_response)
        self.zipped: dict[str, tuple[str, bytes]] = {}
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        found = self._find(request.path_info)
        if iscoroutinefunction(self):
            return self._serve_async(found, request)
        return self._whole(found, request) if found is not None else self.get_response(request)

    def _find(self, path: str) -> Any:
        return self.find_file(path) if self.autorefresh else self.files.get(path)

    async def _serve_async(self, found: Any, request: HttpRequest) -> HttpResponseBase:
        if found is None:
            return await self.get_response(request)
        return await sync_to_async(self._whole)(found, request)

    def _whole(self, found: Any, request: HttpRequest) -> HttpResponse:
        """The file in one piece: ASGI cannot stream from a synchronous file, and ours are small."""
        answer = found.get_response(request.method, request.META)
        body = b""
        if answer.file is not None:
            with contextlib.closing(answer.file) as file:
                body = file.read()
        headers = dict(answer.headers)
        if answer.status == HTTPStatus.OK and body and _is_text(headers.get("Content-Type", "")):
            headers["Vary"] = "Accept-Encoding"
            if "gzip" in request.headers.get("Accept-Encoding", ""):
                body = self._zipped(request.path_info, headers.get("Last-Modified", ""), body)
                headers |= {"Content-Encoding": "gzip", "Content-Length": str(len(body))}
        return HttpResponse(body, status=int(answer.status), headers=headers)

    def _zipped(self, path: str, version: str, body: bytes) -> bytes:
        """Made once for each version of a file: there are some hundred, and they are small."""
        known = self.zipped.get(path)
        if known is None or known[0] != version:
            known = self.zipped[path] = (version, gzip.compress(body, 9))
        return known[1]


def _is_text(kind: str) -> bool:
    return kind.split(";")[0] in TEXTS
