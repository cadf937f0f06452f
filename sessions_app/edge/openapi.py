"""What the API says of itself, where the framework's own words are not quite true."""

from http import HTTPStatus
from typing import Any

from ninja import NinjaAPI
from ninja.operation import Operation

OF_BODIES = (400, 413, 415)
"""What any body may be answered: it cannot be read, is too long, is no JSON."""
PROBLEM = {"$ref": "#/components/schemas/Problem"}


class DescribedApi(NinjaAPI):
    def get_openapi_operation_id(self, operation: Operation) -> str:
        """The function's name: what a client's method is called."""
        return operation.view_func.__name__

    def get_openapi_schema(self, *args: Any, **options: Any) -> Any:
        schema = super().get_openapi_schema(*args, **options)
        for item in schema["paths"].values():
            for operation in item.values():
                if "requestBody" in operation:
                    operation["responses"] |= {status: _problem(HTTPStatus(status)) for status in OF_BODIES}
                for answer in operation["responses"].values():
                    _problems_are_problems(answer)
        return schema


def _problem(status: HTTPStatus) -> dict[str, Any]:
    return {"description": status.phrase, "content": {"application/json": {"schema": PROBLEM}}}


def _problems_are_problems(answer: dict[str, Any]) -> None:
    """RFC 9457 has a media type of its own."""
    content = answer.get("content", {})
    if content.get("application/json", {}).get("schema") == PROBLEM:
        answer["content"] = {"application/problem+json": content["application/json"]}
