"""Answers of passkeys as anybody may post them: whatever is none is a wrong one, said in the form, never a failure.

The libraries below check each answer's signature, and trip over those that are not even shaped like one, in as many
ways as there are shapes.
"""

import json
import struct
from typing import Any

from allauth.mfa.webauthn import forms
from allauth.mfa.webauthn.internal.auth import parse_registration_response
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from django import forms as django_forms
from django.core.exceptions import ValidationError

MISSHAPEN = (
    ArithmeticError, AssertionError, AttributeError, InvalidSignature, LookupError, NotImplementedError, RecursionError,
    TypeError, UnsupportedAlgorithm, ValueError, struct.error,
)  # fmt: skip
WRONG = "That answer of a passkey is none of yours. Try again."


class Answer(django_forms.JSONField):
    def bound_data(self, data: Any, initial: Any) -> Any:
        """Shown again, a wrong answer would be read again; a page's next one is new anyway."""
        return initial


class _Guarded:
    """In front of a form of allauth's."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields: dict[str, django_forms.Field]
        self.fields["credential"] = Answer(widget=django_forms.HiddenInput)

    def full_clean(self) -> None:
        try:
            super().full_clean()  # type: ignore[misc]
        except MISSHAPEN:
            self.cleaned_data: dict[str, Any] = {}
            self.add_error("credential", ValidationError(WRONG, code="incorrect_code"))  # type: ignore[attr-defined]


class AddPasskey(_Guarded, forms.AddWebAuthnForm):
    def clean(self) -> dict[str, Any]:
        """Keeps what is known of an answer and no more: an odd part, once kept, would spoil every later login. allauth
        takes an answer of `0` for none at all, and would keep it as a key."""
        cleaned: dict[str, Any] = super().clean()
        if "credential" in cleaned:
            cleaned["credential"] = _plain(cleaned["credential"])
            parse_registration_response(json.loads(json.dumps(cleaned["credential"])))
        return cleaned


def _plain(credential: dict[str, Any]) -> dict[str, Any]:
    said = credential["response"]
    resident = (credential.get("clientExtensionResults") or {}).get("credProps", {}).get("rk")
    return {
        **{name: _text(credential[name]) for name in ("id", "rawId", "type")},
        "response": {name: _text(said[name]) for name in ("clientDataJSON", "attestationObject")},
        "clientExtensionResults": {"credProps": {"rk": resident is True}},
    }


def _text(value: Any) -> str:
    """PostgreSQL keeps no NUL."""
    text = str(value)
    if not (text.isascii() and text.isprintable()):
        raise ValueError("no part of an answer is written so")
    return text


class AskPasskey(_Guarded, forms.AuthenticateWebAuthnForm): ...


class AskPasskeyAgain(_Guarded, forms.ReauthenticateWebAuthnForm): ...


class LogInByPasskey(_Guarded, forms.LoginWebAuthnForm): ...
