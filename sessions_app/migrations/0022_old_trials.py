"""Talks with a draft from before they were told apart: marked as trials, and their versions without a number."""

from django.db import migrations

from sessions_app.tenants.scope import everyone


def mark(apps, schema_editor):
    version, session = apps.get_model("sessions_app", "AssistantVersion"), apps.get_model("sessions_app", "Session")
    with everyone():
        session.objects.filter(version__trial=True).update(trial=True)
        version.objects.filter(trial=True).update(number=None)


class Migration(migrations.Migration):
    dependencies = [("sessions_app", "0021_level_samples")]

    operations = [migrations.RunPython(mark, migrations.RunPython.noop)]
