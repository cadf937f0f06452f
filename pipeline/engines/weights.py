"""Whisper weights (CTranslate2 form): found on disk, or fetched from the Hugging Face hub and checked.

A fetched model appears in its folder whole or not at all: files are fetched into a folder beside it, go on where an
earlier attempt stopped, are compared with the size and SHA-256 that the hub states, and the folder is renamed last.
"""

import hashlib
import os
import socket
import threading
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import faster_whisper.utils
import httpx
import huggingface_hub

from pipeline.contracts.errors import EngineError

NEEDED: Final = ("config.json", "model.bin", "tokenizer.json")
"""Without these a folder is no model; `vocabulary.*` comes on top."""
PROBE_DEADLINE_S: Final = 3.0
"""No answer in this time means no network."""
_READ_LIMIT_S: Final = 20.0
"""A download that sends nothing for so long has stalled."""
_CHUNK_BYTES: Final = 1 << 20

Progress = Callable[[int, int], None]
"""Told the bytes that are there and the bytes there will be."""


@dataclass(frozen=True, slots=True)
class RemoteFile:
    path: str
    size: int
    sha256: str
    """Empty where the hub states none (small files)."""


def find(model: str, models_dir: Path | None) -> Path | None:
    """The folder of a complete model: `model` itself if it is a path, `models_dir`, or the Hugging Face cache."""
    places = [Path(model)] if os.sep in model else []
    if models_dir is not None:
        places.append(models_dir / _folder_name(model))
    if cached := _cached(model):
        places.append(cached)
    return next((place for place in places if complete(place)), None)


def complete(folder: Path) -> bool:
    """All files are there, none is empty, and no download is under way in it."""
    if any(folder.glob("**/*.incomplete")) or not any(folder.glob("vocabulary.*")):
        return False
    return all((folder / name).is_file() and (folder / name).stat().st_size > 0 for name in NEEDED)


def reachable(url: str = "", deadline_s: float = PROBE_DEADLINE_S, connect: "Connect | None" = None) -> bool:
    """Whether a connection to the hub (or the proxy before it) comes about in time, name resolution included.

    A resolver cannot be interrupted, so the attempt runs in a daemon thread that is left to itself when time is up.
    """
    answered = threading.Event()
    address = _probe_address(url or huggingface_hub.constants.ENDPOINT)

    def attempt() -> None:
        try:
            (connect or _connect)(address, deadline_s)
        except OSError:
            return
        answered.set()

    thread = threading.Thread(target=attempt, name="network probe", daemon=True)
    thread.start()
    thread.join(deadline_s)
    return answered.is_set()


def fetch(model: str, models_dir: Path, progress: Progress, endpoint: str = "") -> Path:
    """Blocking. Returns the model's folder. Raises EngineError: unknown model, network trouble, files that are not what
    the hub states, no room on disk."""
    endpoint = endpoint or huggingface_hub.constants.ENDPOINT
    folder, unfinished = models_dir / _folder_name(model), models_dir / f"{_folder_name(model)}.partial"
    try:
        unfinished.mkdir(parents=True, exist_ok=True)
        with httpx.Client(base_url=endpoint, follow_redirects=True, timeout=_READ_LIMIT_S) as hub:
            _fetch_all(hub, repository(model), unfinished, progress)
        unfinished.rename(folder)
    except (httpx.HTTPError, OSError, KeyError, ValueError) as error:
        raise EngineError("asr", f"the weights of '{model}' could not be fetched: {error}") from error
    return folder


def repository(model: str) -> str:
    """The hub's name of a model. Raises EngineError for a size that does not exist."""
    if "/" in model:
        return model
    if model not in faster_whisper.utils._MODELS:
        sizes = ", ".join(faster_whisper.utils.available_models())
        raise EngineError("asr", f"there is no Whisper model '{model}'; choose a path or one of: {sizes}")
    return faster_whisper.utils._MODELS[model]


Connect = Callable[[tuple[str, int], float], None]


def _connect(address: tuple[str, int], deadline_s: float) -> None:
    socket.create_connection(address, timeout=deadline_s).close()


def _probe_address(url: str) -> tuple[str, int]:
    target = urllib.parse.urlsplit(url)
    proxy = urllib.request.getproxies().get(target.scheme)
    if proxy and not urllib.request.proxy_bypass(target.hostname or ""):
        target = urllib.parse.urlsplit(proxy if "//" in proxy else f"//{proxy}")
    return target.hostname or "", target.port or (443 if target.scheme == "https" else 80)


def _folder_name(model: str) -> str:
    return model.strip("/").replace("/", "--")


def _cached(model: str) -> Path | None:
    """Where the Hugging Face cache has it; its blobs appear there only when they are complete."""
    try:
        found = huggingface_hub.snapshot_download(repository(model), local_files_only=True)
    except (EngineError, OSError, ValueError):
        return None
    return Path(found)


def _fetch_all(hub: httpx.Client, name: str, folder: Path, progress: Progress) -> None:
    files = _listing(hub, name)
    whole = sum(file.size for file in files)
    for number, file in enumerate(files):
        before = sum(done.size for done in files[:number])
        _fetch_one(hub, name, file, folder, partial(_shifted, progress, before, whole))
    if not complete(folder):
        raise ValueError("the hub's repository lacks files that a model needs")


def _shifted(progress: Progress, before: int, whole: int, there: int) -> None:
    progress(before + there, whole)


def _listing(hub: httpx.Client, name: str) -> list[RemoteFile]:
    answer = hub.get(f"/api/models/{name}/tree/main").raise_for_status()
    entries: list[dict[str, Any]] = answer.json()
    wanted = {*NEEDED, "preprocessor_config.json"}
    return [
        RemoteFile(entry["path"], entry["size"], entry.get("lfs", {}).get("oid", ""))
        for entry in entries
        if entry["path"] in wanted or entry["path"].startswith("vocabulary.")
    ]


def _fetch_one(hub: httpx.Client, name: str, file: RemoteFile, folder: Path, progress: Callable[[int], None]) -> None:
    """Goes on where an earlier attempt stopped. A file that is not what was stated is removed: ValueError."""
    path = folder / Path(file.path).name
    there = path.stat().st_size if path.exists() else 0
    if there < file.size:
        there = _receive(hub, f"/{name}/resolve/main/{file.path}", path, there, progress)
    if there != file.size or (file.sha256 and _sha256(path) != file.sha256):
        path.unlink()
        raise ValueError(f"{file.path} is not what the hub states; the next start fetches it again")
    progress(there)


def _receive(hub: httpx.Client, url: str, path: Path, there: int, progress: Callable[[int], None]) -> int:
    with hub.stream("GET", url, headers={"Range": f"bytes={there}-"} if there else {}) as answer:
        answer.raise_for_status()
        resumed = answer.status_code == httpx.codes.PARTIAL_CONTENT
        there = there if resumed else 0
        with path.open("ab" if resumed else "wb") as out:
            for chunk in answer.iter_bytes(_CHUNK_BYTES):
                out.write(chunk)
                there += len(chunk)
                progress(there)
    return there


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
