import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions_app.assistants.sheets import SheetError, read, write

KEYS = {"heading": "title", "text": "body"}
names = st.from_regex(r"[a-z0-9][a-z0-9-]{0,8}", fullmatch=True)
lines = st.text(alphabet="ab #\\:", max_size=8)
bodies = st.lists(lines, max_size=5).map(lambda parts: "\n".join(parts).strip())
entries = st.lists(st.fixed_dictionaries({"id": names, "title": lines.map(str.strip), "body": bodies}), max_size=4)


@given(entries)
def test_what_is_written_reads_back(written):
    assert read(write(written, **KEYS), **KEYS) == written


@given(st.text())
def test_any_text_is_read_or_refused_in_words(text):
    try:
        read(text, **KEYS)
    except SheetError as error:
        assert str(error).startswith("line ")


@pytest.mark.parametrize("text", ["Hello", "#hello", "# hello\nthere", "\n\nx"])
def test_text_without_a_heading_is_refused(text):
    with pytest.raises(SheetError):
        read(text, **KEYS)


def test_windows_line_ends_are_line_ends():
    assert read("# a: A\r\none\r\n\r\ntwo\r\n", **KEYS) == [{"id": "a", "title": "A", "body": "one\n\ntwo"}]
