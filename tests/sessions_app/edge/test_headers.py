"""What every answer tells browsers, in production: each route of the URL resolver, whoever asks, whatever comes of it.

A new route is asked without being named here. What the web server says by itself: test_server.py.
"""

import os
import re
import runpy
from collections.abc import Iterator
from http.cookies import Morsel
from typing import Any

import pytest
from django.test import Client
from django.urls import get_resolver
from django.urls.resolvers import URLPattern, URLResolver

from goassist_site import logs
from goassist_site.security import FOR_ANY_SITE
from sessions_app.edge import pages
from tests.fakes.house import LISTED_ORIGIN, Business
from tests.fakes.office import PASSWORD, make_operator
from tests.goassist_site.test_env import PRODUCTION
from tests.sessions_app.edge.test_people_matrix import rows

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quick_doors")]

HOST = "voice.example.com"
ELSEWHERE = "https://elsewhere.example"
ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
}
OF_PRODUCTION = (
    "ALLOWED_HOSTS CONTENT_SECURITY_POLICY CSRF_ DEBUG GOASSIST MESSAGE_STORAGE SECRET_KEY SECURE_ SESSION_ "
    "WHITENOISE_ X_FRAME_OPTIONS"
).split()
"""Settings, by how their names begin: all that headers, cookies and who may ask depend on."""
MORE = (
    "/no-such-page", "/admin/no-such-page", "/admin/sessions_app/session/nothing/change/", "/admin", "/static/",
    "/static/no-such-file.js", "/static/widget.js", "/static/sdk/goassist.js", "/static/parts/notice.js",
    "/static/css/site.css", "/static/icons/ui.svg", "/static/unfold/js/app.js", "/t/no/one/", "/api/v1/none",
)  # fmt: skip
"""Addresses that no route has, or one of very many files."""
INLINE_SCRIPT = re.compile(
    rb"<script(?![^>]*(\ssrc=|application/json))[^>]*>|<[^>]+\son[a-z]+=|href=.javascript:", re.I
)
PART = re.compile(r"\(\?P<(\w+)>[^)]*\)|<(?:\w+:)?(\w+)>")
"""Of an address: what stands there is named in one of the two groups."""
CONSOLE = "/admin/"
SAYS_WHY = "/api/v1/embed-tokens"
"""A page that may not embed learns the reason, in which there is nothing of anybody's."""
WAY_OUT = "/logout/"
PEOPLE = ("anonymous", "owner", "operator")
METHODS = {
    "anonymous": ("GET", "POST", "OPTIONS"), "owner": ("GET", "POST"), "operator": ("GET",),
    "secret key": ("GET", "HEAD", "OPTIONS", "POST", "PATCH", "DELETE"), "session token": ("GET", "POST"),
}  # fmt: skip
STATUSES = {
    "anonymous": {200, 301, 302, 401, 403, 404, 405}, "owner": {200, 302, 403, 404}, "operator": {200, 302, 404},
    "secret key": {200, 204, 404, 405}, "session token": {200, 401, 405},
}  # fmt: skip
"""What each gets somewhere: all of it was looked at."""


@pytest.fixture(autouse=True)
def production(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings that the module itself makes of a production environment."""
    more = {"GOASSIST_DATA": os.environ["GOASSIST_DATA"], "GOASSIST_TRUSTED_PROXIES": "1"}
    for name, value in {**PRODUCTION, **more}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(logs, "configure", lambda *_: None)
    made = runpy.run_path(str(settings.BASE_DIR / "goassist_site" / "settings.py"))
    for name, value in made.items():
        if name.startswith(tuple(OF_PRODUCTION)):
            setattr(settings, name, value)
    assert (settings.DEBUG, settings.ALLOWED_HOSTS, settings.SECURE_SSL_REDIRECT) == (False, [HOST], True)


class Visitor:
    """Somebody's browser, on a page of another site unless said otherwise."""

    def __init__(self, user: Any = None, bearer: str = "", origin: str = ELSEWHERE, *, forms: bool = True) -> None:
        """`forms` False: each goes through as if it had its page's token."""
        told = {"host": HOST, "origin": origin} | ({"authorization": f"Bearer {bearer}"} if bearer else {})
        self.client = Client(enforce_csrf_checks=forms, raise_request_exception=False, headers=told)
        if user is not None:
            self.client.force_login(user)

    def ask(self, method: str, path: str, data: Any = None, **more: Any) -> Any:
        return getattr(self.client, method.lower())(path, data, **{"secure": True} | more)


def addresses(business: Business) -> list[str]:
    """All that the resolver knows, with the business's own keys in them."""
    known, ids = rows(business), business.ids()
    words = {
        **ids,
        "run_id": known["soakrun"],
        "id": known["user"],
        "tenant": business.tenant.slug,
        "assistant": business.assistant.slug,
    }
    found = []
    for address in patterns():
        own = {"object_id": known.get(address.split("/")[2], "1")} if address.startswith("admin/sessions_app/") else {}
        path = re.sub(PART, lambda part, own=own: (words | own).get(part[1] or part[2], "1"), address)
        found.append("/" + re.sub(r"[\^$]|\\Z", "", path))
    return sorted({*found, *MORE})


def patterns(within: Any = None, prefix: str = "") -> Iterator[str]:
    for one in get_resolver().url_patterns if within is None else within:
        if isinstance(one, URLResolver):
            yield from patterns(one.url_patterns, prefix + str(one.pattern))
        elif isinstance(one, URLPattern):
            yield prefix + str(one.pattern)


def directives(policy: str) -> dict[str, list[str]]:
    return {name: sources for name, *sources in (part.split() for part in policy.split(";") if part.strip())}


def missing(path: str, answer: Any, origin: str = ELSEWHERE) -> list[str]:
    """What is wrong with it, in words."""
    wrong = [f"{name}: {answer.get(name)}" for name, value in ALWAYS.items() if answer.get(name) != value]
    policy = directives(answer.get("Content-Security-Policy", ""))
    allowed = {"'self'", "'none'", *(["'unsafe-eval'"] if path.startswith(CONSOLE) else [])}
    if not set(policy.get("script-src", policy.get("default-src", ["any"]))) <= allowed:
        wrong.append(f"scripts from {policy.get('script-src')}")
    closed = ("default-src", "base-uri", "form-action", "frame-ancestors")
    wrong += [f"{name} {policy.get(name)}" for name in closed if policy.get(name) not in (["'none'"], ["'self'"])]
    if policy.get("object-src", policy.get("default-src")) != ["'none'"]:
        wrong.append("plugins")
    if policy.get("frame-ancestors") != ["'none'"] or ("unsafe-inline" in str(policy)) > path.startswith(CONSOLE):
        wrong.append(str(policy))
    if not {"camera=()", "geolocation=()", "microphone=(self)"} <= set(
        answer.get("Permissions-Policy", "").split(", ")
    ):
        wrong.append("powers")
    if answer.get("Content-Type", "").startswith("text/html") and INLINE_SCRIPT.search(answer.content):
        wrong.append(f"inline script {INLINE_SCRIPT.search(answer.content)}")
    return wrong + shared(path, answer, origin) + kept(path, answer) + cookies(answer)


def shared(path: str, answer: Any, origin: str) -> list[str]:
    """Who else may read it: anybody our own modules, the API's preflight whoever asks, its answers a listed origin."""
    told = answer.get("Access-Control-Allow-Origin")
    why = path == SAYS_WHY and answer.status_code in {401, 403}
    if answer.status_code in {200, 304} and path.startswith(FOR_ANY_SITE):
        wanted = "*"
    elif path.startswith("/api/") and (answer.status_code == 204 or origin == LISTED_ORIGIN or why):
        wanted = told and origin  # where one is told, this one
    else:
        wanted = None
    return [f"readable for {told}"] * (told != wanted or "Access-Control-Allow-Credentials" in answer)


def kept(path: str, answer: Any) -> list[str]:
    """Nothing is kept by caches but files that are everybody's."""
    told = answer.get("Cache-Control", "")
    if path.startswith("/static/") and answer.status_code == 200:
        return [told] * ("max-age=300" not in told)
    return [f"kept: {told or 'unsaid'}"] * ("no-store" not in told and not (path == "/sw.js" and told == "no-cache"))


def cookies(answer: Any) -> list[str]:
    return [f"cookie {one.OutputString()}" for one in answer.cookies.values() if not tight(one)]


def tight(cookie: "Morsel[str]") -> bool:
    whole = cookie["secure"] and cookie["httponly"] and cookie["samesite"] in {"Lax", "Strict"}
    return bool(whole and cookie.key.startswith("__Host-") and cookie["path"] == "/" and not cookie["domain"])


@pytest.mark.parametrize("who", ["anonymous", "owner", "operator", "secret key", "session token"])
def test_every_route_says_it_to_everybody(riverside: Business, who: str) -> None:
    """Pages to people, and their forms, sent empty, to the owner; the API by all its methods."""
    user = {"owner": riverside.owner, "operator": make_operator() if who == "operator" else None}.get(who)
    bearer = {"secret key": riverside.secret_key, "session token": riverside.token()}.get(who, "")
    visitor = Visitor(user, bearer, forms=who == "anonymous")
    paths = addresses(riverside)
    if who != "anonymous":
        paths = [path for path in paths if path.startswith("/api/") == (who not in PEOPLE)]
    wrong, statuses = [], set()
    for method in METHODS[who]:
        for path in sorted(paths, key=lambda path: path.endswith(WAY_OUT)):
            answer = visitor.ask(method, path)
            statuses.add(answer.status_code)
            wrong += [(method, path, answer.status_code, one) for one in missing(path, answer)]
    assert wrong == []
    assert STATUSES[who] <= statuses
    assert len(paths) > (150 if who in PEOPLE else 30)


def test_an_origin_that_a_key_lists_and_no_other_may_read_answers(riverside: Business) -> None:
    for origin in (LISTED_ORIGIN, ELSEWHERE):
        visitor = Visitor(bearer=riverside.publishable_key, origin=origin)
        answer = visitor.ask("POST", "/api/v1/sessions", {"assistant": "x"}, content_type="application/json")
        assert missing("/api/v1/sessions", answer, origin) == []
        assert (answer.get("Access-Control-Allow-Origin") == LISTED_ORIGIN) == (origin == LISTED_ORIGIN)
        asked = {"access-control-request-method": "POST"}
        preflight = visitor.ask("OPTIONS", "/api/v1/sessions", headers=asked)
        assert preflight.status_code == 204
        assert missing("/api/v1/sessions", preflight, origin) == []


def test_what_goes_wrong_says_it_too(riverside: Business, monkeypatch: pytest.MonkeyPatch) -> None:
    """A broken page, a name that is not ours, a form without its token, a body that is too large."""

    def broken(**_: Any) -> None:
        raise RuntimeError("on purpose")

    monkeypatch.setattr(pages, "public_assistant", broken)
    visitor = Visitor(riverside.owner)
    talk = f"/t/{riverside.tenant.slug}/{riverside.assistant.slug}/"
    for path, status, more in (
        (talk, 500, {}),
        ("/", 400, {"headers": {"host": "rebound.example"}}),
        ("/api/v1/sessions", 400, {"headers": {"host": "rebound.example"}}),
        ("/static/css/site.css", 200, {"headers": {"host": "rebound.example"}}),
        ("/accounts/login/", 403, {"method": "POST"}),
        ("/api/v1/sessions", 413, {"method": "POST", "data": b"x" * 70_000, "content_type": "application/json"}),
    ):
        answer = visitor.ask(**{"method": "GET", "path": path} | more)
        assert answer.status_code == status, path
        assert missing(path, answer) == [], path
        assert status != 403 or b"load its page again" in answer.content


@pytest.mark.parametrize(("host", "status"), [(HOST, 301), ("rebound.example", 400)])
def test_the_way_to_https_says_it_too(host: str, status: int) -> None:
    """All but what holds for https only (RFC 6797, section 7.2)."""
    told = {"host": host, "x-forwarded-proto": "http"}
    answer = Visitor().ask("GET", "/admin/?x=1", headers=told, secure=False)
    assert answer.status_code == status
    assert missing("/admin/", answer) == ["Strict-Transport-Security: None"]


def test_the_cookies_of_a_login(riverside: Business) -> None:
    """Also of one that fails, and of the way out."""
    visitor, given = Visitor(), set()
    page = visitor.ask("GET", "/accounts/login/")
    for password in ("wrong", PASSWORD):
        field = re.search(rb'name="csrfmiddlewaretoken" value="(\w+)"', page.content)
        assert field is not None
        form = {"login": riverside.owner.email, "password": password, "csrfmiddlewaretoken": field[1].decode()}
        own = {"headers": {"origin": f"https://{HOST}"}}
        answer = visitor.ask("POST", "/accounts/login/", form, **own)
        given |= set(answer.cookies)
        assert missing("/accounts/login/", answer) == []
    assert answer.status_code == 302
    assert given | set(page.cookies) == {"__Host-sessionid", "__Host-csrftoken"}
