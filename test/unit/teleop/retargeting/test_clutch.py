from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dofbot_ros.errors import ConfigError
from dofbot_ros.teleop.config import ClutchConfig, Sign
from dofbot_ros.teleop.retargeting.clutch import Clutch, Reason

FRAME = 1 / 30


class Session:
    """Frames at 30 Hz with a tick after each."""

    def __init__(self, clutch: Clutch) -> None:
        self.clutch, self.now = clutch, 10.0

    def show(self, seconds: float, sign: Sign = "none", fault: Reason | None = None) -> Session:
        for _ in range(round(seconds / FRAME)):
            self.now += FRAME
            self.clutch.observe(self.now, self.now, fault, sign)
            self.clutch.tick(self.now)
        return self

    def silence(self, seconds: float) -> Session:
        self.now += seconds
        self.clutch.tick(self.now)
        return self


@pytest.fixture
def session() -> Session:
    return Session(Clutch(ClutchConfig(settle_s=0.5), "open palm", "fist"))


def engaged(session: Session) -> Session:
    session.show(1.0).clutch.engage()
    assert session.clutch.engaged
    return session


def test_a_held_sign_engages_and_another_releases(session: Session) -> None:
    session.show(1.0).show(0.7, "open palm")
    assert not session.clutch.engaged
    assert 0.8 < session.clutch.progress < 1.0
    session.show(0.2, "open palm")
    assert session.clutch.engaged
    session.show(0.3, "fist")
    assert session.clutch.engaged
    session.show(0.2, "fist")
    assert not session.clutch.engaged
    assert session.clutch.reason is Reason.RELEASED


def test_a_sign_that_was_there_from_the_start_does_nothing(session: Session) -> None:
    session.show(5.0, "open palm")
    assert not session.clutch.engaged


def test_a_hand_that_comes_back_does_not_engage_by_the_palm_it_already_showed(session: Session) -> None:
    engaged(session).show(1.0, "open palm").show(0.3, fault=Reason.HAND_LOST).show(3.0, "open palm")
    assert not session.clutch.engaged
    assert session.clutch.reason is Reason.HAND_LOST
    session.show(0.1).show(1.0, "open palm")
    assert session.clutch.engaged


def test_one_sign_for_both_must_be_dropped_in_between() -> None:
    session = Session(Clutch(ClutchConfig(settle_s=0.5), "raised hand", "raised hand"))
    session.show(1.0).show(3.0, "raised hand")
    assert session.clutch.engaged
    session.show(0.2).show(0.5, "raised hand")
    assert not session.clutch.engaged


def test_a_fist_releases_even_after_a_lost_frame(session: Session) -> None:
    engaged(session).show(0.5).show(0.04, fault=Reason.HAND_LOST).show(0.5, "fist")
    assert not session.clutch.engaged


@pytest.mark.parametrize(
    "fault",
    [Reason.HAND_LOST, Reason.LOW_SCORE, Reason.TWO_HANDS, Reason.OUTLIER, Reason.NOT_FINITE, Reason.WRONG_HAND],
)
def test_each_fault_lets_go_within_200_ms_and_is_named(session: Session, fault: Reason) -> None:
    engaged(session)
    start = session.now
    while session.clutch.engaged:
        session.show(FRAME, fault=fault)
    assert session.now - start <= 0.2
    assert session.clutch.reason is fault
    assert session.clutch.engage() is fault


def test_silence_lets_go_as_stale(session: Session) -> None:
    engaged(session).silence(0.14)
    assert session.clutch.engaged
    session.silence(0.02)
    assert session.clutch.reason is Reason.STALE


def test_a_single_lost_frame_is_forgiven(session: Session) -> None:
    engaged(session).show(FRAME, fault=Reason.HAND_LOST).show(1.0)
    assert session.clutch.engaged


def test_a_hand_must_have_been_seen_for_a_while(session: Session) -> None:
    assert session.clutch.engage() is Reason.STALE
    session.show(0.3)
    assert session.clutch.engage() is Reason.SETTLING
    session.show(0.3)
    assert session.clutch.engage() is None


def test_signs_can_be_switched_off() -> None:
    session = Session(Clutch(ClutchConfig(signs=False, settle_s=0.5), "open palm", "fist"))
    session.show(1.0).show(2.0, "open palm")
    assert not session.clutch.engaged
    assert session.clutch.engage() is None
    session.show(2.0, "fist")
    assert session.clutch.engaged


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(allow_nan=True), st.floats(0.0, 0.3)), max_size=40))
def test_no_stamp_keeps_it_engaged_without_fresh_frames(frames: list[tuple[float, float]]) -> None:
    """Whatever stamps come, engaged means that a frame of the last 150 ms, and none of the future, was usable."""
    clutch, now, usable = Clutch(ClutchConfig(settle_s=0.0)), 100.0, -math.inf
    for offset, wait in frames:
        stamp = now + offset
        clutch.observe(stamp, now, None)
        if usable < stamp <= now and now - stamp <= 0.15:
            usable = stamp
        clutch.engage()
        now += wait
        clutch.tick(now)
        if clutch.engaged:
            assert now - usable <= 0.15


def test_a_slower_hold_than_promised_is_refused() -> None:
    with pytest.raises(ConfigError, match="hold_after_s"):
        ClutchConfig(hold_after_s=0.5)
