"""Run as a process of its own, with the settings of an installation behind TLS: asks for every address that there is,
as nobody, as an owner and as an operator, and prints what each answer's headers and cookies were, a JSON object a line.
"""

import json
import os
import re
from collections.abc import Iterator
from typing import Any

import django

HOST = "voice.example.com"
ENVIRONMENT = {
    "DJANGO_SETTINGS_MODULE": "goassist_site.settings",
    "GOASSIST_ORIGINS": f"https://{HOST}",
    "GOASSIST_ALLOWED_HOSTS": HOST,
    "GOASSIST_TRUSTED_PROXIES": "1",
    "GOASSIST_LOG_LEVEL": "ERROR",
}
BEYOND = [
    "/no-such-page", "/admin/no/such/page/", "/api/v1/nothing", "/api/v1/docs", "/api/v1/openapi.json",
    "/static/widget.js", "/static/widget/look.js", "/static/sdk/goassist.js", "/static/parts/notice.js",
    "/static/console/console.css", "/static/icons/goassist.svg", "/static/nothing.js", "/t/no-such/reception/",
]  # fmt: skip
GAP = re.compile(r"<(?:\w+:)?(\w+)>")


def addresses(known: dict[str, str]) -> Iterator[str]:
    """Every route that is no API, with something in each gap: a row's key where it is one, a word that names nothing
    else."""
    from tests.sessions_app.edge.test_people_matrix import routes

    for _, address in routes():
        if "^" in address or "(?P" in address:
            continue
        model = address.split("/")[2] if address.count("/") > 2 else ""
        keys = {"object_id": known.get(model, "1"), "file_id": known["storedfile"], "run_id": known["soakrun"]}
        yield "/" + GAP.sub(lambda gap, keys=keys: keys.get(gap[1], "1"), address)


def told(who: str, method: str, path: str, answer: Any) -> dict[str, Any]:
    return {
        "who": who,
        "method": method,
        "path": path,
        "status": answer.status_code,
        "headers": {name.lower(): value for name, value in answer.headers.items()},
        "cookies": {name: dict(cookie) for name, cookie in answer.cookies.items()},
    }


def walk() -> Iterator[dict[str, Any]]:
    from django.core.management import call_command
    from django.test import Client

    call_command("migrate", verbosity=0)
    from tests.fakes.house import LISTED_ORIGIN, make_business
    from tests.fakes.office import make_operator
    from tests.sessions_app.edge.test_isolation import CASES, filled
    from tests.sessions_app.edge.test_people_matrix import rows

    business = make_business()
    known = rows(business)
    people: dict[str, Any] = {"nobody": None, "owner": business.owner, "operator": make_operator()}
    slug, assistant = business.tenant.slug, business.assistant.slug
    pages = [*addresses(known), *BEYOND, f"/t/{slug}/{assistant}/", f"/t/{slug}/{assistant}/manifest.webmanifest"]
    for who, person in people.items():
        client = Client(raise_request_exception=False, headers={"x-forwarded-proto": "https", "host": HOST})
        if person:
            client.force_login(person)
        for path in pages:
            yield told(who, "GET", path, client.get(path))
    careful = Client(enforce_csrf_checks=True, headers={"x-forwarded-proto": "https", "host": HOST})
    yield told("nobody", "POST", "/accounts/login/", careful.post("/accounts/login/", {"login": "a"}))
    yield told("nobody", "GET", "/accounts/login/", careful.get("/accounts/login/", headers={"host": "evil.example"}))
    for method, path in CASES:
        for bearer in ("", business.publishable_key, business.secret_key):
            whose = {"authorization": f"Bearer {bearer}", "origin": LISTED_ORIGIN} if bearer else {}
            ask = getattr(Client(headers={"x-forwarded-proto": "https", "host": HOST, **whose}), method.lower())
            url = f"/api/v1{filled(path, business.ids())}" if method != "DELETE" else f"/api/v1{path}"
            yield told("key" if bearer else "nobody", method, path, ask(url, content_type="application/json"))


if __name__ == "__main__":
    os.environ.update(ENVIRONMENT)
    django.setup()
    for one in walk():
        print(json.dumps(one))
