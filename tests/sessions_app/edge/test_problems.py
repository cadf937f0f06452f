"""What callers see when something is wrong, and what they must not see."""

import pytest
from django.test import AsyncClient

from tests.fakes.house import LISTED_ORIGIN, Caller, is_problem


async def test_everything_under_api_errs_as_a_problem(visitor: Caller, path: str) -> None:
    assert is_problem(await visitor("GET", "/nothing"), 404)
    assert is_problem(await visitor("GET", "/sessions/not-a-uuid"), 404)
    response = await visitor("PUT", path, {})
    assert is_problem(response, 405)
    assert "GET" in response["Allow"]


async def test_what_is_no_json_is_not_read(server: Caller) -> None:
    form = await AsyncClient().post("/api/v1/sessions", {"assistant": "x"}, headers=server.headers)
    assert is_problem(form, 415)
    for broken in ("{", "[" * 30000, '{"assistant": "\\ud800"}'):
        response = await server("POST", "/sessions", broken)
        assert response.status_code in {400, 422}, broken[:20]
        assert response["Content-Type"] == "application/problem+json"


async def test_a_large_body_is_not_read(server: Caller) -> None:
    for size in (70_000, 2_000_000):
        assert is_problem(await server("POST", "/sessions", {"assistant": "x" * size}), 413)


async def test_64_kib_are_read_and_a_byte_more_is_not(server: Caller) -> None:
    around = len('{"assistant": ""}')
    for size, status in ((64 * 1024, 422), (64 * 1024 + 1, 413)):
        body = '{"assistant": "' + "x" * (size - around) + '"}'
        assert is_problem(await server("POST", "/sessions", body), status)


@pytest.mark.django_db
async def test_a_form_of_the_console_that_is_too_large_is_refused() -> None:
    for size, status in ((900_000, 200), (1_000_001, 400)):
        answer = await AsyncClient().post(
            "/accounts/login/", "login=" + "x" * size, content_type="application/x-www-form-urlencoded"
        )
        assert answer.status_code == status


async def test_an_error_inside_shows_nothing_of_it(visitor: Caller, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("password=hunter2")

    monkeypatch.setattr("sessions_app.edge.calls.find_session", broken)
    response = await visitor("GET", path)
    assert is_problem(response, 500)
    assert b"hunter2" not in response.content


async def test_a_preflight_allows_the_bearer_header_and_no_wildcard() -> None:
    headers = {"Origin": LISTED_ORIGIN, "Access-Control-Request-Method": "POST"}
    response = await AsyncClient().options("/api/v1/sessions", headers=headers)
    assert response.status_code == 204
    assert response["Access-Control-Allow-Origin"] == LISTED_ORIGIN
    assert "Authorization" in response["Access-Control-Allow-Headers"]


async def test_the_documentation_has_no_inline_script() -> None:
    page = await AsyncClient().get("/api/v1/docs")
    assert page.status_code == 200
    text = page.content.decode()
    scripts = [part.split(">")[0] for part in text.split("<script")[1:]]
    assert scripts
    assert all("src=" in script or "application/json" in script for script in scripts)
    assert "unsafe" not in page["Content-Security-Policy"]
    assert "http://" not in text
    assert "https://" not in text
