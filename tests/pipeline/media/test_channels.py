import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyee.base import EventEmitter

from pipeline.media.channels import CONTROL_BUFFER_BYTES, CONTROL_IN_BYTES, FACE_BUFFER_BYTES, FACE_BYTES, SideChannels


class Channel(EventEmitter):
    """`aiortc.RTCDataChannel` with a network that never takes anything away."""

    def __init__(self, label: str) -> None:
        super().__init__()
        self.label, self.readyState, self.bufferedAmount, self.sent, self.closed = label, "open", 0, [], False

    def send(self, text: str) -> None:
        self.sent.append(text)
        self.bufferedAmount += len(text)

    def close(self) -> None:
        self.closed = True


def opened() -> tuple[SideChannels, Channel, Channel, list]:
    came: list = []
    channels = SideChannels(came.append, lambda: None)
    control, face = Channel("control"), Channel("face")
    channels.opened(control)
    channels.opened(face)
    return channels, control, face, came


def test_messages_go_out_as_json_on_their_channel():
    channels, control, face, _ = opened()
    assert channels.control({"type": "stop", "reply": 1}) and channels.face({"seq": 1})
    assert [json.loads(t) for t in control.sent] == [{"type": "stop", "reply": 1}]
    assert [json.loads(t) for t in face.sent] == [{"seq": 1}]


def test_before_the_page_has_opened_its_channels_messages_are_dropped():
    channels = SideChannels(lambda message: None, lambda: None)
    assert not channels.control({}) and not channels.face({})


def test_a_closing_channel_takes_nothing():
    channels, control, _, _ = opened()
    control.readyState = "closing"
    assert not channels.control({})


def test_a_visitor_who_does_not_read_faces_costs_us_a_bounded_buffer():
    channels, control, face, _ = opened()
    taken = sum(channels.face({"n": "x" * 900}) for _ in range(1000))
    assert taken == len(face.sent) and face.bufferedAmount <= FACE_BUFFER_BYTES
    for _ in range(1000):
        channels.control({"n": "x" * 900})
    assert control.bufferedAmount <= CONTROL_BUFFER_BYTES
    assert channels.dropped > 1000


def test_a_face_that_does_not_fit_one_packet_is_dropped():
    channels, _, face, _ = opened()
    assert not channels.face({"n": "é" * (FACE_BYTES // 6 + 1)})
    assert face.sent == [] and channels.dropped == 1


def test_other_channels_are_closed_again():
    channels, _, _, came = opened()
    for label in ("control", "face", "chat", ""):
        extra = Channel(label)
        channels.opened(extra)
        assert extra.closed
        extra.emit("message", "{}")
    assert came == []


@pytest.mark.parametrize(
    "data", ["", "x", "[]", "1", "null", b"\xff\xfe", "[" * 9000, " " * (CONTROL_IN_BYTES + 1) + "{}"]
)
def test_what_is_not_a_json_object_of_a_sane_size_is_counted_and_ignored(data):
    channels, control, _, came = opened()
    control.emit("message", data)
    assert came == [] and channels.garbage == 1


@given(st.one_of(st.text(), st.binary()))
def test_nothing_the_page_sends_raises(data):
    channels, control, _, came = opened()
    control.emit("message", data)
    assert len(came) + channels.garbage == 1


def test_a_session_that_fails_on_a_message_does_not_break_the_call(caplog):
    def fail(message):
        raise ZeroDivisionError

    channels, control = SideChannels(fail, lambda: None), Channel("control")
    channels.opened(control)
    control.emit("message", "{}")
    assert "could not be handled" in caplog.text


def test_the_page_is_heard_with_every_message():
    heard = []
    channels, control = SideChannels(lambda m: None, lambda: heard.append(1)), Channel("control")
    channels.opened(control)
    control.emit("message", "garbage")
    assert heard == [1]
