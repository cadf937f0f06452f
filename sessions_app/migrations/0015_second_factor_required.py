from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('sessions_app', '0014_trials'),
    ]

    operations = [
        migrations.AddField(
            model_name='tenant',
            name='second_factor_required',
            field=models.BooleanField(default=False, help_text='Members without an authenticator app or passkey set one up before they see anything here: you, too.'),
        ),
    ]
