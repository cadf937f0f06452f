from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from sessions_app.operations import idempotency
from sessions_app.operations.idempotency import KeyReused, Replay, StillRunning, claim, forget_old, free, keep
from sessions_app.operations.models import IdempotentAnswer
from sessions_app.tenants.scope import everyone
from tests.fakes.office import make_tenant

pytestmark = pytest.mark.django_db


@pytest.fixture
def asked():
    return {"tenant_id": str(make_tenant().id), "caller": "sek_1", "key": "k", "request": b"/x\n{}"}


def age(by):
    with everyone():
        IdempotentAnswer.objects.update(created_at=timezone.now() - by)


def test_the_first_answer_is_answered_again(asked):
    keep(claim(**asked), 201, b'{"key": "sk_secret"}')
    with pytest.raises(Replay) as replay:
        claim(**asked)
    assert (replay.value.status, replay.value.body) == (201, b'{"key": "sk_secret"}')
    with everyone():
        assert b"sk_secret" not in bytes(IdempotentAnswer.objects.get().body)


def test_another_request_or_one_before_its_answer_is_told_so(asked):
    held = claim(**asked)
    with pytest.raises(StillRunning):
        claim(**asked)
    with pytest.raises(KeyReused):
        claim(**{**asked, "request": b"/x\n{1}"})
    keep(held, 200, b"")
    with pytest.raises(KeyReused):
        claim(**{**asked, "request": b"/y\n{}"})


def test_keys_of_two_callers_are_two(asked):
    claim(**asked)
    claim(**{**asked, "caller": "sek_2"})


def test_what_was_not_done_may_be_tried_again(asked):
    free(claim(**asked))
    claim(**asked)


def test_a_lost_process_does_not_hold_a_key_for_ever(asked):
    claim(**asked)
    age(idempotency.ABANDONED + timedelta(seconds=1))
    claim(**asked)


def test_after_a_day_it_is_a_new_request(asked):
    keep(claim(**asked), 200, b"{}")
    age(idempotency.KEPT + timedelta(seconds=1))
    keep(claim(**asked), 200, b"{}")
    age(idempotency.KEPT + timedelta(seconds=1))
    with everyone():
        assert forget_old() == 1
        assert not IdempotentAnswer.objects.exists()


def test_that_it_was_done_outlives_a_change_of_the_secret_key(asked, settings):
    keep(claim(**asked), 201, b"{}")
    settings.SECRET_KEY = "another one, long enough to be one"
    with pytest.raises(Replay) as replay:
        claim(**asked)
    assert (replay.value.status, replay.value.body) == (201, b"")


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_one_does_it(asked):
    def attempt(_):
        try:
            return claim(**asked)
        except StillRunning:
            return None
        finally:
            connection.close()

    with ThreadPoolExecutor(8, thread_name_prefix="claimant") as pool:
        assert len([held for held in pool.map(attempt, range(16)) if held]) == 1
