"""Files come and go: no row without its end, no bytes without a row; in a folder and in a store that speaks S3."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from django.core.files.storage import storages
from django.utils import timezone
from moto.server import ThreadedMotoServer

from goassist_site.env_files import FilesEnv
from goassist_site.stores import files as storage_entry
from sessions_app.files import selectors, services
from sessions_app.files.models import FileState, Purpose, StoredFile
from sessions_app.files.selectors import Unreadable
from sessions_app.files.tasks import sweep, sweep_closed_tenants
from sessions_app.tenants.models import Tenant
from sessions_app.tenants.scope import everyone, tenant_scope
from tests.fakes.office import make_tenant

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module", autouse=True)
def s3() -> Iterator[str]:
    """A store that speaks S3, on this machine; its address."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    address = "http://{}:{}".format(*server.get_host_and_port())
    keys = {"aws_access_key_id": "key", "aws_secret_access_key": "secret"}
    client = boto3.client("s3", endpoint_url=address, region_name="us-east-1", **keys)
    client.create_bucket(Bucket="calls")
    client.close()
    yield address
    server.stop()


@pytest.fixture(params=["folder", "s3"], autouse=True)
def place(request: pytest.FixtureRequest, tmp_path: Path, settings: Any, s3: str) -> None:
    env: dict[str, Any] = {"goassist_files": str(tmp_path / "kept")}
    if request.param == "s3":
        env = {
            "goassist_files": "s3://calls/goassist",
            "goassist_files_endpoint": s3,
            "goassist_files_region": "us-east-1",
            "goassist_files_access_key": "key",
            "goassist_files_secret_key": "secret",
        }
    settings.STORAGES = {**settings.STORAGES, "files": storage_entry(FilesEnv(**env), tmp_path)}


def a_file(tenant: Tenant, name: str = "a.ogg", about: str = "ses_1") -> StoredFile:
    kind = {"purpose": Purpose.RECORDING, "content_type": "audio/ogg"}
    return StoredFile(tenant=tenant, name=name, about=about, **kind)


def brought(tenant: Tenant, folder: Path, name: str = "a.ogg", content: bytes = b"sound" * 100) -> StoredFile:
    source = folder / "source"
    source.write_bytes(content)
    row = services.bring(a_file(tenant, name), source)
    services.keep(row)
    return row


def there(row: StoredFile) -> bool:
    return storages["files"].exists(row.path)


def test_what_was_brought_can_be_read_whole_and_in_part_and_is_known_by_its_digest(tmp_path: Path) -> None:
    tenant = make_tenant()
    with tenant_scope(tenant.id):
        row = brought(tenant, tmp_path, content=b"0123456789")
        assert selectors.piece(row, 0, 9) == b"0123456789"
        assert selectors.piece(row, 3, 5) == b"345"
        assert list(selectors.kept()) == [row]
    assert row.size_bytes == 10
    assert row.sha256 == "84d89877f0d4041efb6bf91a16f0248f2fd573e6af05c19f96bedb9f882f7882"
    assert row.path.startswith(f"{tenant.id}/fil_")


def test_what_is_let_go_is_seen_no_more_at_once_and_gone_with_the_next_sweep(tmp_path: Path) -> None:
    tenant = make_tenant()
    with tenant_scope(tenant.id):
        row, other = brought(tenant, tmp_path), brought(tenant, tmp_path, "b.ogg")
        assert services.let_go([row]) == 1
        assert list(selectors.kept()) == [other]
        assert there(row)
    sweep()
    sweep()
    assert not there(row)
    assert there(other)
    with everyone():
        assert list(StoredFile.objects.all()) == [other]


def test_a_file_that_came_only_half_is_taken_away_after_a_while(tmp_path: Path) -> None:
    tenant = make_tenant()
    with tenant_scope(tenant.id):
        source = tmp_path / "source"
        source.write_bytes(b"half")
        row = services.bring(a_file(tenant), source)
        assert list(selectors.kept()) == []
        sweep()
        assert StoredFile.objects.filter(pk=row.pk).exists(), "it may still be on its way"
        StoredFile.objects.update(created_at=timezone.now() - timedelta(hours=2))
        sweep()
        assert not StoredFile.objects.filter(pk=row.pk).exists()
    assert not there(row)


def test_what_is_brought_again_replaces_what_came_half(tmp_path: Path) -> None:
    tenant = make_tenant()
    with tenant_scope(tenant.id):
        row = a_file(tenant)
        for content in (b"half", b"the whole"):
            (tmp_path / "source").write_bytes(content)
            services.bring(row, tmp_path / "source")
        services.keep(row)
        assert selectors.piece(row, 0, row.size_bytes - 1) == b"the whole"
        assert selectors.kept().count() == 1


def test_a_store_that_is_away_is_asked_again_and_stops_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = make_tenant()
    with tenant_scope(tenant.id):
        row = brought(tenant, tmp_path)
        services.let_go([row])

    class Away:
        def delete(self, path: str) -> None:
            raise ConnectionError("away")

        def open(self, path: str) -> None:
            raise ConnectionError("away")

    with monkeypatch.context() as patched:
        patched.setattr(services, "store", Away)
        patched.setattr(selectors, "store", Away)
        sweep()
        with pytest.raises(Unreadable, match="cannot be read just now"):
            selectors.piece(row, 0, 1)
    assert there(row)
    sweep()
    assert not there(row)


def test_with_a_tenant_go_its_files_and_nobody_elses(tmp_path: Path) -> None:
    closed, open_ = make_tenant(), make_tenant()
    with everyone():
        going, staying = brought(closed, tmp_path), brought(open_, tmp_path)
        closed.delete()
    assert there(going)
    sweep_closed_tenants()
    assert not there(going)
    assert there(staying)
    with everyone():
        assert list(StoredFile.objects.values_list("state", flat=True)) == [FileState.KEPT]


def test_a_store_in_which_nothing_was_ever_kept_is_no_trouble() -> None:
    sweep_closed_tenants()
