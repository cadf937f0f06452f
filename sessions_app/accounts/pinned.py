"""Login sessions that a tenant's own provider opened reach that tenant's console, and nothing of the login itself: a
provider that lies about addresses must not come by somebody's password, second factors or other tenants."""

from typing import Any, Final

from allauth.usersessions.models import UserSession
from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.deprecation import MiddlewareMixin

from sessions_app.tenants.models import User
from sessions_app.tenants.standing import PINNED

BACKEND: Final = "allauth.account.auth_backends.AuthenticationBackend"
LASTS_S: Final = 12 * 3600
"""Then the provider is asked again whether the person still works there."""
CLOSED: Final = ("/accounts/", "/admin/password_change/")
OPEN: Final = frozenset(
    {
        "account_inactive", "account_login", "account_logout", "account_sso", "account_sso_callback",
        "account_sso_start",
    }
)  # fmt: skip


class PinnedDoor(MiddlewareMixin):
    def process_view(self, request: HttpRequest, *args: Any) -> HttpResponse | None:
        if not request.path_info.startswith(CLOSED) or PINNED not in request.session:
            return None
        found: Any = request.resolver_match
        return None if found.url_name in OPEN else render(request, "account/pinned.html", status=403)


def log_in(request: HttpRequest, user: User, tenant_id: Any) -> None:
    """Opens a login session of that tenant's alone; nothing of the browser's earlier one goes on."""
    request.session.flush()
    request.session[PINNED] = str(tenant_id)  # before the login: at no moment is there one without it
    request.session.set_expiry(LASTS_S)
    login(request, user, backend=BACKEND)
    UserSession.objects.create_from_request(request)
