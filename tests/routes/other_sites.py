"""Web sites that are not ours: plain pages on another origin, served from this process."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.stack import Stack


@contextmanager
def a_site(html: Callable[[], str]) -> Iterator[str]:
    """One page at every address, as it is now; yields its origin. Another port is another origin (RFC 6454)."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = html().encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def with_widget(stack: Stack, key: str, **options: str) -> str:
    """A business's own page with the one tag. Its styles are of the kind that would leak into a careless widget."""
    more = "".join(f' data-{name}="{value}"' for name, value in options.items())
    return f"""<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Riverside Vet</title>
<style>* {{ color: red; font-size: 40px !important; }} button {{ display: none; }}</style></head>
<body><main><h1>Welcome</h1></main>
<script type="module" src="{stack.url}/static/widget.js" data-key="{key}" data-assistant="reception"{more}></script>
</body></html>"""


MAKE_KEY = """
from sessions_app.tenants.models import Tenant
from sessions_app.tenants.scope import everyone
from sessions_app.tenants.services import issue_publishable_key
with everyone():
    tenant = Tenant.objects.get(slug={slug!r})
    print(issue_publishable_key(tenant=tenant, label="Their site", allowed_origins=[{origin!r}]).key)
"""


def key_for(stack: Stack, slug: str, origin: str) -> str:
    """A publishable key that works in pages of that origin."""
    return stack.manage("shell", "--no-imports", "-c", MAKE_KEY.format(slug=slug, origin=origin)).split()[-1]
