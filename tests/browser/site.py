"""A web site without a web server: the browser's requests to ORIGIN are answered from the working tree.

`https://talk.test` exists nowhere; the browser treats it as a secure origin, so that microphone and clipboard work.
"""

import mimetypes
from pathlib import Path

from django.template.loader import render_to_string
from playwright.async_api import BrowserContext, Route

ROOT = Path(__file__).resolve().parents[2]
ORIGIN = "https://talk.test"
FOLDERS = {"static": ROOT / "static", "units": ROOT / "tests" / "browser" / "units"}
CHROMIUM = "/usr/bin/chromium"
POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self' wss://talk.test; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
)
"""As strict as the product's own."""
QUIET = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--no-first-run", "--mute-audio",
]  # fmt: skip
FAKE_MICROPHONE = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]

PAGE = {
    "tenant": {"slug": "riverside-vet", "name": "Riverside Vet Clinic"},
    "assistant": {"id": "3f6b2f0e-8b7f-4c9d-9a40-5c1f0d6a1b11", "slug": "reception", "name": "Reception"},
    "publishable_key": "pk_test",
    "api_base": f"{ORIGIN}/api/v1",
    "ws_base": "wss://talk.test/ws/v1",
    "settings": {"embed": False},
}
HOME = {
    "assistants": [
        {"name": "Reception", "tenant": "Harbor Law", "url": "/t/harbor-law/reception/"},
        {"name": "Reception", "tenant": "Riverside Vet Clinic", "url": "/t/riverside-vet/reception/"},
    ]
}
PAGES = {
    "/": ("home.html", HOME),
    "/talk/": ("talk.html", {"tenant": PAGE["tenant"], "assistant": PAGE["assistant"], "page": PAGE}),
    "/lost/": ("error.html", {"status": 404, "text": "There is no such page."}),
    "/broken/": ("error.html", {"status": 500, "text": "Something went wrong here. It has been logged."}),
    "/units/": (None, None),
}


async def serve(context: BrowserContext) -> None:
    await context.route(f"{ORIGIN}/**", _answer)


async def _answer(route: Route) -> None:
    path = route.request.url.removeprefix(ORIGIN).split("?")[0]
    if path in PAGES:
        await route.fulfill(
            body=_page(*PAGES[path]), content_type="text/html", headers={"Content-Security-Policy": POLICY}
        )
        return
    folder, _, name = path.lstrip("/").partition("/")
    file = FOLDERS.get(folder, ROOT / "nowhere") / name
    if not file.is_file():
        await route.fulfill(status=404)
        return
    kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    await route.fulfill(body=file.read_bytes(), content_type=kind)


def _page(template: str | None, context: dict | None) -> str:
    return render_to_string(template, context) if template else "<!doctype html><title>units</title>"
