"""What the server spends, read from its own Prometheus pages."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import httpx

SAMPLE_EVERY_S = 2.0
READ_LIMIT_S = 5.0
_WANTED = ("process_cpu_seconds_total", "process_resident_memory_bytes", "process_start_time_seconds")


@dataclass(frozen=True, slots=True)
class Sample:
    """Sums over all processes that were asked."""

    at_s: float
    """Since the run began."""
    cpu_s: float
    memory_mb: float


@dataclass(slots=True)
class Spent:
    """Samples of a run."""

    samples: list[Sample] = field(default_factory=list)
    restarts: int = 0
    """A process said another start time than before."""
    unanswered: int = 0
    """Times that at least one page could not be read."""

    def memory(self, since_s: float = 0.0) -> list[tuple[float, float]]:
        """(seconds, MB)."""
        return [(s.at_s, s.memory_mb) for s in self.samples if s.at_s >= since_s]

    def cpu_percent(self, since_s: float = 0.0) -> list[tuple[float, float]]:
        """(seconds, percent of one core) between each sample and the one before."""
        pairs = zip(self.samples, self.samples[1:], strict=False)
        return [
            (b.at_s, max(0.0, b.cpu_s - a.cpu_s) / (b.at_s - a.at_s) * 100)
            for a, b in pairs
            if a.at_s >= since_s and b.at_s > a.at_s
        ]


def parse(page: str) -> dict[str, float]:
    """The process figures of a page in Prometheus' text format; names that are not there are left out."""
    found = {}
    for line in page.splitlines():
        name, _, value = line.partition(" ")
        if name in _WANTED:
            found[name] = float(value)
    return found


async def watch(urls: Sequence[str], spent: Spent) -> None:
    """Sample until cancelled. A page that does not answer is counted; the run goes on."""
    began_s = time.monotonic()
    started: dict[str, float] = {}
    async with httpx.AsyncClient(timeout=READ_LIMIT_S) as http:
        while urls:
            await _sample(http, urls, spent, started, began_s)
            await asyncio.sleep(SAMPLE_EVERY_S)


async def _sample(
    http: httpx.AsyncClient, urls: Sequence[str], spent: Spent, started: dict[str, float], began_s: float
) -> None:
    try:
        pages = {url: parse((await http.get(url)).raise_for_status().text) for url in urls}
        cpu_s = sum(page["process_cpu_seconds_total"] for page in pages.values())
        memory = sum(page["process_resident_memory_bytes"] for page in pages.values())
    except (httpx.HTTPError, KeyError, ValueError):
        spent.unanswered += 1
        return
    for url, page in pages.items():
        start = page.get("process_start_time_seconds", 0.0)
        spent.restarts += started.setdefault(url, start) != start
        started[url] = start
    spent.samples.append(Sample(round(time.monotonic() - began_s, 2), cpu_s, memory / 1e6))
