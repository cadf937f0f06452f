"""The console's page of a tenant's own provider: one form, not a list; and who is who there.

Owners only: whoever says which provider is believed can be anybody in this tenant, its owners, too.
"""

import re
from typing import Any, Final

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.utils import quote
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from unfold.decorators import action
from unfold.widgets import UnfoldAdminPasswordWidget

from sessions_app.accounts.id_token import Refused
from sessions_app.accounts.models import SingleSignOn, SsoIdentity
from sessions_app.accounts.provider import checked_issuer, discovered
from sessions_app.tenants.console import OnlyOneAdmin, ReadOnlyAdmin, standing
from sessions_app.tenants.forms import Lines
from sessions_app.tenants.permissions import Can

DOMAIN: Final = re.compile(r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])")
GOOD: Final = "The provider answers and offers what is needed. Whether client ID and secret are right shows at a login."


class SingleSignOnForm(forms.ModelForm):
    domains = Lines(
        label="E-mail domains", help_text="One a line: example.com. People with other addresses are not let in."
    )
    client_secret = forms.CharField(
        required=False,
        max_length=500,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "off"}),
        help_text="Kept encrypted and never shown. Left empty, it stays as it is.",
    )

    class Meta:
        model = SingleSignOn
        fields = ("issuer", "client_id", "domains", "enabled")

    def clean_issuer(self) -> str:
        try:
            return checked_issuer(self.cleaned_data["issuer"])
        except Refused as error:
            raise ValidationError(str(error)) from error

    def clean_domains(self) -> list[str]:
        domains = [text.lower().removeprefix("@") for text in self.cleaned_data["domains"]]
        for text in domains:
            if not DOMAIN.fullmatch(text):
                raise ValidationError(f"{text[:100]!r} is no domain: write example.com.")
        return domains

    def clean(self) -> dict[str, Any]:
        """A secret goes to the provider that it was entered for, to no other."""
        data: dict[str, Any] = super().clean() or {}
        if not data.get("client_secret") and (not self.instance.secret or "issuer" in self.changed_data):
            self.add_error("client_secret", "Enter the client secret that this provider gave you.")
        return data


@admin.register(SingleSignOn)
class SingleSignOnAdmin(OnlyOneAdmin):
    read, write = Can.READ_TENANT, Can.WRITE_OWNERS
    form = SingleSignOnForm
    fields = ("issuer", "client_id", "client_secret", "domains", "enabled", "redirect_uri", "login_page")
    readonly_fields = ("redirect_uri", "login_page")
    actions_detail = ("test_connection", "identities")

    @admin.display(description="Redirect URI, to enter there")
    def redirect_uri(self, sso: SingleSignOn) -> str:
        """One for each address of this installation."""
        return " ".join(origin + reverse("account_sso_callback") for origin in settings.GOASSIST.origins)

    @admin.display(description="Where your people log in")
    def login_page(self, sso: SingleSignOn) -> str:
        if sso.pk is None:
            return "Shown once this is saved."
        return str(settings.GOASSIST.origins[0] + reverse("account_sso_start", args=[sso.tenant.slug]))

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:
        if secret := form.cleaned_data.get("client_secret"):
            obj.seal(secret)
        super().save_model(request, obj, form, change)

    def has_test_connection_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return standing(request).may(self.write)

    @action(description="Test the connection", url_path="test", permissions=["test_connection"], icon="network_check")
    def test_connection(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        """Asks the provider anew what it offers, and says in words whether that will do."""
        self.must_be_there(request, object_id)
        try:
            discovered(SingleSignOn.objects.get(pk=object_id), anew=True)
        except Refused as error:
            messages.error(request, str(error))
        else:
            messages.success(request, GOOD)
        return HttpResponseRedirect(reverse("admin:sessions_app_singlesignon_change", args=[quote(object_id)]))

    def has_identities_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return standing(request).may(Can.READ_MEMBERS)

    @action(description="Who has logged in", url_path="people", permissions=["identities"], icon="group")
    def identities(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:sessions_app_ssoidentity_changelist"))


@admin.register(SsoIdentity)
class SsoIdentityAdmin(ReadOnlyAdmin):
    """Taking one out lets the address be bound anew, to whomever the provider says has it."""

    read, write = Can.READ_MEMBERS, Can.WRITE_OWNERS
    list_display = ("user", "subject", "issuer", "created_at", "last_login_at")
    list_select_related = ("user",)
    search_fields = ("user__email", "subject")
    fields = ("user", "issuer", "subject", "created_at", "last_login_at")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return standing(request).may(self.write)
