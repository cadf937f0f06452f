"""A production installation whose mail goes nowhere says so at each start."""

import pytest
from django.core import management
from pydantic import SecretStr

from sessions_app.accounts.checks import mail_leaves_the_house


@pytest.mark.parametrize(
    ("mode", "url", "told"),
    [("distributed", "", 1), ("distributed", "smtp://mail.example", 0), ("embedded", "", 0)],
)
def test_mail_that_goes_nowhere_is_told_of_in_production(settings, mode, url, told):
    changes = {"goassist_mode": mode, "goassist_mail_url": SecretStr(url)}
    settings.GOASSIST = settings.GOASSIST.model_copy(update=changes)
    assert len(mail_leaves_the_house(None)) == told


def test_commands_print_it_with_the_mend(settings, capsys):
    settings.GOASSIST = settings.GOASSIST.model_copy(update={"goassist_mode": "distributed"})
    management.call_command("check")
    said = capsys.readouterr().err
    assert "GOASSIST_MAIL_URL is not set" in said
    assert "smtp://user:password@host:587" in said
