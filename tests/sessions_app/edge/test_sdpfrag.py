import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions_app.edge import sdpfrag
from sessions_app.edge.sdpfrag import BadFragment, Fragment, Trickled, parse

HOST = "1387637174 1 udp 2122260223 192.0.2.1 61764 typ host generation 0 ufrag EsAw network-id 1"
RELAY = "2 1 udp 41885695 198.51.100.7 50000 typ relay raddr 0.0.0.0 rport 0"
TRICKLE = "\r\n".join(  # in the form of RFC 9725's example
    [
        "a=group:BUNDLE 0 1", "m=audio 9 UDP/TLS/RTP/SAVPF 111", "a=mid:0", "a=ice-ufrag:EsAw",
        "a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1", f"a=candidate:{HOST}", f"a=candidate:{RELAY}", "a=end-of-candidates", "",
    ]
)  # fmt: skip
words = st.text("abcdefghijklmnopqrstuvwxyz0123456789+/", min_size=1, max_size=20)


def test_a_fragment_as_browsers_make_it() -> None:
    found = parse(TRICKLE)
    assert found == Fragment(
        (Trickled(f"candidate:{HOST}", "0"), Trickled(f"candidate:{RELAY}", "0"), Trickled("", "0")),
        "EsAw",
        "P2uYro0UCOQ4zxjKXaWCBui1",
    )
    assert found.has_credentials


def test_each_section_has_its_own_mid_and_bare_line_ends_will_do() -> None:
    text = f"m=audio 9 RTP/AVP 0\na=mid:a\na=candidate:{HOST}\nm=application 9 DTLS/SCTP 5000\na=candidate:{RELAY}"
    assert [(c.candidate[:11], c.mid) for c in parse(text).candidates] == [("candidate:1", "a"), ("candidate:2", None)]


def test_the_end_may_be_said_for_all_sections_at_once() -> None:
    assert parse("a=end-of-candidates\r\n") == Fragment((Trickled("", None),))
    assert parse("") == Fragment(())


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (f"a=candidate:{HOST}\r\n", "media section"),
        ("a=mid:0\r\n", "media section"),
        ("m=audio 9 RTP/AVP 0\r\na=mid:\r\n", "mid has 1 to 64"),
        (f"m=audio 9 RTP/AVP 0\r\na=mid:{'x' * 65}\r\n", "mid has 1 to 64"),
        ("m=audio 9 RTP/AVP 0\r\na=candidate:\r\n", "A candidate has 1"),
        (f"m=audio 9 RTP/AVP 0\r\na=candidate:{'x' * 1000}\r\n", "A candidate has 1"),
        ("m=audio 9 RTP/AVP 0\r\n" + f"a=candidate:{HOST}\r\n" * 33, "may have 32 candidates"),
        ("<html>", "of the form"),
        ('{"candidate": ""}', "of the form"),
        ("a=mid:\0", "of the form"),
        ("a=x\r\n" * 7000, "may have 32,000 characters"),
    ],
)
def test_what_is_none_is_told_in_words(text: str, why: str) -> None:
    with pytest.raises(BadFragment, match=why):
        parse(text)


LINES = st.lists(
    st.sampled_from([*TRICKLE.splitlines(), "a=mid", "a=", "m=", "a=candidate", "a=mid: ", "\r", "", "v=0", "=", "a"])
    | st.text(max_size=30),
    max_size=90,
)


@given(LINES.map("\r\n".join) | st.text(max_size=400))
def test_no_text_raises_anything_else_and_what_comes_out_is_bounded(text: str) -> None:
    with contextlib.suppress(BadFragment):
        found = parse(text)
        assert len(found.candidates) <= sdpfrag.MAX_CANDIDATES
        assert all(len(c.candidate) <= sdpfrag.MAX_CANDIDATE_CHARS for c in found.candidates)
        assert all("\r" not in c.candidate and "\n" not in c.candidate for c in found.candidates)


@given(st.lists(st.tuples(words, st.lists(words, max_size=5)), max_size=6))
def test_every_candidate_comes_back_with_its_mid(sections: list[tuple[str, list[str]]]) -> None:
    lines = []
    for mid, candidates in sections:
        lines += ["m=audio 9 RTP/AVP 0", f"a=mid:{mid}", *(f"a=candidate:{each}" for each in candidates)]
    expected = [Trickled(f"candidate:{each}", mid) for mid, candidates in sections for each in candidates]
    assert list(parse("\r\n".join(lines)).candidates) == expected
