"""How the console looks: names, and what the side bar offers to whom (django-unfold's UNFOLD setting)."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy


def _allowed(model: str) -> Callable[[HttpRequest], bool]:
    """The side bar shows what the page itself would."""

    def permitted(request: HttpRequest) -> bool:
        from django.apps import apps
        from django.contrib import admin

        page = admin.site._registry.get(apps.get_model("sessions_app", model))
        return page is not None and page.has_module_permission(request)

    return permitted


def _item(title: str, icon: str, model: str) -> dict[str, Any]:
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:sessions_app_{model}_changelist"),
        "permission": _allowed(model),
    }


UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "GoAssist",
    "SITE_HEADER": "GoAssist",
    "SITE_SUBHEADER": "sessions_app.tenants.console.whose_console",
    "SITE_DROPDOWN": "sessions_app.tenants.console.other_tenants",
    "SITE_SYMBOL": "graphic_eq",
    "ACCOUNT": {"navigation": [{"title": "Your login", "link": reverse_lazy("account_security")}]},
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("icons/goassist.svg")}],
    # Tailwind's teal, the colour of the visitors' pages.
    "COLORS": {
        "primary": {
            "50": "oklch(98.4% .014 180.72)",
            "100": "oklch(95.3% .051 180.801)",
            "200": "oklch(91% .096 180.426)",
            "300": "oklch(85.5% .138 181.071)",
            "400": "oklch(77.7% .152 181.912)",
            "500": "oklch(70.4% .14 182.503)",
            "600": "oklch(51.1% .096 186.391)",
            "700": "oklch(43.7% .078 188.216)",
            "800": "oklch(38.6% .063 188.416)",
            "900": "oklch(35% .053 188.5)",
            "950": "oklch(27.7% .046 192.524)",
        },
    },
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "DASHBOARD_CALLBACK": "sessions_app.operations.overview.fill",
    "SIDEBAR": {
        "navigation": [
            {"items": [{"title": "Overview", "icon": "dashboard", "link": reverse_lazy("admin:index")}]},
            {
                "title": "Conversations",
                "separator": True,
                "items": [
                    _item("Live now", "sensors", "livesession"),
                    _item("Sessions", "forum", "session"),
                    _item("Usage", "bar_chart", "usageday"),
                ],
            },
            {
                "title": "Assistants",
                "separator": True,
                "items": [
                    _item("Assistants", "support_agent", "assistant"),
                    _item("Versions", "history", "assistantversion"),
                ],
            },
            {
                "title": "Access",
                "separator": True,
                "items": [
                    _item("Members", "group", "membership"),
                    _item("Invitations", "mail", "invitation"),
                    _item("Single sign-on", "login", "singlesignon"),
                    _item("Publishable keys", "public", "publishablekey"),
                    _item("Secret keys", "key", "secretkey"),
                    _item("Webhooks", "webhook", "webhookendpoint"),
                    _item("Privacy", "shield", "privacy"),
                    _item("Audit log", "receipt_long", "auditentry"),
                ],
            },
            {
                "title": "Installation",
                "separator": True,
                "items": [
                    _item("Tenants", "apartment", "tenant"),
                    _item("Quotas", "data_usage", "quota"),
                    _item("Users", "person", "user"),
                    _item("Operator keys", "vpn_key", "operatorkey"),
                    _item("Soak runs", "speed", "soakrun"),
                ],
            },
        ]
    },
}
