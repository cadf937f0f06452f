from django.db import migrations

from sessions_app.tenants.row_security import RowSecurity


class Migration(migrations.Migration):
    dependencies = [("sessions_app", "0003_turn_fragment")]

    operations = [
        RowSecurity("Tenant", column="id"),
        RowSecurity("Membership"),
        RowSecurity("PublishableKey"),
        RowSecurity("SecretKey"),
        RowSecurity("Assistant"),
        RowSecurity("AssistantVersion"),
        RowSecurity("Session"),
        RowSecurity("Turn"),
    ]
