import hashlib
import http.server
import json
import threading
from functools import partial

import pytest

from pipeline.contracts.errors import EngineError
from pipeline.engines import weights
from tests.pipeline.engines.tiny_whisper import make_tiny_whisper

REPOSITORY = "Systran/faster-whisper-tiny.en"


class Hub(http.server.BaseHTTPRequestHandler):
    """The two requests of the Hugging Face hub that we make."""

    def __init__(self, files, asked, *args):
        self.files, self.asked = files, asked
        super().__init__(*args)

    def do_GET(self):
        self.asked.append((self.path, self.headers.get("Range")))
        name = self.path.rsplit("/", 1)[-1]
        if self.path == f"/api/models/{REPOSITORY}/tree/main":
            self._send(200, json.dumps([self._entry(n, stated) for n, (_, stated) in self.files.items()]).encode())
        elif self.path == f"/{REPOSITORY}/resolve/main/{name}" and name in self.files:
            body = self.files[name][0]
            start = int((self.headers.get("Range") or "bytes=0-")[6:-1])
            self._send(206 if start else 200, body[start:])
        else:
            self._send(404, b"")

    def _entry(self, name, stated):
        entry = {"path": name, "size": len(stated), "type": "file"}
        if name == "model.bin":
            entry["lfs"] = {"oid": hashlib.sha256(stated).hexdigest()}
        return entry

    def _send(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        """Quiet."""


class HubServer:
    """`files`: name to (bytes it sends, bytes it states)."""

    def __init__(self, files):
        self.files, self.asked = files, []
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Hub, self.files, self.asked))
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *exc):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def model_files(tmp_path):
    folder = make_tiny_whisper(tmp_path / "made")
    return {path.name: (path.read_bytes(), path.read_bytes()) for path in folder.iterdir()}


@pytest.fixture(autouse=True)
def empty_hub_cache(tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(weights, "_cached", lambda model: None)


def nothing(there, whole):
    """A progress that nobody watches."""


def test_a_fetched_model_is_whole_and_found_again(model_files, tmp_path):
    told = []
    with HubServer(model_files) as hub:
        folder = weights.fetch("tiny.en", tmp_path / "models", lambda *seen: told.append(seen), hub.url)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {n: b for n, (b, _) in model_files.items()}
    assert weights.find("tiny.en", tmp_path / "models") == folder
    whole = sum(len(body) for body, _ in model_files.values())
    assert told[-1] == (whole, whole)
    assert [there for there, _ in told] == sorted(there for there, _ in told)


def test_a_fetch_goes_on_where_the_last_one_stopped(model_files, tmp_path):
    unfinished = tmp_path / "tiny.en.partial"
    unfinished.mkdir()
    (unfinished / "model.bin").write_bytes(model_files["model.bin"][0][:1000])
    with HubServer(model_files) as hub:
        folder = weights.fetch("tiny.en", tmp_path, nothing, hub.url)
        assert (f"/{REPOSITORY}/resolve/main/model.bin", "bytes=1000-") in hub.asked
    assert (folder / "model.bin").read_bytes() == model_files["model.bin"][0]


@pytest.mark.parametrize("broken", [lambda good: good[:-10], lambda good: b"x" + good[1:]], ids=["short", "changed"])
def test_a_broken_download_is_not_used_and_the_next_start_mends_it(model_files, tmp_path, broken):
    good = model_files["model.bin"][0]
    with (
        HubServer(model_files | {"model.bin": (broken(good), good)}) as hub,
        pytest.raises(EngineError, match="states"),
    ):
        weights.fetch("tiny.en", tmp_path, nothing, hub.url)
    assert weights.find("tiny.en", tmp_path) is None
    with HubServer(model_files) as hub:
        assert weights.fetch("tiny.en", tmp_path, nothing, hub.url) == weights.find("tiny.en", tmp_path)


def test_a_repository_that_lacks_a_needed_file_is_refused(model_files, tmp_path):
    del model_files["tokenizer.json"]
    with HubServer(model_files) as hub, pytest.raises(EngineError, match="lacks"):
        weights.fetch("tiny.en", tmp_path, nothing, hub.url)


def test_a_hub_that_does_not_know_the_model_is_an_engine_error(tmp_path):
    with HubServer({}) as hub, pytest.raises(EngineError, match="could not be fetched"):
        weights.fetch("someone/else", tmp_path, nothing, hub.url)


def test_a_size_that_does_not_exist_is_refused_with_those_that_do():
    with pytest.raises(EngineError, match=r"base\.en"):
        weights.repository("gigantic")


@pytest.mark.parametrize("name", [*weights.NEEDED, "vocabulary.json"])
def test_a_folder_that_lacks_a_file_is_no_model(tmp_path, name):
    folder = make_tiny_whisper(tmp_path)
    assert weights.complete(folder)
    (folder / name).unlink()
    assert not weights.complete(folder)


def test_a_folder_with_a_download_under_way_is_no_model(tmp_path):
    folder = make_tiny_whisper(tmp_path)
    (folder / "model.bin.incomplete").touch()
    assert not weights.complete(folder)


def test_a_path_is_taken_as_it_is(tmp_path):
    assert weights.find(str(make_tiny_whisper(tmp_path / "mine")), None) == tmp_path / "mine"


def test_the_network_is_there_when_something_answers():
    with HubServer({}) as hub:
        assert weights.reachable(hub.url)


def test_a_refused_connection_is_no_network():
    with HubServer({}) as hub:
        closed = hub.url
    assert not weights.reachable(closed)


def test_a_resolver_that_hangs_is_given_up_at_the_deadline():
    released = threading.Event()
    try:
        assert not weights.reachable("http://nowhere.example", 0.05, lambda address, deadline_s: released.wait())
    finally:
        released.set()


def test_behind_a_proxy_it_is_the_proxy_that_is_asked(monkeypatch):
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    monkeypatch.setenv("no_proxy", "")
    asked = []
    assert weights.reachable("https://hub.example", 1.0, lambda address, deadline_s: asked.append(address))
    assert asked == [("proxy.example", 3128)]
