"""Every answer names its request: as the caller did, where that is fit for a log."""

import pytest
from django.test import AsyncClient, Client
from hypothesis import given
from hypothesis import strategies as st

from goassist_site.request_ids import HEADER, USABLE

ADDRESSES = ["/healthz", "/no/such/page", "/api/v1/nothing", "/admin/"]


@pytest.mark.django_db
@pytest.mark.parametrize("address", ADDRESSES)
async def test_a_callers_name_comes_back(address):
    answer = await AsyncClient().get(address, headers={HEADER: "order-812:a.b"})
    assert answer[HEADER] == "order-812:a.b"


@pytest.mark.parametrize("name", ["", "x" * 65, "a b", "<script>", "ü", "a/b", '"'])
def test_what_is_no_name_is_replaced(name):
    client = Client()
    first, second = (client.get("/healthz", headers={HEADER: name})[HEADER] for _ in range(2))
    assert USABLE.fullmatch(first)
    assert first not in {name, second}


@given(st.text(alphabet=st.characters(max_codepoint=255), max_size=80))
def test_whatever_comes_the_answer_is_fit_for_a_header_and_a_log(name):
    assert USABLE.fullmatch(Client().get("/healthz", headers={HEADER: name})[HEADER])
