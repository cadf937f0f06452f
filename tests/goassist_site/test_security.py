import json
import os
import subprocess
import sys

import pytest
from django.test import Client

from tests.goassist_site.test_env import PRODUCTION as SETTINGS
from tests.goassist_site.test_env import ROOT


def production_environment():
    return {**SETTINGS, "GOASSIST_DATA": os.environ["GOASSIST_DATA"], "GOASSIST_TRUSTED_PROXIES": "1"}


@pytest.mark.django_db
def test_pages_carry_the_headers_that_protect_visitors():
    answer = Client().get("/no-such-page")
    policy = answer["Content-Security-Policy"]
    for directive in ("default-src 'self'", "script-src 'self'", "object-src 'none'", "frame-ancestors 'none'"):
        assert directive in policy
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
    powers = answer["Permissions-Policy"].split(", ")
    assert {"microphone=(self)", "autoplay=(self)", "camera=()", "geolocation=()"} <= set(powers)


PAGES = "/ /admin/login/ /admin/ /api/v1/docs /api/v1/openapi.json /static/unfold/js/app.js /healthz".split()


@pytest.mark.django_db
@pytest.mark.parametrize("page", PAGES)
async def test_every_answer_carries_them(async_client, page):
    answer = await async_client.get(page)
    for header in ("Permissions-Policy", "Referrer-Policy", "X-Content-Type-Options"):
        assert header in answer, header
    if "html" in answer.get("Content-Type", ""):
        policy = answer["Content-Security-Policy"]
        assert "default-src 'self'" in policy
        assert ("unsafe" in policy) == page.startswith("/admin/")
        scripts = next(part for part in policy.split("; ") if part.startswith("script-src"))
        assert "unsafe-inline" not in scripts


PRODUCTION = """
import django, json
django.setup()
from django.conf import settings
from django.test import Client
answer = Client().get("/healthz", secure=True, headers={"host": "voice.example.com"})
plain = Client().get("/admin/", headers={"host": "voice.example.com", "x-forwarded-proto": "http"})
print(json.dumps({
    "hsts": answer["Strict-Transport-Security"], "plain": plain["Location"],
    "names": [settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME],
    "cookies": [settings.SESSION_COOKIE_SECURE, settings.CSRF_COOKIE_SECURE, settings.SESSION_COOKIE_HTTPONLY],
}))
"""


def test_production_speaks_https_only():
    done = subprocess.run(
        [sys.executable, "-c", PRODUCTION],
        cwd=ROOT,
        env={**production_environment(), "DJANGO_SETTINGS_MODULE": "goassist_site.settings"},
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    said = json.loads(done.stdout)
    assert said["hsts"] == "max-age=31536000; includeSubDomains"
    assert said["plain"] == "https://voice.example.com/admin/"
    assert said["cookies"] == [True, True, True]
    assert said["names"] == ["__Host-sessionid", "__Host-csrftoken"]


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
