"""`teleop_node`: what an operator shows or presses becomes a joint stream for the arm."""

from __future__ import annotations

import sys
import threading
from collections import deque
from typing import Any

from rclpy.callback_groups import ReentrantCallbackGroup
from std_srvs.srv import SetBool, Trigger

from dofbot_ros.arm.robot import load_robot
from dofbot_ros.core.clock import MonotonicClock
from dofbot_ros.core.rate import Rate
from dofbot_ros.core.realtime import NICE_FOLLOWING, before_ordinary_programs
from dofbot_ros.core.types import ImageArray
from dofbot_ros.errors import CommandRefusedError, DofbotError
from dofbot_ros.ros.arm import diagnostics
from dofbot_ros.ros.clients.arm_listener import UNDESCRIBED
from dofbot_ros.ros.conversions.messages import from_time
from dofbot_ros.ros.conversions.stamps import Stamps
from dofbot_ros.ros.runtime.lean_node import LeanNode
from dofbot_ros.ros.runtime.parameters import declare
from dofbot_ros.ros.runtime.process import ShutdownSignal, run
from dofbot_ros.ros.teleop.arm import TeleopArm
from dofbot_ros.ros.teleop.inputs import Device, open_device, open_feed
from dofbot_ros.ros.teleop.parameters import TeleopParameters, configuration
from dofbot_ros.ros.teleop.topics import TeleopTopics
from dofbot_ros.safety.workspace import Workspace
from dofbot_ros.teleop.input.landmarks import Observation
from dofbot_ros.teleop.input.observation_stream import ObservationStream
from dofbot_ros.teleop.retargeting.clutch import Reason
from dofbot_ros.teleop.retargeting.pipeline import TeleopCommand, TeleopPipeline, landmark_pipeline, manual_pipeline
from dofbot_ros.teleop.sessions.report import TeleopReport
from dofbot_ros.vision.cameras.capture import CaptureConfig

TORQUE_S = 1.0
"""An engaged arm that has no torque after so long is let go [s]."""
STATUS_PERIOD_S = 0.2
"""Between two messages on teleop/status while no command goes out [s]."""
DIAGNOSTICS_PERIOD_S = 1.0


class TeleopNode:
    """Its threads: landmarks (wait for a frame, detect), control (step at the control rate), and the executor.

    MediaPipe lets go of the interpreter while it works, so that the control thread keeps its rate beside it.
    """

    def __init__(self, lifeline: ShutdownSignal) -> None:
        self.node = LeanNode("teleop_node")
        self._lifeline = lifeline
        self._parameters = declare(self.node, TeleopParameters)
        config = self._config = configuration(self._parameters)
        if self._parameters.realtime:
            before_ordinary_programs(NICE_FOLLOWING)
        self._clock = MonotonicClock()
        self._stamps = Stamps(self._clock)
        self._lock = threading.Lock()
        self._stop, self._observed = threading.Event(), threading.Event()
        self._trouble = ""
        self._hands = 0
        self._limp_since_s: float | None = None
        self._captured_s, self._stamp_s = -float("inf"), 0.0
        self._status_s = -float("inf")
        self._latencies: deque[float] = deque(maxlen=300)
        self._arm = TeleopArm(self.node, requests=("enable_torque",))
        self._topics = TeleopTopics(self.node, config, 1.0 / self._parameters.overlay_rate_hz)
        # Engaging may wait for late word of the arm; a release, and the word itself, must come through meanwhile.
        self._releases, group = 0, ReentrantCallbackGroup()
        self.node.create_service(SetBool, "teleop/engage", self._on_engage, callback_group=group)
        self.node.create_service(Trigger, "teleop/recenter", self._on_recenter)

        self._robot = load_robot(self._parameters.calibration_file)
        source = self._parameters.source
        self._feed: ObservationStream | None = None
        self._device: Device | None = open_device(source, self.node, config, self._clock)
        self._pipeline = self._make_pipeline()
        if self._device is None:
            capture = CaptureConfig(video_device=source, loop=self._parameters.loop)
            self._feed = open_feed(source, self.node, config, self._clock, capture)
            self._trouble = self._feed.trouble
        self._rate = Rate(self._clock, config.control_rate_hz)
        self._control = threading.Thread(target=self._run, name="control", daemon=True)
        self.node.create_timer(DIAGNOSTICS_PERIOD_S, self._tell_diagnostics)
        if self._feed is not None:
            self._feed.start(self._observe, lifeline.fail)
        self._control.start()

    def close(self) -> None:
        """Let go, wait until the arm has come to its smooth stop, and close camera or device."""
        with self._lock:
            self._pipeline.release(Reason.RELEASED)
        self._stop.set()
        self._control.join()
        if self._feed is not None:
            self._feed.close()
        if self._device is not None:
            self._device.close()

    def _make_pipeline(self) -> TeleopPipeline[Any]:
        kinematics = self._robot.kinematics
        make = landmark_pipeline if self._device is None else manual_pipeline
        return make(self._config, kinematics, Workspace(kinematics))

    def _adopt(self) -> None:
        """Steer the arm that is described, where no calibration file was given, from the next engagement on."""
        robot = self._arm.described.robot
        if robot is None or self._parameters.calibration_file or self._robot.same_as(robot):
            return
        if not (self._pipeline.status.engaged or self._pipeline.moving):
            self._robot = robot
            self._pipeline = self._make_pipeline()
            self.node.get_logger().info("steers the calibrated arm that robot_description tells of")

    # -- the landmark thread -----------------------------------------------------------------------------------------

    def _observe(self, observation: Observation, image: ImageArray | None) -> None:
        with self._lock:
            self._pipeline.observe(observation, self._clock.now())
            status = self._pipeline.status
        self._observed.set()
        self._hands += (observation.hand if self._config.mode == "hand" else observation.body) is not None
        stamp = self._stamps.to_ros(observation.stamp_s)
        self._topics.landmarks(observation, stamp)
        latency_s = self._latencies[-1] if status.engaged and self._latencies else None
        self._topics.overlay(image, observation, status, stamp, latency_s)

    # -- the control thread ------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            late_s = 0.0
            while True:
                ending = self._stop.is_set()
                # The time of the tick, not of waking up: points a period apart must not look closer or farther.
                commanded = self._cycle(self._clock.now() - late_s)
                if ending and not commanded:
                    return
                # What was just seen does not wait for the tick: that tick's command goes out at once.
                late_s = self._rate.wait(self._observed)
        except BaseException as error:
            self._lifeline.fail(error)

    def _cycle(self, now: float) -> bool:
        """One control period. Returns whether there was something to command."""
        self._watch_source(now)
        with self._lock:
            self._adopt()
            if self._parameters.auto_engage and not (self._trouble or self._arm_trouble or self._stop.is_set()):
                self._pipeline.engage()
            command = self._command(now)
            engaged = self._pipeline.status.engaged
        if command is not None:
            self._send(command, now)
        elif not engaged:
            self._arm.let_go()
        self._topics.engaged(engaged)
        if self._clock.now() - self._status_s >= STATUS_PERIOD_S:
            self._tell_status()
        return command is not None

    def _watch_source(self, now: float) -> None:
        if self._device is not None and not self._trouble:
            try:
                given = self._device.read(now)
            except DofbotError as error:
                self._note(str(error))
            else:
                with self._lock:
                    if given is not None:
                        self._pipeline.observe(given, now)
        elif self._feed is not None and self._feed.trouble != self._trouble:
            self._note(self._feed.trouble)

    def _note(self, trouble: str) -> None:
        self._trouble = trouble
        if trouble:
            source = self._parameters.source
            self.node.get_logger().warning(trouble if trouble.startswith(source) else f"{source}: {trouble}")
            with self._lock:
                self._pipeline.release(Reason.SOURCE_LOST)
        else:
            self.node.get_logger().info(f"{self._parameters.source} is open")

    def _command(self, now: float) -> TeleopCommand | None:
        if self._may_command(now):
            return self._pipeline.step(self._arm.position, now)
        if not self._pipeline.status.engaged:
            # A motion that the arm does not carry out ends here: the next one begins where the arm then is.
            while self._pipeline.step(self._arm.position, now) is not None:
                pass
        return None

    def _may_command(self, now: float) -> bool:
        """Whether the arm takes commands; one that is engaged without torque gets it first."""
        engaged = self._pipeline.status.engaged
        if self._arm.ready or not engaged:
            self._limp_since_s = None
            return self._arm.ready
        if self._arm.torque_off:
            self._arm.request_torque()
            self._limp_since_s = now if self._limp_since_s is None else self._limp_since_s
            if now - self._limp_since_s < TORQUE_S:
                return False
        self._limp_since_s = None
        self._pipeline.release(Reason.ARM_NOT_READY)
        return False

    def _send(self, command: TeleopCommand, tick_s: float) -> None:
        stamp = self._stamps.to_ros(tick_s)
        self._arm.send(command, stamp)
        if command.stamp_s > self._captured_s:
            self._captured_s, self._stamp_s = command.stamp_s, from_time(stamp)
            self._latencies.append(self._clock.now() - command.stamp_s)
            self._tell_status()

    # -- what it tells -----------------------------------------------------------------------------------------------

    def _report(self) -> TeleopReport:
        status, feed = self._pipeline.status, self._feed
        target = status.target
        return TeleopReport(
            engaged=status.engaged,
            reason=status.reason.value,
            fault=status.fault.value if status.fault else self._arm_fault(),
            source=self._trouble,
            arm=self._arm.known_state,
            progress=status.progress,
            clamped=bool(status.clamped),
            frames=feed.frames if feed else 0,
            dropped=feed.dropped if feed else 0,
            hands=self._hands,
            captured_s=from_time(self._stamps.to_ros(self._captured_s)) if self._latencies else 0.0,
            stamp_s=self._stamp_s,
            latency_s=self._latencies[-1] if self._latencies else 0.0,
            target=(target.x, target.y, target.z, target.pitch, target.roll) if target else None,
            gap=status.gap,
            primed=status.primed,
        )

    @property
    def _arm_trouble(self) -> str:
        """Why the arm cannot be steered, "" when it can; before its description its lengths and limits are unknown."""
        described = self._arm.described
        if self._arm.trouble or described.robot is not None or self._parameters.calibration_file:
            return self._arm.trouble
        return described.trouble or UNDESCRIBED

    def _arm_fault(self) -> str:
        """Why the arm cannot be engaged, "" when it can."""
        return f"{Reason.ARM_NOT_READY.value}: {self._arm_trouble}" if self._arm_trouble else ""

    def _tell_status(self) -> None:
        self._status_s = self._clock.now()
        self._topics.status(self._report())

    def _tell_diagnostics(self) -> None:
        loop = diagnostics.loop_status(
            self.node.get_name(), self._rate.lateness_s()[-500:], self._rate.missed, self._config.control_rate_hz
        )
        stamp = self._stamps.to_ros(self._clock.now())
        self._topics.diagnostics(self._parameters.source, self._report(), list(self._latencies), loop, stamp)

    # -- services ----------------------------------------------------------------------------------------------------

    async def _on_engage(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        """Engage, or say all that keeps from it; release."""
        if not request.data:
            self._releases += 1
            with self._lock:
                self._pipeline.release(Reason.RELEASED)
            response.success, response.message = True, Reason.RELEASED.value
            return response
        releases = self._releases
        try:
            if not self._trouble:
                await self._arm.late_word(lambda: not self._arm_trouble)
        except CommandRefusedError as error:
            response.success, response.message = False, str(error)
            return response
        if self._releases != releases:
            response.success, response.message = False, Reason.RELEASED.value
            return response
        source = f"{Reason.SOURCE_LOST.value}: {self._trouble}" if self._trouble else ""
        if troubles := [trouble for trouble in (self._arm_fault(), source) if trouble]:
            response.success, response.message = False, "; ".join(troubles)
            return response
        with self._lock:
            self._adopt()
            refusal = self._pipeline.engage()
        response.success = refusal is None
        response.message = "engaged" if refusal is None else refusal.value
        return response

    def _on_recenter(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        """The present hand means the present arm from now on."""
        with self._lock:
            response.success = self._pipeline.status.engaged
            if response.success:
                self._pipeline.recenter()
        response.message = "" if response.success else "not engaged: there is nothing to recenter"
        return response


def main() -> None:
    """Run the node."""
    sys.exit(run(TeleopNode))


if __name__ == "__main__":
    main()
