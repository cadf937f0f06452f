"""Is this web process well? Alive: its loop turns. Ready: what it depends on answers. Metrics for Prometheus.

Who ties "alive" to a database is restarted when the database is; so `/healthz` asks nobody.
"""

import asyncio
import hmac
import time
from collections.abc import Awaitable, Callable
from ipaddress import ip_address

import prometheus_client
import structlog
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from redis.exceptions import RedisError

from sessions_app import switchboard
from sessions_app.history.models import Session, SessionState
from sessions_app.operations import backlog
from sessions_app.tenants.scope import everyone

log = structlog.get_logger(__name__)

CHECK_LIMIT_S = 2.0
STARTED_AT = time.time()
Check = Callable[[], Awaitable[str]]


async def healthz(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"status": "ok"})


async def readyz(request: HttpRequest) -> HttpResponse:
    """200 when every dependency answers, 503 with the ones that do not."""
    checks = await run_checks()
    ready = all(text == "ok" for text in checks.values())
    return JsonResponse({"status": "ok" if ready else "not ready", "checks": checks}, status=200 if ready else 503)


async def health(request: HttpRequest) -> HttpResponse:
    """For staff: the checks with times, and what is going on. Everybody else is told that there is nothing here."""
    user = await request.auser()
    if not (user.is_active and user.is_staff and user.is_superuser):
        raise Http404
    started = time.perf_counter()
    checks = await run_checks()
    detail = {
        "checks": checks,
        "checked_in_ms": round((time.perf_counter() - started) * 1000, 1),
        "uptime_s": round(time.time() - STARTED_AT, 1),
        "mode": settings.GOASSIST.goassist_mode,
        "sessions": await sync_to_async(_session_counts)() if checks["database"] == "ok" else None,
        "workers": [report.to_wire() for report in await switchboard.muster()],
    }
    return JsonResponse(detail, status=200 if all(text == "ok" for text in checks.values()) else 503)


def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus text. For this machine only, or for who holds GOASSIST_METRICS_TOKEN."""
    if not may_read_metrics(request):
        raise Http404
    text = prometheus_client.generate_latest() + prometheus_client.generate_latest(backlog.REGISTRY)
    return HttpResponse(text, content_type=prometheus_client.CONTENT_TYPE_LATEST)


def may_read_metrics(request: HttpRequest) -> bool:
    """With a token set, only that opens; without one, only loopback and only when no proxy stands in between."""
    token = settings.GOASSIST.goassist_metrics_token.get_secret_value()
    if token:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return hmac.compare_digest(given.encode(), token.encode())
    if "X-Forwarded-For" in request.headers or "Forwarded" in request.headers:
        return False
    try:
        return ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False


async def run_checks() -> dict[str, str]:
    """Name of each dependency → "ok", or what is wrong in words that give nothing away."""
    checks: dict[str, Check] = {"database": _database, "migrations": _migrations, "channel_layer": _layer}
    return dict(zip(checks, await asyncio.gather(*map(_checked, checks, checks.values())), strict=True))


async def _checked(name: str, check: Check) -> str:
    try:
        return await asyncio.wait_for(check(), CHECK_LIMIT_S)
    except TimeoutError:
        return "does not answer"
    except (DatabaseError, RedisError, OSError) as error:
        log.warning("dependency_away", dependency=name, error=type(error).__name__)
        return "cannot be reached"


async def _database() -> str:
    await sync_to_async(_select_one)()
    return "ok"


def _select_one() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


_all_applied = False


async def _migrations() -> str:
    """Asked until the answer is yes: a running process does not lose migrations again."""
    global _all_applied
    _all_applied = _all_applied or not await sync_to_async(_pending_migrations)()
    return "ok" if _all_applied else "not applied yet: run `manage.py migrate`"


def _pending_migrations() -> bool:
    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


async def _layer() -> str:
    layer = get_channel_layer()
    channel = await layer.new_channel()
    await layer.send(channel, {"type": "ready"})
    await layer.receive(channel)
    return "ok"


def _session_counts() -> dict[str, int]:
    with everyone():
        states = (SessionState.NEW, SessionState.LIVE)
        return {str(state): Session.objects.filter(state=state).count() for state in states}
