"""`ArmClient` commands an arm over ROS: a method returns when its motion has ended, or raises why it did not."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike
from rclpy.node import Node

from dofbot_ros.core.types import ARM_JOINTS, JOINT_NAMES, ToolPose
from dofbot_ros.driver.motion_events import EndCode, Event, MotionEvent
from dofbot_ros.errors import CommandRefusedError, DofbotError
from dofbot_ros.motion.timed_path import TimedPath
from dofbot_ros.ros.clients.arm_listener import MOVABLE, SILENT, UNDESCRIBED
from dofbot_ros.ros.clients.arm_sender import UNHEARD, ArmSender
from dofbot_ros.ros.runtime.background_node import BackgroundNode

ANSWER_S = 15.0
"""A driver that neither begins nor refuses a motion within this time has not received the command [s]."""
MOTION_S = 60.0
"""Longest time to wait for the end of a motion; a slow simulation is allowed for [s]."""
HEARD_S = 2.0
"""An arm that published before and has been silent for this long counts as gone [s]."""
FIRST_HEARD_S = 10.0
"""How long the first message of an arm may take, on a machine that is still starting it [s]."""
SETTLE_S = 0.12
"""Time on the arm's clock that the servos need to reach their last goal after a motion [s]."""

SAME_PLACE_M = 1e-4
BESIDE_RAD, NEAR_RAD = 0.04, 0.2
"""An arm that is farther than the first and nearer than the second from where a path begins is brought there [rad]."""

WAYS_OUT = {"IDLE": "enable_torque", "ESTOP": "reset_estop", "FAULT": "clear_fault"}
"""State -> the service that ends it."""

Client = TypeVar("Client", bound="ArmClient")


class ArmClient(ArmSender):
    """Commands one arm, real or simulated, from any program.

    Methods that move the arm return when it has come to rest at its goal, and raise

        CommandRefusedError: the arm refused the motion, or ended it early, and why;
        DofbotError: the arm does not answer.

    Args:
        node: the node that owns the publishers and subscriptions. Its namespace has to be the arm's; its name tells the
            driver who commands. Another thread has to spin it.
        check: called repeatedly while a method waits; it raises to end the waiting, for instance when the driver has
            ended.
        requests: services that are asked for without waiting, "stop", "estop" or "enable_torque"; see ArmSender.
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
        """Move the tool to a pose. The joints move straight to their goals, so the tool's path is not a straight line.

        Args:
            x, y, z: of the tool's tip in base_link [m].
            pitch: angle of the tool from straight up, outward [rad]: pi points it straight down, pi/2 outward; the
                steepest that the arm can reach there when None.
            roll: of the fingers about the tool's axis [rad].

        Raises:
            UnreachableError: no joint angles bring the tool there; it carries the nearest pose that is reachable.
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
            seconds: duration of the motion [s]; None for 0.5 s and 2 s more for each radian of the farthest joint.
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
            velocities: [rad/s] of the same shape; None lets the driver choose smooth ones.
        """
        self.execute("trajectory", lambda: self.send_trajectory(times, positions, joints, velocities))

    def follow(self, path: TimedPath) -> None:
        """Move along `path`.

        An arm that rests a little beside the path's beginning, as one does that gives way under its load or was
        stopped, is brought there first; one that is elsewhere is left to the driver to refuse.
        """
        begin = np.asarray(path.positions[0])
        if (
            path.times[0] <= 0.0
            and BESIDE_RAD < float(np.abs(begin - self.position[: len(ARM_JOINTS)]).max()) < NEAR_RAD
        ):
            self.move_joints(begin)
        self.move(path.times.tolist(), path.positions, ARM_JOINTS, path.velocities)

    def gripper(self, gap: float) -> bool:
        """Open or close the gripper to `gap` [m], or until something stops the fingers.

        Returns:
            True when something stopped the fingers before they reached `gap`; when closing, they hold an object.
        """
        return self.execute("gripper", lambda: self.send_gripper(gap)).code is EndCode.STALLED

    def regrip(self) -> None:
        """Go on closing the fingers on the object that they hold while the next motion runs; returns at once."""
        self._begin("gripper", lambda: self.send_gripper(0.0))

    def execute(self, kind: str, send: Callable[[], object], timeout_s: float = MOTION_S) -> MotionEvent:
        """Send a command, wait for the end of its motion, and return how it ended.

        Args:
            kind: of the motion, as MotionEvent.kind.
            send: sends the command through a publisher or a service client of this node.
            timeout_s: longest duration of the motion [s].

        Raises:
            CommandRefusedError: the arm refused it, or ended it early, and why.
            DofbotError: the arm does not answer, or the motion has not ended after `timeout_s`.
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
        """Wait until the servos have reached their last goals."""
        self.rest(SETTLE_S)

    def rest(self, seconds: float) -> None:
        """Wait for `seconds` of the arm's time [s]; the arm holds its pose and its grip."""
        self.wait_until_time(self.now_s() + seconds)

    def wait_until_time(self, time_s: float) -> None:
        """Wait until a joint state with a stamp of `time_s` [s] or later has come; ROS time.

        Raises:
            DofbotError: none comes; it names the joint that does not answer.
        """
        self._await_joints(lambda: self.now_s() >= time_s, MOTION_S)

    # -- stops and torque --------------------------------------------------------------------------------------------

    def enable(self) -> None:
        """Switch the servos on; the arm holds its present pose."""
        self.switch("enable_torque", True)
        self.wait_until(lambda: self.state in MOVABLE, ANSWER_S, "torque")

    def release(self) -> None:
        """Switch the servos off. The arm sinks unless somebody holds it."""
        self.switch("enable_torque", False)

    def stop(self) -> None:
        """Brake, and hold where the arm comes to rest."""
        self.trigger("stop")

    def estop(self) -> None:
        """Emergency stop: brake at once; every motion is refused until reset()."""
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
        """A context for motions that belong together: after a stop from any source, the remaining ones are refused."""
        before, self._abort_at = self._abort_at, self.stops
        try:
            yield
        finally:
            self._abort_at = before

    # -- whether it is there -----------------------------------------------------------------------------------------

    def wait_connected(self, timeout_s: float = FIRST_HEARD_S, *, complete: bool = True) -> None:
        """Wait until state, joints and description of the arm are known, and it subscribes to our commands.

        Args:
            timeout_s: longest time to wait [s].
            complete: False takes an arm that is not connected, or with a joint that does not answer, as well: to look
                at it, to stop it or to let it go.

        Raises:
            DofbotError: not within `timeout_s`, or at once where a joint does not answer; it names the joint.
        """
        if complete:
            self._await_joints(self._known, timeout_s, "connected arm")
        else:
            self.wait_until(lambda: self._described, timeout_s, "arm")
            with suppress(DofbotError):  # an arm that tells no more than its state can still be stopped
                self.wait_until(
                    lambda: (self.present and "arm" in self.diagnostics) or self.explained, HEARD_S, "joint states"
                )
        self._await_hearing(timeout_s)

    def require_heard(self) -> None:
        """Wait for a new joint state.

        Raises:
            DofbotError: none comes.
        """
        before_s = self.now_s()
        self._await_word(lambda: self.now_s() > before_s, HEARD_S if math.isfinite(before_s) else FIRST_HEARD_S)

    def require_described(self) -> None:
        """Wait for the arm's description, without which its lengths and limits are not known.

        Raises:
            DofbotError: none comes, or it cannot be read.
        """
        described = self.described
        self._await_word(lambda: bool(described.robot or described.trouble), FIRST_HEARD_S, UNDESCRIBED)
        if described.robot is None:
            raise DofbotError(described.trouble)

    def require_ready(self) -> None:
        """Wait until the arm is in a state in which it accepts commands.

        Raises:
            DofbotError: it is in another state; the message names the service that ends that state.
        """
        self._await_word(lambda: bool(self.state), FIRST_HEARD_S)
        self.catch_up(lambda: self.state in MOVABLE)
        if self.state not in MOVABLE:
            way_out = WAYS_OUT.get(self.state)
            raise DofbotError(f"the arm's state is {self.state}" + (f": call {way_out} first" if way_out else ""))

    # -- inside ------------------------------------------------------------------------------------------------------

    def _begin(self, kind: str, send: Callable[[], object]) -> int:
        """Send a command. Returns the number of its motion; raises CommandRefusedError when the arm refuses it."""
        names = {self.node.get_name(), f"service {kind}", ""}

        def answer() -> MotionEvent | None:
            return next((e for e in self._answers or () if e.kind == kind and e.commander in names), None)

        # Discovery tells of topics one by one: an arm may be heard before it hears.
        self._await_hearing(FIRST_HEARD_S)
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

    @property
    def _described(self) -> bool:
        return bool(self.state) and (self.described.robot is not None or bool(self.described.trouble))

    def _await_hearing(self, timeout_s: float) -> None:
        try:
            self.wait_until(lambda: self.hears_commands, timeout_s, "subscriptions to commands")
        except DofbotError as error:
            self._check()
            raise DofbotError(UNHEARD) from error

    def _known(self) -> bool:
        return self._described and self.state != "DISCONNECTED" and bool(np.isfinite(self.position).all())

    def _await_joints(self, heard: Callable[[], bool], limit_s: float, what: str = "joint states") -> None:
        """As wait_until(), but not while a joint does not answer."""
        self.wait_until(lambda: heard() or bool(self.silent_joints), limit_s, what)
        if not heard() and self.silent_joints:
            raise DofbotError(self.silence)

    @property
    def _stopped(self) -> bool:
        return self._abort_at is not None and self.stops != self._abort_at

    def _check_stopped(self) -> None:
        if self._stopped:
            raise CommandRefusedError("stopped")

    def _await_word(self, heard: Callable[[], bool], limit_s: float, missing: str = SILENT) -> None:
        try:
            self._await_joints(heard, limit_s)
        except DofbotError as error:
            self._check()
            raise DofbotError(self.silence or missing) from error


@contextmanager
def background_client(
    make: Callable[[Node, Callable[[], None]], Client],
    name: str = "arm_client",
    namespace: str = "",
    check: Callable[[], None] = lambda: None,
) -> Iterator[Client]:
    """A client on a node of its own, which a background thread spins: for programs that have no node.

    Args:
        make: ArmClient, or a class derived from it.
        name: of the new node.
        namespace: ROS namespace of the arm.
        check: called repeatedly while the client waits; it raises to end the waiting.
    """
    with BackgroundNode(name, namespace) as background:

        def check_both() -> None:
            background.check()
            check()

        client = make(background.node, check_both)
        background.spin()
        yield client
