"""Every setting that the environment may change, checked at start. docs/configuration.md lists them; a test holds it.

Secrets may also come from a file: NAME_FILE gives the file's path (as Docker and Kubernetes mount them).
"""

from ipaddress import ip_address
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings.exceptions import SettingsError as UnreadableSetting

from goassist_site import data_folder
from goassist_site.env_files import FilesEnv
from goassist_site.env_mail import MailEnv
from goassist_site.env_turn import TurnEnv
from goassist_site.network_texts import AddressList, Bind, CommaList, NetworkList, OriginList
from goassist_site.production import MIN_SECRET_CHARS, production_problems
from goassist_site.secret_files import SecretFiles, SettingsError
from pipeline.contracts.numbers import CHATS_PER_MINUTE, OFFERS_PER_MINUTE, SESSIONS_PER_MINUTE

POOL_PATTERN = r"^[a-z0-9][a-z0-9-]{0,40}$"


class Env(MailEnv, TurnEnv, FilesEnv, BaseSettings):
    """Field name = variable name in lower case; our own names carry the prefix GOASSIST_."""

    model_config = SettingsConfigDict(extra="ignore", env_prefix="", validate_default=True)

    # Where and how it runs.
    goassist_mode: Literal["embedded", "distributed"] = Field(
        "embedded",
        description="`embedded`: everything in one process, nothing else installed. `distributed` (production): web, "
        "workers and Celery as processes of their own, against PostgreSQL and Redis.",
    )
    port: int = Field(8000, ge=1, le=65535, description="TCP port of the web server.")
    goassist_bind: str = Field("127.0.0.1", description="Address the web server listens on.")
    goassist_data: Path = Field(Path("var"), description="Folder for database, journal, models, media and logs.")
    goassist_debug: bool = Field(False, description="Django's debug pages. Refused in distributed mode.")
    goassist_log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="Least level logged.")
    goassist_log_format: Literal["auto", "file", "json", "console"] = Field(
        "auto",
        description="`file`: one JSON object a line in `$GOASSIST_DATA/logs/goassist.log` (50 MB at most, the oldest "
        "goes first), and warnings on the terminal. `json`, `console` (for eyes): everything on standard error. "
        "`auto`: `file` in embedded mode, `json` in distributed.",
    )

    # Who may speak to it.
    goassist_secret_key: SecretStr = Field(
        SecretStr(""),
        description=f"Signs sessions and tokens; at least {MIN_SECRET_CHARS} characters. Embedded mode makes one at "
        "first start and keeps it in `$GOASSIST_DATA/secret_key`.",
    )
    goassist_allowed_hosts: CommaList = Field(
        ["localhost", "127.0.0.1", "[::1]"],
        description="Host names that requests may carry, separated by commas. `*` is refused in distributed mode.",
    )
    goassist_origins: OriginList = Field(
        [],
        description="The installation's own origins, separated by commas (`https://voice.example.com`). Empty: "
        "`http://127.0.0.1:$PORT` and `http://localhost:$PORT`. Browser keys that name no origins work only here.",
    )
    goassist_operator_second_factor: bool = Field(
        False,
        description="Operators set up an authenticator app or passkey before they see the console. (Tenants say for "
        "themselves whether their members must.)",
    )
    goassist_metrics_token: SecretStr = Field(
        SecretStr(""),
        description="Bearer token that opens /metrics. Empty: /metrics answers this machine's own address only.",
    )

    # Stores.
    database_url: SecretStr = Field(
        SecretStr(""),
        description="`postgresql://user:password@host:5432/name` or `sqlite:///path`. Empty: SQLite in "
        "`$GOASSIST_DATA`. Distributed mode wants PostgreSQL.",
    )
    redis_url: SecretStr = Field(
        SecretStr(""),
        description="`redis://host:6379/0`: channel layer, Celery broker and cache. Empty: in memory, one process.",
    )

    # What it may call.
    goassist_outgoing_networks: NetworkList = Field(
        [],
        description="Private networks (`10.1.0.0/16`) that addresses written by tenants may lead to, separated by "
        "commas. Empty: public addresses only.",
    )

    # The machine.
    goassist_seats: int = Field(8, ge=1, le=1000, description="Sessions that one worker takes at a time.")
    goassist_pool: str = Field("default", pattern=POOL_PATTERN, description="Pool a worker serves.")
    worker_http_port: int = Field(
        0, ge=0, le=65535, description="Port of a worker's own /healthz, /readyz and /metrics on 127.0.0.1; 0: none."
    )
    goassist_drain_s: float = Field(30.0, ge=0, le=3600, description="Seconds a draining worker lets its sessions end.")
    goassist_media_addresses: AddressList = Field(
        [],
        description="This machine's IP addresses on which a worker takes calls, separated by commas. Empty: all of "
        "its own, except loopback.",
    )
    goassist_audio_bind: Bind = Field(
        "",
        description="IP address on which a worker takes the sound of visitors whose network blocks UDP, from web "
        "processes on other machines. Empty: a unix socket in `$GOASSIST_DATA/audio`, for web and worker on one.",
    )
    goassist_audio_port: int = Field(
        0, ge=0, le=65535, description="First TCP port for it: a worker takes the first of 64 that is free. 0: any."
    )
    goassist_audio_address: str = Field(
        "",
        pattern=r"^[A-Za-z0-9.:\[\]_-]*$",
        description="What web processes connect to, `host` or `host:port`. Empty: `GOASSIST_AUDIO_BIND` and its port.",
    )
    goassist_ice_servers: list[dict[str, Any]] = Field(
        [],
        description='STUN and TURN servers as JSON, in the browser\'s form: `[{"urls": "turn:host:3478", "username": '
        '"u", "credential": "c"}]`, for visitors and workers alike. Empty: none. A relay of your own is better '
        "named in `GOASSIST_TURN_URLS`.",
    )

    # Engines, by kind.
    vad: Literal["silero", "scripted"] = Field("silero", description="Voice activity detection.")
    asr: Literal["auto", "pocketsphinx", "faster-whisper", "scripted"] = Field(
        "auto", description="Speech recognition. `auto`: faster-whisper when its weights are there, else pocketsphinx."
    )
    turns: Literal["lexical", "smart-turn", "scripted"] = Field("lexical", description="Has the visitor finished.")
    llm: Literal["frontdesk", "openai", "scripted"] = Field(
        "frontdesk", description="Language. `openai`: any server that speaks the OpenAI chat API (vLLM)."
    )
    tts: Literal["espeak", "scripted"] = Field("espeak", description="Speech synthesis.")
    face: Literal["phoneme", "scripted"] = Field("phoneme", description="Face animation.")
    asr_model: str = Field("base.en", description="faster-whisper model: a size, or the path of a folder.")
    turns_model: str = Field("", description="Path of Smart Turn's ONNX file; empty: from the Hugging Face hub.")
    llm_base_url: str = Field("http://127.0.0.1:8001/v1", description="Address of the OpenAI-compatible server.")
    llm_model: str = Field("", description="Model name to ask that server for; empty: the first one it lists.")
    llm_api_key: SecretStr = Field(SecretStr(""), description="Bearer key for that server, if it wants one.")

    # Limits.
    goassist_token_minutes: int = Field(70, ge=1, le=1440, description="How long a browser's session token is good.")
    goassist_sessions_per_minute: int = Field(
        SESSIONS_PER_MINUTE, ge=1, description="Session creations a minute, per publishable key and visitor address."
    )
    goassist_chats_per_minute: int = Field(
        CHATS_PER_MINUTE, ge=1, description="Chat messages a minute, per session, and per key and visitor address."
    )
    goassist_offers_per_minute: int = Field(
        OFFERS_PER_MINUTE, ge=1, description="WebRTC offers a minute, per session, and per key and visitor address."
    )
    goassist_queue_length: int = Field(
        20,
        ge=0,
        le=10_000,
        description="Visitors that wait for a seat at a time; 0: none, a full house refuses.",
    )
    goassist_queue_wait_s: float = Field(300.0, ge=0, le=3600, description="Seconds that one of them waits at most.")
    goassist_trusted_proxies: int = Field(
        0, ge=0, le=5, description="Reverse proxies in front, whose X-Forwarded-For and X-Forwarded-Proto are believed."
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, SecretFiles(settings_cls)

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, url: SecretStr) -> SecretStr:
        schemes = {"postgres", "postgresql", "sqlite"}
        if url.get_secret_value() and urlsplit(url.get_secret_value()).scheme not in schemes:
            raise ValueError("write postgresql://user:password@host:5432/name or sqlite:///path")
        return url

    @field_validator("redis_url")
    @classmethod
    def _known_redis(cls, url: SecretStr) -> SecretStr:
        if url.get_secret_value() and urlsplit(url.get_secret_value()).scheme not in {"redis", "rediss", "unix"}:
            raise ValueError("write redis://host:6379/0")
        return url

    @model_validator(mode="after")
    def _fit_for_production(self) -> Self:
        if self.goassist_mode == "distributed":
            problems = list(production_problems(self))
            if problems:
                raise ValueError("\n".join(problems))
        return self

    @model_validator(mode="after")
    def _audio_can_be_reached(self) -> Self:
        bind = self.goassist_audio_bind
        if bind and ip_address(bind).is_unspecified and not self.goassist_audio_address:
            raise ValueError(
                "GOASSIST_AUDIO_ADDRESS must say how web processes reach this machine when GOASSIST_AUDIO_BIND is "
                "all of its addresses: a host name, or an IP address."
            )
        return self

    @property
    def origins(self) -> list[str]:
        return self.goassist_origins or [f"http://127.0.0.1:{self.port}", f"http://localhost:{self.port}"]

    @property
    def https(self) -> bool:
        """Served behind TLS: cookies are Secure, HSTS is sent."""
        return all(origin.startswith("https://") for origin in self.origins)

    @property
    def log_form(self) -> Literal["file", "json", "console"]:
        if self.goassist_log_format == "auto":
            return "file" if self.goassist_mode == "embedded" else "json"
        return self.goassist_log_format

    @property
    def secret_key(self) -> str:
        return self.goassist_secret_key.get_secret_value() or data_folder.kept_secret(self.goassist_data / "secret_key")

    def engines(self) -> dict[str, tuple[str, dict[str, Any]]]:
        """Port → (kind, options of its constructor), as `WorkerSettings.engines` wants it."""
        models = self.goassist_data.resolve() / "models"
        whisper = {"model": self.asr_model, "models_dir": str(models)}
        # Where `auto` keeps them, too: a language model is built once for each version, not once for each start.
        ears = {"auto": whisper, "faster-whisper": whisper, "pocketsphinx": {"models_dir": str(models / "language")}}
        judge = {"model": self.turns_model, "models_dir": str(models)}
        key = self.llm_api_key.get_secret_value()
        server = {"base_url": self.llm_base_url, "model": self.llm_model, "api_key": key}
        return {
            "vad": (self.vad, {}),
            "asr": (self.asr, ears.get(self.asr, {})),
            "turns": (self.turns, judge if self.turns == "smart-turn" else {}),
            "llm": (self.llm, server if self.llm == "openai" else {}),
            "tts": (self.tts, {}),
            "face": (self.face, {}),
            "retriever": ("lexical", {}),
        }

    def secrets(self) -> list[str]:
        """What no log may show: the secrets that are set (of addresses, the password)."""
        values = (value for _, value in self if isinstance(value, SecretStr))
        texts = [value.get_secret_value() for value in values]
        return [urlsplit(text).password or "" if "://" in text else text for text in (*texts, self.secret_key)]

    def require_shared_layer(self, command: str) -> None:
        """For commands that are a second process. Raises SettingsError when processes could not hear one another."""
        if not self.redis_url.get_secret_value():
            raise SettingsError(
                f"{command} is a process of its own and needs a channel layer that processes share: set REDIS_URL "
                "(and GOASSIST_MODE=distributed), or use `manage.py runembedded`, which runs everything in one process."
            )


def load() -> Env:
    """Raises SettingsError with one line per problem."""
    try:
        return Env()
    except ValidationError as error:
        raise SettingsError("\n".join(_in_words(e) for e in error.errors())) from error
    except UnreadableSetting as error:
        name = str(error).partition('"')[2].partition('"')[0].upper()
        raise SettingsError(f"{name}: not valid JSON: {error.__cause__}") from error


def _in_words(error: Any) -> str:
    text = str(error["msg"]).removeprefix("Value error, ")
    return f"{str(error['loc'][0]).upper()}: {text}" if error["loc"] else text


def load_or_exit() -> Env:
    """For the project's entry points: a bad setting ends the start in words, without a traceback."""
    try:
        env = load()
        data_folder.prepare(env.goassist_data)
        return env
    except SettingsError as error:
        raise SystemExit(
            f"GoAssist cannot start, its settings need mending (docs/configuration.md):\n{error}"
        ) from None
    except OSError as error:
        raise SystemExit(
            f"GOASSIST_DATA: {error.filename or env.goassist_data} cannot be written ({error.strerror}). "
            "Name another folder."
        ) from None
