import pytest
from aiortc.sdp import SessionDescription
from hypothesis import given
from hypothesis import strategies as st

from pipeline.contracts.errors import MediaError
from pipeline.media import offer
from tests.pipeline.media.conftest import OFFERS

CHROMIUM = (OFFERS / "chromium.sdp").read_text()
HIDDEN = (OFFERS / "chromium-mdns.sdp").read_text()


def candidates(sdp: str) -> list[str]:
    return [line for line in sdp.splitlines() if line.startswith("a=candidate:")]


def test_chromiums_offer_passes_with_its_numeric_udp_candidates():
    kept = candidates(offer.checked(CHROMIUM))
    assert len(kept) == 4
    assert all(" udp " in line for line in kept)


def test_names_that_would_have_to_be_resolved_are_left_out():
    assert ".local" in HIDDEN
    assert candidates(offer.checked(HIDDEN)) == []


def test_the_end_of_candidates_is_left_out_so_that_ice_waits_for_the_browsers_checks():
    assert "end-of-candidates" not in offer.checked(CHROMIUM + "a=end-of-candidates\r\n")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda sdp: "", "no audio"),
        (lambda sdp: "hello", "no audio"),
        (lambda sdp: sdp.replace("m=audio", "m=video"), "no audio"),
        (lambda sdp: sdp.replace("a=sendrecv", "a=sendonly"), "cannot receive"),
        (lambda sdp: sdp.replace("a=sendrecv", "a=inactive"), "cannot receive"),
        (lambda sdp: sdp.replace("BUNDLE 0 1", "BUNDLE 0"), "bundle"),
        (lambda sdp: sdp.replace("a=fingerprint", "a=x-fingerprint"), "fingerprint"),
        (lambda sdp: sdp + "a=x" * offer.SDP_LIMIT, "too long"),
        (lambda sdp: sdp + "a=candidate:1 1 udp 1 10.0.0.1 9 typ host\r\n" * 100, "too many candidates"),
        (lambda sdp: sdp.replace("m=audio", "m=audio x"), "not valid SDP"),
    ],
)
def test_an_offer_that_cannot_become_a_call_is_refused_in_words(change, words):
    with pytest.raises(MediaError, match=words):
        offer.checked(change(CHROMIUM))


def test_dozens_of_media_sections_are_refused_before_any_socket_is_opened():
    video = "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:{}\r\na=rtpmap:96 VP8/90000\r\na=rtcp-mux\r\n"
    many = CHROMIUM + "".join(video.format(n) for n in range(2, 40))
    with pytest.raises(MediaError, match="too many media"):
        offer.checked(many)


PLAIN = "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=rtpmap:111 opus/48000/2\r\na=sendrecv\r\n"


def test_our_answer_asks_for_mono_and_error_correction():
    tuned = offer.tuned(PLAIN, silence_unsent=False)
    assert "\r\na=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=20;useinbandfec=1;stereo=0\r\na=sendrecv\r\n" in tuned
    parsed = SessionDescription.parse("v=0\r\n" + tuned)
    assert parsed.media[0].rtp.codecs[0].parameters == {"minptime": 20, "useinbandfec": 1, "stereo": 0}


def test_where_the_clock_feeds_silence_the_browser_need_not_send_it():
    assert "useinbandfec=1;stereo=0;usedtx=1\r\n" in offer.tuned(PLAIN, silence_unsent=True)


def test_a_browsers_trickled_candidate_is_understood():
    line = "candidate:3825508414 1 udp 2122194687 192.0.2.2 41503 typ host generation 0 ufrag i5ah network-id 1"
    parsed = offer.candidate(line, "0", 0)
    assert (parsed.ip, parsed.port, parsed.sdpMid, parsed.sdpMLineIndex) == ("192.0.2.2", 41503, "0", 0)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "candidate:",
        "candidate:1 1 udp 2113937151 0e96c579-715a-4dd7-a321-2764b5a9d0d1.local 53429 typ host generation 0",
        "candidate:1 1 tcp 1518214911 192.0.2.2 9 typ host tcptype active generation 0",
        "candidate:1 1 udp 2113937151 192.0.2.2 65536 typ host generation 0",
        "candidate:1 1 udp 2113937151 192.0.2.2 0 typ host generation 0",
    ],
)
def test_candidates_that_are_of_no_use_are_passed_over(line):
    assert offer.candidate(line, "0", 0) is None


@given(st.text(max_size=600))
def test_any_text_is_a_candidate_or_passed_over_or_refused(text):
    try:
        parsed = offer.candidate(text, None, None)
    except MediaError:
        return
    assert parsed is None or parsed.sdpMLineIndex == 0


@given(st.text())
def test_any_text_is_an_offer_or_refused(text):
    with pytest.raises(MediaError):
        offer.checked(text)
