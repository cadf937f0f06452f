"""Logs: one JSON object a line, from structlog and the standard library alike.

Request ids come from django-structlog's middleware, session ids from whoever binds `session_id`. Secrets are taken out
last, when a line is whole but for its form: whoever logged it, and exceptions with it.
"""

import logging.config
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

import structlog
import structlog.tracebacks

from goassist_site.log_expiry import forget_old
from sessions_app.tenants.secrets import Redactor

Form = Literal["file", "json", "console"]
"""file: JSON in a file, and warnings for eyes on standard error. json, console: everything on standard error."""

FILE_BYTES = 10_000_000
OLD_FILES = 4
EXPIRING = "pipeline.core.scos"
"""This logger's lines are of level debug and must be gone after seven days (product contract, section 7). They go to a
file of their own that sees to it, and nowhere else: of standard error nobody here knows how long it is kept."""
EXPIRING_FILE = "goassist-signals.log"
SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.stdlib.PositionalArgumentsFormatter(),
    structlog.stdlib.ExtraAdder(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def configure(level: str, form: Form, folder: Path, secrets: Iterable[str] = ()) -> None:
    """`level`: the least that is logged. `folder`: where the files of form `file` lie. `secrets`: the installation's
    own, which no line shows."""
    redactor = Redactor(secrets)
    expiring = form == "file" and level == "DEBUG"
    if not expiring:
        forget_old(folder / EXPIRING_FILE, kept_s=0.0)
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"json": _formatter(*_json(redactor)), "console": _formatter(*_console(redactor))},
            "handlers": _handlers(form, folder, expiring=expiring),
            "root": {"handlers": ["file", "stderr"] if form == "file" else ["stderr"], "level": level},
            "loggers": {
                # Each line per request or per packet: django-structlog has its own, and the rest is noise.
                "django.request": {"level": "ERROR"},
                "django.security.DisallowedHost": {"level": "CRITICAL"},
                "django.server": {"level": "WARNING"},
                "daphne": {"level": "WARNING"},
                "aioice": {"level": "WARNING"},
                "aiortc": {"level": "WARNING"},
                "httpx": {"level": "WARNING"},
                EXPIRING: {"handlers": ["expiring"] if expiring else ["nowhere"], "propagate": False},
            },
        }
    )
    structlog.configure(
        processors=[*SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def _handlers(form: Form, folder: Path, *, expiring: bool = False) -> dict[str, Any]:
    nowhere = {"class": "logging.NullHandler"}
    if form != "file":
        return {"stderr": {"class": "logging.StreamHandler", "formatter": form}, "nowhere": nowhere}
    file = {
        "class": "logging.handlers.RotatingFileHandler",
        "filename": folder / "goassist.log",
        "maxBytes": FILE_BYTES,
        "backupCount": OLD_FILES,
        "encoding": "utf-8",
        "delay": True,
        "formatter": "json",
    }
    terminal = {"class": "logging.StreamHandler", "formatter": "console", "level": "WARNING"}
    if not expiring:
        return {"file": file, "stderr": terminal, "nowhere": nowhere}
    signals = {
        "()": "goassist_site.log_expiry.ExpiringFileHandler",
        "filename": folder / EXPIRING_FILE,
        "formatter": "json",
    }
    return {"file": file, "stderr": terminal, "expiring": signals}


def _formatter(*final: Any) -> dict[str, Any]:
    return {
        "()": structlog.stdlib.ProcessorFormatter,
        "foreign_pre_chain": SHARED,
        "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *final],
    }


def _json(redactor: Redactor) -> tuple[Any, ...]:
    # Without local variables: they hold keys, tokens and what visitors said.
    tracebacks = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
    return structlog.processors.ExceptionRenderer(tracebacks), _redacted(redactor), structlog.processors.JSONRenderer()


def _console(redactor: Redactor) -> tuple[Any, ...]:
    renderer = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    # Before, because in a line's final form a secret may follow an escape; after, because tracebacks come with it.
    return _redacted(redactor), renderer, lambda logger, method, line: redactor.text(line)


def _redacted(redactor: Redactor) -> Any:
    kept = {"exc_info", "stack_info"}

    def redact(logger: Any, method: str, event: dict[str, Any]) -> dict[str, Any]:
        clean = redactor.value({name: value for name, value in event.items() if name not in kept})
        return {**clean, **{name: event[name] for name in kept if name in event}}

    return redact
