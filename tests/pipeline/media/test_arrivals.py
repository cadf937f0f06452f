import random
from dataclasses import dataclass
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.media.arrivals import HOLD_S, REORDER_PACKETS, RESTART, Arrivals


@dataclass
class Packet:
    sequence_number: int
    timestamp: int
    ssrc: int = 7
    payload: bytes = b"opus"


class Sink:
    """Keeps what comes, as (what, number)."""

    def __init__(self) -> None:
        self.came: list[tuple[str, int]] = []

    def restart(self) -> None:
        self.came.append(("restart", 0))

    def packet(self, timestamp: int, payload: bytes) -> None:
        self.came.append(("packet", timestamp // 960))

    def lost(self, count: int, timestamp: int, payload: bytes) -> None:
        self.came.append(("lost", count))

    def numbers(self) -> list[int]:
        return [number for what, number in self.came if what == "packet"]


def packet(number: int, ssrc: int = 7) -> Packet:
    return Packet(number & 0xFFFF, number * 960, ssrc)


def brought(numbers: list[int], first_s: float = 0.0) -> tuple[Arrivals, Sink]:
    """So many packets in this order, 20 ms apart."""
    sink = Sink()
    arrivals = Arrivals(sink)
    for place, number in enumerate(numbers):
        arrivals.add(packet(number), first_s + place * 0.02)
    return arrivals, sink


def test_each_packet_comes_out_as_it_comes_in():
    arrivals, sink = brought([5, 6, 7])
    assert sink.came == [("restart", 0), ("packet", 5), ("packet", 6), ("packet", 7)]
    assert (arrivals.packets_in, arrivals.packets_lost, arrivals.longest_delay_ms) == (3, 0, 0)


def test_two_packets_that_changed_places_are_put_right():
    arrivals, sink = brought([0, 2, 1, 3])
    assert sink.numbers() == [0, 1, 2, 3]
    assert arrivals.packets_lost == 0


def test_a_lost_packet_is_given_up_when_two_wait_behind_it():
    arrivals, sink = brought([0, 1, 3, 4, 5])
    assert sink.came[2:] == [("packet", 1), ("lost", 1), ("packet", 3), ("packet", 4), ("packet", 5)]
    assert arrivals.packets_lost == 1 and arrivals.longest_delay_ms == pytest.approx(20)


def test_a_lost_packet_is_given_up_when_nothing_more_comes():
    arrivals, sink = brought([0, 2])
    arrivals.expire(0.02 + HOLD_S - 0.001)
    assert sink.numbers() == [0]
    arrivals.expire(0.02 + HOLD_S)
    assert sink.came[2:] == [("lost", 1), ("packet", 2)]


def test_a_packet_that_comes_twice_or_too_late_is_left_out():
    arrivals, sink = brought([0, 0, 2, 2, 3, 1, 4])
    assert sink.numbers() == [0, 2, 3, 4]
    assert arrivals.packets_late == 3


def test_sequence_numbers_wrap():
    arrivals, sink = brought([65_534, 65_535, 65_537, 65_536, 65_538])
    assert sink.numbers() == [65_534, 65_535, 65_536, 65_537, 65_538]
    assert arrivals.packets_lost == 0


def test_a_sender_that_starts_over_is_heard_and_nothing_counts_as_lost():
    arrivals, sink = brought([100, 30_000, 30_001])
    assert sink.came == [("restart", 0), ("packet", 100), ("restart", 0), ("packet", 30_000), ("packet", 30_001)]
    assert arrivals.packets_lost == 0


def test_another_ssrc_is_another_stream():
    arrivals, sink = brought([10, 11])
    arrivals.add(packet(11, ssrc=8), 0.04)
    assert sink.came[-2:] == [("restart", 0), ("packet", 11)]


def test_a_burst_of_losses_is_one():
    arrivals, sink = brought([0, 40, 41])
    assert sink.came[2:] == [("lost", 39), ("packet", 40), ("packet", 41)]
    assert arrivals.packets_lost == 39


def test_jitter_is_what_rfc_3550_says():
    arrivals, now = Arrivals(Sink()), 0.0
    for number in range(300):
        arrivals.add(packet(number), now)
        now += 0.030 if number % 2 else 0.010
    assert 9.0 < arrivals.jitter_ms < 10.5


@given(st.integers(0, 0xFFFF), st.lists(st.tuples(st.integers(0, 0xFFFF), st.integers(1, 2)), max_size=60))
def test_whatever_comes_is_released_in_order_or_not_at_all(first, numbers):
    arrivals, released = Arrivals(Sink()), []
    arrivals._sink.packet = lambda timestamp, payload: released.append(timestamp // 960)
    arrivals._sink.restart = lambda: released.append(None)
    for place, (number, ssrc) in enumerate([(first, 1), *numbers]):
        arrivals.add(packet(number, ssrc), place * 0.02)
        assert len(arrivals._held) < REORDER_PACKETS
    pairs = [(a, b) for a, b in pairwise(released) if a is not None and b is not None]
    assert all(0 < (b - a) & 0xFFFF <= 0x10000 - RESTART for a, b in pairs)


@given(st.integers(0, 0xFFFF), st.integers())
def test_with_loss_reordering_and_duplicates_every_number_is_heard_once_or_lost_and_none_waits_60_ms(first, seed):
    arrivals = jittery(first, random.Random(seed))
    heard = arrivals._sink.numbers()
    assert heard == sorted(set(heard)) and len(heard) == arrivals.packets_in
    assert len(heard) + arrivals.packets_lost == heard[-1] - heard[0] + 1
    assert arrivals.longest_delay_ms <= 60


def jittery(first: int, dice: random.Random) -> Arrivals:
    """200 packets with 5 % loss, 2 % duplicates and up to 30 ms of jitter, and a beat each 20 ms."""
    events = [(place * 0.02, None) for place in range(220)]
    for place in range(200):
        if dice.random() >= 0.05:
            copies = 2 if dice.random() < 0.02 else 1
            events += [(place * 0.02 + dice.random() * 0.03, packet(first + place)) for _ in range(copies)]
    arrivals = Arrivals(Sink())
    for now, what in sorted(events, key=lambda event: event[0]):
        if what is None:
            arrivals.expire(now)
        else:
            arrivals.add(what, now)
    return arrivals
