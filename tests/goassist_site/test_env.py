import stat
import subprocess
import sys
from pathlib import Path

import pytest

from goassist_site import data_folder, handbook
from goassist_site.env import Env, SettingsError, load
from goassist_site.stores import channel_layer, database

ROOT = Path(__file__).parents[2]
PRODUCTION = {
    "GOASSIST_MODE": "distributed",
    "GOASSIST_SECRET_KEY": "mZ3kq8WnT0vYb5uE7rXc1sLd9fHg2jPa4oKi6QtU",
    "GOASSIST_ALLOWED_HOSTS": "voice.example.com",
    "GOASSIST_ORIGINS": "https://voice.example.com",
    "DATABASE_URL": "postgresql://go:secret@db:5432/goassist",
    "REDIS_URL": "redis://cache:6379/0",
}


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch):
    for name in Env.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def production(monkeypatch):
    for name, value in PRODUCTION.items():
        monkeypatch.setenv(name, value)


def test_nothing_needs_to_be_set():
    env = load()
    assert env.goassist_mode == "embedded"
    assert env.origins == ["http://127.0.0.1:8000", "http://localhost:8000"]
    assert not env.https
    assert env.engines()["llm"] == ("frontdesk", {})


def test_a_whole_production_environment_is_accepted(production):
    env = load()
    assert env.https
    assert env.goassist_allowed_hosts == ["voice.example.com"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GOASSIST_DEBUG", "true"),
        ("GOASSIST_SECRET_KEY", None),
        ("GOASSIST_SECRET_KEY", "short"),
        ("GOASSIST_SECRET_KEY", "a" * 60),
        ("GOASSIST_SECRET_KEY", "django-insecure-mZ3kq8WnT0vYb5uE7rXc1sLd9fHg2jPa4oKi6QtU"),
        ("GOASSIST_ALLOWED_HOSTS", "voice.example.com,*"),
        ("REDIS_URL", None),
        ("DATABASE_URL", None),
        ("DATABASE_URL", "sqlite:///goassist.sqlite3"),
        ("GOASSIST_ORIGINS", "http://voice.example.com"),
    ],
)
def test_production_refuses_what_is_unsafe(production, monkeypatch, name, value):
    monkeypatch.delenv(name) if value is None else monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=name):
        load()


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("PORT", "eight", "PORT"),
        ("PORT", "70000", "PORT"),
        ("LLM", "oracle", "frontdesk"),
        ("GOASSIST_ORIGINS", "voice.example.com", "scheme and host"),
        ("GOASSIST_ICE_SERVERS", "stun:host", "GOASSIST_ICE_SERVERS"),
        ("DATABASE_URL", "mysql://x", "postgresql://"),
        ("REDIS_URL", "http://x", "redis://"),
        ("GOASSIST_POOL", "No Such Pool", "GOASSIST_POOL"),
        ("GOASSIST_MEDIA_ADDRESSES", "127.0.0.1,eth0", "not an IP address"),
        ("GOASSIST_AUDIO_BIND", "eth0", "not an IP address"),
        ("GOASSIST_AUDIO_BIND", "0.0.0.0", "GOASSIST_AUDIO_ADDRESS must say"),
        ("GOASSIST_AUDIO_ADDRESS", "http://worker/", "GOASSIST_AUDIO_ADDRESS"),
        ("GOASSIST_TURN_URLS", "turn.example.com", "write turn:turn.example.com:3478"),
        ("GOASSIST_TURN_URLS", "turn:turn.example.com:3478", "GOASSIST_TURN_SECRET must be"),
        ("GOASSIST_TURN_SECRET", "x" * 40, "GOASSIST_TURN_URLS must name"),
        ("GOASSIST_FILES", "ftp://calls", "s3://bucket/folder"),
        ("GOASSIST_FILES", "s3://UPPER", "s3://bucket/folder"),
        ("GOASSIST_FILES_ENDPOINT", "minio.example.com", "must begin with https://"),
        ("GOASSIST_FILES_ACCESS_KEY", "key", "belong together"),
        ("GOASSIST_TURN_LIFETIME_S", "601", "GOASSIST_TURN_LIFETIME_S"),
    ],
)
def test_a_bad_setting_is_named(monkeypatch, name, value, words):
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=words):
        load()


@pytest.mark.parametrize(
    ("text", "bucket"),
    [
        ("", None),
        ("/srv/calls", None),
        ("s3://calls", ("calls", "")),
        ("s3://calls/go/assist/", ("calls", "go/assist")),
    ],
)
def test_files_lie_in_a_folder_or_in_a_bucket(monkeypatch, text, bucket):
    monkeypatch.setenv("GOASSIST_FILES", text)
    assert load().files_bucket == bucket


def test_a_bucket_without_its_library_is_said_at_the_start(monkeypatch):
    monkeypatch.setenv("GOASSIST_FILES", "s3://calls")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(SettingsError, match=r"requirements/s3\.txt"):
        load()


def test_a_relay_is_named_with_its_secret(monkeypatch):
    urls = ["turn:turn.example.com:3478", "turns:[2001:db8::1]:443?transport=tcp"]
    monkeypatch.setenv("GOASSIST_TURN_URLS", ",".join(urls))
    monkeypatch.setenv("GOASSIST_TURN_SECRET", "short")
    with pytest.raises(SettingsError, match="at least 32 characters"):
        load()
    monkeypatch.setenv("GOASSIST_TURN_SECRET", "k" * 64)
    assert load().goassist_turn_urls == urls
    assert "kkkk" not in repr(load())


def test_an_error_never_shows_a_secret(production, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "mysql://go:hunter2@db/x")
    with pytest.raises(SettingsError) as refused:
        load()
    assert "hunter2" not in str(refused.value)
    assert "hunter2" not in repr(Env.model_construct(database_url=Env.model_fields["database_url"].default))


def test_a_secret_may_come_from_a_file(monkeypatch, tmp_path):
    secret = tmp_path / "key"
    secret.write_text("from-a-file\n")
    monkeypatch.setenv("GOASSIST_SECRET_KEY_FILE", str(secret))
    assert load().secret_key == "from-a-file"
    monkeypatch.setenv("GOASSIST_SECRET_KEY", "from-the-environment")
    assert load().secret_key == "from-the-environment"


def test_a_secret_file_that_cannot_be_read_is_named(monkeypatch):
    monkeypatch.setenv("LLM_API_KEY_FILE", "/no/such/file")
    with pytest.raises(SettingsError, match="LLM_API_KEY_FILE"):
        load()


def test_the_embedded_secret_is_made_once_and_private(monkeypatch, tmp_path):
    monkeypatch.setenv("GOASSIST_DATA", str(tmp_path / "var"))
    first = load().secret_key
    assert len(first) >= 40
    assert load().secret_key == first
    kept = tmp_path / "var" / "secret_key"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert list(kept.parent.iterdir()) == [kept]


def test_a_second_process_wants_a_shared_layer(production):
    load().require_shared_layer("runpipeline")


def test_a_second_process_without_a_shared_layer_is_refused():
    with pytest.raises(SettingsError, match="REDIS_URL"):
        load().require_shared_layer("runpipeline")


def test_a_bad_setting_stops_the_start_without_a_traceback(monkeypatch, tmp_path):
    monkeypatch.setenv("GOASSIST_DATA", str(tmp_path))
    monkeypatch.setenv("GOASSIST_MODE", "distributed")
    done = subprocess.run(
        [sys.executable, "manage.py", "check"], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert "GOASSIST_SECRET_KEY must be set" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_handbook_lists_every_setting():
    assert (ROOT / "docs" / "configuration.md").read_text() == handbook.page()
    assert all(field.description for field in Env.model_fields.values())


def test_database_addresses(tmp_path):
    assert database("", tmp_path)["NAME"] == tmp_path / "goassist.sqlite3"
    assert database("sqlite:////srv/x.sqlite3", tmp_path)["NAME"] == Path("/srv/x.sqlite3")
    entry = database("postgresql://go:p%40ss@db:5433/name?sslmode=require", tmp_path)
    assert (entry["USER"], entry["PASSWORD"], entry["HOST"], entry["PORT"]) == ("go", "p@ss", "db", 5433)
    assert entry["OPTIONS"]["sslmode"] == "require"
    assert "Redis" in channel_layer("redis://x")["BACKEND"]
    assert "InMemory" in channel_layer("")["BACKEND"]


def test_calls_are_taken_on_the_addresses_that_are_named(monkeypatch):
    assert load().goassist_media_addresses == []
    monkeypatch.setenv("GOASSIST_MEDIA_ADDRESSES", "192.0.2.10, 2001:db8::10")
    assert load().goassist_media_addresses == ["192.0.2.10", "2001:db8::10"]


@pytest.mark.parametrize("asr", ["auto", "pocketsphinx"])
def test_language_models_are_kept_between_starts(monkeypatch, tmp_path, asr):
    monkeypatch.setenv("GOASSIST_DATA", str(tmp_path))
    monkeypatch.setenv("ASR", asr)
    folder = tmp_path / "models"
    kind, options = load().engines()["asr"]
    assert kind == asr
    assert options["models_dir"] == str(folder if asr == "auto" else folder / "language")


def test_the_turn_detectors_weights_are_kept_where_models_are(monkeypatch, tmp_path):
    assert load().engines()["turns"] == ("lexical", {})
    monkeypatch.setenv("GOASSIST_DATA", str(tmp_path))
    monkeypatch.setenv("TURNS", "smart-turn")
    monkeypatch.setenv("TURNS_MODEL", "/srv/turn.onnx")
    assert load().engines()["turns"] == (
        "smart-turn",
        {"model": "/srv/turn.onnx", "models_dir": str(tmp_path / "models")},
    )


def test_logs_go_to_a_file_where_one_person_runs_everything(production, monkeypatch):
    assert load().log_form == "json"
    monkeypatch.setenv("GOASSIST_LOG_FORMAT", "console")
    assert load().log_form == "console"
    monkeypatch.setenv("GOASSIST_MODE", "embedded")
    monkeypatch.delenv("GOASSIST_LOG_FORMAT")
    assert load().log_form == "file"


def test_a_new_data_folder_is_its_owners_only(tmp_path):
    data_folder.prepare(tmp_path / "data")
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700


def test_a_data_folder_that_cannot_be_written_is_said_in_words():
    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT, env={"GOASSIST_DATA": "/proc/nowhere"}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode != 0
    assert "GOASSIST_DATA: /proc/nowhere" in done.stderr
    assert "Traceback" not in done.stderr
