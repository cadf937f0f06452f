"""The Celery application: `celery -A goassist_site worker` and `... beat`; embedded mode runs it in a thread."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "goassist_site.settings")

app = Celery("goassist")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["sessions_app.operations"])
