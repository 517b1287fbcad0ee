"""The states in which a fault may find an arm: each brings a rig there, ready for the fault at the given time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from dofbot_ros.arm.gripper import gap_to_joint
from dofbot_ros.arm.kinematics import Kinematics
from dofbot_ros.arm.robot import DRAWN
from dofbot_ros.bench.faults.record import Commanded
from dofbot_ros.bench.faults.rigs.rig import SETTLE_S, Rig, arm_joints
from dofbot_ros.core.types import GRIP, FloatArray
from dofbot_ros.safety.states import ArmState

CRUISE = np.array([0.8, -0.05, 0.0, 0.0, 0.4, 0.0])
"""Even velocity of trajectory and stream [rad/s]: over the table, from START on."""
RAMP_S = 0.5
"""From rest to CRUISE [s]."""
RUN_S = 2.5
"""Length of a motion [s]."""
STRAY = 0.01
"""Joints may be so far beside the path of an even motion of the tool: a driver solves for it in steps [rad]."""
TWIST = np.array([0.0, 0.08, 0.0])
"""Even velocity of the tool [m/s]."""
LEAD_S = 1.0
"""A motion has been under way for so long when the fault comes [s]."""
COMMAND_PERIOD_S = 0.02
GAP = 0.010
"""The gripper closes to this [m]."""


@dataclass(frozen=True)
class State:
    """A state: how to get there, and what it has."""

    name: str
    enter: Callable[[Rig], object]
    torque: bool = False
    moving: bool = False
    ends: bool = False
    """Whether the driver is shutting down: what comes after it is another driver."""
    holding: bool = False
    """Whether the servos have torque before the driver comes."""


def cruise(start: FloatArray, seconds: float) -> FloatArray:
    """Where an arm is that has moved for `seconds` [s] from `start` [rad], softly at first and evenly then."""
    t = float(np.clip(seconds, 0.0, RUN_S))
    way = t * t / (2 * RAMP_S) if t < RAMP_S else t - RAMP_S / 2
    place: FloatArray = start + way * CRUISE
    return place


def _idle(rig: Rig) -> None:
    rig.run(0.2)


def _hold(rig: Rig) -> None:
    _idle(rig)
    rig.torque(True)
    rig.run(rig.config.soft_start_s + 0.3)


def _trajectory(rig: Rig) -> None:
    _hold(rig)
    here = rig.true()
    ends = np.vstack([cruise(here, RAMP_S), cruise(here, RUN_S), cruise(here, RUN_S) + 0.25 * CRUISE])
    speeds = np.vstack([CRUISE, CRUISE, 0.0 * CRUISE])
    rig.follow([RAMP_S, RUN_S, RUN_S + 0.5], ends, speeds)
    rig.run(LEAD_S)


class Streamer:
    """An operator who streams points, and goes on whatever happens to the arm: halts are the driver's business.

    Once the arm was halted what it sends counts as asked for no more: its operator has not engaged it anew.
    """

    def __init__(self, rig: Rig, place: Callable[[float], FloatArray]) -> None:
        self.rig, self.place = rig, place
        self.begin_s = rig.now
        self.halts = len(rig.record.halts)
        self.on = True
        self.tick()

    def tick(self) -> None:
        """Send a point and come back a period later."""
        if not self.on:
            return
        rig = self.rig
        meant = len(rig.record.halts) == self.halts
        rig.stream(self.place(rig.now - self.begin_s), commanded=meant)
        rig.between_cycles(rig.now + COMMAND_PERIOD_S, self.tick)


def _stream(rig: Rig) -> None:
    _hold(rig)
    here = rig.true()
    rig.streamers.append(Streamer(rig, lambda t: cruise(here, t)))
    rig.run(LEAD_S)


def tool_velocity(kinematics: Kinematics, q: FloatArray, linear: FloatArray) -> FloatArray:
    """Joint velocities (5,) [rad/s] that move the tool evenly and turn it neither in pitch nor in roll.

    Not the driver's own solver, which it is to check; good away from singular poses only.
    """
    task = np.vstack([kinematics.jacobian(q)[:3], [0, 1, 1, 1, 0], [0, 0, 0, 0, 1]])
    velocity: FloatArray = np.linalg.lstsq(task, np.append(linear, [0.0, 0.0]), rcond=1e-3)[0]
    return velocity


class Twister:
    """An operator who moves the tool evenly for RUN_S, and goes on whatever happens to the arm."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.kinematics = DRAWN.kinematics
        self.end_s = rig.now + RUN_S
        self.halts = len(rig.record.halts)
        self.angles = rig.true()
        self.on = True
        self.tick()

    def tick(self) -> None:
        """Send a twist and come back a period later."""
        rig = self.rig
        if not self.on or rig.now >= self.end_s:
            return
        stamp_s = rig.now
        meant = len(rig.record.halts) == self.halts
        if rig.attempt("twist", lambda: rig.driver.twist(TWIST, np.zeros(3), stamp_s)) and meant:
            here = rig.true()
            speed, off = (tool_velocity(self.kinematics, q[:GRIP], TWIST) for q in (self.angles, here))
            # The command stands until its timeout; the next one replaces it.
            timeout_s = rig.config.command_timeout_s
            step = np.append(speed, 0.0) * timeout_s
            # A velocity is asked for from where the arm is; it may have come a little off the path of even motion.
            points = np.vstack([self.angles, self.angles + step, here + np.append(off, 0.0) * timeout_s])
            points = np.vstack([points - STRAY, points + STRAY])
            rest_s = stamp_s + timeout_s + SETTLE_S
            rig.note(Commanded.of(stamp_s, points, rest_s, "twist", arm_joints()))
            self.angles = self.angles + np.append(speed, 0.0) * COMMAND_PERIOD_S
        rig.between_cycles(rig.now + COMMAND_PERIOD_S, self.tick)


def _twist(rig: Rig) -> None:
    _hold(rig)
    rig.streamers.append(Twister(rig))
    rig.run(LEAD_S)


def _gripper(rig: Rig) -> None:
    _hold(rig)
    rig.gripper(GAP, float(gap_to_joint(GAP)))
    rig.run(0.3)


def _fault(rig: Rig) -> None:
    _hold(rig)
    rig.tamper(lambda: rig.servos.trip(3, rig.now))
    rig.run_until(lambda: rig.state is ArmState.FAULT, 2.0)
    rig.run(0.2)


def _estop(rig: Rig) -> None:
    _hold(rig)
    rig.estop()
    rig.run(0.3)


def _freedrive(rig: Rig) -> None:
    _hold(rig)
    rig.freedrive(True)
    rig.run(0.2)
    rig.tamper(lambda: rig.turn_by_hand(2, 60.0))
    rig.run(0.1)


def _disconnected(rig: Rig) -> None:
    rig.tamper(rig.ports.unplug)
    rig.run(0.5)
    rig.at(rig.now + 0.3, lambda: rig.tamper(rig.ports.plug_in))


STATES = (
    State("DISCONNECTED", _disconnected),
    State("IDLE", _idle),
    State("IDLE, servos hold", _idle, holding=True),
    State("HOLD", _hold, torque=True),
    State("ACTIVE trajectory", _trajectory, torque=True, moving=True),
    State("ACTIVE stream", _stream, torque=True, moving=True),
    State("ACTIVE twist", _twist, torque=True, moving=True),
    State("ACTIVE gripper", _gripper, torque=True),
    State("FAULT", _fault, torque=True),
    State("ESTOP", _estop, torque=True),
    State("freedrive", _freedrive),
    State("shutting down", _hold, torque=True, moving=True, ends=True),
)

__all__ = ["RAMP_S", "RUN_S", "STATES", "State", "Streamer", "Twister", "cruise"]
