"""Where allauth asks how it is done here."""

import unicodedata
from typing import Any, ClassVar
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.http import HttpRequest
from django.urls import reverse

from sessions_app.tenants import sealing
from sessions_app.tenants.addresses import public_origin, visitor_address
from sessions_app.tenants.second_factor import has_factor, who_requires


class AccountAdapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """People are invited; nobody signs themselves up."""
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        """Whom rate limits count: spoofed headers do not make somebody else of one."""
        return visitor_address(request)

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        return reverse("admin:index")

    def format_email_subject(self, subject: str) -> str:
        return f"GoAssist: {subject}"

    def get_reset_password_from_key_url(self, key: str) -> str:
        """Leads to a configured address, whatever host and port the request named: the link is worth a password."""
        address = urlsplit(super().get_reset_password_from_key_url(key))
        return public_origin(self.request) + address.path

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        super().send_mail(template_prefix, email, {**context, "origin": public_origin(self.request)})

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """Whose password is guessed. allauth would count for each `Host` anew, whose port anybody may choose; and a
        database may take letters for the same (`ſ`, the Kelvin sign) that differ in lower case."""
        login = str(credentials.get("email") or credentials.get("username") or "")
        return unicodedata.normalize("NFKC", login).upper().casefold()

    def get_phone(self, user: Any) -> None:
        """Nobody's is kept."""
        return


class MfaAdapter(DefaultMFAAdapter):
    """Whoever copies the database has no second factor of anybody's."""

    error_messages: ClassVar = {
        **DefaultMFAAdapter.error_messages,
        "cannot_delete_authenticator": "You are let in with a second factor only, and this is your last. Add another "
        "one first.",
    }

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        user = authenticator.user
        return has_factor(user, besides=authenticator) or not who_requires(user)

    def encrypt(self, text: str) -> str:
        return sealing.sealed("second_factor", text)

    def decrypt(self, encrypted_text: str) -> str:
        return sealing.opened("second_factor", encrypted_text)
