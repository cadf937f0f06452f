"""Who there is: users, tenants, memberships, and the keys that stand for a tenant."""

import uuid
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.utils import timezone

from sessions_app.tenants import ids
from sessions_app.tenants.ids import PrefixedId
from sessions_app.tenants.permissions import SESSION_SCOPES
from sessions_app.tenants.scope import TenantOwned, TenantScopedManager, TenantScopedQuerySet, check_writable


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email=(username or "").lower())


class User(AbstractBaseUser, PermissionsMixin):
    """A person with a login. Operators are superusers; everybody else sees what their memberships say."""

    email = models.EmailField(unique=True)
    is_staff = models.BooleanField("may use the console", default=False)
    is_active = models.BooleanField(default=True)
    date_joined = models.DateTimeField(auto_now_add=True)

    objects = UserManager()

    USERNAME_FIELD = "email"

    class Meta:
        ordering = ("email",)

    def __str__(self) -> str:
        return self.email


class TenantManager(TenantScopedManager):
    tenant_field = "pk"


class Tenant(models.Model):
    """One business. In its own scope it is the only one; it is opened and closed in the scope of everyone."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slug = models.SlugField(max_length=60, unique=True, help_text="Part of the address of its pages.")
    name = models.CharField(max_length=120)
    second_factor_required = models.BooleanField(
        default=False,
        help_text="Members without an authenticator app or passkey set one up before they see anything here: you, too.",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[TenantManager] = TenantManager()

    class Meta:
        ordering = ("name",)
        base_manager_name = "objects"

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        check_writable(self.pk)
        super().save(*args, **kwargs)


class Role(models.TextChoices):
    OWNER = "owner"
    ADMIN = "admin"
    EDITOR = "editor"
    VIEWER = "viewer"


class Membership(TenantOwned):
    public_id = PrefixedId(prefix=ids.MEMBER, unique=True, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.VIEWER)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(TenantOwned.Meta):
        verbose_name = "member"
        constraints = [models.UniqueConstraint(fields=("tenant", "user"), name="one_membership_per_tenant")]

    def __str__(self) -> str:
        return f"{self.user} ({self.role})"


class Invitation(TenantOwned):
    """Somebody was asked to become a member. Of the link only a hash is kept."""

    id = PrefixedId(prefix=ids.INVITATION, primary_key=True, editable=False)
    email = models.EmailField()
    role = models.CharField(max_length=10, choices=Role.choices)
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta(TenantOwned.Meta):
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return f"{self.email} ({self.role})"

    @property
    def state(self) -> str:
        if self.accepted_at:
            return "accepted"
        if self.revoked_at:
            return "taken back"
        return "expired" if self.expires_at <= timezone.now() else "open"

    @property
    def open(self) -> bool:
        return self.state == "open"


class Sealed(RuntimeError):
    """An audit entry was to be changed or taken out."""


class LastingQuerySet(TenantScopedQuerySet):
    def update(self, **changes: Any) -> int:
        """Raises Sealed."""
        raise Sealed("audit entries are written once")

    def delete(self) -> Any:
        """Raises Sealed."""
        raise Sealed("audit entries stay")


class LastingManager(TenantScopedManager):
    _queryset_class = LastingQuerySet


class PublishableKey(TenantOwned):
    """Stands in a web page for everybody to read: opens sessions from allowed origins, nothing else."""

    id = PrefixedId(prefix=ids.PUBLISHABLE_KEY, primary_key=True, editable=False)
    key = models.CharField(max_length=64, unique=True, editable=False)
    label = models.CharField(max_length=80)
    allowed_origins = models.JSONField(
        default=list,
        blank=True,
        help_text='Origins of pages that may use it: ["https://www.example.com"]. Empty: our own pages.',
    )
    created_at = models.DateTimeField(auto_now_add=True)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta(TenantOwned.Meta):
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return self.label


def session_scopes() -> list[str]:
    return [can.value for can in SESSION_SCOPES]


class ServerKey(models.Model):
    """For programs on servers. Only a hash is kept: 256 random bits need no slow hash."""

    prefix = models.CharField(max_length=12, editable=False)
    key_hash = models.CharField(max_length=64, unique=True, editable=False)
    label = models.CharField(max_length=80)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.label} ({self.prefix}…)"


class SecretKey(ServerKey, TenantOwned):
    """For the tenant's own servers."""

    id = PrefixedId(prefix=ids.SECRET_KEY, primary_key=True, editable=False)
    scopes = models.JSONField(default=session_scopes, help_text="What it may do (permissions.KEY_SCOPES).")

    class Meta(TenantOwned.Meta):
        ordering = ("-created_at",)


class OperatorKey(ServerKey):
    """For the operator's own servers: opens what is the installation's (tenants), nothing that is a tenant's own."""

    id = PrefixedId(prefix=ids.OPERATOR_KEY, primary_key=True, editable=False)

    class Meta:
        ordering = ("-created_at",)


class AuditEntry(TenantOwned):
    """One change, in a chain of its tenant's or (without one) the installation's. Never changed or deleted by itself:
    it goes with its tenant.
    """

    SEALED: ClassVar = (
        "chain", "number", "at", "actor_kind", "actor", "actor_ref", "request_id", "address", "action", "target_kind",
        "target_ref", "target", "before", "after", "note", "previous",
    )  # fmt: skip
    """What the digest seals."""

    tenant = models.ForeignKey(  # type: ignore[assignment]
        Tenant, null=True, on_delete=models.CASCADE, related_name="+"
    )
    chain = models.CharField(max_length=40)
    number = models.PositiveIntegerField()
    at = models.DateTimeField()
    actor_kind = models.CharField(max_length=10)
    actor = models.CharField("who", max_length=254)
    actor_ref = models.CharField(max_length=40, blank=True, default="")
    request_id = models.CharField(max_length=64, blank=True, default="")
    address = models.CharField(max_length=45, blank=True, default="")
    action = models.CharField(max_length=60)
    target_kind = models.CharField(max_length=40)
    target_ref = models.CharField(max_length=40)
    target = models.CharField("what", max_length=200)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    note = models.TextField(blank=True, default="")
    previous = models.CharField(max_length=64, blank=True, default="")
    digest = models.CharField(max_length=64)

    objects: ClassVar[LastingManager] = LastingManager()

    class Meta(TenantOwned.Meta):
        ordering = ("-number",)
        verbose_name_plural = "audit entries"
        constraints = [models.UniqueConstraint(fields=("chain", "number"), name="one_entry_per_number")]

    def __str__(self) -> str:
        return f"{self.action} ({self.number})"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Raises Sealed for an entry that is there already."""
        if not self._state.adding:
            raise Sealed("audit entries are written once")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        """Raises Sealed."""
        raise Sealed("audit entries stay")
