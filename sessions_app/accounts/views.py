"""Pages of one's own login: how it is kept safe, and where it is open."""

from typing import Any

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from allauth.usersessions.views import ListUserSessionsView
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse

from sessions_app.accounts.log import note


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
