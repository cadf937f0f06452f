"""Parts of files, as players ask for them (RFC 9110, section 14)."""

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions_app.files import sending

CONTENT = bytes(range(256)) * 8
FILE: Any = SimpleNamespace(size_bytes=len(CONTENT), content_type="audio/ogg", name="ses_1.1.0.ogg")


@pytest.fixture(autouse=True)
def at_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "piece", lambda file, first, last: CONTENT[first : last + 1])


@pytest.mark.parametrize(
    ("asked", "status", "sent", "part"),
    [
        ("", 200, CONTENT, None),
        ("bytes=0-", 206, CONTENT, "bytes 0-2047/2048"),
        ("bytes=10-19", 206, CONTENT[10:20], "bytes 10-19/2048"),
        ("bytes=2000-9999", 206, CONTENT[2000:], "bytes 2000-2047/2048"),
        ("bytes=-100", 206, CONTENT[-100:], "bytes 1948-2047/2048"),
        ("bytes=-9999", 206, CONTENT, "bytes 0-2047/2048"),
        ("bytes=2048-", 416, b"", "bytes */2048"),
        ("bytes=20-10", 416, b"", "bytes */2048"),
        ("bytes=-0", 416, b"", "bytes */2048"),
        ("bytes=-", 200, CONTENT, None),
        ("bytes=0-1,5-6", 200, CONTENT, None),
        ("lines=1-2", 200, CONTENT, None),
        ("bytes=" + "9" * 40 + "-", 200, CONTENT, None),
    ],
)
def test_the_part_that_was_asked_for_is_sent(asked: str, status: int, sent: bytes, part: str | None) -> None:
    answer = sending.answer(FILE, asked)
    assert (answer.status_code, answer.content, answer.get("Content-Range")) == (status, sent, part)
    assert answer["Accept-Ranges"] == "bytes"
    assert answer["Cache-Control"] == "private, no-store"


def test_of_a_range_without_an_end_a_piece_is_sent_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "PIECE_BYTES", 1000)
    first = sending.answer(FILE, "bytes=0-")
    assert first["Content-Range"] == "bytes 0-999/2048"
    rest = sending.answer(FILE, "bytes=2000-")
    assert first.content + sending.answer(FILE, "bytes=1000-").content + rest.content == CONTENT


@given(st.one_of(st.text(max_size=40), st.from_regex(r"bytes=[0-9]{0,5}-[0-9]{0,5}", fullmatch=True)))
def test_whatever_is_asked_for_the_answer_is_true(asked: str) -> None:
    answer = sending.answer(FILE, asked)
    assert answer.status_code in {200, 206, 416}
    if answer.status_code == 206:
        first, last = answer["Content-Range"].removeprefix("bytes ").partition("/")[0].split("-")
        assert answer.content == CONTENT[int(first) : int(last) + 1]


@pytest.mark.parametrize(
    ("asked", "at_the_beginning"), [("", True), ("bytes=0-", True), ("bytes=0-99", True), ("bytes=100-", False)]
)
def test_a_beginning_is_told_from_what_follows(asked: str, at_the_beginning: bool) -> None:
    assert sending.begins(asked) is at_the_beginning
