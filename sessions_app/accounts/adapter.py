"""Where allauth asks how it is done here."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.http import HttpRequest
from django.urls import reverse

from sessions_app.tenants.addresses import visitor_address
from sessions_app.tenants.sealing import box


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

    def get_phone(self, user: Any) -> None:
        """Nobody's is kept."""
        return


class MfaAdapter(DefaultMFAAdapter):
    """Whoever copies the database has no second factor of anybody's."""

    def encrypt(self, text: str) -> str:
        return box("second_factor").encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return box("second_factor").decrypt(encrypted_text.encode()).decode()
