"""The arm's client: commands that return when the arm has carried them out, or say why it has not."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike
from rclpy.node import Node

from dofbot_ros.core.types import ARM_JOINTS, JOINT_NAMES, ToolPose
from dofbot_ros.driver.motion_events import EndCode, Event, MotionEvent
from dofbot_ros.errors import CommandRefusedError, DofbotError
from dofbot_ros.motion.timed_path import TimedPath
from dofbot_ros.ros.clients.arm_listener import MOVABLE
from dofbot_ros.ros.clients.arm_sender import ArmSender
from dofbot_ros.ros.runtime.background_node import BackgroundNode

ANSWER_S = 15.0
"""A driver that says neither that a motion begins nor that it is refused for this long has not heard the command."""
MOTION_S = 60.0
"""No motion takes longer, however slow the simulation is [s]."""
HEARD_S = 2.0
"""An arm that was heard before and then says nothing for this long is not there [s]."""
FIRST_HEARD_S = 10.0
"""One that has not been heard yet may take this long, on a machine that starts it just now [s]."""
SETTLE_S = 0.12
"""Arm time after which the servos have reached what they were told [s]."""

SAME_PLACE_M = 1e-4

SILENT = "the arm says nothing: is its node running, in this namespace?"
WAYS_OUT = {"IDLE": "enable_torque", "ESTOP": "reset_estop", "FAULT": "clear_fault"}
"""State -> the service that ends it."""

Client = TypeVar("Client", bound="ArmClient")


class ArmClient(ArmSender):
    """Commands one arm, real or simulated, from any program.

    Methods that move the arm return when it has come to rest at its goal, and raise

        CommandRefusedError: the arm refused the motion, or ended it early, and why;
        DofbotError: it does not answer.

    Args:
        node: the node that owns subscriptions and publishers; its namespace is the arm's, its name tells the arm who
            commands it. Another thread spins it.
        check: called now and then while waiting; raises when waiting is in vain.
        requests: as ArmSender.
    """

    def __init__(self, node: Node, check: Callable[[], None] = lambda: None, *, requests: Sequence[str] = ()) -> None:
        super().__init__(node, check, requests=requests)
        self._commanding = threading.Lock()
        self._abort_at: int | None = None

    # -- motions -----------------------------------------------------------------------------------------------------

    def home(self) -> None:
        """Move upright, out of an overhead camera's view of the table."""
        self.execute("home", lambda: self.trigger("home"))

    def park(self) -> None:
        """Fold the arm."""
        self.execute("park", lambda: self.trigger("park"))

    def move_to(self, x: float, y: float, z: float, pitch: float | None = None, roll: float = 0.0) -> None:
        """Move the tool by the nearest joint angles; its path in between is not a straight line.

        Args:
            x, y, z: of the tool's tip in base_link [m].
            pitch: angle of the tool from straight up, outward [rad]: pi points it straight down, pi/2 outward; the
                steepest that the arm can reach there when None.
            roll: of the fingers about the tool's axis [rad].

        Raises:
            UnreachableError: no joint angles bring the tool there; with the nearest pose that is reachable.
        """
        robot = self.robot
        target = robot.kinematics.steepest(x, y, z, roll) if pitch is None else ToolPose(x, y, z, pitch, roll)
        if math.dist((x, y, z), (target.x, target.y, target.z)) > SAME_PLACE_M:
            target = ToolPose(x, y, z, math.pi, roll)  # out of reach: solve() says so, with what is nearest
        self.move_joints(robot.kinematics.solve(target, near=self.position[: len(ARM_JOINTS)]))

    def move_joints(self, positions: ArrayLike, seconds: float | None = None) -> None:
        """Move the five arm joints to `positions` [rad] (5,) and rest there.

        Args:
            positions: [rad] shape (5,).
            seconds: how long it takes [s]; as fast as the driver's limits allow, soft at both ends, when None.
        """
        goal = np.asarray(positions, dtype=np.float64)
        farthest = float(np.abs(goal - self.position[: len(goal)]).max(initial=0.0))
        self.move([seconds or 0.5 + 2.0 * farthest], goal[None], ARM_JOINTS)

    def move(
        self,
        times: Sequence[float],
        positions: ArrayLike,
        joints: Sequence[str] = JOINT_NAMES,
        velocities: ArrayLike | None = None,
    ) -> None:
        """Move along a trajectory.

        Args:
            times: [s] from now, shape (n,), strictly increasing.
            positions: [rad] shape (n, len(joints)).
            joints: names of the columns; the others stay where they are.
            velocities: [rad/s] of the same shape, or None for smooth ones.
        """
        self.execute("trajectory", lambda: self.send_trajectory(times, positions, joints, velocities))

    def follow(self, path: TimedPath) -> None:
        """Move along `path`."""
        self.move(path.times.tolist(), path.positions, ARM_JOINTS, path.velocities)

    def gripper(self, gap: float) -> bool:
        """Open or close the gripper to `gap` [m], or until something stops the fingers.

        Returns:
            Whether something stopped them: they hold it, where they were closing.
        """
        return self.execute("gripper", lambda: self.send_gripper(gap)).code is EndCode.STALLED

    def regrip(self) -> None:
        """Let the fingers close on what they hold while the next motion runs; returns at once."""
        self._begin("gripper", lambda: self.send_gripper(0.0))

    def execute(self, kind: str, send: Callable[[], object], timeout_s: float = MOTION_S) -> MotionEvent:
        """Give a command, and return how its motion ended.

        Args:
            kind: of the motion, as MotionEvent.kind.
            send: gives the command, from a publisher or a client of this node.
            timeout_s: for the motion [s].

        Raises:
            CommandRefusedError: the arm refused it, or ended it early, and why.
            DofbotError: it does not answer, or the motion does not end.
        """
        self._check_stopped()
        motion = self._begin(kind, send)
        if self._stopped:
            self.stop()  # it came before this motion, and was told only with its beginning
        self._check_stopped()
        self.wait_until(lambda: motion in self._results, timeout_s, f"end of the motion ({kind})")
        result = self._results[motion]
        if not result.succeeded:
            raise CommandRefusedError(result.reason)
        self.settle()
        return result

    def settle(self) -> None:
        """Let the servos reach what they were told."""
        self.rest(SETTLE_S)

    def rest(self, seconds: float) -> None:
        """Return after so much of the arm's time [s]; the arm goes on holding what it holds."""
        self.wait_until_time(self.now_s() + seconds)

    def wait_until_time(self, time_s: float) -> None:
        """Return when the newest joint state is from `time_s` [s] or later, as ROS counts time."""
        self.wait_until(lambda: self.now_s() >= time_s, MOTION_S, "joint states")

    # -- stops and torque --------------------------------------------------------------------------------------------

    def enable(self) -> None:
        """Hold the arm with torque where it is."""
        self.switch("enable_torque", True)
        self.wait_until(lambda: self.state in MOVABLE, ANSWER_S, "torque")

    def release(self) -> None:
        """Let go of the arm: it sinks unless somebody holds it."""
        self.switch("enable_torque", False)

    def stop(self) -> None:
        """Brake and hold."""
        self.trigger("stop")

    def estop(self) -> None:
        """Brake at once, and refuse every motion until reset()."""
        self.trigger("estop")

    def reset(self) -> None:
        """Allow motions again after an emergency stop or a fault; nothing moves by itself."""
        if self.state == "ESTOP":
            self.trigger("reset_estop")
            self.wait_until(
                lambda: self.state != "ESTOP", ANSWER_S, "end of the emergency stop"
            )  # a fault may lie below
        if self.state == "FAULT":
            self.trigger("clear_fault")
        self.wait_until(lambda: self.state not in ("ESTOP", "FAULT"), ANSWER_S, "end of the stop")

    @contextmanager
    def sequence(self) -> Iterator[None]:
        """Motions that belong together: a stop, whoever asks for it and when, is the end of all that are left."""
        before, self._abort_at = self._abort_at, self.stops
        try:
            yield
        finally:
            self._abort_at = before

    # -- whether it is there -----------------------------------------------------------------------------------------

    def wait_connected(self, timeout_s: float = FIRST_HEARD_S) -> None:
        """Return when the arm is there: state, joints and description are known, and it hears commands."""
        self.wait_until(self._known, timeout_s, "connected arm")
        deadline = time.monotonic() + timeout_s
        for publisher in (self._trajectories, self._points, self._gripper):
            while publisher.get_subscription_count() == 0:
                if time.monotonic() > deadline:
                    raise DofbotError(f"nobody listens to {publisher.topic_name}")
                time.sleep(0.02)

    def require_heard(self) -> None:
        """Return when joint states come in.

        Raises:
            DofbotError: none does.
        """
        before_s = self.now_s()
        self._await_word(lambda: self.now_s() > before_s, HEARD_S if math.isfinite(before_s) else FIRST_HEARD_S)

    def require_ready(self) -> None:
        """Return when the arm takes commands.

        Raises:
            DofbotError: it does not, and what to do.
        """
        self._await_word(lambda: bool(self.state), FIRST_HEARD_S)
        self.catch_up(lambda: self.state in MOVABLE)
        if self.state not in MOVABLE:
            way_out = WAYS_OUT.get(self.state)
            raise DofbotError(f"the arm's state is {self.state}" + (f": call {way_out} first" if way_out else ""))

    # -- inside ------------------------------------------------------------------------------------------------------

    def _begin(self, kind: str, send: Callable[[], object]) -> int:
        """Give a command. Returns the number of its motion; raises CommandRefusedError when there is none."""
        names = {self.node.get_name(), f"service {kind}", ""}

        def answer() -> MotionEvent | None:
            return next((e for e in self._answers or () if e.kind == kind and e.commander in names), None)

        with self._commanding:
            self._answers = []
            try:
                send()
                self.wait_until(lambda: answer() is not None, ANSWER_S, f"answer of the driver to the command ({kind})")
                answered = answer()
            finally:
                self._answers = None
        assert answered is not None
        if answered.event is Event.REFUSED:
            raise CommandRefusedError(answered.reason)
        return answered.motion

    def _known(self) -> bool:
        told = self.described.robot is not None or bool(self.described.trouble)
        return told and self.state not in ("", "DISCONNECTED") and bool(np.isfinite(self.position).all())

    @property
    def _stopped(self) -> bool:
        return self._abort_at is not None and self.stops != self._abort_at

    def _check_stopped(self) -> None:
        if self._stopped:
            raise CommandRefusedError("stopped")

    def _await_word(self, heard: Callable[[], bool], limit_s: float) -> None:
        try:
            self.wait_until(heard, limit_s, "word of the arm")
        except DofbotError as error:
            self._check()
            raise DofbotError(SILENT) from error


@contextmanager
def background_client(
    make: Callable[[Node, Callable[[], None]], Client],
    name: str = "arm_client",
    namespace: str = "",
    check: Callable[[], None] = lambda: None,
) -> Iterator[Client]:
    """A client with a node of its own that runs in the background, for programs that have none.

    Args:
        make: ArmClient, or one derived from it.
        name: of the node.
        namespace: of the arm.
        check: called now and then while the client waits; raises when waiting is in vain.
    """
    with BackgroundNode(name, namespace) as background:

        def check_both() -> None:
            background.check()
            check()

        client = make(background.node, check_both)
        background.spin()
        yield client
