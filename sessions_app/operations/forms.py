"""The form that starts a soak run."""

from typing import Any
from urllib.parse import urlsplit

from django import forms
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from sessions_app.assistants.models import Assistant
from sessions_app.operations.models import GOING, SoakRun


class AssistantChoice(forms.ModelChoiceField):
    def label_from_instance(self, assistant: Any) -> str:
        return f"{assistant.tenant.name}: {assistant.name}"


class SoakForm(forms.ModelForm):
    assistant = AssistantChoice(queryset=None, widget=UnfoldAdminSelectWidget, help_text="Published assistants only.")
    callers = forms.IntegerField(
        min_value=1, max_value=500, widget=UnfoldAdminIntegerFieldWidget, help_text="Synthetic visitors at once."
    )
    minutes = forms.FloatField(
        min_value=0.5, max_value=1440, widget=UnfoldAdminDecimalFieldWidget,
        help_text="From half a minute to 24 hours (1440); the contract soak takes 24 hours.",
    )  # fmt: skip
    duty = forms.FloatField(
        label="Duty cycle", min_value=0.05, max_value=1, widget=UnfoldAdminDecimalFieldWidget,
        help_text="Share of the time that a caller is in conversation. The contract soak has 0.3; a run of a few "
        "minutes needs more to say enough.",
    )  # fmt: skip
    url = forms.CharField(
        label="Address", max_length=200, widget=UnfoldAdminTextInputWidget,
        help_text="Where the callers reach this installation, seen from the machine that runs Celery.",
    )  # fmt: skip
    metrics_urls = forms.CharField(
        label="Metrics pages", required=False, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="One address a line: the /metrics pages of the web and worker processes, for CPU and memory.",
    )  # fmt: skip

    class Meta:
        model = SoakRun
        fields = ("assistant", "callers", "minutes", "duty", "url", "metrics_urls")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        published = Assistant.objects.exclude(live_version=None).select_related("tenant")
        self.fields["assistant"].queryset = published.order_by("tenant__name", "name")  # type: ignore[attr-defined]

    def clean_url(self) -> str:
        return _address(self.cleaned_data["url"]).rstrip("/")

    def clean_metrics_urls(self) -> list[str]:
        lines = self.cleaned_data["metrics_urls"].splitlines()
        return [_address(line.strip()) for line in lines if line.strip()]

    def clean(self) -> dict[str, Any] | None:
        if SoakRun.objects.filter(state__in=GOING).exists():
            raise forms.ValidationError("Another soak run is still going. Stop it, or wait for its end.")
        return super().clean()


def _address(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise forms.ValidationError(f"“{text}” is not an address: write http://host:port or https://host.")
    return text
