from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache

from sessions_app.tenants.models import Tenant, User
from tests.fakes.office import make_member, make_tenant
from tests.fakes.provider import Provider
from tests.sessions_app.accounts.sign_on import connect


@pytest.fixture
def provider(settings: Any) -> Iterator[Provider]:
    """On 127.0.0.1, which this installation's operator has opened."""
    settings.GOASSIST = settings.GOASSIST.model_copy(update={"goassist_outgoing_networks": ["127.0.0.0/8"]})
    cache.clear()
    one = Provider()
    yield one
    one.close()
    cache.clear()


@pytest.fixture
def business(db: None, provider: Provider) -> tuple[Tenant, User]:
    """A tenant, and the person whom somebody would like to be."""
    tenant = make_tenant()
    person = make_member(tenant)
    connect(tenant, provider)
    return tenant, person


@pytest.fixture
def tenant(db: None, provider: Provider) -> Tenant:
    """One whose people log in at that provider."""
    tenant = make_tenant("Harbor")
    connect(tenant, provider)
    return tenant
