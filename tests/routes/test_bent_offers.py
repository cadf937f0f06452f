"""Bent offers by the front door: each is answered or refused in words, and then the next visitor is greeted."""

import asyncio
import random
from collections import Counter

import pytest

from tests.pipeline.media.test_seeded_mutations import mutated_offer
from tests.routes.phone import Phone
from tests.stack import Stack

pytestmark = [pytest.mark.route, pytest.mark.slow, pytest.mark.timeout(180)]

OFFERS = 150


async def test_bent_offers_are_answered_or_refused_and_the_next_visitor_is_greeted(embedded_stack: Stack) -> None:
    secret = embedded_stack.tenant("riverside-vet")["secret_key"]
    _, session = embedded_stack.api("POST", "/sessions", {"assistant": "reception"}, secret)
    seen: Counter[int] = Counter()
    for seed in range(OFFERS):
        offer = {"sdp": mutated_offer(random.Random(seed))[:32_000], "type": "offer"}
        status, answer = await asyncio.to_thread(
            embedded_stack.api, "POST", f"/sessions/{session['id']}/offer", offer, session["token"]
        )
        seen[status] += 1
        assert status in {200, 422}, (seed, status, answer)
        assert status == 200 or answer["detail"], seed
    assert seen[200] > 10 and seen[422] > 10, seen
    status, _ = await asyncio.to_thread(
        embedded_stack.api, "DELETE", f"/sessions/{session['id']}", None, session["token"]
    )
    assert status == 204
    phone = await Phone(embedded_stack, "riverside-vet").dial()
    await phone.greeted()
    await phone.hang_up()
