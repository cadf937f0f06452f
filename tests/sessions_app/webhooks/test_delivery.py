"""Messages on their way, to a real receiver over HTTP."""

import json
import threading
from datetime import timedelta
from email.utils import format_datetime

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from sessions_app import outgoing
from sessions_app.tenants.models import AuditEntry
from sessions_app.tenants.scope import everyone, tenant_scope
from sessions_app.webhooks import delivery, schedule, services
from sessions_app.webhooks.models import WebhookDelivery
from sessions_app.webhooks.senders import Senders
from tests.fakes.office import make_tenant
from tests.fakes.receiver import Receiver
from tests.sessions_app.webhooks.conftest import Clock, Hook, deliver

pytestmark = pytest.mark.django_db


def test_a_receiver_verifies_what_came(hook: Hook, receiver: Receiver) -> None:
    hook.emit(session_id="ses_1", said="Grüße, 你好")
    assert deliver() == 1
    (message,) = receiver.messages
    told = message.verified(hook.secret)
    assert told["type"] == "session.started"
    assert told["data"] == {"session_id": "ses_1", "said": "Grüße, 你好"}
    assert set(told) == {"type", "timestamp", "data"}
    assert message.headers["content-type"] == "application/json"
    row = hook.delivery
    assert (row.state, row.attempts, row.last_status, row.next_attempt_at) == ("delivered", 1, 204, None)
    assert message.id == row.event_id


def test_a_body_that_was_changed_is_found_out(hook: Hook, receiver: Receiver) -> None:
    hook.emit(amount=1)
    deliver()
    (message,) = receiver.messages
    with pytest.raises(WebhookVerificationError):
        Webhook(hook.secret).verify(message.body.replace(b"1}", b"2}"), message.headers)
    with pytest.raises(WebhookVerificationError):
        message.verified("whsec_" + "A" * 43 + "=")


def test_it_is_tried_by_the_conventions_schedule_and_then_given_up(
    hook: Hook, receiver: Receiver, clock: Clock
) -> None:
    receiver.will_answer(*[500] * 8, body=b"no")
    hook.emit(number=7)
    for number, delay_s in enumerate(schedule.DELAYS_S, 1):
        assert deliver() == 1
        row = hook.delivery
        assert (row.state, row.attempts, row.last_error) == ("failed", number, "Answered 500 Internal Server Error.")
        wait_s = (row.next_attempt_at - clock.now).total_seconds()
        assert delay_s <= wait_s <= delay_s * 1.1
        clock.pass_by(seconds=delay_s - 1)
        assert deliver() == 0
        clock.pass_by(seconds=delay_s * 0.1 + 1)
    assert deliver() == 1
    assert (hook.delivery.state, hook.delivery.next_attempt_at) == ("gave_up", None)
    clock.pass_by(days=2)
    assert deliver() == 0
    assert len({(message.id, message.body) for message in receiver.messages}) == 1
    assert len({message.headers["webhook-timestamp"] for message in receiver.messages}) == 8
    assert [one["status"] for one in hook.delivery.log] == [500] * 8


@pytest.mark.parametrize(("status", "as_date"), [(429, False), (503, False), (503, True)])
def test_a_receiver_may_ask_for_time(hook: Hook, receiver: Receiver, clock: Clock, status: int, as_date: bool) -> None:
    asked = format_datetime(clock.now + timedelta(seconds=120)) if as_date else "120"
    receiver.will_answer(status, retry_after=asked)
    hook.emit()
    deliver()
    assert 119 <= (hook.delivery.next_attempt_at - clock.now).total_seconds() <= 120


def test_success_ends_a_row_of_failures(hook: Hook, receiver: Receiver, clock: Clock) -> None:
    receiver.will_answer(500, 500)
    hook.emit()
    deliver()
    assert (hook.now.failures, hook.now.first_failure_at, hook.now.state) == (1, clock.now, "failing")
    clock.pass_by(seconds=6)
    deliver()
    clock.pass_by(seconds=400)
    deliver()
    assert (hook.now.failures, hook.now.first_failure_at, hook.now.state) == (0, None, "enabled")
    assert hook.delivery.attempts == 3


def test_gone_turns_the_endpoint_off(hook: Hook, receiver: Receiver) -> None:
    receiver.will_answer(410)
    hook.emit()
    hook.emit()
    first, *_ = delivery.claim(1)
    delivery.attempt(first)
    assert not hook.now.enabled
    assert "410" in hook.now.disabled_reason
    assert [row.state for row in hook.deliveries] == ["gave_up", "gave_up"]
    hook.emit()
    assert len(hook.deliveries) == 2
    assert deliver() == 0
    with everyone():
        entry = AuditEntry.objects.get(action="webhook.disabled")
    assert (entry.tenant_id, entry.actor_kind, entry.after["enabled"]) == (hook.tenant.id, "system", False)


def test_five_days_without_a_success_turn_it_off(hook: Hook, receiver: Receiver, clock: Clock) -> None:
    receiver.will_answer(*[500] * 50)
    for _ in range(5):
        assert hook.now.enabled
        hook.emit()
        deliver()
        clock.pass_by(days=1.01)
    assert hook.now.enabled
    hook.emit()
    deliver()
    assert hook.now.disabled_reason == "Nothing has arrived for 5 days."


def test_redirects_are_not_followed(hook: Hook, receiver: Receiver) -> None:
    receiver.will_answer(302, location=f"{receiver.url}/elsewhere")
    hook.emit()
    deliver()
    assert len(receiver.messages) == 1
    assert hook.delivery.last_error == "Answered 302: redirects are not followed."


def test_private_addresses_are_not_called(hook: Hook, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outgoing, "_allowed_networks", list)
    hook.emit()
    deliver()
    assert not receiver.messages
    assert (hook.delivery.state, hook.delivery.last_error) == ("failed", "127.0.0.1 is not a public address.")


def test_nobody_there_is_a_failure_in_words(hook: Hook, receiver: Receiver) -> None:
    with tenant_scope(hook.tenant.id):
        services.change_endpoint(endpoint=hook.row, changes={"url": "http://127.0.0.1:1024/"})
    hook.emit()
    deliver()
    assert (hook.delivery.last_status, hook.delivery.last_error) == (None, "127.0.0.1: no connection")


def test_of_an_answer_a_kilobyte_is_kept(hook: Hook, receiver: Receiver) -> None:
    receiver.will_answer(500, body=b"\x00\xff" + b"x" * 5000)
    hook.emit()
    deliver()
    assert hook.delivery.response == "\ufffd" + "x" * 998


def test_for_a_day_after_a_rotation_both_secrets_verify(hook: Hook, receiver: Receiver, clock: Clock) -> None:
    with tenant_scope(hook.tenant.id):
        _, newer = services.rotate_secret(endpoint=hook.row)
    assert newer != hook.secret
    hook.emit()
    deliver()
    clock.pass_by(hours=24, seconds=1)
    hook.emit()
    deliver()
    during, after = receiver.messages
    assert during.verified(newer) == during.verified(hook.secret)
    assert during.headers["webhook-signature"].count("v1,") == 2
    assert after.headers["webhook-signature"].count("v1,") == 1
    expected = Webhook(newer).sign(after.id, clock.now, after.body.decode())
    assert after.headers["webhook-signature"] == expected


def test_a_replay_is_the_same_message(hook: Hook, receiver: Receiver) -> None:
    hook.emit(number=1)
    deliver()
    with tenant_scope(hook.tenant.id):
        services.replay(delivery=hook.delivery)
    assert deliver() == 1
    first, again = receiver.messages
    assert (first.id, first.body) == (again.id, again.body)
    assert (hook.delivery.state, hook.delivery.attempts, len(hook.delivery.log)) == ("delivered", 1, 2)


def test_a_sender_that_died_leaves_its_claim_to_the_next(hook: Hook, receiver: Receiver, clock: Clock) -> None:
    hook.emit()
    (dead,) = delivery.claim(5)
    assert delivery.claim(5) == []
    clock.pass_by(seconds=delivery.CLAIM.total_seconds())
    (again,) = delivery.claim(5)
    assert again.delivery_id == dead.delivery_id
    delivery.attempt(dead)  # it was not dead, but slow: the message is another's now
    assert not receiver.messages
    delivery.attempt(again)
    assert (hook.delivery.state, len(receiver.messages)) == ("delivered", 1)


def test_a_late_outcome_changes_nothing(hook: Hook, receiver: Receiver, clock: Clock) -> None:
    hook.emit()
    (slow,) = delivery.claim(5)
    clock.pass_by(seconds=delivery.CLAIM.total_seconds())
    deliver()
    with tenant_scope(hook.tenant.id):
        delivery.settle(slow, delivery.Outcome(clock.now, 130_000, error="no answer in time"))
    assert (hook.delivery.state, hook.delivery.attempts, hook.now.failures) == ("delivered", 1, 0)


def test_a_secret_that_cannot_be_opened_is_said_in_words(hook: Hook, receiver: Receiver, settings) -> None:
    settings.SECRET_KEY = "another one"
    hook.emit()
    deliver()
    assert hook.delivery.last_error == "The secret cannot be opened any more. Rotate it."
    assert not receiver.messages


def test_a_slow_endpoint_takes_few_places_and_others_go_on(hook: Hook, receiver: Receiver) -> None:
    other = Hook(hook.tenant, f"{receiver.url}/other")
    strangers = Hook(make_tenant(), f"{receiver.url}/strangers")
    for _ in range(50):
        hook.emit()
    strangers.emit()
    claims = delivery.claim(32)
    by_id = {row.pk: row.endpoint_id for row in [*hook.deliveries, *other.deliveries, *strangers.deliveries]}
    claimed = [by_id[one.delivery_id] for one in claims]
    assert claimed.count(hook.row.pk) == claimed.count(other.row.pk) == delivery.EACH
    assert claimed.count(strangers.row.pk) == 1
    assert delivery.claim(32) == []  # all of them are under way


def test_a_tenant_with_many_endpoints_takes_no_more_than_its_share(hook: Hook, receiver: Receiver) -> None:
    for number in range(9):
        Hook(hook.tenant, f"{receiver.url}/{number}")
    hook.emit()
    assert len(delivery.claim(32)) == delivery.EACH_TENANT


class TestSenders:
    def test_all_is_sent_while_one_receiver_keeps_its_sender(self) -> None:
        stuck, done, over = threading.Event(), threading.Event(), threading.Event()
        waiting, sent, lock = ["slow", *map(str, range(20))], list[str](), threading.Lock()

        def claim(most: int) -> list:
            with lock:
                found, waiting[:] = waiting[:most], waiting[most:]
            return [delivery.Claim(name, None, None) for name in found]

        def attempt(one: delivery.Claim) -> None:
            if one.delivery_id == "slow":
                stuck.set()
                over.wait(20)
            with lock:
                sent.append(one.delivery_id)
                if len(sent) == 20:
                    done.set()

        Senders(3, claim, attempt).deliver_due()
        assert stuck.wait(20)
        assert done.wait(20)
        assert "slow" not in sent
        over.set()

    def test_one_that_fails_ends_no_other(self) -> None:
        waiting, sent, done = ["bad", "good"], list[str](), threading.Event()

        def claim(most: int) -> list:
            found, waiting[:] = waiting[:1], waiting[1:]
            return [delivery.Claim(name, None, None) for name in found]

        def attempt(one: delivery.Claim) -> None:
            if one.delivery_id == "bad":
                raise ZeroDivisionError
            sent.append(one.delivery_id)
            done.set()

        Senders(1, claim, attempt).deliver_due()
        assert done.wait(20)
        assert sent == ["good"]


def test_what_is_old_is_forgotten(hook: Hook, receiver: Receiver, clock: Clock) -> None:
    hook.emit(number=1)
    clock.pass_by(days=29)
    hook.emit(number=2)
    clock.pass_by(days=1.1)
    with everyone():
        assert services.forget_old() == 1
    assert [json.loads(row.event.payload)["data"]["number"] for row in hook.deliveries] == [2]


def test_the_log_of_attempts_stays_short(hook: Hook, receiver: Receiver) -> None:
    hook.emit()
    for _ in range(delivery.LOG_ROWS + 5):
        deliver()
        with tenant_scope(hook.tenant.id):
            services.replay(delivery=hook.delivery)
    assert len(hook.delivery.log) == delivery.LOG_ROWS
    with everyone():
        assert WebhookDelivery.objects.count() == 1
