"""The folder that GOASSIST_DATA names: made at start, and the secret that an embedded installation keeps in it."""

import os
import secrets
import tempfile
from pathlib import Path


def prepare(folder: Path) -> None:
    """Raises OSError when nothing can be written there. A new one is its owner's only: it holds what visitors said."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / "logs").mkdir(exist_ok=True)
    with tempfile.TemporaryFile(dir=folder):
        return


def kept_secret(path: Path) -> str:
    """The secret in this file; made at first start, readable by its owner only. Safe when several start at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    if not path.exists():
        fresh.touch(mode=0o600)
        fresh.write_text(secrets.token_urlsafe(48))
        try:
            os.link(fresh, path)
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return path.read_text().strip()
