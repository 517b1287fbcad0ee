"""What a hand asks of the arm: engagement, gripper gaps by curl, signs with hysteresis; without a hand nothing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dofbot_ros.arm.gripper import MAX_GAP
from dofbot_ros.lab.imitation.driving.signs import LOST_S, SIGNS, HandReader, Wanted, gap_of

FRAME_S = 1.0 / 15.0
OPEN, FIST = [0.1] * 5, [0.9] * 5
BENDS = st.lists(st.floats(0.0, 1.0), min_size=5, max_size=5)


def shown(name: str) -> list[float]:
    return [0.9, *(0.1 if straight else 0.9 for straight in SIGNS[name])]


class Watched:
    """A reader, and the time that passes for it."""

    def __init__(self) -> None:
        self.reader, self.now_s = HandReader(), 0.0

    def show(self, bends: list[float] | None, seconds: float) -> list[Wanted]:
        wanted = []
        for _ in range(round(seconds / FRAME_S)):
            self.now_s += FRAME_S
            wanted.append(self.reader.observe(self.now_s, None if bends is None else np.array(bends)))
        return wanted

    def engage(self) -> Watched:
        self.show(FIST, 0.3)
        self.show(OPEN, 1.0)
        assert self.reader.engaged
        return self


def test_an_open_hand_alone_does_not_engage_and_one_after_a_fist_does() -> None:
    watched = Watched()
    assert not any(one.gap for one in watched.show(OPEN, 3.0))
    assert not watched.reader.engaged
    watched.show(FIST, 0.3)
    watched.show(OPEN, 0.5)
    assert not watched.reader.engaged
    watched.show(OPEN, 0.5)
    assert watched.reader.engaged


def test_the_gap_follows_the_curl() -> None:
    watched = Watched().engage()
    assert watched.show(OPEN, 1.0)[-1].gap == pytest.approx(MAX_GAP)
    assert watched.show([0.3, 0.45, 0.45, 0.45, 0.45], 1.5)[-1].gap == pytest.approx(0.030, abs=0.001)
    assert watched.show(FIST, 1.5)[-1].gap == pytest.approx(0.0, abs=1e-6)


@given(st.floats(-0.2, 1.2), st.floats(-0.2, 1.2))
def test_gaps_are_those_of_the_gripper_and_fall_with_the_curl(a: float, b: float) -> None:
    low, high = sorted((a, b))
    assert 0.0 <= gap_of(high) <= gap_of(low) <= MAX_GAP


@pytest.mark.parametrize("name", SIGNS)
def test_a_sign_counts_once_when_it_was_held(name: str) -> None:
    watched = Watched().engage()
    assert not any(one.sign or one.gap is not None for one in watched.show(shown(name), 0.5))
    assert [one.sign for one in watched.show(shown(name), 2.0) if one.sign] == [name]
    watched.show(OPEN, 0.3)
    assert [one.sign for one in watched.show(shown(name), 1.0) if one.sign] == [name]


def test_a_finger_that_trembles_between_straight_and_bent_does_not_restart_a_sign() -> None:
    watched = Watched().engage()
    found = []
    for i in range(30):
        bends = shown("two")
        bends[2] = 0.45 + 0.1 * (i % 2) if i else 0.1
        found += watched.show(bends, FRAME_S)
    assert [one.sign for one in found if one.sign] == ["two"]


def test_a_little_finger_that_bends_a_bit_more_is_no_sign() -> None:
    watched = Watched().engage()
    found = watched.show([0.3, 0.5, 0.5, 0.52, 0.65], 2.0)
    assert not any(one.sign for one in found)
    assert found[-1].gap == pytest.approx(gap_of(0.5425), abs=0.001)


def test_without_a_hand_nothing_is_asked_and_soon_it_has_to_engage_anew() -> None:
    watched = Watched().engage()
    assert set(watched.show(None, 0.5 * LOST_S)) == {Wanted()}
    assert watched.reader.engaged
    assert not watched.reader.seen
    watched.show(None, LOST_S)
    assert not watched.reader.engaged
    assert watched.reader.why == "no hand"
    assert set(watched.show(OPEN, 2.0)) == {Wanted()}


def test_frames_that_stayed_away_let_go_as_well() -> None:
    watched = Watched().engage()
    watched.now_s += 2.0 * LOST_S
    assert watched.show(OPEN, FRAME_S) == [Wanted()]
    assert not watched.reader.engaged


@given(st.lists(st.one_of(st.none(), BENDS), max_size=60))
def test_whatever_is_shown_commands_are_possible_and_come_from_an_engaged_hand(
    frames: list[list[float] | None],
) -> None:
    reader = HandReader()
    for number, bends in enumerate([FIST, *[OPEN] * 15, *frames]):
        wanted = reader.observe(number * FRAME_S, None if bends is None else np.array(bends))
        assert wanted.gap is None or 0.0 <= wanted.gap <= MAX_GAP
        if wanted != Wanted():
            assert reader.engaged
            assert reader.seen


def test_a_key_engages_only_a_hand_that_is_seen() -> None:
    watched = Watched()
    watched.reader.engage()
    assert not watched.reader.engaged
    watched.show(shown("one"), 2.0)
    watched.reader.engage()
    assert watched.reader.engaged
    # A sign that was shown before is held anew.
    assert [one.sign for one in watched.show(shown("one"), 0.5) if one.sign] == []
    assert [one.sign for one in watched.show(shown("one"), 0.3) if one.sign] == ["one"]
