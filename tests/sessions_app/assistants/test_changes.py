"""What publishing would change, told in words."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from pipeline.contracts.spec import AssistantSpec, Fact
from sessions_app.assistants.changes import Change, changes

TENANT = ("t", "Tenant", "a", "desk", "Robin")

SPEC = AssistantSpec(*TENANT, "Hello, what can I do for you?", "You are Robin.")
WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=60)


def told(change: Change, kind: str) -> str:
    return "".join(piece.text for piece in change.pieces if piece.kind in {"same", kind})


def test_a_draft_that_says_the_same_changes_nothing() -> None:
    assert changes(SPEC.to_manifest(), SPEC) == []


def test_where_nothing_is_live_all_is_new() -> None:
    found = changes(None, SPEC)
    assert {"Name", "Greeting", "Persona"} <= {change.title for change in found}
    assert all(piece.kind == "ins" for change in found for piece in change.pieces)


def test_words_that_changed_are_shown_among_those_that_stayed() -> None:
    before = replace(SPEC, greeting="Hello, this is the front desk.")
    (change,) = changes(before.to_manifest(), replace(SPEC, greeting="Hello, this is the night desk."))
    assert [(piece.kind, piece.text) for piece in change.pieces] == [
        ("same", "Hello, this is the "), ("del", "front"), ("ins", "night"), ("same", " desk."),
    ]  # fmt: skip


def test_facts_are_told_by_their_names() -> None:
    old = replace(SPEC, facts=(Fact("hours", "Hours", "Nine to five."), Fact("price", "Price", "Ten.")))
    new = replace(SPEC, facts=(Fact("parking", "Parking", "Behind."), Fact("hours", "Hours", "Nine to six.")))
    assert [change.title for change in changes(old.to_manifest(), new)] == [
        "Fact parking", "Fact hours", "Fact price",
    ]  # fmt: skip


@given(WORDS, WORDS)
def test_what_is_shown_is_the_old_text_and_the_new_one(old: str, new: str) -> None:
    found = changes(replace(SPEC, persona=old).to_manifest(), replace(SPEC, persona=new))
    assert [change.title for change in found] == (["Persona"] if old != new else [])
    for change in found:
        assert told(change, "del") == old
        assert told(change, "ins") == new
