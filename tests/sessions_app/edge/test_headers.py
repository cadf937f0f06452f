"""What every answer tells browsers, as an installation behind TLS gives it: each route of the resolver, each endpoint
of the API, files, redirects and errors; a new route is looked at without being named."""

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

from tests.house.tree import ROOT
from tests.sessions_app.edge.headers_walk import ENVIRONMENT, HOST

ALWAYS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "strict-transport-security": "max-age=31536000; includeSubDomains",
}
POLICY = (
    "default-src 'self'", "object-src 'none'", "base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'",
)  # fmt: skip
FOR_ANY_SITE = ("/static/widget.js", "/static/widget/", "/static/sdk/", "/static/parts/")
PUBLIC = ("/static/", "/t/", "/sw.js", "/manifest.webmanifest", "/healthz", "/readyz", "/metrics")
"""What holds nothing of anybody's."""
ORIGINS = {"https://www.riverside.example", f"https://{HOST}"}
Answer = dict[str, Any]


@cache
def answers() -> list[Answer]:
    import tempfile

    with tempfile.TemporaryDirectory() as data:
        done = subprocess.run(
            [sys.executable, "-m", "tests.sessions_app.edge.headers_walk"],
            cwd=ROOT, env={**os.environ, **ENVIRONMENT, "GOASSIST_DATA": str(Path(data))},
            capture_output=True, text=True, timeout=110, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


def where(one: Answer) -> str:
    return f"{one['method']} {one['path']} as {one['who']}: {one['status']}"


def pages() -> list[Answer]:
    return [one for one in answers() if "text/html" in one["headers"].get("content-type", "")]


def test_every_answer_carries_what_every_answer_must() -> None:
    assert len(answers()) > 400
    assert {200, 302, 400, 401, 403, 404, 405, 422} <= {one["status"] for one in answers()}
    wrong = [
        (where(one), name, one["headers"].get(name))
        for one in answers()
        for name, value in ALWAYS.items()
        if one["headers"].get(name) != value
    ]
    assert wrong == []
    assert [where(one) for one in answers() if "camera=()" not in one["headers"].get("permissions-policy", "")] == []
    assert [where(one) for one in answers() if "x-powered-by" in one["headers"] or "server" in one["headers"]] == []


def test_nothing_fails_and_nothing_is_sent_in_the_clear() -> None:
    assert [where(one) for one in answers() if one["status"] >= 500 and one["path"] != "/readyz"] == []
    assert [where(one) for one in answers() if one["headers"].get("location", "").startswith("http://")] == []


def test_no_page_allows_what_it_does_not_need() -> None:
    assert len(pages()) > 100
    wrong = []
    for one in pages():
        policy = one["headers"].get("content-security-policy", "")
        scripts = next((part for part in policy.split("; ") if part.startswith("script-src")), "")
        missing = [part for part in POLICY if part not in policy]
        evaluates = "'unsafe-eval'" in scripts
        if missing or "'unsafe-inline'" in scripts or not scripts or "*" in scripts:
            wrong.append((where(one), policy))
        elif evaluates and not one["path"].startswith("/admin/"):
            wrong.append((where(one), scripts))
        elif one["headers"].get("x-frame-options") != "DENY":
            wrong.append((where(one), "framed"))
    assert wrong == []


def test_answers_are_for_other_sites_only_where_that_is_meant() -> None:
    shown = {}
    for one in answers():
        if (origin := one["headers"].get("access-control-allow-origin")) is not None:
            shown.setdefault(origin, []).append(one)
    assert set(shown) <= {"*", *ORIGINS}
    assert [where(one) for one in shown["*"] if not one["path"].startswith(FOR_ANY_SITE)] == []
    keyed = [one for origin in ORIGINS for one in shown.get(origin, [])]
    assert keyed and all(one["who"] == "key" for one in keyed)
    assert [where(one) for one in answers() if "access-control-allow-credentials" in one["headers"]] == []


def test_what_is_somebodys_own_is_kept_by_no_cache() -> None:
    own = [
        one
        for one in answers()
        if not one["path"].startswith(PUBLIC) and one["path"] != "/" and one["who"] != "nobody" and one["status"] < 300
    ]
    assert len(own) > 80
    cached = [(where(one), one["headers"].get("cache-control")) for one in own if not _uncached(one)]
    assert cached == []


def _uncached(one: Answer) -> bool:
    control = one["headers"].get("cache-control", "")
    return "no-store" in control


def test_every_cookie_is_for_this_host_over_tls_and_not_for_scripts() -> None:
    cookies = [(where(one), name, value) for one in answers() for name, value in one["cookies"].items()]
    assert len(cookies) > 20
    assert {name for _, name, _ in cookies} == {"__Host-sessionid", "__Host-csrftoken"}
    wrong = [
        (at, name)
        for at, name, cookie in cookies
        if not (cookie["secure"] and cookie["samesite"] in {"Lax", "Strict"} and cookie["path"] == "/")
        or cookie["domain"]
        or not cookie["httponly"]
    ]
    assert wrong == []
