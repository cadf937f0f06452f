"""Console pages: a tenant's webhooks; one of them with its delivery log, a test, replays and a new secret."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from unfold.decorators import display

from sessions_app.tenants.console import ConsoleAdmin, standing
from sessions_app.tenants.permissions import Can
from sessions_app.webhooks import selectors, services
from sessions_app.webhooks.forms import WebhookForm
from sessions_app.webhooks.models import WebhookDelivery, WebhookEndpoint

STATES = {"enabled": "success", "failing": "warning", "disabled": "danger"}
SHOWN = 50
"""Deliveries on an endpoint's page; the API has them all."""
KEEP_IT = "Copy it now and keep it where messages are received: they are signed with it. It is not shown again."
NAME = "sessions_app_webhookendpoint"


@admin.register(WebhookEndpoint)
class WebhookAdmin(ConsoleAdmin):
    read, write = Can.READ_WEBHOOKS, Can.WRITE_WEBHOOKS
    form = WebhookForm
    list_display = ("url", "description", "chosen", "coloured_state", "created_at")
    search_fields = ("url", "description")
    change_form_outer_after_template = "admin/webhooks/deliveries.html"

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        asked = ("url", "description", "events")
        return (*asked, "enabled") if obj else asked

    def get_actions(self, request: HttpRequest) -> Any:
        """They are deleted one by one, with their logs."""
        return {}

    @display(description="Events")
    def chosen(self, endpoint: WebhookEndpoint) -> str:
        return ", ".join(endpoint.events) or "all"

    @display(description="State", label=STATES)
    def coloured_state(self, endpoint: WebhookEndpoint) -> str:
        return endpoint.state

    def get_urls(self) -> list[URLPattern]:
        site, page = self.admin_site.admin_view, "<path:object_id>"
        return [
            path(f"{page}/test/", site(self.test_view), name=f"{NAME}_test"),
            path(f"{page}/rotate/", site(self.rotate_view), name=f"{NAME}_rotate"),
            path(f"{page}/deliveries/<str:delivery_id>/replay/", site(self.replay_view), name=f"{NAME}_replay"),
            *super().get_urls(),
        ]

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        self.must_be_there(request, object_id)
        endpoint = WebhookEndpoint.objects.get(pk=unquote(object_id))
        rows = list(selectors.deliveries(endpoint).order_by("-created_at", "-id")[: SHOWN + 1])
        context = {
            "endpoint": endpoint, "deliveries": rows[:SHOWN], "more": len(rows) > SHOWN, "shown": SHOWN,
            "may_write": standing(request).may(self.write),
        }  # fmt: skip
        return super().change_view(request, object_id, *args, extra_context=context, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:
        asked = {name: form.cleaned_data[name] for name in form.changed_data}
        if change:
            services.change_endpoint(endpoint=obj, changes=asked)
            return
        self.set_tenant(request, obj)
        made, obj.raw = services.create_endpoint(tenant=obj.tenant, **asked)
        obj.pk = made.pk

    def add_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return super().add_view(request, *args, **kwargs)
        except services.TooManyEndpoints as error:
            messages.error(request, str(error))
            return HttpResponseRedirect(reverse(f"admin:{NAME}_changelist"))

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        services.delete_endpoint(endpoint=obj)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> None:
        """The service has told the audit log."""

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> None:
        """The service has told the audit log."""

    def log_deletions(self, request: HttpRequest, queryset: Any) -> None:
        """The service tells the audit log."""

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        return self.shown_once(request, title=f"Webhook to {obj.url}", secret=obj.raw, text=KEEP_IT)

    def test_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        endpoint = self._pressed(request, object_id)
        try:
            services.send_test(endpoint=endpoint)
            messages.success(request, "A test event is on its way. The log below tells how it went: look again.")
        except services.TurnedOff as error:
            messages.error(request, str(error))
        return self._back(endpoint)

    def rotate_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row, secret = services.rotate_secret(endpoint=self._pressed(request, object_id))
        text = f"{KEEP_IT} For 24 hours messages carry a signature of the secret before as well."
        return self.shown_once(request, title=f"New secret of {row.url}", secret=secret, text=text)

    def replay_view(self, request: HttpRequest, object_id: str, delivery_id: str) -> HttpResponse:
        endpoint = self._pressed(request, object_id)
        try:
            delivery = selectors.deliveries(endpoint).select_related("endpoint").get(pk=delivery_id)
            services.replay(delivery=delivery)
            messages.success(request, "It is sent again. The log below tells how it went: look again.")
        except (WebhookDelivery.DoesNotExist, ValidationError) as error:
            raise Http404 from error
        except services.TurnedOff as error:
            messages.error(request, str(error))
        return self._back(endpoint)

    def _pressed(self, request: HttpRequest, object_id: str) -> WebhookEndpoint:
        """Buttons are forms: a link that somebody follows changes nothing. Raises Http404, PermissionDenied."""
        self.must_be_there(request, object_id)
        if request.method != "POST" or not standing(request).may(self.write):
            raise PermissionDenied
        return WebhookEndpoint.objects.get(pk=unquote(object_id))

    def _back(self, endpoint: WebhookEndpoint) -> HttpResponse:
        return HttpResponseRedirect(reverse(f"admin:{NAME}_change", args=[quote(endpoint.pk)]))
