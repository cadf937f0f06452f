"""How people get into the console, and under which rules its pages are shown."""

import pytest
from django.test import Client
from django.urls import reverse

from tests.fakes.office import PASSWORD, make_member, make_operator, make_tenant, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner():
    return make_member(make_tenant("Riverside"))


def test_the_console_alone_may_evaluate_expressions(owner):
    client = signed_in(owner)
    assert "'unsafe-eval'" in client.get(reverse("admin:index"))["Content-Security-Policy"]
    elsewhere = client.get("/no-such-page")["Content-Security-Policy"]
    assert "script-src 'self'" in elsewhere.split("; ")
    assert "unsafe" not in elsewhere


async def test_the_console_works_under_asgi_too(async_client):
    answer = await async_client.get(reverse("account_login"))
    assert answer.status_code == 200


def test_people_change_their_own_password_and_operators_anybodys(owner):
    client = signed_in(owner)
    new = "another long password"
    changed = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    assert client.get(reverse("admin:password_change")).status_code == 200
    assert client.post(reverse("admin:password_change"), changed).status_code == 302
    operator = signed_in(make_operator())
    address = reverse("admin:auth_user_password_change", args=[owner.pk])
    assert operator.get(address).status_code == 200
    assert operator.post(address, {"password1": PASSWORD, "password2": PASSWORD}).status_code == 302
    assert Client().login(username=owner.email, password=PASSWORD)
