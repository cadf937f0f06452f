"""Pages of one's own login: how it is kept safe, and where it is open."""

from typing import Any

from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.views import RemoveWebAuthnView
from allauth.usersessions.models import UserSession
from allauth.usersessions.views import ListUserSessionsView
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse

from sessions_app.accounts.log import note
from sessions_app.tenants.second_factor import has_factor, must_set_up, who_requires
from sessions_app.tenants.selectors import memberships_of


@login_required
def second_factor(request: HttpRequest) -> HttpResponse:
    """Where people are taken who must set one up first; with a way to their other tenants."""
    user: Any = request.user
    open_to = [one.tenant for one in memberships_of(user=user) if not must_set_up(user, one.tenant)]
    context = {"required_by": who_requires(user), "has": has_factor(user), "open_to": open_to}
    return render(request, "account/second_factor.html", context)


class RemovePasskey(RemoveWebAuthnView):
    """The library's, which does not ask whether the last one may go."""

    def form_valid(self, form: Any) -> HttpResponse:
        adapter = get_adapter()
        if adapter.can_delete_authenticator(self.get_object()):
            return super().form_valid(form)
        messages.error(self.request, adapter.error_messages["cannot_delete_authenticator"])
        return HttpResponseRedirect(reverse("mfa_list_webauthn"))


@login_required
def security(request: HttpRequest) -> HttpResponse:
    """What is on and what is not, with the way to each."""
    kinds = list(Authenticator.objects.filter(user=request.user).values_list("type", flat=True))
    context = {
        "totp": Authenticator.Type.TOTP in kinds,
        "passkeys": kinds.count(Authenticator.Type.WEBAUTHN),
        "recovery": Authenticator.Type.RECOVERY_CODES in kinds,
        "sessions": len(UserSession.objects.purge_and_list(request.user)),
    }
    return render(request, "account/security.html", context)


class LoginSessions(ListUserSessionsView):
    """The library's list, where each one can be ended by itself."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        one = request.POST.get("session", "")
        if not one:
            note("login_session.others_ended", request, request.user)
            return super().post(request, *args, **kwargs)
        found = UserSession.objects.filter(user=request.user, pk=one).first() if one.isdecimal() else None
        if found is not None and not found.is_current():
            found.end()
            note("login_session.ended", request, request.user, address=found.ip)
            messages.info(request, "That session is over.")
        return HttpResponseRedirect(reverse("usersessions_list"))
