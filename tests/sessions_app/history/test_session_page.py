"""The console's page of one session, the file to send to whoever helps, and looking for words."""

import csv
import io
import json
import zipfile
from dataclasses import replace

import pytest
from django.contrib.admin.utils import quote
from django.urls import reverse

from pipeline.contracts.dialogue import EventRecord
from sessions_app.history import bundle, selectors
from sessions_app.history.models import SessionEvent
from sessions_app.history.services import apply_records
from sessions_app.tenants.models import Role
from sessions_app.tenants.scope import everyone, tenant_scope
from tests.fakes.office import make_assistant, make_member, make_session, make_tenant, signed_in
from tests.sessions_app.history.test_journal import told

pytestmark = pytest.mark.django_db
SECRET = "sk_" + "a1B2" * 10
LIST = "admin:sessions_app_session_changelist"


def event(session, seq=5, turn=1, kind="cancel", **data):
    named = ("event", session.id, str(session.tenant_id), 1, seq, turn)
    return EventRecord(*named, kind, 1_800_000_003.0, 4200.0, data)


@pytest.fixture
def session():
    session = make_session(make_assistant(make_tenant()))
    timings = {"endpoint_ms": 700.0, "asr_ms": 12.0, "ttfa_ms": 95.0, "barge_in_ms": 41.0}
    apply_records(
        [
            told(
                session, number=1, visitor_text="Do you treat parrots?", reply_text="Yes, on Mondays.", timings=timings
            ),
            told(session, number=2, visitor_text=f"My key is {SECRET}", reply_text="=cmd|' /C calc'!A0"),
            event(session, reason="USER_BARGE_IN"),
            event(session, seq=6, kind="budget.over", component="llm", actual_ms=181.0, budget_ms=160.0),
            event(session, seq=9, turn=7, kind="ended", reason="hangup"),
        ]
    )
    return session


def address(session, page="change"):
    return reverse(f"admin:sessions_app_session_{page}", args=[quote(session.pk)])


def test_the_page_shows_words_times_and_what_happened(session):
    text = signed_in(make_member(session.tenant, Role.VIEWER)).get(address(session)).content.decode()
    for words in (
        "Do you treat parrots?",
        "Yes, on Mondays.",
        "Silence waited for",
        "USER_BARGE_IN",
        "llm: 181 ms of 160",
    ):
        assert words in text, words
    assert 'data-kind="asr" x="978.8" width="15.0"' in text
    assert "Connection ended" in text.split("Beside the turns")[1]


def test_events_are_kept_once_and_only_for_their_own_tenant(session):
    other = make_tenant()
    apply_records([event(session, reason="again"), replace(event(session, seq=11), tenant_id=str(other.id))])
    with everyone():
        kept = SessionEvent.objects.filter(session=session).order_by("seq").values_list("seq", "kind", "tenant")
        assert list(kept) == [
            (n, kind, session.tenant_id) for n, kind in ((5, "cancel"), (6, "budget.over"), (9, "ended"))
        ]
        assert SessionEvent.objects.get(seq=5, session=session).data == {"reason": "USER_BARGE_IN"}


def test_what_json_cannot_keep_is_kept_as_it_can(session):
    apply_records([event(session, seq=20, kind="notice", text="nul \x00 \ud800", ms=float("nan"), on=True, none=None)])
    with everyone():
        data = SessionEvent.objects.get(seq=20, session=session).data
    assert data == {"text": "nul  ?", "ms": 0.0, "on": True, "none": None}


def test_the_bundle_holds_everything_but_secrets(session):
    answer = signed_in(make_member(session.tenant)).get(address(session, "diagnostics"))
    assert answer["Content-Type"] == "application/zip"
    assert session.id in answer["Content-Disposition"]
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        files = {name: archive.read(name).decode() for name in archive.namelist()}
    assert set(files) == {"session.json", "turns.csv", "events.csv"}
    assert not [name for name, text in files.items() if SECRET in text]
    whole = json.loads(files["session.json"])
    assert whole["session"]["id"] == session.id
    assert [turn["visitor_text"] for turn in whole["turns"]] == ["Do you treat parrots?", "My key is [secret]"]
    assert whole["turns"][0]["ttfa_ms"] == 95.0
    assert [event["kind"] for event in whole["events"]] == ["cancel", "budget.over", "ended"]
    turns = list(csv.DictReader(io.StringIO(files["turns.csv"])))
    assert turns[1]["reply_text"] == "'=cmd|' /C calc'!A0"  # a spreadsheet does not run it
    assert turns[0]["barge_in_ms"] == "41.0"


@pytest.mark.parametrize("page", ["change", "diagnostics"])
def test_another_tenants_session_is_not_there(session, page):
    stranger = signed_in(make_member(make_tenant()))
    assert stranger.get(address(session, page)).status_code == 404
    assert stranger.get(reverse(f"admin:sessions_app_session_{page}", args=["nonsense"])).status_code == 404


@pytest.mark.parametrize(
    ("words", "found"),
    [("parrots", 1), ("MONDAYS parrots", 1), ("parrots key", 0), ("zebra", 0), ("100%", 0), ("_", 1)],
)
def test_sessions_are_found_by_what_was_said_in_one_turn(session, words, found):
    with tenant_scope(session.tenant_id):
        assert len(selectors.sessions_with(words)) == found
    listed = signed_in(make_member(session.tenant)).get(reverse(LIST), {"q": words}).content.decode()
    assert (quote(session.pk) in listed) == bool(found)


def test_a_session_is_found_by_its_id_and_no_other_tenants(session):
    other = make_session(make_assistant(make_tenant()))
    client = signed_in(make_member(session.tenant))
    assert quote(session.pk) in client.get(reverse(LIST), {"q": session.pk}).content.decode()
    assert quote(other.pk) not in client.get(reverse(LIST), {"q": other.pk}).content.decode()


def test_a_longer_list_takes_no_more_queries(session, django_assert_max_num_queries):
    client = signed_in(make_member(session.tenant))
    for _ in range(5):
        apply_records([told(make_session(session.assistant))])
    with django_assert_max_num_queries(12):
        client.get(reverse(LIST))
    with django_assert_max_num_queries(12):
        client.get(address(session))


def test_a_bundle_can_be_made_of_a_session_in_which_nothing_was_said():
    session = make_session(make_assistant(make_tenant()))
    with tenant_scope(session.tenant_id):
        assert zipfile.ZipFile(io.BytesIO(bundle.of(session))).testzip() is None
