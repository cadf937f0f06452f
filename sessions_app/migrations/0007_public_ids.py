from django.db import migrations

from sessions_app.tenants.ids import PrefixedId, new_id
from sessions_app.tenants.scope import everyone

KINDS = {"assistant": "ast", "assistantversion": "ver", "publishablekey": "pbk", "secretkey": "sek", "session": "ses"}


def name_members(apps, schema_editor):
    memberships = apps.get_model("sessions_app", "Membership")
    with everyone():
        for row in memberships._base_manager.all():
            row.public_id = new_id("mem")
            row.save(update_fields=["public_id"])


class Migration(migrations.Migration):
    """Ids with a prefix: the columns stay as they are, what Python makes of them changes. Members get one."""

    dependencies = [("sessions_app", "0006_key_scopes")]

    operations = [
        *(
            migrations.AlterField(
                model_name=model,
                name="id",
                field=PrefixedId(prefix=prefix, primary_key=True, editable=False, serialize=False),
            )
            for model, prefix in KINDS.items()
        ),
        migrations.AddField("membership", "public_id", PrefixedId(prefix="mem", null=True, default=None, editable=False)),
        migrations.RunPython(name_members, migrations.RunPython.noop),
        migrations.AlterField("membership", "public_id", PrefixedId(prefix="mem", unique=True, editable=False)),
    ]
