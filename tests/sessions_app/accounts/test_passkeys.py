"""What is posted as a passkey's answer: a right one opens, anything else is a wrong answer, and never a failure."""

import base64
import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from allauth.account.utils import user_pk_to_url_str
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.internal.auth import STATE_SESSION_KEY
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from fido2.utils import websafe_encode

from sessions_app.tenants.models import Role, User
from tests.fakes.office import PASSWORD, make_member, make_tenant
from tests.fakes.passkey import Passkey

pytestmark = pytest.mark.django_db
DEEP = "[" * 60_000 + "]" * 60_000
STRANGE: list[Any] = [None, True, 0, -1.5, "", "\x00", "ÿ", "=", "a" * 5000, [], [[]], {}, {"a": 1}, 10**30]
NOT_JSON = ["", "{", "null", "[]", '""', "0", "true", "NaN", DEEP, '{"response": []}', '{"response": {}}', '"\\ud800"']


@pytest.fixture(autouse=True)
def no_limits(settings: Any) -> Iterator[None]:
    settings.MFA_RATE_LIMITS = settings.ACCOUNT_RATE_LIMITS = False
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def person() -> User:
    return make_member(make_tenant(), Role.EDITOR)


def bent(answer: dict[str, Any]) -> Iterator[str]:
    """The answer with each of its parts missing, strange, cut or changed by a bit."""
    for path in (*((name,) for name in answer), *(("response", name) for name in answer["response"])):
        for strange in ("missing", *STRANGE, *_damaged(_at(answer, path))):
            changed = copy.deepcopy(answer)
            place = changed["response"] if len(path) == 2 else changed
            if strange == "missing":
                del place[path[-1]]
            else:
                place[path[-1]] = strange
            if changed != answer:
                yield json.dumps(changed)


def _at(answer: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        answer = answer[name]
    return answer


def _damaged(value: Any) -> list[str]:
    if not isinstance(value, str) or len(value) < 8:
        return []
    raw = base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))
    half, flipped = raw[: len(raw) // 2], bytes([raw[0] ^ 0x80, *raw[1:]])
    return [value[:-3], *(websafe_encode(each) for each in (half, flipped, raw[:1], b"\xff" * len(raw), raw + b"x"))]


def log_in(person: User) -> Client:
    client = Client(raise_request_exception=False)
    client.post(reverse("account_login"), {"login": person.email, "password": PASSWORD})
    return client


def state(client: Client, page: str, **headers: str) -> str:
    """Begins the ceremony, and gives its challenge."""
    client.get(page, headers=headers)
    return str(client.session[STATE_SESSION_KEY]["challenge"])


def with_key(person: User, client: Client | None = None) -> Passkey:
    """Elsewhere, unless a client is named: whose other sessions end with a first key."""
    client, key, page = client or log_in(person), Passkey(), reverse("mfa_add_webauthn")
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    answer = client.post(page, {"name": "Key", "credential": json.dumps(key.added(state(client, page)))})
    assert answer.status_code == 302, answer.content
    return key


def post_all(client: Client, page: str, answer: dict[str, Any], **headers: str) -> set[int]:
    kept = dict(client.session)
    statuses = set()
    for text in (*NOT_JSON, *bent(answer)):
        session = client.session
        session.update({STATE_SESSION_KEY: kept[STATE_SESSION_KEY]})
        session.save()
        got = client.post(page, {"name": "Key", "credential": text}, headers=headers)
        assert got.status_code < 500, text[:300]
        statuses.add(got.status_code)
    return statuses


@pytest.mark.parametrize("nothing", ["0", "false", "0.0"])
def test_nothing_is_no_key(person: User, nothing: str) -> None:
    client, page = log_in(person), reverse("mfa_add_webauthn")
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    state(client, page)
    assert client.post(page, {"name": "Key", "credential": nothing}).status_code == 200
    assert not Authenticator.objects.filter(user=person).exists()


@pytest.mark.parametrize("kind", ["public-key\0", "\u00e9"])
def test_a_part_that_is_no_text_of_an_answer_is_not_kept(person: User, kind: str) -> None:
    client, page = log_in(person), reverse("mfa_add_webauthn")
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    answer = {**Passkey().added(state(client, page)), "type": kind}
    assert client.post(page, {"name": "Key", "credential": json.dumps(answer)}).status_code == 200
    assert not Authenticator.objects.filter(user=person).exists()


def test_adding_a_key_takes_the_right_answer_alone(person: User) -> None:
    client, page = log_in(person), reverse("mfa_add_webauthn")
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    answer = Passkey().added(state(client, page))
    post_all(client, page, answer)
    assert client.get(page).status_code == 200
    with_key(make_member(make_tenant()))


def test_a_second_factor_takes_the_right_answer_alone(person: User) -> None:
    key, page = with_key(person), reverse("mfa_authenticate")
    client = log_in(person)
    answer = key.asserted(state(client, page))
    post_all(client, page, {**answer, "response": {**answer["response"], "userHandle": ""}})
    right = key.asserted(state(client, page))
    assert client.post(page, {"credential": json.dumps(right)})["Location"] == reverse("admin:index")


def test_a_login_by_passkey_takes_the_right_answer_alone(person: User) -> None:
    key, page = with_key(person), reverse("mfa_login_webauthn")
    client, ajax = Client(raise_request_exception=False), {"X-Requested-With": "XMLHttpRequest"}
    handle = websafe_encode(user_pk_to_url_str(person).encode())
    post_all(client, page, key.asserted(state(client, page, **ajax), handle))
    client = Client()
    right = key.asserted(state(client, page, **ajax), handle)
    assert client.post(page, {"credential": json.dumps(right)})["Location"] == reverse("admin:index")


def test_confirming_by_passkey_takes_the_right_answer_alone(person: User) -> None:
    client = log_in(person)
    key, page = with_key(person, client), reverse("mfa_reauthenticate_webauthn")
    post_all(client, page, key.asserted(state(client, page)))
    right = key.asserted(state(client, page))
    assert client.post(page, {"credential": json.dumps(right)}).status_code == 302
    assert client.get(reverse("mfa_add_webauthn")).status_code == 200


@pytest.mark.parametrize("handle", ["AAAA", "_w", websafe_encode(b"-1"), websafe_encode(b"9" * 400), "é", "%00"])
def test_a_passkey_of_nobody_opens_nothing(handle: str) -> None:
    client, page = Client(raise_request_exception=False), reverse("mfa_login_webauthn")
    challenge = state(client, page, **{"X-Requested-With": "XMLHttpRequest"})
    answer = client.post(page, {"credential": json.dumps(Passkey().asserted(challenge, handle))})
    assert (answer.status_code, answer["Location"]) == (302, reverse("account_login"))
