"""Logging in at a tenant's own provider: authorization code flow with PKCE, state and nonce (RFC 9700).

What belongs to one attempt lies in the browser's own session, for ten minutes and one answer.
"""

import hmac
import secrets
import time
from dataclasses import asdict
from typing import Any, Final

import structlog
from allauth.core.internal.ratelimit import consume
from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_safe

from sessions_app.accounts.id_token import Refused
from sessions_app.accounts.models import SingleSignOn
from sessions_app.accounts.pinned import log_in
from sessions_app.accounts.provider import Attempt, claims_for, discovered, where_to
from sessions_app.accounts.sso import let_in, sso_of
from sessions_app.tenants.addresses import public_origin

log = structlog.get_logger(__name__)

UNDER_WAY: Final = "single_sign_on"
VALID_S: Final = 600
NO_SUCH: Final = "There is no single sign-on under that name."
STALE: Final = "That login was not begun here, is over, or took longer than ten minutes. Begin again."


class SlugForm(forms.Form):
    tenant = forms.SlugField(
        max_length=60, help_text="Your organisation's short name here, as it stands in the address of its pages."
    )


@never_cache
@require_safe
def choose(request: HttpRequest) -> HttpResponse:
    """Which tenant. The way on is a link: a form may lead to our own pages only (content security policy)."""
    form = SlugForm(request.GET if "tenant" in request.GET else None)
    sso = None
    if form.is_valid():
        sso = sso_of(form.cleaned_data["tenant"])
        if sso is None:
            form.add_error("tenant", NO_SUCH)
    return render(request, "account/sso.html", {"form": form, "sso": sso})


@never_cache
@require_GET
def start(request: HttpRequest, slug: str) -> HttpResponse:
    if request.headers.get("Sec-Fetch-Site", "none") not in {"none", "same-origin"}:
        return redirect(f"{reverse('account_sso')}?tenant={slug}")  # no other site logs anybody in by a link
    if request.user.is_authenticated:
        return redirect("admin:index")
    if not consume(request, app="allauth.account", action="single_sign_on", limit_get=True):
        return _refused(request, "Too many attempts. Wait a minute.", status=429)
    sso = sso_of(slug)
    if sso is None:
        return _refused(request, NO_SUCH, status=404)
    redirect_uri = public_origin(request) + reverse("account_sso_callback")
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    attempt = Attempt(state, nonce, verifier, redirect_uri)
    try:
        address = where_to(discovered(sso), sso, attempt)
    except Refused as error:
        return _refused(request, str(error), sso=sso, status=403)
    request.session[UNDER_WAY] = {**asdict(attempt), "slug": slug, "until": time.time() + VALID_S}
    return HttpResponseRedirect(address)


@never_cache
@require_GET
def callback(request: HttpRequest) -> HttpResponse:
    kept = _taken(request)
    if kept is None:
        return _refused(request, STALE)
    sso = sso_of(kept.pop("slug"))
    if sso is None:
        return _refused(request, NO_SUCH, status=404)
    try:
        user = let_in(sso, _claims(request, sso, Attempt(**kept)))
    except Refused as error:
        return _refused(request, str(error), sso=sso, status=403)
    log_in(request, user, sso.tenant_id)
    return redirect("admin:index")


def _taken(request: HttpRequest) -> dict[str, Any] | None:
    """The attempt that this answer belongs to; it takes no second one. None when there is none."""
    kept, state = request.session.get(UNDER_WAY), _one(request, "state")
    if kept is None or not hmac.compare_digest(state.encode(), kept["state"].encode()):
        return None  # somebody else's answer does not end an attempt
    del request.session[UNDER_WAY]
    request.session.save()
    return kept if kept.pop("until") > time.time() else None


def _one(request: HttpRequest, name: str) -> str:
    """A parameter that came once; empty otherwise."""
    told = request.GET.getlist(name)
    return told[0] if len(told) == 1 else ""


def _claims(request: HttpRequest, sso: SingleSignOn, attempt: Attempt) -> dict[str, Any]:
    provider = discovered(sso)
    if ("iss" in request.GET or provider.names_itself) and _one(request, "iss") != sso.issuer:
        raise Refused("The answer comes from another provider.")  # RFC 9207
    if "error" in request.GET:
        raise Refused("The provider let nobody in. Begin again, or ask whoever runs it.")
    code = _one(request, "code")
    if not code:
        raise Refused("The provider's answer holds no code.")
    return claims_for(provider, sso, attempt, code)


def _refused(request: HttpRequest, why: str, *, sso: SingleSignOn | None = None, status: int = 400) -> HttpResponse:
    if sso is not None:
        log.info("single_sign_on_refused", tenant=str(sso.tenant_id), why=why)
    return render(request, "account/sso_refused.html", {"why": why, "sso": sso}, status=status)
