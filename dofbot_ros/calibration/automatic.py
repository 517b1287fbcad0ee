"""The arm calibrates itself: it shows a block to a fixed camera from planned poses, half of them planned with what
the first half told.

The plan follows from what was seen and from the seed, so that a calibration that was interrupted is resumed by planning
it again: views that are there already take the place of their poses.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import numpy as np

from dofbot_ros.arm.calibration import Calibration
from dofbot_ros.arm.gripper import gap_to_joint
from dofbot_ros.arm.robot import Robot
from dofbot_ros.calibration.arm_fit import NEEDED, NOISE, ArmFit, arm_problem, fit_arm
from dofbot_ros.calibration.fitting.bundle import BundleResult, solve
from dofbot_ros.calibration.fitting.observability import weakest
from dofbot_ros.calibration.plan_poses import Rig, plan, way_from_upright
from dofbot_ros.calibration.session import Session, View, save_session
from dofbot_ros.core.types import N_ARM, FloatArray
from dofbot_ros.errors import InputError
from dofbot_ros.vision.intrinsics import Intrinsics
from dofbot_ros.vision.markers.aruco import Marker
from dofbot_ros.vision.markers.block_layout import BlockSet

UPRIGHT = np.zeros(N_ARM)
SHEETS = 4
"""Pictures of the sheet while the arm stands upright."""
SAME_POSE_RAD = 0.15
"""A view that was taken further from the pose that is planned for it belongs to another plan [rad]."""
MOST_ROUNDS = 4
"""Of poses, each of half as many as are asked for: more than two where something is open still."""


class CalibrationArm(Protocol):
    """An arm with a block in its fingers under a fixed camera."""

    def move(self, q: FloatArray) -> None:
        """Go to joint angles (5,) [rad] of the believed calibration on a straight joint path, and come to rest."""
        ...

    def ticks(self) -> list[int]:
        """What the six servos read."""
        ...

    def look(self) -> list[Marker]:
        """The markers in a picture taken now."""
        ...


def calibrate_all(
    arm: CalibrationArm,
    blocks: BlockSet,
    held: str,
    stored: Calibration,
    *,
    T_base_camera: FloatArray,
    intrinsics: Intrinsics,
    poses: int,
    rng: np.random.Generator,
    record: Path,
    done: Callable[[int], None],
    earlier: Sequence[View] = (),
) -> ArmFit:
    """Take all views and fit the arm; the views are in `record` after each pose.

    Args:
        arm: the arm.
        blocks, held: the block in its fingers.
        stored: the calibration that the arm moves by.
        T_base_camera: the camera as believed, shape (4, 4) [m].
        intrinsics: of the camera.
        poses: how many, in two halves; more where they leave an unknown open.
        rng: draws the candidates.
        record: session file that is written.
        done: is told how many poses are done.
        earlier: views of the same calibration that was interrupted, in their order: their poses are not gone to again.

    Raises:
        CalibrationError: the views leave an unknown open.
        InputError: `earlier` are views of other poses than are planned now.
    """
    session = Session(intrinsics.size, held, [])
    before = UPRIGHT

    def take(q: FloatArray, rig: Rig | None = None, visited: Sequence[FloatArray] = ()) -> None:
        """Add the view of a pose: an earlier one, or one taken now, to which a plan comes by `visited`."""
        nonlocal session, before
        taken = len(session.views)
        if taken < len(earlier):
            _check_same(stored, earlier[taken], q, taken)
            session = replace(session, views=[*session.views, earlier[taken]])
            return
        if earlier and taken == len(earlier):
            arm.move(UPRIGHT)
            for passed in way_from_upright(rig, visited, q)[:-1] if rig else ():
                arm.move(passed)
                before = passed
        arm.move(q)
        turned = np.sign(q - before)[[0, 4]].astype(int).tolist()
        markers = {str(m.id): m.corners.tolist() for m in arm.look()}
        session = replace(session, views=[*session.views, View(arm.ticks(), markers, turned)])
        before = q
        save_session(session, record)

    for _ in range(SHEETS):
        take(UPRIGHT)
    block, robot = blocks.block(held), Robot.calibrated(stored)
    result: BundleResult | None = None
    scene, _ = arm_problem(session, blocks, stored, T_base_camera, intrinsics)
    count, rounds = 0, 0
    while rounds < 2 or (result is not None and rounds < MOST_ROUNDS and _open(result)):
        half = poses // 2 if rounds == 0 else poses - poses // 2
        rounds += 1
        rig = Rig(robot, scene, intrinsics.size, block.marker_size, gap_to_joint(block.size), NOISE, sheet_pictures=1)
        planned = list(plan(rig, half, rng, result).q)
        for i, q in enumerate(planned):
            take(q, rig, planned[:i])
            count += 1
            done(count)
        if len(session.views) > len(earlier):
            # The plan's ways begin upright.
            arm.move(UPRIGHT)
            before = UPRIGHT
        scene, seen = arm_problem(session, blocks, stored, T_base_camera, intrinsics)
        result = solve(scene, seen, NOISE)
    return fit_arm(session, blocks, stored, T_base_camera, intrinsics)


def _check_same(stored: Calibration, view: View, q: FloatArray, number: int) -> None:
    """Refuse a view that was not taken at the planned pose `q` (5,) [rad]."""
    off = np.abs(stored.ticks_to_rad([view.ticks])[0, :N_ARM] - q)
    if off.max() > SAME_POSE_RAD:
        raise InputError(
            f"view {number + 1} of the session was taken {np.degrees(off.max()):.0f} degrees beside the pose that is "
            "planned for it: it belongs to another --seed, --poses, --calibration or camera, or to another block"
        )


def _open(result: BundleResult) -> bool:
    """Whether some unknown is known less well than is needed."""
    return weakest(result.parameters, result.information, NEEDED)[1] < 1.0
