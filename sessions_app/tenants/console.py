"""What all console pages share: who may see and change what. Which rows are there at all, the tenant scope decides."""

from typing import Any, ClassVar

from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Field, Model
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.admin import ModelAdmin

from sessions_app.tenants.models import Role
from sessions_app.tenants.selectors import memberships_of

ADMINS: frozenset[str] = frozenset({Role.OWNER, Role.ADMIN})
EDITORS: frozenset[str] = ADMINS | {Role.EDITOR}


def role_of(request: HttpRequest) -> str | None:
    """The person's role in the tenant that the console shows; None for operators and strangers."""
    membership = getattr(request, "membership", None)
    return membership.role if membership else None


def may(request: HttpRequest, roles: frozenset[str]) -> bool:
    """Operators may everything that there is."""
    return request.user.is_active and (request.user.is_superuser or role_of(request) in roles)


def whose_console(request: HttpRequest) -> str:
    """Under the product's name: whose rows these are (unfold's SITE_SUBHEADER)."""
    membership = getattr(request, "membership", None)
    return membership.tenant.name if membership else "Voice assistants"


def other_tenants(request: HttpRequest) -> list[dict[str, str]]:
    """For people with several tenants: where to go from here (unfold's SITE_DROPDOWN)."""
    if getattr(request, "membership", None) is None:
        return []
    mine = memberships_of(user=request.user)  # type: ignore[arg-type]
    if len(mine) < 2:
        return []
    index = reverse("admin:index")
    return [{"title": one.tenant.name, "link": f"{index}?tenant={one.tenant_id}", "icon": "apartment"} for one in mine]


class ConsoleAdmin(ModelAdmin):
    """Members see; `writers` write; operators do both. What is not there (for them) is 404."""

    writers: ClassVar[frozenset[str]] = ADMINS
    readers: ClassVar[frozenset[str]] = frozenset(Role.values)
    list_filter_sheet = False
    compressed_fields = True
    warn_unsaved_form = True

    def has_module_permission(self, request: HttpRequest) -> bool:
        return may(request, self.readers)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may(request, self.readers)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return may(request, self.writers)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may(request, self.writers)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may(request, self.writers)

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        self.must_be_there(request, object_id)
        return super().change_view(request, object_id, *args, **kwargs)

    def delete_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        self.must_be_there(request, object_id)
        return super().delete_view(request, object_id, *args, **kwargs)

    def history_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        self.must_be_there(request, object_id)
        return super().history_view(request, object_id, *args, **kwargs)

    def must_be_there(self, request: HttpRequest, object_id: str) -> None:
        """Django would redirect with the id in a message, or say "forbidden" first: both tell too much.

        Raises Http404 for what is not in scope, PermissionDenied for people without any tenant.
        """
        if not self.has_module_permission(request):
            raise PermissionDenied
        if self.get_object(request, unquote(object_id)) is None:
            raise Http404

    def get_list_display(self, request: HttpRequest) -> Any:
        shown = super().get_list_display(request)
        return (*shown, "tenant") if self._across_tenants(request) else shown

    def get_list_filter(self, request: HttpRequest) -> Any:
        filters = super().get_list_filter(request)
        return ("tenant", *filters) if self._across_tenants(request) else filters

    def get_exclude(self, request: HttpRequest, obj: Any = None) -> Any:
        """Whose it is, is asked of operators only, and once."""
        excluded = super().get_exclude(request, obj) or ()
        return excluded if self._across_tenants(request) and obj is None else (*excluded, "tenant")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:
        self.set_tenant(request, obj)
        super().save_model(request, obj, form, change)

    def set_tenant(self, request: HttpRequest, obj: Any) -> None:
        membership = getattr(request, "membership", None)
        if membership and obj.tenant_id is None:
            obj.tenant_id = membership.tenant_id

    def shown_once(self, request: HttpRequest, *, title: str, secret: str, text: str) -> HttpResponse:
        """A page with something that is not stored anywhere and never shown again."""
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "secret": secret,
            "text": text,
            "back": f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist",
        }
        response = TemplateResponse(request, "admin/shown_once.html", context)
        response["Cache-Control"] = "no-store"
        return response

    def _across_tenants(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser and any(field.name == "tenant" for field in self._fields()))

    def _fields(self) -> list["Field[Any, Any]"]:
        model: type[Model] = self.model
        return list(model._meta.fields)


class ReadOnlyAdmin(ConsoleAdmin):
    """For what nobody changes by hand, operators included."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
