"""Messages between office and machine."""

import json

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.contracts import wire
from pipeline.contracts.dialogue import LegRecord, TurnRecord, record_from_wire
from pipeline.contracts.errors import WireError

text = st.text(max_size=20)
messages = st.one_of(
    st.builds(
        wire.Offer, text, st.integers(0, 9), st.just({"a": [1]}), text, text, st.floats(0, 1e10),
        st.just([["user", "x"]]), st.floats(0, 1e10),
    ),
    st.builds(wire.Answer, text, st.integers(0, 9), text, text, text),
    st.builds(wire.Refusal, text, text, text),
    st.builds(wire.Candidate, text, text, st.none() | text, st.none() | st.integers(0, 3)),
    st.builds(wire.Hangup, text, text),
    st.builds(wire.Chat, text, text, text),
    st.builds(wire.ChatReply, text, text, text),
    st.builds(wire.SpecChanged, text, st.just({})),
    st.builds(wire.Watch, text),
)  # fmt: skip


@given(messages)
def test_every_message_survives_the_layer(message: wire.Wired) -> None:
    carried = msgpack.unpackb(msgpack.packb(message.to_wire()))
    assert type(message).from_wire(carried) == message


@given(st.dictionaries(st.sampled_from(["type", "session_id", "sdp", "x"]), text | st.integers()))
def test_what_is_not_a_message_is_a_wire_error(data: dict[str, object]) -> None:
    with pytest.raises(WireError):
        wire.Offer.from_wire(data)


def test_an_offer_expires() -> None:
    offer = wire.Offer("s", 1, {}, "", "r", 100.0, [], 0.0)
    assert not offer.expired(now=99.0)
    assert offer.expired(now=101.0)


@pytest.mark.parametrize(
    "record",
    [
        TurnRecord(
            "told", "s", "t", 1, 2, "voice", "hi", 1.0, 2.0, "d", passages=(("f1", 0.5),), timings={"asr_ms": 3.0}
        ),
        LegRecord("ended", "s", "t", 1, 2.0, "w", "hangup"),
    ],
)
def test_records_survive_the_journal(record: TurnRecord | LegRecord) -> None:
    assert record_from_wire(json.loads(json.dumps(record.to_wire()))) == record
