"""Where things are kept: database, channel layer, cache and files, from the addresses the environment gives."""

from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from goassist_site.env_files import FilesEnv

SQLITE_OPTIONS = {
    "timeout": 20,
    # Writers wait for one another at BEGIN instead of failing in the middle of a transaction.
    "transaction_mode": "IMMEDIATE",
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
}
CAPACITY = {
    # One Redis capacity holds for all consumers of a web process, and full channels drop silently: leave room for
    # ten batches of face frames a second for each watcher.
    "capacity": 1000,
    "expiry": 60,
}
# Offers wait seconds at most (they carry a deadline): a long queue is a full house. (The in-memory layer of channels
# 4.3 cannot read patterns.)
OFFERS_CAPACITY = {"pipeline.offers*": 200}


def database(url: str, data_dir: Path) -> dict[str, Any]:
    """Django's DATABASES entry. Without a URL: SQLite (WAL) in the data folder."""
    parts = urlsplit(url)
    if parts.scheme in {"postgres", "postgresql"}:
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": unquote(parts.path.lstrip("/")),
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            "HOST": parts.hostname or "",
            "PORT": parts.port or "",
            "OPTIONS": {"connect_timeout": 5, **dict(parse_qsl(parts.query))},
            # Each statement is a transaction of its own unless one is open (tenants.walls): no cursor outlives it.
            "DISABLE_SERVER_SIDE_CURSORS": True,
        }
    # sqlite:///relative and sqlite:////absolute, as everybody writes them.
    path = Path(parts.path[1:]) if parts.scheme == "sqlite" else data_dir / "goassist.sqlite3"
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": path,
        "OPTIONS": dict(SQLITE_OPTIONS),
        # A file, so that tests run under the same locking as the product.
        "TEST": {"NAME": data_dir / "test.sqlite3"},
    }


def channel_layer(redis_url: str) -> dict[str, Any]:
    if not redis_url:
        return {"BACKEND": "channels.layers.InMemoryChannelLayer", "CONFIG": dict(CAPACITY)}
    return {
        "BACKEND": "channels_redis.core.RedisChannelLayer",
        # Receivers wait in Redis for 5 s at a time; a client that gives up after the same 5 s would often see it away.
        # Of many pooled connections each notices a restarted Redis only when it is used: it gets a second try.
        "CONFIG": {
            "hosts": [{"address": redis_url, "socket_timeout": 20, "retry": Retry(NoBackoff(), 1)}],
            "prefix": "goassist",
            "channel_capacity": OFFERS_CAPACITY,
            **CAPACITY,
        },
    }


def cache(redis_url: str) -> dict[str, Any]:
    if not redis_url:
        return {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    return {"BACKEND": "goassist_site.caches.RedisOrOwn", "LOCATION": redis_url, "KEY_PREFIX": "goassist"}


def files(env: FilesEnv, data_dir: Path) -> dict[str, Any]:
    """Django's STORAGES entry for what tenants keep. Nobody reads it by an address of its own: pages and API hand
    files out, to whoever may have them."""
    if (place := env.files_bucket) is None:
        folder = Path(env.goassist_files) if env.goassist_files else data_dir / "files"
        return {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {
                "location": folder.absolute(),
                "base_url": None,
                "file_permissions_mode": 0o600,
                "directory_permissions_mode": 0o700,
            },
        }
    given = {
        "endpoint_url": env.goassist_files_endpoint,
        "region_name": env.goassist_files_region,
        "access_key": env.goassist_files_access_key.get_secret_value(),
        "secret_key": env.goassist_files_secret_key.get_secret_value(),
    }
    return {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": place[0],
            "location": place[1],
            "file_overwrite": False,
            "default_acl": None,
            "addressing_style": "path" if env.goassist_files_endpoint else "auto",
            **{name: value for name, value in given.items() if value},
        },
    }
