"""Console pages: the keys that stand for a tenant."""

from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from unfold.decorators import display

from sessions_app.tenants.console import ConsoleAdmin
from sessions_app.tenants.forms import OperatorKeyForm, PublishableKeyForm, SecretKeyForm
from sessions_app.tenants.models import OperatorKey, PublishableKey, SecretKey
from sessions_app.tenants.permissions import Can, scopes_of
from sessions_app.tenants.services import issue_operator_key, issue_publishable_key, issue_secret_key, revoke_key


class KeyAdmin(ConsoleAdmin):
    """Keys are made and revoked, never deleted: what a key did stays explainable."""

    read, write = Can.READ_KEYS, Can.WRITE_KEYS
    actions = ("revoke",)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> None:
        """The service has told the audit log."""

    @admin.action(description="Revoke", permissions=["change"])
    def revoke(self, request: HttpRequest, keys: QuerySet[Any]) -> None:
        for key in keys:
            revoke_key(key=key)
        self.message_user(request, "Revoked. From now on these keys open nothing.")

    @display(description="Key")
    def beginning(self, key: SecretKey | OperatorKey) -> str:
        return f"{key.prefix}…"

    @display(description="State", label={"active": "success", "revoked": "danger", "expired": "warning"})
    def state(self, key: PublishableKey | SecretKey | OperatorKey) -> str:
        expires_at = getattr(key, "expires_at", None)
        expired = expires_at is not None and expires_at <= timezone.now()
        return "revoked" if key.revoked_at else "expired" if expired else "active"


@admin.register(PublishableKey)
class PublishableKeyAdmin(KeyAdmin):
    form = PublishableKeyForm
    list_display = ("label", "key", "origins", "state", "created_at")
    readonly_fields = ("key", "created_at", "revoked_at")

    @display(description="Works on")
    def origins(self, key: PublishableKey) -> str:
        return ", ".join(key.allowed_origins) or "this installation's own pages"

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        asked = ("label", "allowed_origins")
        return (*asked, *self.readonly_fields) if obj else asked

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        self.set_tenant(request, obj)
        made = issue_publishable_key(tenant=obj.tenant, label=obj.label, allowed_origins=obj.allowed_origins)
        obj.pk, obj.key = made.pk, made.key


class ServerKeyAdmin(KeyAdmin):
    """What a key may do is said when it is made; a wrong one is revoked and another made."""

    new_form: type
    asked: tuple[str, ...]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        return super().get_form(request, obj, change, **({} if change else {"form": self.new_form}), **kwargs)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("label", *self.readonly_fields) if obj else self.asked

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        self.set_tenant(request, obj)
        days = form.cleaned_data["days"]
        expires_at = timezone.now() + timedelta(days=days) if days else None
        made, obj.raw = self.issue(obj, form.cleaned_data, expires_at)
        obj.pk = made.pk

    def issue(self, wanted: Any, asked: dict[str, Any], expires_at: datetime | None) -> tuple[Any, str]:
        """The row and the key itself."""
        raise NotImplementedError

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        return self.shown_once(
            request,
            title=f"{self.opts.verbose_name.capitalize()} “{obj.label}”",
            secret=obj.raw,
            text="Copy it now and keep it on your server. We store only a fingerprint and cannot show it again.",
        )


@admin.register(SecretKey)
class SecretKeyAdmin(ServerKeyAdmin):
    new_form, asked = SecretKeyForm, ("label", "scopes", "days")

    list_display = ("label", "beginning", "may", "state", "expires_at", "last_used_at", "created_at")
    readonly_fields = ("beginning", "may", "expires_at", "last_used_at", "created_at", "revoked_at")

    @display(description="May")
    def may(self, key: SecretKey) -> str:
        return ", ".join(key.scopes) or "nothing"

    def issue(self, wanted: Any, asked: dict[str, Any], expires_at: datetime | None) -> tuple[Any, str]:
        return issue_secret_key(
            tenant=wanted.tenant, label=wanted.label, scopes=scopes_of(asked["scopes"]), expires_at=expires_at
        )


@admin.register(OperatorKey)
class OperatorKeyAdmin(ServerKeyAdmin):
    """The installation's, so for operators only."""

    read, write = Can.RUN_INSTALLATION, Can.RUN_INSTALLATION
    new_form, asked = OperatorKeyForm, ("label", "days")
    list_display = ("label", "beginning", "state", "expires_at", "last_used_at", "created_at")
    readonly_fields = ("beginning", "expires_at", "last_used_at", "created_at", "revoked_at")

    def issue(self, wanted: Any, asked: dict[str, Any], expires_at: datetime | None) -> tuple[Any, str]:
        return issue_operator_key(label=wanted.label, expires_at=expires_at)
