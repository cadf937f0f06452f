"""Scripts of audio worklets for the pretended web site: Playwright does not intercept a browser's requests for them, so
that a real server answers those, with a certificate of its own making.
"""

import asyncio
import datetime
import ssl
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.browser.site import FOLDERS, POLICY

NAME = "talk.test"


@asynccontextmanager
async def served_worklets() -> AsyncIterator[list[str]]:
    """Chromium's flags that lead it to the server."""
    with tempfile.TemporaryDirectory() as folder:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(_certificate(Path(folder) / "both.pem"))
    server = await asyncio.start_server(_serve, "127.0.0.1", 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    async with server:
        yield [f"--host-resolver-rules=MAP {NAME} 127.0.0.1:{port}", "--ignore-certificate-errors"]


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        path = head.split(b" ", 2)[1].decode().partition("?")[0].removeprefix("/static/")
        file = FOLDERS["static"] / path
        found = path.endswith(".js") and ".." not in path and file.is_file()
        body = file.read_bytes() if found else b""
        writer.write(
            f"HTTP/1.1 {'200 OK' if found else '404 Not Found'}\r\nContent-Type: text/javascript\r\n"
            f"Content-Length: {len(body)}\r\nContent-Security-Policy: {POLICY}\r\nConnection: close\r\n\r\n".encode()
            + body
        )
        await writer.drain()
        writer.close()
        await writer.wait_closed()
    except (OSError, ssl.SSLError, asyncio.IncompleteReadError):
        writer.transport.abort()  # a browser opens connections that it does not use


def _certificate(path: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(secret + certificate.public_bytes(serialization.Encoding.PEM))
    return path
