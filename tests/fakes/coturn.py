"""A real coturn with the configuration that we ship; what a test machine needs besides is added, nothing taken out."""

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.services import RUNNING, free_port, wait_for

CONF = Path(__file__).parents[2] / "deploy" / "coturn" / "turnserver.conf"


@contextmanager
def a_relay(folder: Path, secret: str, address: str = "127.0.0.1") -> Iterator[int]:
    """Its port at `address`, which is also the worker's: the one private address that it relays to."""
    port = free_port()
    loopback = "\nallow-loopback-peers" if address.startswith("127.") else ""
    text = CONF.read_text().replace("#static-auth-secret=", f"static-auth-secret={secret}")
    text = text.replace("#allowed-peer-ip=10.0.0.5", f"allowed-peer-ip={address}{loopback}")
    text = text.replace("listening-port=3478", f"listening-port={port}\nlistening-ip={address}\nrelay-ip={address}")
    conf = folder / "turnserver.conf"
    conf.write_text(f"{text}\nno-tls\nno-dtls\nno-rfc5780\npidfile={folder}/pid\nuserdb={folder}/db\n")
    with (folder / "log").open("wb") as log:
        command = ["turnserver", "-c", str(conf), "--log-file=stdout"]
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
        RUNNING.add(process.pid)
        try:
            wait_for("coturn listening", lambda: _accepts(address, port))
            yield port
        finally:
            RUNNING.discard(process.pid)
            process.terminate()
            process.wait(10)


def _accepts(address: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((address, port)) == 0
