"""The actions that MoveIt and other controllers' clients call, where control_msgs is installed."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Any, cast

from rclpy.node import Node
from rclpy.task import Future

from dofbot_ros.arm.gripper import CLOSED, gap_to_joint, joint_to_gap
from dofbot_ros.core.types import GRIP, JOINT_NAMES
from dofbot_ros.driver.daemon import ArmDaemon
from dofbot_ros.driver.motion_events import EndCode, Event, MotionEvent
from dofbot_ros.driver.snapshot import Snapshot
from dofbot_ros.errors import CommandRefusedError, DofbotError
from dofbot_ros.ros.arm.commanders import ACTION
from dofbot_ros.ros.arm.commands import Commands

KEPT_RESULTS = 100
SETTLE_S = 0.12
"""In which the servos reach what they were told; a result is about them [s]."""
REACHED_RAD = 0.03
"""A gripper this near to the angle asked for has reached it [rad]."""
ROUNDING_RAD = 1e-3


class MotionEnds:
    """How motions end: told by the control thread, awaited by tasks of the executor."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._lock = threading.Lock()
        self._ended: OrderedDict[int, MotionEvent] = OrderedDict()
        self._waiting: dict[int, Future[MotionEvent]] = {}

    async def of(self, motion: int) -> MotionEvent:
        """How the motion of that number ends, or has ended already."""
        future: Future[MotionEvent] = Future()
        with self._lock:
            if motion in self._ended:
                return self._ended[motion]
            self._waiting[motion] = future
        try:
            return cast(MotionEvent, await future)
        finally:
            with self._lock:
                del self._waiting[motion]

    def note(self, event: MotionEvent) -> None:
        """Take in how a motion ended."""
        with self._lock:
            self._ended[event.motion] = event
            while len(self._ended) > KEPT_RESULTS:
                self._ended.popitem(last=False)
            future = self._waiting.get(event.motion)
        if future is not None:
            future.set_result(event)

    def rouse(self) -> None:
        """Wake the executor for tasks that have not taken their result yet; to be called again and again.

        The executor sleeps until something of ROS happens, and a result of another thread is nothing of ROS. One call
        would not do: an executor with several threads passes over a task that another thread is just looking at, and
        sleeps on, though that thread may have looked too early.
        """
        with self._lock:
            untaken = any(future.done() for future in self._waiting.values())
        if untaken and self._node.executor is not None:
            self._node.executor.wake()


class Actions:
    """Action servers over the daemon.

    arm_controller/follow_joint_trajectory takes trajectories; gripper_controller/gripper_cmd (GripperCommand) and
    gripper_controller/parallel_gripper_cmd (ParallelGripperCommand) take the angle of grip_joint [rad], as planners
    know it: 0 is open.

    Args:
        node: the node that owns the servers.
        daemon: the arm.
        commands: checks and starts trajectories.
    """

    def __init__(self, node: Node, daemon: ArmDaemon, commands: Commands) -> None:
        self._node, self._daemon, self._commands = node, daemon, commands
        self._ends = MotionEnds(node)
        self._settling: deque[tuple[float, MotionEvent]] = deque()
        self._servers: list[Any] = []
        try:
            from control_msgs import action
        except ImportError:
            return  # and rclpy.action, which takes 1.5 MB, is not imported for nothing
        from rclpy.action.server import ActionServer, CancelResponse

        def serve(kind: str, name: str, execute: Callable[[Any, Any], Any], cancel: Callable[[Any], bool]) -> None:
            if (action_type := getattr(action, kind, None)) is None:
                return  # older releases have no ParallelGripperCommand

            async def run(handle: Any) -> Any:
                return await execute(handle, action_type.Result())

            def answer(handle: Any) -> CancelResponse:
                return CancelResponse.ACCEPT if cancel(handle) else CancelResponse.REJECT

            self._servers.append(ActionServer(node, action_type, name, run, cancel_callback=answer))

        trajectory, gripper = self._cancel_arm, self._cancel_gripper
        serve("FollowJointTrajectory", "arm_controller/follow_joint_trajectory", self._follow, trajectory)
        serve("GripperCommand", "gripper_controller/gripper_cmd", self._grip, gripper)
        serve("ParallelGripperCommand", "gripper_controller/parallel_gripper_cmd", self._grip_parallel, gripper)

    def after_cycle(self, snapshot: Snapshot) -> None:
        """Wake the goals that have come to their end; called in the control thread."""
        due_s = snapshot.stamp_s + SETTLE_S
        self._settling.extend((due_s, event) for event in snapshot.events if event.event is Event.ENDED)
        while self._settling and snapshot.stamp_s >= self._settling[0][0]:
            self._ends.note(self._settling.popleft()[1])
        self._ends.rouse()

    # -- trajectories ------------------------------------------------------------------------------------------------

    async def _follow(self, handle: Any, answer: Any) -> Any:
        try:
            unknown = sorted(set(handle.request.trajectory.joint_names) - set(JOINT_NAMES))
            if unknown:
                answer.error_code = answer.INVALID_JOINTS
                raise CommandRefusedError(f"there is no joint {', '.join(unknown)}; known are {', '.join(JOINT_NAMES)}")
            answer.error_code = answer.INVALID_GOAL
            motion = self._commands.joint_trajectory(handle.request.trajectory, ACTION)
        except DofbotError as error:
            answer.error_string = str(error)
            handle.abort()
            return answer
        ended = await self._ends.of(motion)
        answer.error_code, answer.error_string = answer.SUCCESSFUL, ended.reason
        if ended.succeeded:
            handle.succeed()
        elif handle.is_cancel_requested:
            handle.canceled()
        else:
            # A stop, or another command in its place, is no violation: the reason says which it was.
            if ended.code in (EndCode.LIMITED, EndCode.FAULT, EndCode.STALE):
                answer.error_code = answer.PATH_TOLERANCE_VIOLATED
            handle.abort()
        return answer

    def _cancel_arm(self, _: Any) -> bool:
        self._daemon.stop()
        return True

    # -- the gripper -------------------------------------------------------------------------------------------------

    async def _grip(self, handle: Any, answer: Any) -> Any:
        wanted = float(handle.request.command.position)
        ended = await self._move_gripper(handle, wanted)
        if ended is not None:
            answer.position = self._grip_angle()
            answer.stalled, answer.reached_goal = _outcome(ended, answer.position, wanted)
        return answer

    async def _grip_parallel(self, handle: Any, answer: Any) -> Any:
        positions = handle.request.command.position
        wanted = float(positions[0]) if len(positions) == 1 else float("nan")
        ended = await self._move_gripper(handle, wanted)
        if ended is not None:
            answer.state.name, answer.state.position = [JOINT_NAMES[GRIP]], [self._grip_angle()]
            answer.stalled, answer.reached_goal = _outcome(ended, self._grip_angle(), wanted)
        return answer

    async def _move_gripper(self, handle: Any, wanted: float) -> MotionEvent | None:
        """Move grip_joint to `wanted` [rad]. Returns how that ended, or None where it did not begin."""
        try:
            if not 0.0 <= wanted <= CLOSED + ROUNDING_RAD:
                raise CommandRefusedError(
                    f"grip_joint goes from 0 (open) to {CLOSED:.3f} rad (closed), not to {wanted}"
                )
            motion = self._daemon.gripper(float(joint_to_gap(min(wanted, CLOSED))), ACTION)
        except DofbotError as error:
            self._node.get_logger().warning(f"gripper goal refused: {error}")  # the result has no words
            handle.abort()
            return None
        ended = await self._ends.of(motion)
        if ended.succeeded:
            handle.succeed()
        elif handle.is_cancel_requested:
            handle.canceled()
        else:
            handle.abort()
        return ended

    def _cancel_gripper(self, _: Any) -> bool:
        """The fingers stay where they are; the arm's motion is another goal's, and goes on."""
        try:
            self._daemon.gripper(float(joint_to_gap(self._grip_angle())), ACTION)
        except DofbotError:
            return False
        return True

    def _grip_angle(self) -> float:
        reading = self._daemon.snapshot().reading
        return float(reading.position[GRIP]) if reading is not None else float(gap_to_joint(0.0))


def _outcome(ended: MotionEvent, position: float, wanted: float) -> tuple[bool, bool]:
    """Whether the fingers were stopped by something, and whether they reached the angle."""
    reached = ended.succeeded and abs(position - wanted) <= REACHED_RAD
    return ended.code is EndCode.STALLED and not reached, reached
