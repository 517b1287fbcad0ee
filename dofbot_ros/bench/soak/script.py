"""What operators and the world do to an arm in a soak, one segment after another, by chance but the same each time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from dofbot_ros.arm.gripper import gap_to_joint
from dofbot_ros.arm.robot import DRAWN
from dofbot_ros.bench.faults.cases.case import recover
from dofbot_ros.bench.faults.cases.catalogue import fault_named
from dofbot_ros.bench.faults.rigs.rig import Rig
from dofbot_ros.core.types import GRIP, FloatArray, ToolPose
from dofbot_ros.errors import DofbotError
from dofbot_ros.safety.states import ArmState
from dofbot_ros.safety.workspace import Workspace

FAULTS = (
    "cable out 0.1 s",
    "cable out 1 s",
    "garbage 2000/s",
    "half frames 30 %",
    "echo",
    "drop 5 %",
    "corrupt 5 %",
    "late 3 ms",
    "late 30 ms",
    "one servo silent",
    "silent 0.15 s and back",
    "all silent",
    "rejoin without power",
    "overload",
    "torque lost",
    "jammed, then free",
    "load of 1.3 deg",
    "host stopped 1 s",
)
"""Of the fault matrix; all pass by themselves."""
PACE = 0.6
"""Mean speed of a motion [rad/s]."""
COMMAND_PERIOD_S = 0.02
MOTION_S, ATTEMPTS = 10.0, 4
"""No motion takes longer [s]; and how often an operator tries to bring the arm back."""
NEAR_TABLE_M = (0.03, 0.06)
"""Heights of the tool in poses near the table [m]."""


@dataclass(frozen=True)
class Segment:
    """One thing that happens: `name`, and how."""

    name: str
    play: Callable[[Rig, np.random.Generator], None]


def segment(index: int, seed: int) -> tuple[Segment, np.random.Generator]:
    """The segment with this number, and what decides within it: a soak that is resumed goes on with the same."""
    rng = np.random.default_rng((seed, index))
    kinds = (
        Segment("near the table", lambda rig, rng: _move(rig, _pose(rng, near=True), rng)),
        Segment("far from the table", lambda rig, rng: _move(rig, _pose(rng, near=False), rng)),
        Segment("stream", _stream),
        Segment("gripper", _gripper),
        Segment("home", lambda rig, _: _home(rig)),
        Segment("stop", lambda rig, rng: _interrupted(rig, rng, rig.stop)),
        Segment("estop", lambda rig, rng: _interrupted(rig, rng, rig.estop)),
        Segment("fault at rest", lambda rig, rng: _fault(rig, rng, moving=False)),
        Segment("fault in motion", lambda rig, rng: _fault(rig, rng, moving=True)),
    )
    return kinds[int(rng.integers(len(kinds)))], rng


def ready(rig: Rig) -> bool:
    """Bring the arm to HOLD by what an operator does. Returns whether it came there.

    A motion that still runs is waited for. What a fault leaves behind may take a second attempt: how soon an arm obeys
    after a fault is judged in the segment of the fault.
    """
    for _ in range(ATTEMPTS):
        rig.run_until(lambda: rig.state is not ArmState.ACTIVE, MOTION_S)
        if rig.state is ArmState.HOLD:
            return True
        recover(rig)
    return rig.run_until(lambda: rig.state is ArmState.HOLD, MOTION_S)


def _pose(rng: np.random.Generator, near: bool) -> FloatArray:
    """A pose that the workspace allows, near the table or well above it [rad] (6,)."""
    kinematics = DRAWN.kinematics
    workspace = Workspace(kinematics)
    while True:
        azimuth, radius = rng.uniform(-1.2, 1.2), rng.uniform(0.16, 0.26)
        height = rng.uniform(*(NEAR_TABLE_M if near else (0.12, 0.25)))
        pitch = rng.uniform(2.2, 3.0) if near else rng.uniform(1.2, 2.6)
        tool = ToolPose(radius * np.cos(azimuth), radius * np.sin(azimuth), height, pitch, rng.uniform(-0.8, 0.8))
        try:
            joints = kinematics.solve(tool)
        except DofbotError:
            continue
        pose = np.append(joints, 0.8)
        if not workspace.violation(pose):
            return pose


def _move(rig: Rig, goal: FloatArray, rng: np.random.Generator) -> None:
    _start(rig, goal, rng)
    rig.run_until(lambda: bool(np.abs(rig.true() - goal)[:GRIP].max() < 0.02), 5.0)
    rig.run(0.3)


def _start(rig: Rig, goal: FloatArray, rng: np.random.Generator) -> float:
    """Send the arm to `goal`; where the straight way is not allowed, home. Returns how long it takes [s]."""
    way = float(np.abs(goal - rig.true())[:GRIP].max())
    seconds = way / PACE + float(rng.uniform(0.6, 1.0))
    if not rig.follow([seconds], goal[None]):
        rig.home()
    return seconds


def _stream(rig: Rig, rng: np.random.Generator) -> None:
    """Swing around where the arm is, and end in the middle of it."""
    here, begin_s = rig.true(), rig.now
    swing = np.append(rng.uniform(-0.15, 0.15, size=GRIP), 0.0)
    end_s = begin_s + float(rng.uniform(1.0, 3.0))

    def tick() -> None:
        if rig.now < end_s:
            rig.stream(here + swing * np.sin(2.0 * (rig.now - begin_s)))
            rig.between_cycles(rig.now + COMMAND_PERIOD_S, tick)

    tick()
    rig.run(end_s - begin_s + 0.8)


def _gripper(rig: Rig, rng: np.random.Generator) -> None:
    gap = float(rng.uniform(0.008, 0.05))
    rig.gripper(gap, float(gap_to_joint(gap)))
    rig.run(2.0)


def _home(rig: Rig) -> None:
    rig.home()
    rig.run_until(lambda: bool(np.abs(rig.true())[:GRIP].max() < 0.02), 5.0)
    rig.run(0.3)


def _interrupted(rig: Rig, rng: np.random.Generator, interrupt: Callable[[], None]) -> None:
    seconds = _start(rig, _pose(rng, near=False), rng)
    rig.run(float(rng.uniform(0.2, 0.8)) * seconds)
    interrupt()
    rig.run(1.0)


def _fault(rig: Rig, rng: np.random.Generator, moving: bool) -> None:
    faults = [fault for fault in map(fault_named, FAULTS) if not (moving and fault.states == "rest")]
    fault = faults[int(rng.integers(len(faults)))]
    rig.record.onset_s = rig.now
    if moving:
        _start(rig, _pose(rng, near=False), rng)
        rig.run(0.5)
    rig.tamper(lambda: fault.begin(rig))
    rig.run(fault.seconds)
    rig.tamper(lambda: fault.end(rig))
    rig.run(1.2)
    rig.record.end_s = rig.now
    rig.record.recovered = recover(rig)
    rig.run(0.5)
