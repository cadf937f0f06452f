"""How people get in, without a browser's help; with one: tests/routes/test_login.py."""

import re

import pytest
from allauth.mfa.adapter import get_adapter
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    generate_totp_secret,
    hotp_value,
    yield_hotp_counters_from_time,
)
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from sessions_app.tenants.audit import broken
from sessions_app.tenants.models import AuditEntry, Role, User
from sessions_app.tenants.scope import everyone
from tests.fakes.office import PASSWORD, make_member, make_operator, make_tenant

pytestmark = pytest.mark.django_db
CONSOLE, LOGIN = reverse("admin:index"), reverse("account_login")


@pytest.fixture(autouse=True)
def nothing_counted(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def person():
    return make_member(make_tenant(), Role.EDITOR)


def log_in(person, password=PASSWORD, client=None, **headers):
    client = client or Client()
    return client, client.post(LOGIN, {"login": person.email, "password": password}, headers=headers)


def code(secret):
    return format_hotp_value(hotp_value(secret, next(yield_hotp_counters_from_time())))


def actions(chain):
    with everyone():
        assert broken(str(chain)) is None
        return list(AuditEntry.objects.filter(chain=str(chain)).order_by("number").values_list("action", flat=True))


def tenant_of(person):
    from sessions_app.tenants.selectors import memberships_of

    return memberships_of(user=person)[0].tenant_id


def test_the_right_password_opens_the_console_and_a_wrong_one_says_no_more_than_that(person):
    client, answer = log_in(person, "wrong")
    assert "are not correct" in answer.content.decode()
    _, unknown = log_in(User(email="nobody@example.com"), "wrong")
    strip = lambda page: re.sub(r'value="[^"]*"', "", page.content.decode())  # noqa: E731
    assert strip(unknown) == strip(answer)
    client, answer = log_in(person)
    assert (answer.status_code, answer["Location"]) == (302, CONSOLE)
    assert client.get(CONSOLE).status_code == 200


def test_nobody_signs_themselves_up():
    for path in ("signup/", "email/", "confirm-email/", "2fa/webauthn/signup/"):
        assert Client().get(f"/accounts/{path}").status_code in {302, 404}, path
    assert Client().post("/accounts/signup/", {"email": "x@example.com", "password1": PASSWORD}).status_code == 404
    assert not User.objects.filter(email="x@example.com").exists()


def test_guessing_is_stopped_for_the_login_and_for_the_address(person):
    for _ in range(6):
        _, answer = log_in(person, "wrong")
    assert "Too many failed login attempts" in answer.content.decode()
    _, answer = log_in(person)  # the right one, too, from a guesser
    assert answer.status_code == 200
    other = make_member(make_tenant())
    statuses = [log_in(other if n % 2 else User(email=f"n{n}@x.example"), "wrong")[1].status_code for n in range(12)]
    assert 429 in statuses or "Too many" in log_in(make_member(make_tenant()), "wrong")[1].content.decode()


def test_a_spoofed_header_makes_no_new_guesser(person):
    seen = set()
    for n in range(14):
        _, answer = log_in(User(email=f"guess{n}@x.example"), "wrong", **{"X-Forwarded-For": f"203.0.113.{n}"})
        seen.add("Too many" in answer.content.decode() or answer.status_code == 429)
    assert True in seen


def test_another_host_header_or_letter_makes_no_new_guesser(person, settings):
    settings.ACCOUNT_RATE_LIMITS = {"login": "1000/m/ip"}
    for n in range(6):
        twin = User(email=person.email.replace("s", "ſ") if n % 2 else f" {person.email.upper()}")
        _, answer = log_in(twin, "wrong", Host=f"localhost:{9000 + n}")
    assert "Too many failed login attempts" in answer.content.decode()
    assert log_in(person)[1].status_code == 200


@pytest.mark.parametrize("host", ["localhost:6666", "127.0.0.1:1", "localhost", "localhost:8000"])
def test_mails_lead_to_the_configured_address_whatever_host_was_named(person, host):
    Client().post(reverse("account_reset_password"), {"email": person.email}, headers={"Host": host})
    (message,) = mail.outbox
    known = "http://localhost:8000" if host == "localhost:8000" else "http://127.0.0.1:8000"
    assert set(re.findall(r"https?://[^/\s]+", message.body)) == {known}


def test_a_host_that_is_not_ours_is_sent_no_mail(person):
    answer = Client().post(reverse("account_reset_password"), {"email": person.email}, headers={"Host": "evil.example"})
    assert answer.status_code == 400
    assert not mail.outbox


def test_logins_stand_in_the_tenants_log_and_an_operators_in_the_installations(person):
    client, _ = log_in(person, "wrong")
    log_in(person, client=client)
    client.post(reverse("account_logout"))
    assert actions(tenant_of(person))[-3:] == ["login.failed", "login", "logout"]
    with everyone():
        entry = AuditEntry.objects.filter(action="login").latest("at")
        assert (entry.actor_kind, entry.actor, entry.address) == ("user", person.email, "127.0.0.1")
    operator = make_operator()
    log_in(operator)
    assert actions("installation")[-1] == "login"
    log_in(User(email="made-up@x.example"), "wrong")
    with everyone():
        assert not AuditEntry.objects.filter(actor__contains="made-up").exists()


def test_a_forgotten_password_is_chosen_anew_by_mail_once(person):
    answer = Client().post(reverse("account_reset_password"), {"email": person.email})
    assert answer.status_code == 302
    (message,) = mail.outbox
    assert message.to == [person.email]
    link = re.search(r"http://127.0.0.1:8000(/accounts/password/reset/key/\S+)", message.body)[1]
    client = Client()
    form = client.get(link, follow=True)
    new = {"password1": "a quite new password", "password2": "a quite new password"}
    client.post(form.redirect_chain[-1][0], new)
    assert log_in(person)[1].status_code == 200
    assert log_in(person, "a quite new password")[1].status_code == 302
    assert "Bad Token" in Client().get(link, follow=True).content.decode()
    assert "password.changed" in actions(tenant_of(person))


def test_asking_for_a_login_that_is_not_there_looks_the_same(person):
    answers = [Client().post(reverse("account_reset_password"), {"email": to}) for to in (person.email, "no@x.example")]
    assert answers[0]["Location"] == answers[1]["Location"]


def test_changing_the_password_ends_the_other_sessions(person):
    (here, _), (elsewhere, _) = log_in(person), log_in(person)
    new = {"oldpassword": PASSWORD, "password1": "a quite new password", "password2": "a quite new password"}
    assert here.post(reverse("account_change_password"), new).status_code == 302
    assert here.get(CONSOLE).status_code == 200
    assert elsewhere.get(CONSOLE)["Location"].startswith("/admin/login/")
    assert any("password" in message.subject.lower() for message in mail.outbox)


def test_one_ends_a_session_elsewhere_and_nobody_elses(person):
    (here, _), (elsewhere, _) = log_in(person), log_in(person)
    stranger, _ = log_in(make_member(make_tenant()))
    page = here.get(reverse("usersessions_list")).content.decode()
    (other,) = re.findall(r'name="session" value="(\d+)"', page)
    stranger.post(reverse("usersessions_list"), {"session": other})
    assert elsewhere.get(CONSOLE).status_code == 200
    here.post(reverse("usersessions_list"), {"session": "nonsense"})
    here.post(reverse("usersessions_list"), {"session": other})
    assert elsewhere.get(CONSOLE).status_code == 302
    assert here.get(CONSOLE).status_code == 200
    assert actions(tenant_of(person))[-1] == "login_session.ended"


def test_with_an_authenticator_a_password_alone_opens_nothing(person):
    secret = generate_totp_secret()
    TOTP.activate(person, secret)
    RecoveryCodes.activate(person)
    client, answer = log_in(person)
    assert answer["Location"] == reverse("mfa_authenticate")
    assert client.get(CONSOLE).status_code == 302
    assert "Incorrect code" in client.post(reverse("mfa_authenticate"), {"code": "000000"}).content.decode()
    assert client.post(reverse("mfa_authenticate"), {"code": code(secret)})["Location"] == CONSOLE
    assert client.get(CONSOLE).status_code == 200
    again, _ = log_in(person)
    assert again.post(reverse("mfa_authenticate"), {"code": code(secret)}).status_code == 200  # used already
    spare = RecoveryCodes(person.authenticator_set.get(type="recovery_codes")).get_unused_codes()[0]
    assert again.post(reverse("mfa_authenticate"), {"code": spare})["Location"] == CONSOLE
    third, _ = log_in(person)
    assert third.post(reverse("mfa_authenticate"), {"code": spare}).status_code == 200


def test_a_second_factor_is_changed_by_who_shows_the_password_again(person):
    client, _ = log_in(person)
    for page in ("mfa_activate_totp", "mfa_add_webauthn"):
        assert client.get(reverse(page))["Location"].startswith(reverse("account_reauthenticate")), page
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    assert client.get(reverse("mfa_activate_totp")).status_code == 200


def test_secrets_of_authenticators_are_kept_encrypted(person):
    secret = generate_totp_secret()
    TOTP.activate(person, secret)
    kept = person.authenticator_set.get(type="totp").data["secret"]
    assert secret not in kept
    assert get_adapter().decrypt(kept) == secret


def test_an_operator_without_a_second_factor_is_told(person):
    client, _ = log_in(make_operator())
    assert "a password is all that guards it" in client.get(reverse("account_security")).content.decode()
    client, _ = log_in(person)
    assert "a password is all that guards it" not in client.get(reverse("account_security")).content.decode()


def test_pages_of_ones_login_ask_for_one():
    for name in ("account_security", "usersessions_list", "account_change_password", "mfa_activate_totp"):
        assert Client().get(reverse(name))["Location"].startswith(LOGIN), name


async def test_logins_work_under_asgi_too(async_client):
    assert (await async_client.get(LOGIN)).status_code == 200
