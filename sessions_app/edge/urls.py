"""Addresses of pages, API and health."""

from django.urls import path, re_path
from django.views.decorators.csrf import csrf_exempt

from sessions_app.edge import installed, pages
from sessions_app.edge.api import api
from sessions_app.operations import health

urlpatterns = [
    path("", pages.home, name="home"),
    path("t/<slug:tenant>/<slug:assistant>/", pages.talk, name="talk"),
    path("t/<slug:tenant>/<slug:assistant>/manifest.webmanifest", installed.manifest),
    path("manifest.webmanifest", installed.manifest),
    path("sw.js", installed.service_worker),
    path("api/v1/", api.urls),
    # Exempt as the API itself is: no cookie is read there, and a wrong address is a 404 whatever the method.
    re_path(r"^api/", csrf_exempt(pages.not_found)),
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("health", health.health),
    path("metrics", health.metrics),
]
