"""Things break: workers die, Redis restarts, the database or the web process is away. Calls go on, no turn is lost."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.fakes.caller import Caller
from tests.routes.phone import Phone
from tests.services import wait_for
from tests.stack import Stack, _answers

pytestmark = [pytest.mark.route, pytest.mark.slow, pytest.mark.timeout(240)]

AWAY_S = 30.0


@asynccontextmanager
async def phones(stack: Stack, *tenants: str) -> AsyncIterator[list[Phone]]:
    """Connected calls, greeted."""
    called: list[Phone] = []
    try:
        for tenant in tenants:
            called.append(Phone(stack, tenant))
            await called[-1].dial()
        await asyncio.gather(*(phone.greeted() for phone in called))
        yield called
    finally:
        for phone in called:
            await phone.hang_up()


async def test_calls_of_a_killed_worker_go_on_at_another_and_no_finished_turn_is_lost_or_doubled(
    distributed_stack: Stack,
) -> None:
    stack = distributed_stack
    tenants = ("riverside-vet", "harbor-law", "riverside-vet", "harbor-law")
    async with phones(stack, *tenants) as calls:
        await asyncio.gather(*(phone.ask() for phone in calls))
        victim = stack.workers[0]
        victim.kill()  # right after the turns were spoken
        stack.processes.remove(victim)
        dead = [phone for phone, gone in zip(calls, await asyncio.gather(*map(is_dead, calls)), strict=True) if gone]
        assert dead, "the killed worker held no call"
        for phone in dead:
            await phone.connect()
        await asyncio.gather(*(phone.ask() for phone in calls))
        for phone in calls:
            first, second = await phone.turns(2)
            assert "saturday" in first["visitor_text"].lower()
            assert first["reply_text"].endswith(".")
            assert second["leg"] == (2 if phone in dead else 1)
    stack.add_worker()


async def is_dead(phone: Phone) -> bool:
    try:
        await phone.line_dead(6.0)
    except AssertionError:
        return False
    return True


async def test_calls_survive_a_restart_of_redis(distributed_stack: Stack) -> None:
    stack = distributed_stack
    assert stack.redis is not None
    async with phones(stack, "riverside-vet") as (phone,):
        stack.redis.stop()
        done = await phone.ask()
        assert not done["interrupted"]
        stack.redis.start()
        await phone.ask()
        await phone.turns(2)
    await a_new_call_is_taken(stack)


async def a_new_call_is_taken(stack: Stack) -> None:
    deadline = time.monotonic() + 40
    while True:
        try:
            async with phones(stack, "harbor-law"):
                return
        except AssertionError:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(1)


async def test_turns_arrive_after_the_database_was_away_for_half_a_minute(distributed_stack: Stack) -> None:
    stack = distributed_stack
    assert stack.postgres is not None
    async with phones(stack, "riverside-vet") as (phone,):
        stack.postgres.stop()
        gone = time.monotonic()
        await phone.ask()
        await phone.ask("How much is a check up for a dog?")
        await asyncio.sleep(max(0.0, AWAY_S - (time.monotonic() - gone)))
        stack.postgres.start()
        await phone.ask()
        await phone.turns(3)


async def test_calls_survive_a_restart_of_the_web_process(distributed_stack: Stack) -> None:
    stack = distributed_stack
    async with phones(stack, "harbor-law") as (phone,):
        web = stack.process("web")
        web.stop()
        await phone.ask()
        web.start()
        wait_for("the web process being ready", lambda: _answers(f"{stack.url}/readyz", web), 60)
        await phone.ask()
        await phone.turns(2)


async def test_a_full_house_is_refused_in_words(distributed_stack: Stack) -> None:
    stack = distributed_stack
    seats = 8
    async with phones(stack, *["riverside-vet"] * seats):
        late = Phone(stack, "harbor-law")
        key = stack.tenant("harbor-law")["secret_key"]
        _, late.session = await asyncio.to_thread(
            stack.api, "POST", "/sessions", {"assistant": "reception", "channel": "voice"}, key
        )
        caller = Caller()
        status, problem = await late.offer(caller)
        await caller.close()
        assert status == 503
        assert problem["code"] == "busy" and problem["detail"]
        assert problem["place"] == 1
        await asyncio.to_thread(stack.api, "DELETE", f"/sessions/{late.id}", None, late.session["token"])


async def test_a_worker_told_to_end_hands_its_calls_over(distributed_stack: Stack) -> None:
    stack = distributed_stack
    async with phones(stack, "riverside-vet", "harbor-law") as calls:
        leaving = stack.workers[0]
        stack.processes.remove(leaving)
        ending = asyncio.create_task(asyncio.to_thread(leaving.stop))
        await asyncio.sleep(1.5)
        for phone in calls:
            if any(m.get("type") == "moved" for m in phone.line.controls):
                await phone.connect()
        await ending
        await asyncio.gather(*(phone.ask() for phone in calls))
    stack.add_worker()
