"""Static files by WhiteNoise, without making every other request synchronous.

WhiteNoise's own middleware is synchronous only, and one such link makes Django run the whole chain below it in a
thread. This one is both.
"""

import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from whitenoise.middleware import WhiteNoiseMiddleware


class StaticFiles(WhiteNoiseMiddleware):
    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        super().__init__(get_response)
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
        return HttpResponse(body, status=int(answer.status), headers=dict(answer.headers))
