"""The console's form of a webhook."""

from django import forms
from django.core.exceptions import ValidationError
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from sessions_app.webhooks.models import EventType, WebhookEndpoint
from sessions_app.webhooks.services import checked_url


class WebhookForm(forms.ModelForm):
    events = forms.MultipleChoiceField(
        choices=[(kind.value, f"{kind.label} ({kind.value})") for kind in EventType],
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text="None: all of them, those that come later too.",
    )

    class Meta:
        model = WebhookEndpoint
        fields = ("url", "description", "events", "enabled")

    def clean_url(self) -> str:
        try:
            return checked_url(self.cleaned_data["url"])
        except ValueError as error:
            raise ValidationError(str(error)) from error
