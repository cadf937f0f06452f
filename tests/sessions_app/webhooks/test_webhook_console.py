"""The console's pages of webhooks: who sees them, and what their buttons do."""

from typing import Any

import pytest
from django.contrib.admin.utils import quote
from django.test import Client
from django.urls import reverse

from sessions_app.tenants.models import Role
from tests.fakes.office import make_member, make_tenant, signed_in
from tests.sessions_app.webhooks.conftest import Hook

pytestmark = pytest.mark.django_db
NAME = "admin:sessions_app_webhookendpoint"


@pytest.fixture
def hook(db: Any) -> Hook:
    return Hook(make_tenant(), "https://www.example.com/hooks")


@pytest.fixture
def owner(hook: Hook) -> Client:
    return signed_in(make_member(hook.tenant))


def address(action: str, hook: Hook, *more: str) -> str:
    return reverse(f"{NAME}_{action}", args=[quote(hook.row.pk), *more])


def buttons(hook: Hook) -> list[str]:
    return [address("test", hook), address("rotate", hook), address("replay", hook, hook.deliveries[0].pk)]


def test_an_owner_makes_one_and_sees_its_secret_once(owner: Client) -> None:
    made = owner.post(reverse(f"{NAME}_add"), {"url": "https://www.example.com/new", "events": ["turn.finished"]})
    assert b"whsec_" in made.content
    assert "no-store" in made["Cache-Control"]
    assert b"whsec_" not in owner.get(reverse(f"{NAME}_changelist")).content


def test_an_address_that_is_refused_is_said_on_the_form(owner: Client) -> None:
    answer = owner.post(reverse(f"{NAME}_add"), {"url": "https://10.0.0.1/"})
    assert b"10.0.0.1 is not a public address." in answer.content


def test_the_buttons_send_rotate_and_replay(owner: Client, hook: Hook) -> None:
    owner.post(address("test", hook))
    assert hook.delivery.event.type == "webhook.test"
    assert b"whsec_" in owner.post(address("rotate", hook)).content
    assert hook.now.previous_until
    assert owner.post(address("replay", hook, hook.delivery.pk)).status_code == 302
    assert b"webhook.test" in owner.get(address("change", hook)).content


def test_turning_it_off_says_so(owner: Client, hook: Hook) -> None:
    owner.post(address("change", hook), {"url": hook.row.url})
    assert not hook.now.enabled
    assert b"Turned off by hand." in owner.get(address("change", hook)).content


def test_a_link_presses_no_button(owner: Client, hook: Hook) -> None:
    hook.emit()
    assert {owner.get(button).status_code for button in buttons(hook)} == {403}


@pytest.mark.parametrize("role", [Role.EDITOR, Role.VIEWER])
def test_others_of_the_tenant_see_none(hook: Hook, role: Role) -> None:
    hook.emit()
    member = signed_in(make_member(hook.tenant, role))
    assert {member.post(button).status_code for button in buttons(hook)} == {403}
    assert member.get(address("change", hook)).status_code == 403
    assert hook.now.previous_until is None


def test_to_another_tenant_it_is_not_there(hook: Hook) -> None:
    hook.emit()
    stranger = signed_in(make_member(make_tenant()))
    assert {stranger.post(button).status_code for button in buttons(hook)} == {404}
    own = Hook(hook.tenant, "https://www.example.com/other")
    owner = signed_in(make_member(hook.tenant))
    assert owner.post(address("replay", own, hook.delivery.pk)).status_code == 404
