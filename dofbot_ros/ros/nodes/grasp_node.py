"""`grasp_node`: grasps that the network proposes for what the camera sees, shown, planned and carried out on demand."""

from __future__ import annotations

import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.callback_groups import ReentrantCallbackGroup
from std_srvs.srv import Trigger

from dofbot_ros.arm.robot import load_robot
from dofbot_ros.config.ranges import Checked, Count, Positive, Range, parameter
from dofbot_ros.driver.config import DriverConfig
from dofbot_ros.errors import DofbotError
from dofbot_ros.grasp.detection.detector import MIN_CHANCE, GraspDetection, GraspDetector, NothingToGraspError
from dofbot_ros.grasp.detection.model_io import load_model
from dofbot_ros.grasp.detection.planner import NetworkPlanner
from dofbot_ros.grasp.execution.executor import START, GraspExecutor
from dofbot_ros.grasp.planning.planar_plan import GraspMotionPlanner
from dofbot_ros.motion.trajectory import MotionLimits
from dofbot_ros.ros.arm import diagnostics
from dofbot_ros.ros.camera.pose import CameraPose
from dofbot_ros.ros.clients.arm_client import ArmClient
from dofbot_ros.ros.grasp.camera import GraspCamera
from dofbot_ros.ros.grasp.topics import GraspTopics
from dofbot_ros.ros.runtime.lean_node import LeanNode
from dofbot_ros.ros.runtime.parameters import declare
from dofbot_ros.ros.runtime.process import ShutdownSignal, run
from dofbot_ros.safety.workspace import Workspace

THREADS = 4
"""One waits for a grasp's end, one refuses the next, one takes images, one is for everything else."""

DIAGNOSTICS_PERIOD_S = 1.0
END_S = 20.0
"""How long a grasp may take to come to rest when the node ends [s]."""


@dataclass(frozen=True)
class GraspParameters(Checked):
    """What grasp_node can be told."""

    model: str = parameter("", "Network: an .onnx file or a training run's folder; empty for the shipped one.")
    extrinsics_file: str = parameter(
        "", "Pose of the camera in base_link (YAML); empty for the simulated camera alone."
    )
    calibration_file: str = parameter(
        "", "Calibration of the arm (YAML); empty for the arm that robot_description tells of."
    )
    candidates: Count = parameter(5, "Grasps that are looked at in an image, at most.")
    min_chance: Annotated[float, Range(above=0.0, below=1.0)] = parameter(
        MIN_CHANCE, "How likely a grasp has to be to hold, 0..1; see `dofbot bench empty-table`."
    )
    image_timeout_s: Positive = parameter(3.0, "How long to wait for an image, and how old one may be.")
    look_at_hand: bool = parameter(
        False,
        "Show the hand to the camera before the first grasp and after a miss, 0.1 m above the table, and aim by where "
        "it is seen: for arms and cameras that are not calibrated.",
    )
    survey_rate_hz: Positive = parameter(
        1.0, "Images surveyed a second at most, while somebody listens to the results."
    )
    max_velocity: Positive = parameter(DriverConfig().max_velocity, "Of the joints [rad/s]; at most the driver's.")
    max_acceleration: Positive = parameter(
        DriverConfig().max_acceleration, "Of the joints [rad/s^2]; at most the driver's."
    )


class GraspNode:
    """Services wait in threads of the executor for the end of a grasp; one at a time, others are refused meanwhile."""

    def __init__(self, _: ShutdownSignal) -> None:
        cv2.setNumThreads(1)
        self.node = LeanNode("grasp_node")
        parameters = self._parameters = declare(self.node, GraspParameters)
        pose = CameraPose(self.node, parameters.extrinsics_file)
        self._robot = load_robot(parameters.calibration_file)
        network = load_model(Path(parameters.model) if parameters.model else None)
        self._detector = GraspDetector(
            NetworkPlanner(network, parameters.candidates), self._pinches(), START, parameters.min_chance
        )
        self._ending = threading.Event()
        self._arm = ArmClient(self.node, self._check_ending)
        self._camera = GraspCamera(self._arm, pose, parameters.image_timeout_s)
        self._camera.on_image = self._on_image
        self._topics = GraspTopics(self.node, self._robot.kinematics, self._detector.view.size)
        self._station = GraspExecutor(
            self._arm,
            self._camera.look,
            self._detector,
            self._robot.kinematics,
            self._show,
            sight=parameters.look_at_hand,
        )
        self._busy = threading.Lock()
        self._detection: GraspDetection | None = None
        self._answer, self._next_detection_s = "", -float("inf")
        self._planning_s: deque[float] = deque(maxlen=200)
        self._diagnostics = diagnostics.DiagnosticsTopic(self.node)
        waiting = ReentrantCallbackGroup()
        for name, job in (
            ("plan", self._station.plan),
            ("execute", self._station.execute),
            ("put_back", self._station.put_back),
        ):
            self.node.create_service(Trigger, f"grasp/{name}", self._serving(name, job), callback_group=waiting)
        self.node.create_timer(DIAGNOSTICS_PERIOD_S, self._tell)

    def close(self) -> None:
        """End the grasp that runs: the arm brakes and holds."""
        self._ending.set()
        if self._busy.acquire(timeout=END_S):
            self._busy.release()

    def _check_ending(self) -> None:
        if self._ending.is_set():
            raise DofbotError("the node is ending")

    def _pinches(self) -> GraspMotionPlanner:
        robot, parameters = self._robot, self._parameters
        limits = MotionLimits.of(robot, parameters.max_velocity, parameters.max_acceleration)
        return GraspMotionPlanner(robot.kinematics, limits, Workspace(robot.kinematics))

    def _adopt(self) -> None:
        """Plan from now on for the arm that is described, where no calibration file was given."""
        robot = self._arm.described.robot
        if robot is None or self._parameters.calibration_file or self._robot.same_as(robot):
            return
        self._robot = robot
        self._detector.pinches = self._pinches()
        self._topics.kinematics = self._station.kinematics = robot.kinematics
        self.node.get_logger().info("plans for the calibrated arm that robot_description tells of")

    # -- services ----------------------------------------------------------------------------------------------------

    def _serving(
        self, name: str, job: Callable[[], str]
    ) -> Callable[[Trigger.Request, Trigger.Response], Trigger.Response]:
        def serve(_: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
            if not self._busy.acquire(blocking=False):
                response.success, response.message = False, "another grasp is in progress; the arm's stop ends it"
                return response
            try:
                if not self._parameters.calibration_file:
                    self._arm.require_described()
                self._adopt()
                response.success, response.message = True, job()
            except DofbotError as error:
                response.success, response.message = False, str(error)
            finally:
                self._busy.release()
            self._answer = f"{name}: {response.message}"
            self.node.get_logger().info(self._answer)
            return response

        return serve

    # -- images ------------------------------------------------------------------------------------------------------

    def _on_image(self) -> None:
        """Keep those up to date who watch; a grasp that runs has its own looks."""
        now = time.monotonic()
        if now < self._next_detection_s or not self._topics.wanted or self._busy.locked():
            return
        if self._arm.described.robot is None and not self._parameters.calibration_file:
            return  # its lengths and limits are not known yet
        self._next_detection_s = now + 1.0 / self._parameters.survey_rate_hz
        self._adopt()
        try:
            sight = self._camera.newest()
        except DofbotError:
            return  # diagnostics tell
        try:
            self._show(self._station.detect(sight), sight.stamp_s)
        except DofbotError as error:
            self._topics.nothing(sight.stamp_s, str(error))

    def _show(self, detection: GraspDetection, stamp_s: float) -> None:
        self._detection = detection
        self._planning_s.append(detection.seconds)
        if self._topics.wanted:
            self._topics.publish(detection, stamp_s, _words(detection))

    # -- diagnostics -------------------------------------------------------------------------------------------------

    def _tell(self) -> None:
        detection, trouble = self._detection, self._camera.trouble
        recent = 1e3 * np.array(self._planning_s or [np.nan])
        values: dict[str, object] = {
            "image_age_s": self._camera.age_s,
            "p50_planning_ms": float(np.percentile(recent, 50)),
            "p95_planning_ms": float(np.percentile(recent, 95)),
            "candidates": len(detection.offers) if detection else 0,
            "within reach": len(detection.reachable) if detection else 0,
            "chance": detection.chance if detection else 0.0,
            "holding": self._station.holding,
            "last answer": self._answer,
        }
        message = "at work" if self._busy.locked() else trouble or "ready"
        level = DiagnosticStatus.WARN if trouble else DiagnosticStatus.OK
        entry = diagnostics.status(level, f"{self._diagnostics.prefix}: grasp", message, values)
        self._diagnostics.publish(self.node.get_clock().now().to_msg(), [entry])


def _words(detection: GraspDetection) -> str:
    try:
        detection.best()
    except NothingToGraspError as error:
        return str(error)
    return f"{len(detection.reachable)} grasps within reach; the best has a chance of {detection.chance:.0%}"


def main() -> None:
    """Run the node."""
    sys.exit(run(GraspNode, threads=THREADS))


if __name__ == "__main__":
    main()
