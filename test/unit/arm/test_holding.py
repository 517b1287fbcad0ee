"""Whether the fingers hold something: an object of any width is noticed, an empty hand never taken for a full one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dofbot_ros.arm.gripper import CLOSED, MAX_GAP, gap_to_joint
from dofbot_ros.arm.holding import (
    BLOCK_GAPS_M,
    EMPTY_GAP_M,
    HELD_MARGIN_M,
    PRESSING_RAD,
    RELEASED_M,
    holds,
    presses,
    released,
    still_holds,
)

GAPS = st.floats(0.0, MAX_GAP)


@given(told=GAPS, short=st.floats(0.0, HELD_MARGIN_M - 1e-6))
def test_fingers_that_reach_their_goal_hold_nothing(told: float, short: float) -> None:
    assert not holds(max(0.0, told - short), told)
    assert not holds(told + short, told) or told < EMPTY_GAP_M <= told + short


@given(told=GAPS, width=st.floats(EMPTY_GAP_M, MAX_GAP))
def test_an_object_wider_than_the_margin_is_noticed(told: float, width: float) -> None:
    assert holds(width, told) is (width >= told + HELD_MARGIN_M)
    assert holds(width)


@given(width=GAPS, wider=st.floats(0.0, MAX_GAP))
def test_what_is_held_is_not_released(width: float, wider: float) -> None:
    assert released(width + wider, width) is not still_holds(width + wider, width) or wider == pytest.approx(RELEASED_M)


@given(width=st.floats(BLOCK_GAPS_M[0] + 1e-6, BLOCK_GAPS_M[1] - 1e-6), lead=st.floats(0.0, 0.3))
def test_fingers_press_when_their_goal_leads_far_enough(width: float, lead: float) -> None:
    measured = gap_to_joint(width)
    assert presses(measured + lead, measured) is ((measured + lead) - measured >= PRESSING_RAD)


@pytest.mark.parametrize("gap", [0.0, BLOCK_GAPS_M[0] - 1e-4, BLOCK_GAPS_M[1] + 1e-4, MAX_GAP])
def test_closed_and_open_fingers_press_on_no_block(gap: float) -> None:
    assert not presses(CLOSED + 1.0, gap_to_joint(gap))
