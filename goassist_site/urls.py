"""Addresses: the console, and whatever the office serves."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

urlpatterns = [
    # One door: the console's own login knows no second factor.
    path("admin/login/", RedirectView.as_view(pattern_name="account_login", query_string=True)),
    path("admin/", admin.site.urls),
    path("accounts/", include("sessions_app.accounts.urls")),
    path("", include("sessions_app.urls")),
]

handler400 = "sessions_app.edge.pages.bad_request"
handler403 = "sessions_app.edge.pages.permission_denied"
handler404 = "sessions_app.edge.pages.not_found"
handler500 = "sessions_app.edge.pages.server_error"
