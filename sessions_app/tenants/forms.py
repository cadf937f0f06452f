"""Forms of the console that Django cannot guess from the rows."""

from typing import Any

from django import forms
from django.contrib.auth.forms import BaseUserCreationForm
from django.core.exceptions import ValidationError
from unfold.forms import UserChangeForm
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminEmailInputWidget,
    UnfoldAdminPasswordWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from sessions_app.tenants.keys import checked_origin
from sessions_app.tenants.models import Membership, OperatorKey, PublishableKey, SecretKey, Tenant, User
from sessions_app.tenants.permissions import KEY_SCOPES, SESSION_SCOPES


class LookForm(forms.Form):
    reason = forms.CharField(
        max_length=300,
        min_length=5,
        widget=UnfoldAdminTextInputWidget,
        help_text="The tenant reads it in its audit log: “Ticket 812: calls end after a minute”.",
    )


class OwnerForm(forms.Form):
    email = forms.EmailField(label="E-mail address", widget=UnfoldAdminEmailInputWidget)


class NewTenantForm(forms.ModelForm):
    owner = forms.EmailField(
        widget=UnfoldAdminEmailInputWidget,
        help_text="Who runs it: the first person in. They are invited by mail.",
    )

    class Meta:
        model = Tenant
        fields = ("name", "slug")


class MemberForm(forms.ModelForm):
    email = forms.EmailField(
        widget=UnfoldAdminEmailInputWidget, help_text="They are invited by mail, and choose their own password."
    )

    class Meta:
        model = Membership
        fields = ("role",)

    def clean(self) -> dict[str, Any]:
        """Adding somebody again would change their role: an admin could demote the owner."""
        data: dict[str, Any] = super().clean() or {}
        email = data.get("email", "").lower()
        if email and Membership.objects.filter(user__email=email).exists():
            self.add_error("email", f"{email} is a member already. Change their role in the list of members.")
        return data


class NewUserForm(BaseUserCreationForm):
    class Meta:
        model = User
        fields = ("email",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("password1", "password2"):
            self.fields[name].widget = UnfoldAdminPasswordWidget()

    def clean_email(self) -> str:
        return str(self.cleaned_data["email"]).lower()

    def save(self, commit: bool = True) -> Any:
        self.instance.is_staff = True
        return super().save(commit=commit)


class UserForm(UserChangeForm):
    class Meta:
        model = User
        fields = ("email", "password", "is_active", "is_staff", "is_superuser")


class Lines(forms.CharField):
    """A list of texts, one a line."""

    widget = UnfoldAdminTextareaWidget(attrs={"rows": 3})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        return [line.strip() for line in (value or "").splitlines() if line.strip()]


def expiry() -> forms.TypedChoiceField:
    return forms.TypedChoiceField(
        label="Expires",
        choices=[("", "never"), ("7", "in 7 days"), ("30", "in 30 days"), ("90", "in 90 days"), ("365", "in a year")],
        coerce=int,
        empty_value=None,
        required=False,
        initial="90",
        widget=UnfoldAdminSelectWidget,
    )


class OperatorKeyForm(forms.ModelForm):
    days = expiry()

    class Meta:
        model = OperatorKey
        fields = ("label",)


class SecretKeyForm(forms.ModelForm):
    scopes = forms.MultipleChoiceField(
        choices=[(can.value, can.value) for can in KEY_SCOPES],
        initial=[can.value for can in SESSION_SCOPES],
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text="What the key may do. Give it what its program needs, and no more.",
    )
    days = expiry()

    class Meta:
        model = SecretKey
        fields = ("label", "scopes")


class PublishableKeyForm(forms.ModelForm):
    allowed_origins = Lines(
        required=False,
        help_text="Where the key may be used, one a line: https://www.example.com. None: our own pages.",
    )

    class Meta:
        model = PublishableKey
        fields = ("label", "allowed_origins")

    def clean_allowed_origins(self) -> list[str]:
        try:
            return [checked_origin(origin) for origin in self.cleaned_data["allowed_origins"]]
        except ValueError as error:
            raise ValidationError(str(error)) from error
