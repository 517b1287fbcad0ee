"""Plan, execute, put back: what a grasping arm answers when it is asked to, and the order in which it makes sure."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from dofbot_ros.arm.gripper import MAX_GAP
from dofbot_ros.arm.holding import still_holds
from dofbot_ros.arm.kinematics import Kinematics
from dofbot_ros.core.types import N_ARM, FloatArray, ImageArray
from dofbot_ros.driver.config import HOME
from dofbot_ros.errors import CommandRefusedError, DofbotError
from dofbot_ros.grasp.detection.clear_view import arm_hides
from dofbot_ros.grasp.detection.detector import GraspDetection, GraspDetector
from dofbot_ros.grasp.execution.pick import EmptyHandError, Held, PickPlan, bring_back, pick_up, put_back, where
from dofbot_ros.grasp.planning.block_plan import joint_line
from dofbot_ros.grasp.sight.fit import OutlineCamera
from dofbot_ros.grasp.sight.registration import Registrar, show_hand, shown_poses
from dofbot_ros.motion.arm import Arm
from dofbot_ros.motion.timed_path import retime
from dofbot_ros.vision.intrinsics import Intrinsics

T = TypeVar("T")

START = np.array(HOME[:N_ARM])
"""Upright: where every grasp begins and ends, out of an overhead camera's view [rad]."""

AT_START_RAD = 0.05
OPEN_MARGIN_M = 0.004
"""Fingers this near to fully open are open [m]."""


class NotNowError(DofbotError):
    """What was asked for cannot be done as things stand; nothing has moved."""


@dataclass(frozen=True, eq=False)
class CameraSnapshot:
    """What the camera shows now.

    Attributes:
        stamp_s: when the image was taken, on the arm's clock [s].
        image: RGB (height, width, 3).
        intrinsics: of the camera.
        T_base_camera: its optical frame in base_link (4, 4).
    """

    stamp_s: float
    image: ImageArray
    intrinsics: Intrinsics
    T_base_camera: FloatArray


class GraspExecutor:
    """One arm, one camera, one table. Not for two threads at once.

    Args:
        arm: the arm.
        look: an image taken from now on; raises DofbotError, with the reason, when there is none.
        detector: finds grasps in it.
        kinematics: of the arm.
        show: given each detection and the stamp of its image [s].
        sight: look at the arm's own hand before the first grasp, and after one that missed, and aim by that.
    """

    def __init__(
        self,
        arm: Arm,
        look: Callable[[], CameraSnapshot],
        detector: GraspDetector,
        kinematics: Kinematics,
        show: Callable[[GraspDetection, float], None] = lambda _detection, _stamp_s: None,
        *,
        sight: bool = False,
    ) -> None:
        self._arm, self._look, self._detector = arm, look, detector
        self.kinematics, self._show = kinematics, show
        self._held: Held | None = None
        self._sight = sight
        self._registrar: Registrar | None = None

    @property
    def holding(self) -> bool:
        """Whether the fingers still stand around what they picked up."""
        return self._held is not None and still_holds(self._arm.gap, self._held.gap)

    def plan(self) -> str:
        """Look, and say which grasp is the best. Nothing moves.

        Raises:
            DofbotError: there is none, and why.
        """
        self._arm.require_heard()
        detection = self._detect()
        return _proposal(detection, detection.best())

    def execute(self) -> str:
        """Pick up what is grasped best, and hold it up out of the camera's view. Says what is held.

        Raises:
            NothingToGraspError: nothing on the table, or nothing within reach.
            EmptyHandError: the fingers closed on nothing, or lost what they held; they are open again.
            DofbotError: it was not begun, or ended early, and why.
        """
        with self._arm.sequence():
            self._require_ready()
            if self.holding:
                raise NotNowError("the fingers still hold what they picked up: call grasp/put_back first")
            self._held = None
            self._stand_by()
            if self._sight and self._detector.registration is None:
                self._carry_out(self._look_at_hand)
            detection = self._detect()
            plan = detection.best()
            try:
                held = self._held = self._carry_out(lambda: pick_up(self._arm, plan))
                self._held = self._carry_out(lambda: bring_back(self._arm, held))
            except EmptyHandError:
                self._detector.registration = None  # the next grasp is aimed by another look
                self._detector.misses.add(plan.pinch, detection.image)
                raise
            self._detector.misses.clear()
        return f"lifted and held, with {1e3 * self._held.gap:.0f} mm between the fingers; taken from {where(plan)}"

    def put_back(self) -> str:
        """Put what is held where it was taken.

        Raises:
            DofbotError: nothing is held, or it ended early, and why.
        """
        with self._arm.sequence():
            self._require_ready()
            held = self._held
            if held is None or not self.holding:
                raise NotNowError("the fingers hold nothing that grasp/execute picked up")
            if not self._at_start():
                self._carry_out(self._arm.home)
            self._carry_out(lambda: put_back(self._arm, held))
        self._held = None
        return f"put back at {where(held.plan)}"

    def detect(self, sight: CameraSnapshot) -> GraspDetection:
        """What is seen there.

        Raises:
            NotNowError: the arm covers a part of the table.
            InputError: the image does not fit the calibration.
        """
        if not np.isfinite(self._arm.position).all():
            raise NotNowError("the arm has not told where it is")
        if arm_hides(self.kinematics, self._arm.position, self._detector.view, sight.T_base_camera):
            raise NotNowError("the arm is in the picture: call home first, or let grasp/execute do it")
        return self._detector.detect(sight.image, sight.intrinsics, sight.T_base_camera)

    def _require_ready(self) -> None:
        self._arm.require_ready()
        self._arm.require_heard()

    def _detect(self) -> GraspDetection:
        sight = self._look()
        detection = self.detect(sight)
        self._show(detection, sight.stamp_s)
        return detection

    def _stand_by(self) -> None:
        """Upright with open fingers; what they may hold from before is let go low rather than high."""
        at_start, opened = self._at_start(), self._arm.gap > MAX_GAP - OPEN_MARGIN_M
        if at_start and opened:
            return
        self._look()  # no motion without a camera that works
        if not opened:
            self._carry_out(lambda: self._arm.gripper(MAX_GAP))
        if not at_start:
            self._carry_out(self._arm.home)

    def _look_at_hand(self) -> None:
        """Show the hand over the table, and plan by what is seen of it. Upright before and after."""
        pinches, first = self._detector.pinches, self._look()
        if self._registrar is None:
            self._registrar = Registrar(pinches.kinematics, OutlineCamera(first.intrinsics, first.T_base_camera))
        show_hand(
            self._registrar,
            shown_poses(pinches.kinematics),
            picture=lambda: self._look().image,
            position=lambda: self._arm.position,
            move=lambda start, goal: self._arm.follow(retime(joint_line(start, goal), pinches.limits)),
        )
        self._detector.registration = self._registrar.result()

    def _at_start(self) -> bool:
        return bool(np.abs(self._arm.position[:N_ARM] - START).max() < AT_START_RAD)

    def _carry_out(self, motions: Callable[[], T]) -> T:
        """Do it; an arm that nobody waits for any more is stopped."""
        try:
            return motions()
        except CommandRefusedError as error:
            raise CommandRefusedError(f"ended early: {error}") from error
        except EmptyHandError:
            raise
        except BaseException:
            with suppress(DofbotError):  # what went wrong first is what counts
                self._arm.stop()
            raise


def _proposal(detection: GraspDetection, plan: PickPlan) -> str:
    tilt, yaw = plan.motions.pose.tilt, math.remainder(plan.pinch.yaw, math.pi)
    return (
        f"{len(detection.reachable)} grasps within reach; the best at {where(plan)}, "
        f"fingers closing along {math.degrees(yaw):.0f} deg, tool tilted by {math.degrees(tilt):.0f} deg"
    )
