"""The permission table is complete, and the console asks it."""

import pytest
from django.contrib import admin

from sessions_app.tenants.console import ConsoleAdmin
from sessions_app.tenants.models import Role
from sessions_app.tenants.permissions import KEY_SCOPES, MEMBERS, TABLE, Can, Who, granted, scopes_of
from tests.house.tree import ROOT


def test_every_permission_has_its_row():
    assert set(TABLE) == set(Can)
    assert {who.value for who in MEMBERS} == set(Role.values)


def test_every_console_page_names_what_it_asks_for():
    pages = [page for page in admin.site._registry.values() if isinstance(page, ConsoleAdmin)]
    assert len(pages) >= 9
    for page in pages:
        assert isinstance(page.read, Can), page
        assert isinstance(page.write, Can), page


@pytest.mark.parametrize("who", list(Who))
def test_more_standing_never_may_less(who):
    order = [Who.VIEWER, Who.EDITOR, Who.ADMIN, Who.OWNER]
    if who in order[:-1]:
        above = order[order.index(who) + 1]
        assert {can for can in Can if granted(who, can)} <= {can for can in Can if granted(above, can)}


def test_an_operator_who_looks_changes_nothing_and_one_who_does_not_sees_nothing():
    assert all(can.endswith(":read") for can in Can if granted(Who.LOOKING, can))
    assert [can for can in Can if granted(Who.OPERATOR, can)] == [Can.RUN_INSTALLATION]
    assert not any(granted(None, can) for can in Can)


def test_a_key_holds_known_scopes_only():
    assert scopes_of(["sessions:read", "installation", "owners:write", "no such"]) == {Can.READ_SESSIONS}
    assert Can.RUN_INSTALLATION not in KEY_SCOPES


def test_the_handbook_prints_the_table():
    text = (ROOT / "docs" / "security.md").read_text()
    head = [line for line in text.splitlines() if line.startswith("| permission |")]
    assert head == ["| permission | " + " | ".join(who.value for who in Who) + " |"]
    for can, whose in TABLE.items():
        row = f"| `{can}` | " + " | ".join("yes" if who in whose else "–" for who in Who) + " |"
        assert row in text, row
