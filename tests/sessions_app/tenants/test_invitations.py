"""Somebody is asked, follows a link, and is a member."""

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from sessions_app.tenants.invitations import accept, invite, standing_invitation, take_back
from sessions_app.tenants.models import AuditEntry, Invitation, Membership, Role, User
from sessions_app.tenants.scope import everyone, tenant_scope
from sessions_app.tenants.selectors import memberships_of
from tests.fakes.office import PASSWORD, make_member, make_operator, make_tenant, signed_in

pytestmark = pytest.mark.django_db(transaction=True)
CONSOLE = reverse("admin:index")
NEW = "kim@example.com"


@pytest.fixture(autouse=True)
def mailbox(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"


@pytest.fixture
def zoo():
    return make_tenant("Zoo")


def asked(tenant, email=NEW, role=Role.EDITOR):
    with tenant_scope(tenant.id):
        _, link = invite(tenant=tenant, email=email, role=role, by="Robin")
    return link[link.index("/accounts/") :]


def roles(email):
    return [(one.tenant.name, one.role) for one in memberships_of(user=User.objects.get(email=email))]


def test_a_new_person_chooses_a_password_and_is_in(zoo):
    path, client = asked(zoo, "Kim@Example.com"), Client()
    (message,) = mail.outbox
    assert (message.to, path in message.body, "Robin invites you to Zoo" in message.body) == ([NEW], True, True)
    assert "You are invited to Zoo" in client.get(path).content.decode()
    assert "too short" in client.post(path, {"password": "short"}).content.decode()
    assert not User.objects.filter(email=NEW).exists()
    assert client.post(path, {"password": PASSWORD})["Location"] == CONSOLE
    assert client.get(CONSOLE).status_code == 200
    assert roles(NEW) == [("Zoo", "editor")]
    assert Client().get(path).status_code == 404


def test_a_password_is_taken_as_typed_spaces_and_all(zoo):
    Client().post(asked(zoo), {"password": f" {PASSWORD} "})
    user = User.objects.get(email=NEW)
    assert user.check_password(f" {PASSWORD} ") and not user.check_password(PASSWORD)


def test_who_has_a_login_uses_it_and_nobody_else_can(zoo):
    person = make_member(make_tenant("Ark"))
    path = asked(zoo, person.email)
    assert "There is a login for this address already" in Client().get(path).content.decode()
    stranger = signed_in(make_member(make_tenant()))
    assert "log out first" in stranger.post(path).content.decode()
    assert roles(person.email) == [("Ark", "owner")]
    client = signed_in(person)
    assert client.post(path)["Location"] == CONSOLE
    assert roles(person.email) == [("Ark", "owner"), ("Zoo", "editor")]
    assert "Zoo" in client.get(CONSOLE).content.decode()


def test_a_link_works_once_for_a_week_and_until_it_is_taken_back(zoo):
    first, second = asked(zoo), asked(zoo)
    assert Client().get(first).status_code == 404  # the later one takes its place
    assert Client().get(second).status_code == 200
    with tenant_scope(zoo.id):
        row = Invitation.objects.latest("created_at")
        Invitation.objects.filter(pk=row.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
        assert Client().get(second).status_code == 404
        Invitation.objects.filter(pk=row.pk).update(expires_at=timezone.now() + timedelta(days=1))
        take_back(invitation=Invitation.objects.get(pk=row.pk))
    assert "not open" in Client().post(second, {"password": PASSWORD}).content.decode()
    assert not User.objects.filter(email=NEW).exists()


@pytest.mark.parametrize("token", ["x", "0" * 43, "%00", "a" * 500, "..%2f"])
def test_a_guessed_link_opens_nothing(token):
    assert Client().get(f"/accounts/invitation/{token}/").status_code == 404


def test_of_two_at_once_one_is_let_in(zoo):
    raw = asked(zoo).rstrip("/").rpartition("/")[2]
    one, user = standing_invitation(raw), User.objects.create_user(NEW, PASSWORD)
    accept(invitation=one, user=user)
    with pytest.raises(ValueError, match="already"):
        accept(invitation=one, user=user)


def test_an_owner_who_is_invited_as_less_stays_one(zoo):
    owner = make_member(zoo)
    signed_in(owner).post(asked(zoo, owner.email, Role.VIEWER))
    assert roles(owner.email) == [("Zoo", "owner")]


def test_the_log_tells_who_was_asked_and_never_the_link(zoo):
    raw = asked(zoo).rstrip("/").rpartition("/")[2]
    with everyone():
        entry = AuditEntry.objects.get(action="member.invited")
        kept = str(Invitation.objects.values().get()) + str(AuditEntry.objects.values().get())
    assert (entry.after["email"], entry.after["token_hash"]) == (NEW, "(hidden)")
    assert raw not in kept


def test_a_mail_server_that_is_away_costs_no_invitation(zoo, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    assert Client().get(asked(zoo)).status_code == 200


def test_owners_invite_in_the_console_see_who_has_not_come_and_take_back(zoo):
    client = signed_in(make_member(zoo))
    shown = client.post(reverse("admin:sessions_app_membership_add"), {"email": NEW, "role": "editor"})
    path = re.search(r"data-secret>https?://[^/]+(/accounts/invitation/[^<]+)<", shown.content.decode())[1]
    assert Client().get(path).status_code == 200
    listed = reverse("admin:sessions_app_invitation_changelist")
    assert NEW in client.get(listed).content.decode()
    with tenant_scope(zoo.id):
        chosen = {"action": "take_back", "_selected_action": [Invitation.objects.get().pk]}
    viewer = signed_in(make_member(zoo, Role.VIEWER))
    viewer.post(listed, chosen)
    assert Client().get(path).status_code == 200
    client.post(listed, chosen)
    assert Client().get(path).status_code == 404


def test_admins_invite_no_owners(zoo):
    admin = signed_in(make_member(zoo, Role.ADMIN))
    answer = admin.post(reverse("admin:sessions_app_membership_add"), {"email": NEW, "role": "owner"})
    assert "Select a valid choice" in answer.content.decode()
    with everyone():
        assert not Invitation.objects.exists()


def test_an_operator_opens_a_tenant_and_its_owner_comes_in():
    form = {"name": "Ark", "slug": "ark", "owner": NEW}
    shown = signed_in(make_operator()).post(reverse("admin:sessions_app_tenant_add"), form)
    path = re.search(r"data-secret>https?://[^/]+(/accounts/invitation/[^<]+)<", shown.content.decode())[1]
    client = Client()
    client.post(path, {"password": PASSWORD})
    assert client.get(reverse("admin:sessions_app_membership_add")).status_code == 200
    assert roles(NEW) == [("Ark", "owner")]


def test_another_tenants_invitations_are_not_there(zoo):
    asked(zoo)
    with everyone():
        row = Invitation.objects.get()
    stranger = signed_in(make_member(make_tenant()))
    assert NEW not in stranger.get(reverse("admin:sessions_app_invitation_changelist")).content.decode()
    with tenant_scope(make_tenant().id):
        assert not Invitation.objects.filter(pk=row.pk).exists()
        assert not Membership.objects.exists()
