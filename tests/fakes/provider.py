"""A small OpenID provider on 127.0.0.1, with keys of its own, that can be told to lie."""

import base64
import hashlib
import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt import api_jws as jws
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

RSA, OTHER_RSA = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2))
EC = ec.generate_private_key(ec.SECP256R1())
CLIENT, SECRET = "goassist: desk", "s3cret/+ % word"


def jwk(key: Any, kid: str, **more: Any) -> dict[str, Any]:
    kind = RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else ECAlgorithm
    return {**kind.to_jwk(key.public_key(), as_dict=True), "kid": kid, "use": "sig", **more}


def signed(claims: dict[str, Any]) -> str:
    """As it should be; claims of any kind."""
    return jws.encode(json.dumps(claims).encode(), RSA, "RS256", headers={"kid": "r1"})


class Provider:
    """`claims`, `sign`: how its ID tokens are made. `documents`: what it serves by path, instead of what it would."""

    def __init__(self) -> None:
        self.claims: dict[str, Any] = {}
        self.person: dict[str, Any] = {}
        self.documents: dict[str, Any] = {}
        self.keys = [jwk(RSA, "r1"), jwk(EC, "e1")]
        self.sign: Callable[[dict[str, Any]], Any] = signed
        self.basic = True
        self.asked: list[str] = []
        self.codes: dict[str, dict[str, str]] = {}
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if "/auth?" not in self.path:
                    self._answer(outer.document(self.path))
                    return
                self.send_response(302)
                self.send_header("Location", outer.way_back(outer.issuer + self.path.removeprefix("/realms/staff")))
                self.end_headers()

            def do_POST(self) -> None:
                form = self.rfile.read(int(self.headers["Content-Length"])).decode()
                self._answer(outer.redeem(form, self.headers.get("Authorization", "")))

            def _answer(self, told: tuple[int, Any]) -> None:
                status, document = told
                body = document if isinstance(document, bytes) else json.dumps(document).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: Any) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self._server.server_port}/realms/staff"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def discovery(self, **changes: Any) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/auth",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "response_types_supported": ["code"],
            "id_token_signing_alg_values_supported": ["RS256"],
            **({} if self.basic else {"token_endpoint_auth_methods_supported": ["client_secret_post"]}),
            **changes,
        }

    def document(self, path: str) -> tuple[int, Any]:
        self.asked.append(path.rpartition("/")[2])
        served = {"openid-configuration": self.discovery(), "keys": {"keys": self.keys}} | self.documents
        name = path.rpartition("/")[2]
        return (200, served[name]) if name in served else (404, {})

    def authorize(self, address: str, **person: Any) -> dict[str, str]:
        """What the person's browser brings back, once they have logged in there."""
        assert address.startswith(f"{self.issuer}/auth?"), address
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert (asked["client_id"], asked["response_type"], asked["scope"]) == (CLIENT, "code", "openid email")
        assert asked["code_challenge_method"] == "S256"
        code = f"code {len(self.codes)}"
        self.codes[code] = {**asked, "person": json.dumps(person)}
        return {"code": code, "state": asked["state"]}

    def way_back(self, address: str) -> str:
        """For browsers: `person` is logged in there already."""
        brought = self.authorize(address, **self.person)
        return f"{self.codes[brought['code']]['redirect_uri']}?{urlencode({**brought, 'iss': self.issuer})}"

    def redeem(self, body: str, authorization: str) -> tuple[int, Any]:
        self.asked.append("token")
        form = {name: values[0] for name, values in parse_qs(body).items()}
        asked = self.codes.pop(form.get("code", ""), None)
        if asked is None or form["redirect_uri"] != asked["redirect_uri"] or not self._knows(form, authorization):
            return 400, {"error": "invalid_grant"}
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != asked["code_challenge"]:
            return 400, {"error": "invalid_grant"}
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT,
            "exp": now + 300,
            "iat": now,
            "nonce": asked["nonce"],
            "email_verified": True,
            **json.loads(asked["person"]),
            **self.claims,
        }
        kept = {name: value for name, value in claims.items() if value is not ...}
        return 200, {"token_type": "Bearer", "access_token": "x", "id_token": self.sign(kept)}

    def _knows(self, form: dict[str, str], authorization: str) -> bool:
        if self.basic:
            told = base64.b64decode(authorization.removeprefix("Basic ")).decode()
            return parse_qs("s=" + told.partition(":")[2])["s"] == [SECRET] and told.startswith("goassist%3A+desk:")
        return (form.get("client_id"), form.get("client_secret")) == (CLIENT, SECRET)
