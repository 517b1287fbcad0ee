"""Which goals hold an arm still when its torque is switched on: a servo that holds already keeps the goal it has."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dofbot_ros.core.types import BoolArray
from dofbot_ros.hardware.move_estimate import Ticks

NEAR_TICKS = 49
"""A goal register is believed while its servo is read this near to it: droop under load and play, 0.07 rad [ticks]."""


def goals_to_hold(
    present: Ticks, sent: Ticks, ours: BoolArray, told: Sequence[int | None], holding: Sequence[bool | None]
) -> Ticks:
    """The goals that move nothing, shape (6,) [ticks].

    A limp servo is held where it is read. One that holds already is regulated to its goal, and rests beside it under a
    load: sent its reading as the goal, it would sag by as much again; and if its sensor lies it would move by the lie.
    So it keeps the goal that was sent to it last; where that was sent by another program, the one that it tells.

    Args:
        present: where the servos are read, shape (6,) [ticks].
        sent: the goals sent to them last, shape (6,) [ticks].
        ours: whether these have truly been sent since connecting or letting go, shape (6,).
        told: what each servo's goal register says [ticks]; None where it cannot be asked.
        holding: whether each servo says that it has torque; None where it cannot tell.
    """
    holds = np.array([state is True for state in holding])
    known = np.array([goal is not None for goal in told])
    register = np.array([0 if goal is None else goal for goal in told], dtype=np.int64)
    # Not every make has the register: a number far from where the servo stands says nothing.
    told_goals = np.where(known & (np.abs(register - present) <= NEAR_TICKS), register, present)
    goals: Ticks = np.where(holds, np.where(ours, sent, told_goals), present)
    return goals
