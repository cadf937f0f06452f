import uuid

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from sessions_app.history.models import Session, Turn
from sessions_app.tenants.ids import is_id, new_id, parsed, public
from sessions_app.tenants.scope import tenant_scope
from tests.fakes.office import make_assistant, make_session, make_tenant


@given(st.uuids())
def test_an_id_and_its_number_are_one(number):
    assert parsed("ses", public("ses", number)) == number


@pytest.mark.parametrize("text", ["", "ses", "ses_", "ses_12", "ast_" + "0" * 32, "ses_" + "G" * 32, "ses_" + "0" * 33])
def test_what_is_no_id_of_this_kind_is_none(text):
    assert not is_id("ses", text)


def test_upper_case_and_dashes_are_other_spellings_and_not_taken():
    number = uuid.uuid4()
    assert not is_id("ses", f"ses_{number}")
    assert not is_id("ses", f"ses_{number.hex.upper()}") or number.hex.isdigit()


@given(st.text(max_size=50))
def test_any_text_is_an_id_or_a_clear_no(text):
    field = Session._meta.pk
    try:
        assert field.to_python(text) == text
    except ValidationError:
        assert not is_id("ses", text)


@pytest.mark.django_db
def test_rows_and_what_points_to_them_carry_the_public_form():
    tenant = make_tenant()
    session = make_session(make_assistant(tenant))
    assert is_id("ses", session.id)
    with tenant_scope(tenant.id):
        Turn.objects.create(
            tenant=tenant, session=session, leg=1, number=2, origin="voice", started_at=session.created_at
        )
        (turn,) = Turn.objects.filter(session=session.id)
        assert turn.session_id == session.id
        assert turn.turn_id == f"trn_{session.id[4:]}.1.2"
        assert list(Turn.objects.values_list("session_id", "session__assistant_id")) == [
            (session.id, session.assistant_id)
        ]
        number = parsed("ses", session.id)
        assert Session.objects.get(pk=number) == session == Session.objects.get(pk=session.id)
        with pytest.raises(ValidationError):
            Session.objects.get(pk=str(number))
        assert not Session.objects.filter(pk=new_id("ses")).exists()
