"""The routes run against real processes, started once for all."""

from collections.abc import Iterator

import pytest

from tests.stack import Stack, distributed, embedded


@pytest.fixture(scope="session")
def embedded_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with embedded(tmp_path_factory.mktemp("embedded")) as stack:
        yield stack


@pytest.fixture(scope="session")
def distributed_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with distributed(tmp_path_factory.mktemp("distributed"), workers=2) as stack:
        yield stack
