"""What all console pages share: who may see and change what. Which rows are there at all, the tenant scope decides."""

from typing import Any, ClassVar

from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.functional import cached_property
from unfold.admin import ModelAdmin

from sessions_app.tenants.audit import fields_of, record
from sessions_app.tenants.permissions import Can, Who
from sessions_app.tenants.selectors import memberships_of
from sessions_app.tenants.standing import NOBODY, PINNED, Standing


def standing(request: HttpRequest) -> Standing:
    """As the console's middleware found it."""
    return getattr(request, "standing", NOBODY)


def whose_console(request: HttpRequest) -> str:
    """Under the product's name: whose rows these are (unfold's SITE_SUBHEADER)."""
    tenant = standing(request).tenant
    return tenant.name if tenant else "Voice assistants"


def other_tenants(request: HttpRequest) -> list[dict[str, str]]:
    """For people with several tenants: where to go from here (unfold's SITE_DROPDOWN)."""
    if standing(request).who in {None, Who.OPERATOR, Who.LOOKING} or PINNED in request.session:
        return []
    mine = memberships_of(user=request.user)  # type: ignore[arg-type]
    if len(mine) < 2:
        return []
    index = reverse("admin:index")
    return [{"title": one.tenant.name, "link": f"{index}?tenant={one.tenant_id}", "icon": "apartment"} for one in mine]


class CappedPaginator(Paginator):
    """Of very many rows it counts and shows the first MOST: who looks for others narrows the list."""

    MOST: ClassVar = 5_000

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return int(rows.order_by()[: self.MOST].count())


class ConsoleAdmin(ModelAdmin):
    """`read` and `write` name what people must be allowed. What is not there (for them) is 404."""

    read: ClassVar[Can]
    write: ClassVar[Can]
    list_filter_sheet = False
    compressed_fields = True
    warn_unsaved_form = True

    def has_module_permission(self, request: HttpRequest) -> bool:
        return standing(request).may(self.read)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return standing(request).may(self.read)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return standing(request).may(self.write)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return standing(request).may(self.write)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return standing(request).may(self.write)

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

    def get_exclude(self, request: HttpRequest, obj: Any = None) -> Any:
        """Whose it is, the standing says."""
        return (*(super().get_exclude(request, obj) or ()), "tenant")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:
        self.set_tenant(request, obj)
        self.remember(obj)
        super().save_model(request, obj, form, change)

    def set_tenant(self, request: HttpRequest, obj: Any) -> None:
        if hasattr(obj, "tenant_id") and obj.tenant_id is None:
            obj.tenant_id = standing(request).tenant_id

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Whoever may delete a row may delete what cannot be without it: Django would ask those rows' pages, too."""
        named, counts, _, protected = super().get_deleted_objects(objs, request)
        return named, counts, set(), protected

    # The audit log. Django calls `log_…` after each change, in the page's transaction.

    def remember(self, obj: Any) -> None:
        """How the row is before it is written, for the entry."""
        was = self.model._base_manager.filter(pk=obj.pk).first()
        obj.was = fields_of(was) if was else {}

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        self.note(request, "created", obj, after=fields_of(obj))

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        self.note(request, "changed", obj, before=getattr(obj, "was", {}), after=fields_of(obj))

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        for row in queryset:
            self.note(request, "deleted", row, before=fields_of(row))

    def note(self, request: HttpRequest, what: str, obj: Any, **fields: Any) -> None:
        """On the chain of the tenant whose console this is, or the installation's."""
        record(f"{self.opts.model_name}.{what}", obj, tenant_id=standing(request).tenant_id, **fields)

    def invited(self, request: HttpRequest, email: str, link: str) -> HttpResponse:
        return self.shown_once(
            request,
            title=f"{email} is invited",
            secret=link,
            text="The link was sent to them by mail, too. It works for a week, once, and is not shown again.",
        )

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


class OnlyOneAdmin(ConsoleAdmin):
    """Of what a tenant has one at most: a form in place of a list."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and not self.model._default_manager.exists()

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """To the row, or to the form that makes it."""
        row = self.model._default_manager.first() if self.has_view_permission(request) else None
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}"
        if row is not None:
            return HttpResponseRedirect(reverse(f"{name}_change", args=[quote(row.pk)]))
        if self.has_add_permission(request):
            return HttpResponseRedirect(reverse(f"{name}_add"))
        return super().changelist_view(request, extra_context)


class ReadOnlyAdmin(ConsoleAdmin):
    """For what nobody changes by hand. `write` is who may delete."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
