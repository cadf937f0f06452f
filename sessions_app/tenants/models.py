"""Who there is: users, tenants, memberships, and the keys that stand for a tenant."""

import uuid
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models

from sessions_app.tenants.scope import TenantOwned


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


class Tenant(models.Model):
    """One business."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slug = models.SlugField(max_length=60, unique=True, help_text="Part of the address of its pages.")
    name = models.CharField(max_length=120)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class Role(models.TextChoices):
    OWNER = "owner"
    ADMIN = "admin"
    EDITOR = "editor"
    VIEWER = "viewer"


class Membership(TenantOwned):
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.VIEWER)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(TenantOwned.Meta):
        verbose_name = "member"
        constraints = [models.UniqueConstraint(fields=("tenant", "user"), name="one_membership_per_tenant")]

    def __str__(self) -> str:
        return f"{self.user_id} ({self.role})"


class PublishableKey(TenantOwned):
    """Stands in a web page for everybody to read: opens sessions from allowed origins, nothing else."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
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


class SecretKey(TenantOwned):
    """For the tenant's own servers. Only a hash is kept: 256 random bits need no slow hash."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    prefix = models.CharField(max_length=12, editable=False)
    key_hash = models.CharField(max_length=64, unique=True, editable=False)
    label = models.CharField(max_length=80)
    created_at = models.DateTimeField(auto_now_add=True)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta(TenantOwned.Meta):
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return f"{self.label} ({self.prefix}…)"
