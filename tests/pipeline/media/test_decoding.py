import pytest

from pipeline.media.decoding import CONCEALED_PACKETS, DTX_BYTES, Decoding
from tests.pipeline.media.conftest import tone
from tests.pipeline.media.test_libopus import redundant


class Ear:
    def __init__(self) -> None:
        self.attached = True
        self.heard: list[tuple[int, int, bytes]] = []
        self.quiet: list[bool] = []

    def hear(self, pts: int, ticks: int, pcm: bytes) -> None:
        self.heard.append((pts, ticks, pcm))

    def places(self) -> list[int]:
        first = self.heard[0][0]
        return [(pts - first) // 960 for pts, _, _ in self.heard]


@pytest.fixture
def line():
    ear = Ear()
    return Decoding(ear, ear.quiet.append), ear


PACKETS = redundant(tone(300, 1.0, 48_000))


def test_sound_comes_at_its_place_on_the_rtp_clock(line):
    decoding, ear = line
    for n in range(3):
        decoding.packet(5000 + n * 960, PACKETS[n])
    assert ear.places() == [0, 1, 2]
    assert all(ticks == 960 and len(pcm) == 640 for _, ticks, pcm in ear.heard)


def test_time_goes_on_where_timestamps_wrap(line):
    decoding, ear = line
    for n in range(4):
        decoding.packet((0xFFFFFFFF - 1000 + n * 960) & 0xFFFFFFFF, PACKETS[n])
    assert ear.places() == [0, 1, 2, 3]


def test_lost_packets_sound_too_and_in_their_places(line):
    decoding, ear = line
    decoding.packet(0, PACKETS[0])
    decoding.lost(3, 4 * 960, PACKETS[4])
    decoding.packet(4 * 960, PACKETS[4])
    assert ear.places() == [0, 1, 2, 3, 4]
    assert decoding.packets_concealed == 3


def test_of_a_long_loss_only_the_first_and_the_last_sound(line):
    decoding, ear = line
    decoding.packet(0, PACKETS[0])
    decoding.lost(40, 41 * 960, PACKETS[41])
    decoding.packet(41 * 960, PACKETS[41])
    assert ear.places() == [*range(CONCEALED_PACKETS), 40, 41]


def test_what_was_lost_in_a_pause_of_the_sender_takes_no_more_time_than_there_was(line):
    decoding, ear = line
    decoding.packet(0, PACKETS[0])
    decoding.lost(1, 960, PACKETS[2])
    decoding.packet(960, PACKETS[2])
    assert ear.places() == [0, 1]


def test_a_packet_that_is_no_opus_is_concealed_and_counted(line):
    decoding, ear = line
    decoding.packet(0, PACKETS[0])
    decoding.packet(960, b"\xff" * 3)
    decoding.packet(1920, PACKETS[2])
    assert ear.places() == [0, 1, 2] and decoding.packets_bad == 1


def test_an_empty_packet_is_nothing(line):
    decoding, ear = line
    decoding.packet(0, b"")
    assert ear.heard == []


def test_a_tiny_packet_says_that_the_browser_will_be_quiet_and_the_next_that_it_is_not(line):
    decoding, ear = line
    decoding.packet(0, PACKETS[0])
    decoding.packet(960, PACKETS[1][:1].ljust(DTX_BYTES, b"\0")[:1])
    decoding.packet(960 * 21, PACKETS[2])
    assert ear.quiet == [False, True, False]
    assert ear.places() == [0, 1, 21]


def test_another_stream_is_far_off(line):
    decoding, ear = line
    decoding.packet(0, PACKETS[0])
    decoding.restart()
    decoding.packet(960, PACKETS[1])
    assert ear.places()[1] > 50


def test_for_nobody_nothing_is_decoded_and_who_comes_then_hears_no_old_gap(line):
    decoding, ear = line
    ear.attached = False
    for n in range(10):
        decoding.packet(n * 960, PACKETS[n])
    ear.attached = True
    decoding.lost(1, 11 * 960, PACKETS[11])
    decoding.packet(11 * 960, PACKETS[11])
    assert ear.places() == [0, 1]
