"""Where a tenant's own people may log in instead of here, and who is who there."""

from django.db import models

from sessions_app.tenants import sealing
from sessions_app.tenants.models import User
from sessions_app.tenants.scope import TenantOwned

PURPOSE = "single_sign_on"


class SingleSignOn(TenantOwned):
    """A tenant's OpenID provider. One at most."""

    tenant = models.OneToOneField("sessions_app.Tenant", on_delete=models.CASCADE, related_name="+")
    issuer = models.CharField(
        max_length=300, help_text="As the provider writes it itself: https://login.example.com/realms/staff."
    )
    client_id = models.CharField("client ID", max_length=300)
    secret = models.TextField("client secret", editable=False, default="")
    domains = models.JSONField("e-mail domains", default=list)
    enabled = models.BooleanField(default=True, help_text="Off: everybody logs in with what they have here.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(TenantOwned.Meta):
        verbose_name = verbose_name_plural = "single sign-on"

    def __str__(self) -> str:
        return self.issuer

    def seal(self, secret: str) -> None:
        self.secret = sealing.sealed(PURPOSE, secret)

    def unsealed(self) -> str:
        """The client secret. Raises ValueError when GOASSIST_SECRET_KEY is another one by now."""
        try:
            return sealing.opened(PURPOSE, self.secret)
        except sealing.Lost as error:
            raise ValueError("The client secret cannot be read any more. Enter it again.") from error


class SsoIdentity(TenantOwned):
    """Whom a provider calls `subject`. Made at the first login; from then on addresses do not matter."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    issuer = models.CharField(max_length=300)
    subject = models.CharField(max_length=255)
    created_at = models.DateTimeField(auto_now_add=True)
    last_login_at = models.DateTimeField(null=True, blank=True)

    class Meta(TenantOwned.Meta):
        verbose_name, verbose_name_plural = "single sign-on identity", "single sign-on identities"
        ordering = ("-created_at",)
        constraints = [
            models.UniqueConstraint(fields=("tenant", "issuer", "subject"), name="one_user_per_subject"),
            models.UniqueConstraint(fields=("tenant", "issuer", "user"), name="one_subject_per_user"),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.subject}"
