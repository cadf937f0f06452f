"""The recordings that come with the product."""

import re

from pipeline.soak.lines import SILENCE, SPEECH, Decoder, load
from pipeline.soak.measure import levels


def test_every_recording_is_speech_of_packets_of_20_ms():
    repertoire = load()
    for line in [*repertoire.lines.values(), *repertoire.interruptions.values()]:
        decode = Decoder()
        assert {len(decode(packet)) for packet in line.packets} == {960}
        assert 500 < line.speech_end_ms <= len(line.packets) * 20


def test_no_recording_holds_a_pause_that_would_end_a_turn():
    repertoire = load()
    for line in [*repertoire.lines.values(), *repertoire.interruptions.values()]:
        decode = Decoder()
        loud = "".join("x" if level > 400 else " " for packet in line.packets for level in levels(decode(packet)))
        assert max((len(gap) for gap in re.findall(" +", loud.strip())), default=0) * 5 < 300


def test_the_silence_packet_is_silent():
    assert max(levels(Decoder()(SILENCE))) == 0.0


def test_all_recordings_together_are_small():
    assert sum(file.stat().st_size for file in SPEECH.iterdir()) < 500_000
