"""The draft as a form. What cannot be published is said at the field where it can be mended."""

from typing import Any

from django import forms
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from sessions_app.assistants import sheets
from sessions_app.assistants.draft import Draft, DraftError, checked
from sessions_app.assistants.models import Assistant

FACT = {"heading": "topic", "text": "answer"}
DOCUMENT = {"heading": "title", "text": "body"}
DEFAULTS = Draft(greeting="-", persona="-").model_dump()
PATIENCE = (("calm", "Calm"), ("brisk", "Brisk"))
NESTED = {"voice_name": ("voice", "name"), "rate_wpm": ("voice", "rate_wpm")} | {
    name: ("turns", name) for name in ("patience", "endpoint_ms", "min_speech_ms")
}
"""Form field → its place in the draft, where that is not on top."""


def _area(rows: int) -> forms.Textarea:
    return UnfoldAdminTextareaWidget(attrs={"rows": rows})


def _whole(label: str, help_text: str) -> forms.IntegerField:
    return forms.IntegerField(label=label, widget=UnfoldAdminIntegerFieldWidget, help_text=help_text)


class Sheet(forms.CharField):
    """Facts or documents as text; its value is the list of entries."""

    def __init__(self, *, keys: dict[str, str], rows: int, help_text: str) -> None:
        super().__init__(required=False, widget=_area(rows), help_text=help_text)
        self.keys = keys

    def prepare_value(self, value: Any) -> Any:
        return sheets.write(value, **self.keys) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        try:
            return sheets.read(value or "", **self.keys)
        except sheets.SheetError as error:
            raise forms.ValidationError(str(error)) from error


class AssistantForm(forms.ModelForm):
    greeting = forms.CharField(widget=_area(2), help_text="The first words that a visitor hears.")
    persona = forms.CharField(widget=_area(6), help_text="Who the assistant is and how it speaks.")
    facts = Sheet(
        keys=FACT,
        rows=14,
        help_text="An entry each: a line “# name: words that visitors use”, then the answer, spoken as it stands.",
    )
    documents = Sheet(
        keys=DOCUMENT,
        rows=14,
        help_text="An entry each: a line “# name: title”, then the text. Blank lines part paragraphs.",
    )
    confidence_threshold = forms.FloatField(
        widget=UnfoldAdminDecimalFieldWidget,
        help_text="0 to 1. Below it the assistant says that it does not know.",
    )
    voice_name = forms.CharField(widget=UnfoldAdminTextInputWidget, help_text="Of the speech engine: en-us, en-gb.")
    rate_wpm = _whole("Speed", "Words a minute.")
    patience = forms.ChoiceField(
        choices=PATIENCE,
        widget=UnfoldAdminSelectWidget,
        help_text="Calm cuts nobody off in a pause of up to 700 ms. Brisk answers once a sentence sounds complete "
        "and gives the floor back to whoever goes on.",
    )
    endpoint_ms = _whole("End of turn, ms", "Silence that ends the visitor's turn whatever was said; 700 or more.")
    min_speech_ms = _whole("Shortest speech, ms", "Sound shorter than this is noise.")
    idle_limit_s = _whole("Idle limit, s", "A silent session ends after so many seconds (60 to 3600).")

    class Meta:
        model = Assistant
        fields = ("name", "slug")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        draft = {**DEFAULTS, "greeting": "", "persona": "", **(self.instance.draft or {})}
        for name, field in self.fields.items():
            if name not in {"name", "slug"}:
                part, key = NESTED.get(name, ("", name))
                values = {**DEFAULTS[part], **draft[part]} if part else draft
                self.initial.setdefault(name, values.get(key))
                field.initial = self.initial[name]

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if self._slug_taken(data):
            self.add_error("slug", "Another assistant has this address; choose another.")
        if not self.errors:
            self.instance.draft = self._draft(data)
            try:
                checked(self.instance.draft)
            except DraftError as error:
                for field, problems in error.by_field.items():
                    for problem in problems:
                        self.add_error(self._field_of(field), problem)
        return data

    def _slug_taken(self, data: dict[str, Any]) -> bool:
        """Django asks only where the tenant is a field of the form; here it is the tenant in scope."""
        return Assistant.objects.filter(slug=data.get("slug")).exclude(pk=self.instance.pk).exists()

    def _draft(self, data: dict[str, Any]) -> dict[str, Any]:
        """What the form does not show stays as it was."""
        draft: dict[str, Any] = {**(self.instance.draft or {}), "voice": {}, "turns": {}}
        for name in self.fields:
            if name not in {"name", "slug"}:
                part, key = NESTED.get(name, ("", name))
                (draft[part] if part else draft)[key] = data[name]
        return draft

    def _field_of(self, draft_field: str) -> str | None:
        """Where to say it; None: on top of the form."""
        first = {"voice": "voice_name", "turns": "patience"}.get(draft_field, draft_field)
        return first if first in self.fields else None
