"""A receiver of webhooks on 127.0.0.1: keeps what came, and answers as it is told."""

import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook

from tests.services import wait_for


@dataclass(frozen=True)
class Message:
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    def verified(self, secret: str) -> Any:
        """The JSON. Raises WebhookVerificationError."""
        return Webhook(secret).verify(self.body, self.headers)


class Receiver:
    """`answers`: (status, headers, body) for the messages to come; then 204 for ever. `delay_s` before each answer."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.answers: list[tuple[int, dict[str, str], bytes]] = []
        self.delay_s = 0.0
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                told = {name.lower(): value for name, value in self.headers.items()}
                receiver.messages.append(Message(self.path, told, body))
                time.sleep(receiver.delay_s)
                status, headers, text = receiver.answers.pop(0) if receiver.answers else (204, {}, b"")
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), name="receiver")
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/hooks"

    def will_answer(self, *statuses: int, body: bytes = b"", **headers: str) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers += [(status, named, body) for status in statuses]

    def wait(self, count: int, limit_s: float = 30.0) -> list[Message]:
        wait_for(f"message {count} at the receiver", lambda: len(self.messages) >= count, limit_s)
        return self.messages

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
