"""A name for each request, in logs, audit entries and the answer: the caller's own `X-Request-ID`, or one of ours."""

import re
import uuid
from collections.abc import Callable
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest
from django.utils.decorators import sync_and_async_middleware

HEADER, META = "X-Request-ID", "HTTP_X_REQUEST_ID"
USABLE = re.compile(r"[A-Za-z0-9._:-]{1,64}")
"""What goes into logs and back to the caller as it came; anything else is replaced."""


@sync_and_async_middleware
def request_id(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Before all that looks at the header."""

    def named(request: HttpRequest) -> str:
        if not USABLE.fullmatch(request.META.get(META, "")):
            request.META[META] = uuid.uuid4().hex
        return str(request.META[META])

    def marked(response: Any, name: str) -> Any:
        response[HEADER] = name
        return response

    if iscoroutinefunction(get_response):

        async def answer_async(request: HttpRequest) -> Any:
            name = named(request)
            return marked(await get_response(request), name)

        return answer_async

    def answer(request: HttpRequest) -> Any:
        name = named(request)
        return marked(get_response(request), name)

    return answer
