"""The journal's database side. `.ci/run` runs this against SQLite and (DATABASE_URL) PostgreSQL."""

import math
from dataclasses import replace

import pytest
from django.db import OperationalError, connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.contracts.dialogue import LegRecord, TurnRecord
from sessions_app.history import journal
from sessions_app.history.models import Session, Turn
from sessions_app.history.selectors import conversation
from sessions_app.history.services import apply_records, attach, end_session, next_leg
from sessions_app.tenants.scope import everyone
from tests.fakes.office import make_assistant, make_session, make_tenant

pytestmark = pytest.mark.django_db


@pytest.fixture
def session():
    return make_session(make_assistant(make_tenant()))


def said(session, leg=1, number=1, **changes):
    fields = {
        "kind": "said",
        "session_id": str(session.id),
        "tenant_id": str(session.tenant_id),
        "leg": leg,
        "number": number,
        "origin": "voice",
        "visitor_text": f"question {leg}.{number}",
        "started_at": 1_800_000_000.0 + number,
        "t_audio_ms": 1000.0 * number,
        "version": "f" * 64,
    }
    return TurnRecord(**{**fields, **changes})


def told(session, leg=1, number=1, **changes):
    return replace(
        said(session, leg, number),
        kind="told",
        **{
            "reply_text": f"answer {leg}.{number}",
            "ended_at": 1_800_000_001.0 + number,
            "timings": {"ttfa_ms": 120.5},
            "passages": (("hours", 0.9),),
            **changes,
        },
    )


def rows(session):
    with everyone():
        fields = ("leg", "number", "visitor_text", "reply_text", "finished")
        return list(Turn.objects.filter(session=session).order_by("leg", "number").values_list(*fields))


def test_a_turn_is_kept_with_all_that_is_known_of_it(session):
    apply_records([said(session), told(session, interrupted=True, cancel_reason="USER_BARGE_IN", warmup=True)])
    with everyone():
        turn = Turn.objects.get(session=session)
    assert turn.turn_id == f"trn_{session.id[4:]}.1.1"
    assert (turn.interrupted, turn.cancel_reason, turn.warmup) == (True, "USER_BARGE_IN", True)
    assert (turn.timings, turn.passages) == ({"ttfa_ms": 120.5}, [["hours", 0.9]])
    assert turn.version_digest == "f" * 64
    assert turn.started_at.timestamp() == 1_800_000_001.0


def test_a_repeated_said_never_takes_a_finished_turn_back(session):
    apply_records([said(session), told(session)])
    apply_records([said(session)])
    assert rows(session) == [(1, 1, "question 1.1", "answer 1.1", True)]


def test_a_told_alone_is_the_whole_turn(session):
    apply_records([told(session)])
    assert rows(session) == [(1, 1, "question 1.1", "answer 1.1", True)]


@st.composite
def lives_of_a_journal(draw):
    """Turns of one or two legs as a worker wrote them, and how they are handed over: in batches, with crashes between
    commit and offset that hand the same lines over again."""
    finished = draw(st.lists(st.lists(st.booleans(), max_size=4), min_size=1, max_size=2))
    handovers = draw(st.lists(st.tuples(st.integers(1, 4), st.booleans()), max_size=12))
    return finished, handovers


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(life=lives_of_a_journal(), order=st.randoms(use_true_random=False))
def test_each_turn_is_there_once_however_often_it_is_handed_over(life, order):
    finished, handovers = life
    session = make_session(make_assistant(make_tenant()))
    spools = [
        [record for number, done in enumerate(turns) for record in _lines(session, leg, number, done)]
        for leg, turns in enumerate(finished, start=1)
    ]
    offsets = [0] * len(spools)
    for size, survived in handovers:
        spool = order.randrange(len(spools))
        apply_records(spools[spool][offsets[spool] : offsets[spool] + size])
        offsets[spool] += size if survived else 0
    for spool, offset in zip(spools, offsets, strict=True):
        apply_records(spool[offset:])
    assert rows(session) == [
        (leg, number, f"question {leg}.{number}", f"answer {leg}.{number}" if done else "", done)
        for leg, turns in enumerate(finished, start=1)
        for number, done in enumerate(turns)
    ]


def _lines(session, leg, number, done):
    return [said(session, leg, number), *([told(session, leg, number)] if done else [])]


def test_records_of_deleted_sessions_do_not_block_the_rest(session):
    gone = make_session(make_assistant(make_tenant()))
    lost = told(gone)
    with everyone():
        gone.delete()
    apply_records([lost, replace(lost, session_id="no id at all"), told(session)])
    assert len(rows(session)) == 1


def test_a_record_cannot_name_another_tenants_session(session):
    other = make_tenant()
    apply_records([told(session, tenant_id=str(other.id))])
    assert rows(session) == []


@pytest.mark.parametrize(
    "changes",
    [{"number": -1}, {"number": 2**70}, {"started_at": 1e30}, {"started_at": math.nan}, {"timings": {"x": "abc"}}],
)
def test_a_record_that_cannot_be_stored_does_not_block_the_rest(session, changes):
    apply_records([replace(told(session, number=7), **changes), told(session, number=2)])
    assert [row[1] for row in rows(session)] == [2]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=st.text(alphabet=st.characters(exclude_categories=()), max_size=60),
    number=st.floats(),
)
def test_whatever_was_said_can_be_kept(session, text, number):
    with everyone():
        Turn.objects.all().delete()
    record = replace(
        told(session),
        visitor_text=text,
        reply_text=text,
        cancel_reason=text,
        origin=text,
        t_audio_ms=number,
        confidence=number,
        timings={text: number},
        passages=((text, number),),
    )
    apply_records([record])
    assert len(rows(session)) == 1


def test_a_database_that_is_away_is_not_a_bad_record(session, monkeypatch):
    def away(*_):
        raise OperationalError("server closed the connection")

    monkeypatch.setattr(journal, "_apply", away)
    with pytest.raises(OperationalError):
        apply_records([told(session)])


def leg_news(session, kind, leg=1, reason="", at=1_800_000_000.0):
    return LegRecord(kind, str(session.id), str(session.tenant_id), leg, at, "worker-1", reason)


def standing(session):
    with everyone():
        return Session.objects.values_list("state", "worker", "end_reason").get(pk=session.id)


def place(session, worker="worker-1"):
    with everyone():
        leg = next_leg(session_id=session.id)
        assert attach(session_id=session.id, leg=leg, mailbox=f"box-{leg}", worker=worker)
    return leg


def test_a_hangup_ends_the_session_and_a_repeat_changes_nothing(session):
    place(session)
    news = [leg_news(session, "began"), leg_news(session, "ended", reason="hangup")]
    apply_records(news)
    apply_records(news)
    assert standing(session) == ("ended", "", "hangup")


@pytest.mark.parametrize("reason", ["vanished", "moved", "failed", "drained"])
def test_a_lost_worker_leaves_the_session_open_for_another(session, reason):
    place(session)
    apply_records([leg_news(session, "began"), leg_news(session, "ended", reason=reason)])
    assert standing(session) == ("live", "", "")
    assert place(session, "worker-2") == 2


def test_late_news_of_an_older_leg_change_nothing(session):
    place(session)
    place(session, "worker-2")
    apply_records([leg_news(session, "began"), leg_news(session, "ended", reason="hangup")])
    assert standing(session) == ("live", "worker-2", "")


def test_an_ended_session_stays_ended(session):
    place(session)
    with everyone():
        assert end_session(session_id=session.id, reason="deleted")
        assert not end_session(session_id=session.id, reason="idle")
    apply_records([leg_news(session, "began"), leg_news(session, "ended", reason="idle")])
    assert standing(session) == ("ended", "", "deleted")


def test_a_resumed_session_remembers_what_was_heard(session):
    apply_records(
        [
            told(session, 1, 0, visitor_text="", reply_text="Hello."),
            told(session, 1, 1),
            said(session, 1, 2),
            told(session, 2, 0, visitor_text="And then?", reply_text=""),
        ]
    )
    with everyone():
        assert conversation(session.id) == [
            ["assistant", "Hello."],
            ["user", "question 1.1"],
            ["assistant", "answer 1.1"],
            ["user", "question 1.2"],
            ["user", "And then?"],
        ]


def test_a_batch_takes_few_queries(session, django_assert_max_num_queries):
    with django_assert_max_num_queries(4 * 10 + 5):
        apply_records([told(session, number=number) for number in range(10)])
    assert connection.in_atomic_block
