"""The page that an invitation's link leads to: a new person chooses a password, one with a login logs in and agrees."""

from typing import Any

from allauth.account.internal.flows.login import perform_login
from allauth.account.models import Login
from django import forms
from django.contrib.auth.password_validation import validate_password
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from sessions_app.tenants.invitations import accept, standing_invitation
from sessions_app.tenants.models import Invitation, User


class NewLoginForm(forms.Form):
    password = forms.CharField(
        label="Choose a password",
        strip=False,  # as every other password field: it is taken as typed
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="At least 10 characters, and none that everybody uses.",
    )

    def __init__(self, *args: Any, email: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._email = email

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        validate_password(password, User(email=self._email))
        return password


@never_cache
@sensitive_post_parameters()
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    found = standing_invitation(token)
    if found is None:
        return render(request, "account/invitation_gone.html", status=404)
    known = User.objects.filter(email=found.email).first()
    if known is None:
        return _newcomer(request, found)
    if request.user != known:
        return render(request, "account/invitation.html", {"invitation": found, "log_in": True})
    if request.method == "POST":
        return _accepted(request, found, known)
    return render(request, "account/invitation.html", {"invitation": found})


def _newcomer(request: HttpRequest, found: Invitation) -> HttpResponse:
    form = NewLoginForm(request.POST or None, email=found.email)
    if request.method != "POST" or not form.is_valid():
        return render(request, "account/invitation.html", {"invitation": found, "form": form})
    user = User.objects.create_user(found.email, form.cleaned_data["password"])
    answer = _accepted(request, found, user)
    perform_login(request, Login(user=user))
    return answer


def _accepted(request: HttpRequest, found: Invitation, user: User) -> HttpResponse:
    try:
        accept(invitation=found, user=user)
    except ValueError:
        return render(request, "account/invitation_gone.html", status=404)
    request.session["tenant_id"] = str(found.tenant_id)
    return redirect("admin:index")
