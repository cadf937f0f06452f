"""Streams of one process: fair to tenants, not to streams; what is waited for goes first and starves nobody."""

import asyncio
from dataclasses import dataclass
from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from pipeline.engines.child import Child
from pipeline.engines.child_rota import BULK_EVERY, Rota
from pipeline.engines.espeak_child import Phrase
from pipeline.engines.pocketsphinx_child import Decoders, Recognition


@dataclass
class FakeStream:
    number: int
    owner: str
    pressing: bool = False


def turns(streams: list[FakeStream], n: int, rota: Rota | None = None) -> list[FakeStream]:
    rota = rota or Rota()
    return [rota.pick(streams) for _ in range(n)]


def test_twenty_streams_of_one_tenant_count_as_much_as_one_of_another() -> None:
    crowd = [FakeStream(n, "crowd") for n in range(20)]
    alone = FakeStream(99, "alone")
    served = turns([*crowd, alone], 80)
    assert [s.owner for s in served].count("alone") == 40
    assert all("alone" in {a.owner, b.owner} for a, b in zip(served, served[1:], strict=False))
    numbers = [s.number for s in served if s.owner == "crowd"]
    assert sorted(numbers[:20]) == sorted(numbers[20:]) == list(range(20))


def test_who_comes_late_has_its_turn_within_the_round() -> None:
    rota = Rota()
    crowd = [FakeStream(n, "crowd") for n in range(20)]
    turns(crowd, 1000, rota)
    assert "late" in {s.owner for s in turns([*crowd, FakeStream(99, "late")], 2, rota)}


def test_a_tenants_stream_that_is_waited_for_goes_before_its_others_and_does_not_starve_them() -> None:
    bulk, pressing = FakeStream(1, "a"), FakeStream(2, "a", pressing=True)
    served = [s.number for s in turns([bulk, pressing], 40)]
    assert served[0] == 2
    assert served.count(1) == 40 // BULK_EVERY


def test_a_tenant_that_is_waited_for_opens_the_round() -> None:
    streams = [FakeStream(1, "a"), FakeStream(2, "b"), FakeStream(3, "c", pressing=True)]
    assert [s.number for s in turns(streams, 6)] == [3, 1, 2, 3, 1, 2]


@given(
    st.lists(st.tuples(st.sampled_from("abcd"), st.booleans()), min_size=1, max_size=12),
    st.integers(0, 11),
)
def test_no_stream_waits_for_ever(streams: list[tuple[str, bool]], watched: int) -> None:
    """At most: all tenants once a round, and in one's own turns every stream of one's own, each behind the pressing."""
    all_streams = [FakeStream(number, owner, pressing) for number, (owner, pressing) in enumerate(streams)]
    one = all_streams[watched % len(all_streams)]
    owners = len({s.owner for s in all_streams})
    own = sum(s.owner == one.owner for s in all_streams)
    assert one in turns(all_streams, owners * own * BULK_EVERY)


def test_what_is_over_is_forgotten() -> None:
    rota = Rota()
    for n in range(1000):
        rota.pick([FakeStream(n, f"tenant {n}")])
        rota.keep([])
    assert all(not kept for kept in vars(rota).values() if isinstance(kept, dict))


def test_engines_say_what_is_waited_for() -> None:
    hearing = Recognition(Decoders(make=lambda files: None), lambda item: True)
    assert not hearing.pressing([["pcm", 1, "m", "d", b""]])
    assert hearing.pressing([["pcm", 1, "m", "d", b""], ["finish", 1]])
    assert hearing.pressing([["so_far", 1]])
    phrase = Phrase(SimpleNamespace(), {"voice": "en-us", "rate_wpm": 170}, lambda item: True)
    assert phrase.pressing([[0, "Hello."]])
    phrase._samples = 100
    assert not phrase.pressing([[0, "Hello."]])


async def test_a_crowd_in_a_real_child_delays_another_tenant_by_no_more_than_a_round_a_step() -> None:
    child = Child("tests.fakes.child_echo", {}, engine="asr")
    calls = [await child.open(owner="crowd") for _ in range(20)]
    for call in calls:
        await call.send(["work", 3_000_000])
    await asyncio.sleep(0.05)
    with await child.open(owner="alone") as call:
        await call.send(["work", 50])
        async with asyncio.timeout(10):
            took = await anext(call)
    for call in calls:
        call.abort()
    await child.close()
    assert 50 <= took <= 2 * 50 + 1
