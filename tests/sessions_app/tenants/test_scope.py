import asyncio
import uuid

import pytest
from asgiref.sync import sync_to_async
from django.apps import apps

from sessions_app.assistants.models import Assistant
from sessions_app.history.models import Session, Turn
from sessions_app.tenants.models import Membership
from sessions_app.tenants.scope import (
    EVERYONE,
    NoActiveTenant,
    TenantOwned,
    WrongTenant,
    current_scope,
    everyone,
    tenant_scope,
)
from tests.fakes.office import draft, make_assistant, make_session, make_tenant

OWNED = [model for model in apps.get_app_config("sessions_app").get_models() if issubclass(model, TenantOwned)]


@pytest.mark.parametrize("model", OWNED)
def test_a_query_without_a_scope_raises(model):
    with pytest.raises(NoActiveTenant):
        model.objects.all()
    with pytest.raises(NoActiveTenant):
        model._base_manager.all()


def test_every_table_with_a_tenant_is_tenant_owned():
    with_tenant = [
        model
        for model in apps.get_app_config("sessions_app").get_models()
        if any(field.name == "tenant" for field in model._meta.fields)
    ]
    assert set(with_tenant) == set(OWNED)
    assert len(OWNED) >= 7


@pytest.mark.django_db
def test_a_tenant_sees_its_own_rows_and_nobody_elses():
    mine, theirs = make_tenant(), make_tenant()
    own, foreign = make_assistant(mine), make_assistant(theirs)
    with tenant_scope(mine.id):
        assert list(Assistant.objects.all()) == [own]
        assert Assistant.objects.filter(pk=foreign.pk).update(name="stolen") == 0
        assert Assistant.objects.filter(pk=foreign.pk).delete()[0] == 0
        with pytest.raises(Assistant.DoesNotExist):
            foreign.refresh_from_db()
    with everyone():
        assert set(Assistant.objects.all()) >= {own, foreign}


@pytest.mark.django_db
def test_relations_go_through_the_scope_too():
    session = make_session(make_assistant(make_tenant()))
    with tenant_scope(make_tenant().id):
        assert list(session.turns.all()) == []
        with pytest.raises(Assistant.DoesNotExist):
            Session(assistant_id=session.assistant_id).assistant  # noqa: B018 (the look-up is the test)


@pytest.mark.django_db
def test_a_row_cannot_be_written_into_another_tenant():
    mine, theirs = make_tenant(), make_tenant()
    assistant = Assistant(tenant=theirs, slug="x", name="x", draft=draft())
    with pytest.raises(NoActiveTenant):
        assistant.save()
    with tenant_scope(mine.id):
        with pytest.raises(WrongTenant):
            assistant.save()
        with pytest.raises(WrongTenant):
            Assistant.objects.bulk_create([assistant])
        with pytest.raises(WrongTenant):
            Turn.objects.bulk_create([Turn(tenant_id=theirs.id)])


@pytest.mark.django_db
def test_a_scope_ends_with_its_block_even_when_that_fails():
    tenant_id = uuid.uuid4()
    with pytest.raises(KeyError), tenant_scope(tenant_id), everyone():
        raise KeyError
    with pytest.raises(NoActiveTenant):
        current_scope()


def test_a_scope_wants_an_id():
    with pytest.raises(ValueError), tenant_scope("riverside-vet"):
        pass


async def test_tasks_have_scopes_of_their_own_and_threads_inherit_them():
    one, two = uuid.uuid4(), uuid.uuid4()
    both_inside = asyncio.Barrier(2)

    async def work(tenant_id):
        with tenant_scope(tenant_id):
            await both_inside.wait()
            return current_scope(), await sync_to_async(current_scope)()

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(work(tenant_id)) for tenant_id in (one, two)]
    assert [task.result() for task in tasks] == [(one, one), (two, two)]
    with everyone():
        assert await sync_to_async(current_scope)() == EVERYONE


@pytest.mark.django_db
def test_deleting_a_tenant_takes_all_its_rows():
    tenant = make_tenant()
    make_session(make_assistant(tenant))
    with everyone():
        tenant.delete()
        assert not Session.objects.filter(tenant_id=tenant.id).exists()
        assert not Membership.objects.filter(tenant_id=tenant.id).exists()
