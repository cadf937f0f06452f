"""Gathers the office's addresses; no logic here."""

from django.urls import include, path

urlpatterns = [path("", include("sessions_app.edge.urls"))]
