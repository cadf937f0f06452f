"""What the host hands to every session of its worker."""

from dataclasses import dataclass

from pipeline.core.ports import Engines, Journal, Load, Meter, Publisher


@dataclass(frozen=True, slots=True)
class Surroundings:
    worker: str
    engines: Engines
    journal: Journal
    publisher: Publisher
    meter: Meter
    load: Load
