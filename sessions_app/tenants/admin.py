"""Console pages: tenants, members, users and keys."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.forms import AdminPasswordChangeForm

from sessions_app.tenants.console import ADMINS, ConsoleAdmin, role_of
from sessions_app.tenants.forms import MemberForm, NewUserForm, PublishableKeyForm, UserForm
from sessions_app.tenants.models import Membership, PublishableKey, Role, SecretKey, Tenant, User
from sessions_app.tenants.services import issue_publishable_key, issue_secret_key, new_member, revoke_key

# Roles come from memberships, not from Django's groups.
admin.site.unregister(Group)


@admin.register(Tenant)
class TenantAdmin(ConsoleAdmin):
    list_display = ("name", "slug", "created_at")
    search_fields = ("name", "slug")
    readonly_fields = ("created_at",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Tenant]:
        tenants: QuerySet[Tenant] = super().get_queryset(request)
        if request.user.is_superuser:
            return tenants
        membership = getattr(request, "membership", None)
        return tenants.filter(pk=membership.tenant_id) if membership else tenants.none()

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("created_at",) if request.user.is_superuser else ("slug", "created_at")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)

    def set_tenant(self, request: HttpRequest, obj: Any) -> None:
        """A tenant is nobody's row."""


@admin.register(Membership)
class MembershipAdmin(ConsoleAdmin):
    """Nobody changes their own membership and only owners touch owners: so a tenant keeps one."""

    form = MemberForm
    list_display = ("email", "role", "created_at")
    list_select_related = ("user", "tenant")
    search_fields = ("user__email",)

    @display(description="Person", ordering="user__email")
    def email(self, membership: Membership) -> str:
        return membership.user.email

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("role",) if obj else ("tenant", "email", "role") if request.user.is_superuser else ("email", "role")

    def formfield_for_choice_field(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "role" and not self._may_touch_owners(request):
            kwargs["choices"] = [choice for choice in Role.choices if choice[0] != Role.OWNER]
        return super().formfield_for_choice_field(db_field, request, **kwargs)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and self._may_touch(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and self._may_touch(request, obj)

    def _may_touch(self, request: HttpRequest, membership: Membership | None) -> bool:
        if membership is None or request.user.is_superuser:
            return True
        return membership.user_id != request.user.pk and (
            membership.role != Role.OWNER or self._may_touch_owners(request)
        )

    def _may_touch_owners(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser or role_of(request) == Role.OWNER)

    def get_actions(self, request: HttpRequest) -> Any:
        """No deleting in bulk: whom one may remove depends on the person."""
        return {}

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        self.set_tenant(request, obj)
        member, password = new_member(tenant=obj.tenant, email=form.cleaned_data["email"], role=obj.role)
        obj.pk, obj.user, obj.created_at = member.pk, member.user, member.created_at
        obj.new_password = password

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        if not obj.new_password:
            return super().response_add(request, obj, post_url_continue)
        return self.shown_once(
            request,
            title=f"First password of {obj.user.email}",
            secret=obj.new_password,
            text="Hand it over in private. They can change it after signing in, at the top right of the console.",
        )


@admin.register(User)
class UserAdmin(DjangoUserAdmin, ModelAdmin):
    """Operators only: they are the ones with Django's own permissions."""

    form, add_form, change_password_form = UserForm, NewUserForm, AdminPasswordChangeForm
    list_display = ("email", "is_superuser", "is_active", "last_login")
    list_filter = ("is_superuser", "is_active")
    search_fields = ("email",)
    ordering = ("email",)
    readonly_fields = ("last_login", "date_joined")
    fieldsets = ((None, {"fields": ("email", "password", "is_active", "is_staff", "is_superuser", *readonly_fields)}),)
    add_fieldsets = ((None, {"fields": ("email", "password1", "password2", "is_superuser")}),)
    filter_horizontal = ()


class KeyAdmin(ConsoleAdmin):
    """Keys are made and revoked, never deleted: what a key did stays explainable."""

    readers = ADMINS
    actions = ("revoke",)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.action(description="Revoke", permissions=["change"])
    def revoke(self, request: HttpRequest, keys: QuerySet[Any]) -> None:
        for key in keys:
            revoke_key(key=key)
        self.message_user(request, "Revoked. From now on these keys open nothing.")

    @display(description="State", label={"active": "success", "revoked": "danger"})
    def state(self, key: PublishableKey | SecretKey) -> str:
        return "revoked" if key.revoked_at else "active"


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
        return (*asked, *self.readonly_fields) if obj else ("tenant", *asked) if request.user.is_superuser else asked

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        self.set_tenant(request, obj)
        made = issue_publishable_key(tenant=obj.tenant, label=obj.label, allowed_origins=obj.allowed_origins)
        obj.pk, obj.key = made.pk, made.key


@admin.register(SecretKey)
class SecretKeyAdmin(KeyAdmin):
    list_display = ("label", "beginning", "state", "created_at")
    readonly_fields = ("beginning", "created_at", "revoked_at")

    @display(description="Key")
    def beginning(self, key: SecretKey) -> str:
        return f"{key.prefix}…"

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return (
            ("label", *self.readonly_fields)
            if obj
            else ("tenant", "label")
            if request.user.is_superuser
            else ("label",)
        )

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        self.set_tenant(request, obj)
        made, obj.raw = issue_secret_key(tenant=obj.tenant, label=obj.label)
        obj.pk = made.pk

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        return self.shown_once(
            request,
            title=f"Secret key “{obj.label}”",
            secret=obj.raw,
            text="Copy it now and keep it on your server. We store only a fingerprint and cannot show it again.",
        )
