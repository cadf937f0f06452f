import pytest
from django.test import Client


@pytest.mark.django_db
def test_pages_carry_the_headers_that_protect_visitors():
    answer = Client().get("/no-such-page")
    policy = answer["Content-Security-Policy"]
    for directive in ("default-src 'self'", "script-src 'self'", "object-src 'none'", "frame-ancestors 'none'"):
        assert directive in policy
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] == "same-origin"


async def test_static_files_come_whole_under_asgi(async_client):
    answer = await async_client.get("/static/unfold/js/app.js")
    assert answer.status_code == 200
    assert "javascript" in answer["Content-Type"]
    assert len(answer.content) == int(answer["Content-Length"])
    assert (await async_client.get("/static/no-such-file.js")).status_code == 404


def test_static_files_come_whole_without_asgi(client):
    answer = client.get("/static/unfold/js/app.js")
    assert answer.status_code == 200
    again = client.get("/static/unfold/js/app.js", headers={"if-modified-since": answer["Last-Modified"]})
    assert again.status_code == 304
