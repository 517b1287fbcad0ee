"""Which goals hold an arm still when its torque is switched on: a servo that holds already keeps the goal it has."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dofbot_ros.arm.calibration import HIGHEST_TICK, LOWEST_TICK
from dofbot_ros.core.types import BoolArray
from dofbot_ros.hardware.move_estimate import Ticks

NEAR_TICKS = 49
"""A servo that holds is read this near to its goal: droop under load and play, 0.07 rad [ticks]."""


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
    goals: Ticks = np.where(_holds(holding), np.where(ours, sent, _register(told, present)), present)
    return goals


def contradicting(
    present: Ticks, ours: BoolArray, told: Sequence[int | None], holding: Sequence[bool | None]
) -> BoolArray:
    """Servos that hold a goal of another program and are read far from it, shape (6,): one of both is not true.

    Args:
        present: where the servos are read, shape (6,) [ticks].
        ours: whether their goals have been sent by this program, shape (6,).
        told: what each servo's goal register says [ticks]; None where it cannot be asked.
        holding: whether each servo says that it has torque; None where it cannot tell.
    """
    far: BoolArray = np.abs(_register(told, present) - present) > NEAR_TICKS
    return far & _holds(holding) & ~ours


def _holds(holding: Sequence[bool | None]) -> BoolArray:
    return np.array([state is True for state in holding])


def _register(told: Sequence[int | None], present: Ticks) -> Ticks:
    """The goal registers [ticks]; where a servo is where a register tells none that can be: not every make has it."""
    register = np.array([0 if goal is None else goal for goal in told], dtype=np.int64)
    goals: Ticks = np.where((register >= LOWEST_TICK) & (register <= HIGHEST_TICK), register, present)
    return goals
