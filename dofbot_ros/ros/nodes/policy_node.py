"""`policy_node`: a trained policy at its own rate, through the driver's joint stream."""

from __future__ import annotations

import math
import sys
import threading
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.callback_groups import ReentrantCallbackGroup
from std_msgs.msg import String
from std_srvs.srv import Trigger

from dofbot_ros.config.ranges import parameter
from dofbot_ros.core.clock import MonotonicClock
from dofbot_ros.core.rate import Rate
from dofbot_ros.errors import CommandRefusedError, DofbotError, InputError
from dofbot_ros.policy.interface.compatibility import check_compatibility
from dofbot_ros.policy.interface.report import PolicyReport
from dofbot_ros.policy.interface.spec import PolicySpec
from dofbot_ros.policy.perception.pose_estimator import BlockPoseEstimator, estimator_of
from dofbot_ros.policy.runtime.controller import ControllerConfig, PolicyController
from dofbot_ros.policy.runtime.episode_runner import (
    Command,
    EpisodeRunner,
    MoveCommand,
    Phase,
    StreamCommand,
    unwilling,
)
from dofbot_ros.policy.runtime.policy_runner import PolicyRunner, shipped
from dofbot_ros.ros.arm import diagnostics
from dofbot_ros.ros.camera.observation_subscriber import ObservationSubscriber
from dofbot_ros.ros.camera.pose import CameraPose
from dofbot_ros.ros.clients.arm_sender import ArmSender
from dofbot_ros.ros.conversions.messages import finite, from_time
from dofbot_ros.ros.conversions.stamps import Stamps
from dofbot_ros.ros.runtime.lean_node import LeanNode
from dofbot_ros.ros.runtime.parameters import declare
from dofbot_ros.ros.runtime.process import ShutdownSignal, run
from dofbot_ros.ros.runtime.qos import STREAM
from dofbot_ros.vision.extrinsics import load_extrinsics

STATUS_PERIOD_S = 0.2
"""Between two messages on policy/status."""
DIAGNOSTICS_PERIOD_S = 1.0
KEPT = 500
"""Inference times that are remembered: of 20 s of running. Of networks and what goes into and out of them."""


@dataclass(frozen=True)
class PolicyParameters:
    """What policy_node can be told."""

    model: str = parameter("", "Folder with policy.onnx and policy.yaml; empty: the shipped one for task and obs.")
    task: str = parameter("pick", "reach, pick or place: which shipped policy, where model is empty.")
    obs: str = parameter("state", "state, image or pipeline: which shipped policy, where model is empty.")
    block: str = parameter("red", "Name of the block to grasp, as in the blocks file.")
    goal: str = parameter(
        "", "Goal in base_link [m]: x y z to reach, x y to place; empty to pick. Read at each start.", live=True
    )
    auto_start: bool = parameter(
        False, "Switch the torque on and run once as soon as that is possible: for simulated arms."
    )
    extrinsics_file: str = parameter(
        "", "Pose of the camera in base_link (YAML), for policies from pictures; empty for the one of the training."
    )


class PolicyNode:
    """Control steps the session in a thread of its own; the executor takes in what comes, and answers."""

    def __init__(self, lifeline: ShutdownSignal) -> None:
        self.node = LeanNode("policy_node")
        self._lifeline = lifeline
        parameters = self._parameters = declare(self.node, PolicyParameters)
        ends = declare(self.node, ControllerConfig)
        folder = Path(parameters.model) if parameters.model else shipped(parameters.task, parameters.obs)
        policy = PolicyRunner(folder)
        spec = self._spec = policy.spec
        self._reader = _reader(folder, spec, parameters)
        self._session = EpisodeRunner(PolicyController(policy, ends, self._reader))
        self._seconds: deque[float] = deque(maxlen=KEPT)
        self._clock = MonotonicClock()
        self._stamps = Stamps(self._clock)
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._wanted = parameters.auto_start
        self._arm = ArmSender(self.node, to_seconds=self._stamps.to_arm, requests=("stop", "enable_torque"))
        block = parameters.block if self._session.controller.task.block else ""
        self._pose = CameraPose(self.node, parameters.extrinsics_file)
        self._eyes = ObservationSubscriber(self.node, self._stamps, block, spec.image_size, self._pose)
        self._status = self.node.create_publisher(String, "policy/status", STREAM)
        self._diagnostics = diagnostics.DiagnosticsTopic(self.node)
        # A start may wait for late word of the arm; a stop, and the word itself, must come through meanwhile.
        self._stops, group = 0, ReentrantCallbackGroup()
        self.node.create_service(Trigger, "policy/start", self._on_start, callback_group=group)
        self.node.create_service(Trigger, "policy/stop", self._on_stop, callback_group=group)
        self.node.create_timer(STATUS_PERIOD_S, self._tell_status)
        self.node.create_timer(DIAGNOSTICS_PERIOD_S, self._tell_diagnostics)
        self._rate = Rate(self._clock, 1.0 / spec.period_s)
        self._control = threading.Thread(target=self._run, name="control", daemon=True)
        self._control.start()
        self.node.get_logger().info(f"{spec.task} from {spec.obs}: {folder}")

    def close(self) -> None:
        """End the run that is under way: the arm brakes and holds."""
        self._stop.set()
        self._control.join()
        with self._lock:
            order = self._session.stop("policy_node ends")
        if order is not None:
            self._carry_out(order, self._clock.now())

    # -- the control thread ------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            late_s = 0.0
            while not self._stop.is_set():
                # The time of the tick, not of waking up: points a period apart must not look closer or farther.
                self._cycle(self._clock.now() - late_s)
                late_s = self._rate.wait()
        except BaseException as error:
            self._lifeline.fail(error)

    def _cycle(self, now: float) -> None:
        with self._lock:
            self._take_in()
            if self._wanted:
                self._start_by_itself(now)
            before, begin = self._session.phase, time.perf_counter()
            order: Command | None = self._session.stop(self._eyes.moved) if self._eyes.moved else None
            order = order or self._session.cycle(now, self._arm.known_state)
            if before is Phase.RUNNING:
                self._seconds.append(time.perf_counter() - begin)
        if order is not None:
            self._carry_out(order, now)
        if before is not Phase.IDLE and self._session.phase is Phase.IDLE:
            self.node.get_logger().info(f"the run has ended: {self._session.ended}")

    def _take_in(self) -> None:
        if self._arm.described.robot is not None:
            self._session.use(self._arm.described.robot)
        controller, eyes = self._session.controller, self._eyes
        oldest_s = float(self._arm.stamps_s.min())
        if math.isfinite(oldest_s):
            controller.joints(self._arm.position.tolist(), oldest_s)
        if eyes.seen is not None:
            controller.block(eyes.seen)
        if eyes.picture is not None:
            controller.picture(*eyes.picture)

    def _carry_out(self, order: Command, now_s: float) -> None:
        """Pass an order on; all six joints are streamed, as in training."""
        if isinstance(order, StreamCommand):
            self._arm.stream(order.position, stamp_s=from_time(self._stamps.to_ros(now_s)))
        elif isinstance(order, MoveCommand):
            self._arm.send_trajectory([order.seconds], [order.position])
        else:
            self._arm.request_stop()

    def _start_by_itself(self, now: float) -> None:
        if self._arm.torque_off:
            self._arm.request_torque()
            return
        try:
            self._begin(now)
        except CommandRefusedError:
            return
        except InputError as error:
            self.node.get_logger().error(str(error))
        self._wanted = False

    def _begin(self, now: float) -> None:
        check_compatibility(self._spec, self._arm.described.capabilities())
        if trouble := self._eyes.trouble or self._eyes.moved:
            raise CommandRefusedError(trouble)
        if self._reader is not None and self._parameters.extrinsics_file:
            self._reader.camera.locate(self._pose.matrix)  # it may have been found anew since
        self._session.start(now, self._arm.known_state, self._goal())

    def _goal(self) -> list[float]:
        text = str(self.node.get_parameter("goal").value)
        try:
            return finite("goal", [float(word) for word in text.split()]).tolist()
        except ValueError as error:
            raise InputError(f"goal {text!r} is not a list of numbers with spaces between them") from error

    # -- what it tells -----------------------------------------------------------------------------------------------

    def _fault(self) -> str:
        try:
            check_compatibility(self._spec, self._arm.described.capabilities())
        except DofbotError as error:
            return str(error)
        return unwilling(self._arm.known_state) or self._eyes.trouble or self._eyes.moved

    def _report(self) -> PolicyReport:
        now, session, spec = self._clock.now(), self._session, self._spec
        joint_age, block_age = session.controller.ages(now)
        times = self._seconds
        return PolicyReport(
            phase=session.phase.value,
            ended=session.ended,
            runs=session.runs,
            reached=session.reached,
            fault=self._fault(),
            arm=self._arm.known_state,
            task=spec.task,
            obs=spec.obs,
            seconds=now - session.started_s if session.phase is not Phase.IDLE else 0.0,
            joint_age_s=joint_age if math.isfinite(joint_age) else None,
            block_age_s=block_age if math.isfinite(block_age) else None,
            held=session.controller.held,
            inference_ms=1e3 * times[-1] if times else None,
            missed=self._rate.missed,
        )

    def _tell_status(self) -> None:
        with self._lock:
            report = self._report()
        self._status.publish(String(data=report.to_json()))

    def _tell_diagnostics(self) -> None:
        self._arm.described.ask()
        with self._lock:
            report, times = self._report(), np.array(self._seconds or [np.nan])
        p50, p99 = np.percentile(1e3 * times, [50, 99])
        values = {
            "task": report.task,
            "obs": report.obs,
            "runs": report.runs,
            "reached": report.reached,
            "last end": report.ended,
            "p50_inference_ms": float(p50),
            "p99_inference_ms": float(p99),
            "missed periods": report.missed,
        }
        level = DiagnosticStatus.WARN if report.fault else DiagnosticStatus.OK
        prefix, period_s = self._diagnostics.prefix, self._spec.period_s
        entries = [
            diagnostics.status(level, f"{prefix}: policy", report.fault or report.phase, values),
            diagnostics.loop_status(prefix, self._rate.lateness_s()[-KEPT:], self._rate.missed, 1.0 / period_s),
        ]
        self._diagnostics.publish(self._stamps.to_ros(self._clock.now()), entries)

    # -- services ----------------------------------------------------------------------------------------------------

    async def _on_start(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        """Begin a run, or say what keeps from it."""
        stops = self._stops
        try:
            await self._arm.late_word(lambda: not unwilling(self._arm.known_state) and self._eyes.heard)
            if self._stops != stops:
                raise CommandRefusedError("stopped")
            with self._lock:
                self._take_in()
                self._begin(self._clock.now())
            response.success, response.message = True, "approaching"
        except DofbotError as error:
            response.success, response.message = False, str(error)
        return response

    def _on_stop(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        """End the run; the arm brakes and holds."""
        self._stops += 1
        with self._lock:
            self._wanted = False
            order = self._session.stop("stopped")
        if order is not None:
            self._carry_out(order, self._clock.now())
        response.success = True
        response.message = "" if order is not None else "no run was under way"
        return response


def _reader(folder: Path, spec: PolicySpec, parameters: PolicyParameters) -> BlockPoseEstimator | None:
    calibrated = parameters.extrinsics_file if spec.observed == "pipeline" else ""
    return estimator_of(spec, folder, load_extrinsics(calibrated).matrix if calibrated else None)


def main() -> None:
    """Run the node."""
    sys.exit(run(PolicyNode, pictures=False))


if __name__ == "__main__":
    main()
