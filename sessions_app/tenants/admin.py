"""Console pages: tenants, members and users."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from unfold.decorators import action, display
from unfold.forms import AdminPasswordChangeForm

from sessions_app.tenants.console import ConsoleAdmin, standing
from sessions_app.tenants.forms import LookForm, MemberForm, NewTenantForm, NewUserForm, OwnerForm, UserForm
from sessions_app.tenants.invitations import invite, open_tenant
from sessions_app.tenants.models import Membership, Role, Tenant, User
from sessions_app.tenants.permissions import Can
from sessions_app.tenants.selectors import without_owner
from sessions_app.tenants.standing import LOOK_MINUTES, look_away, look_into

# Roles come from memberships, not from Django's groups.
admin.site.unregister(Group)


@admin.register(Tenant)
class TenantAdmin(ConsoleAdmin):
    """Operators open and close tenants, and look into one; its own people see and name theirs."""

    read, write = Can.READ_TENANT, Can.WRITE_TENANT
    list_display = ("name", "slug", "created_at")
    search_fields = ("name", "slug")
    readonly_fields = ("created_at",)
    actions_detail = ("look_into", "invite_owner")

    def has_module_permission(self, request: HttpRequest) -> bool:
        return super().has_module_permission(request) or self._runs(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_view_permission(request, obj) or self._runs(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) or self._runs(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self._runs(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._runs(request)

    def has_look_into_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return self._runs(request)

    def _runs(self, request: HttpRequest) -> bool:
        return standing(request).may(Can.RUN_INSTALLATION)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        return super().get_form(request, obj, change, **({} if change else {"form": NewTenantForm}), **kwargs)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("name", "slug", "second_factor_required", "created_at") if obj else ("name", "slug", "owner")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """What a tenant asks of its own people is the tenant's to say."""
        return ("second_factor_required", "created_at") if self._runs(request) else ("slug", "created_at")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        owner, by = form.cleaned_data["owner"], str(request.user)
        made, obj.link = open_tenant(name=obj.name, slug=obj.slug, owner=owner, by=by)
        obj.pk, obj.created_at, obj.invited = made.pk, made.created_at, owner

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> None:
        """The service has told the audit log."""

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        return self.invited(request, obj.invited, obj.link)

    def get_urls(self) -> list[URLPattern]:
        site = self.admin_site.admin_view
        return [path("look-away/", site(self.look_away_view), name="tenant_look_away"), *super().get_urls()]

    @action(description="Look into this tenant", url_path="look", permissions=["look_into"], icon="visibility")
    def look_into(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        """Asks why, then shows the operator this tenant's console for a while, read-only."""
        self.must_be_there(request, object_id)
        tenant = Tenant.objects.get(pk=object_id)
        form = LookForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            look_into(request.session, tenant, form.cleaned_data["reason"])
            return HttpResponseRedirect(reverse("admin:index"))
        site = self.admin_site.each_context(request)
        context = {**site, "title": f"Look into {tenant}", "opts": self.opts, "form": form, "minutes": LOOK_MINUTES}
        return TemplateResponse(request, "admin/look.html", context)

    def has_invite_owner_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return self._runs(request) and without_owner(object_id)

    @action(description="Invite an owner", url_path="owner", permissions=["invite_owner"], icon="person_add")
    def invite_owner(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        """For a tenant that nobody runs (any more). Who has an owner has that owner invite others."""
        self.must_be_there(request, object_id)
        tenant = Tenant.objects.get(pk=object_id)
        form = OwnerForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            email = form.cleaned_data["email"].lower()
            _, link = invite(tenant=tenant, email=email, role=Role.OWNER, by=str(request.user))
            return self.invited(request, email, link)
        site = self.admin_site.each_context(request)
        context = {**site, "title": f"Invite an owner for {tenant}", "opts": self.opts, "form": form}
        return TemplateResponse(request, "admin/invite_owner.html", context)

    def look_away_view(self, request: HttpRequest) -> HttpResponse:
        tenant = standing(request).tenant
        if request.method == "POST" and tenant is not None:
            look_away(request.session, tenant)
        return HttpResponseRedirect(reverse("admin:index"))


@admin.register(Membership)
class MembershipAdmin(ConsoleAdmin):
    """Nobody changes their own membership and only owners touch owners: so a tenant keeps one."""

    read, write = Can.READ_MEMBERS, Can.WRITE_MEMBERS
    form = MemberForm
    list_display = ("email", "role", "created_at")
    list_select_related = ("user", "tenant")
    search_fields = ("user__email",)

    @display(description="Person", ordering="user__email")
    def email(self, membership: Membership) -> str:
        return membership.user.email

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("role",) if obj else ("email", "role")

    def formfield_for_choice_field(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "role" and not self._may_touch_owners(request):
            kwargs["choices"] = [choice for choice in Role.choices if choice[0] != Role.OWNER]
        return super().formfield_for_choice_field(db_field, request, **kwargs)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and self._may_touch(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and self._may_touch(request, obj)

    def _may_touch(self, request: HttpRequest, membership: Membership | None) -> bool:
        if membership is None:
            return True
        return membership.user_id != request.user.pk and (
            membership.role != Role.OWNER or self._may_touch_owners(request)
        )

    def _may_touch_owners(self, request: HttpRequest) -> bool:
        return standing(request).may(Can.WRITE_OWNERS)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> None:
        """The service has told the audit log."""

    def get_actions(self, request: HttpRequest) -> Any:
        """No deleting in bulk: whom one may remove depends on the person."""
        return {}

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        self.set_tenant(request, obj)
        obj.invited, by = form.cleaned_data["email"], str(request.user)
        _, obj.link = invite(tenant=obj.tenant, email=obj.invited, role=Role(obj.role), by=by)

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        return self.invited(request, obj.invited, obj.link)


@admin.register(User)
class UserAdmin(DjangoUserAdmin, ConsoleAdmin):
    """The installation's, so for operators only, and not while they look into a tenant."""

    read, write = Can.RUN_INSTALLATION, Can.RUN_INSTALLATION
    form, add_form, change_password_form = UserForm, NewUserForm, AdminPasswordChangeForm
    list_display = ("email", "is_superuser", "is_active", "last_login")
    list_filter = ("is_superuser", "is_active")
    search_fields = ("email",)
    ordering = ("email",)
    readonly_fields = ("last_login", "date_joined")
    fieldsets = ((None, {"fields": ("email", "password", "is_active", "is_staff", "is_superuser", *readonly_fields)}),)
    add_fieldsets = ((None, {"fields": ("email", "password1", "password2", "is_superuser")}),)
    filter_horizontal = ()
