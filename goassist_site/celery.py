"""The Celery application: `celery -A goassist_site worker` and `... beat`; embedded mode runs it in a thread."""

import os

from celery import Celery
from django_structlog.celery.steps import DjangoStructLogInitStep

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "goassist_site.settings")

app = Celery("goassist")
app.config_from_object("django.conf:settings", namespace="CELERY")
# Request ids travel with the task, so that its log lines carry them.
app.steps["worker"].add(DjangoStructLogInitStep)
app.autodiscover_tasks(
    [
        "sessions_app.files",
        "sessions_app.history",
        "sessions_app.operations",
        "sessions_app.usage",
        "sessions_app.webhooks",
    ]
)
