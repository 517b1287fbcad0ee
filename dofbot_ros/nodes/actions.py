"""The actions that MoveIt and other controllers' clients call, where control_msgs is installed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from rclpy.action.server import ActionServer, CancelResponse
from rclpy.node import Node
from rclpy.task import Future

from dofbot_ros.arm.gripper import joint_to_gap
from dofbot_ros.core.types import GRIP
from dofbot_ros.errors import DofbotError
from dofbot_ros.nodes.commanders import ACTION
from dofbot_ros.nodes.commands import Commands
from dofbot_ros.service.daemon import ArmDaemon
from dofbot_ros.service.snapshot import MotionResult, Snapshot

REACHED_M = 0.002
"""A gripper this near to the gap asked for has reached it [m]."""


class Actions:
    """Action servers over the daemon; `after_cycle` tells them how motions end, in the control thread."""

    def __init__(self, node: Node, daemon: ArmDaemon, commands: Commands) -> None:
        self._daemon, self._commands = daemon, commands
        self._waiting: list[tuple[Callable[[Snapshot], bool], Future[Snapshot]]] = []
        try:
            from control_msgs.action import FollowJointTrajectory, GripperCommand
        except ImportError:
            return
        self._servers = [
            ActionServer(
                node,
                FollowJointTrajectory,
                "arm_controller/follow_joint_trajectory",
                self._follow,
                cancel_callback=self._cancel,
            ),
            ActionServer(
                node, GripperCommand, "gripper_controller/gripper_cmd", self._grip, cancel_callback=self._cancel
            ),
        ]

    def after_cycle(self, snapshot: Snapshot) -> None:
        """Wake the goals that have come to their end."""
        for entry in list(self._waiting):
            ended, future = entry
            if ended(snapshot):
                self._waiting.remove(entry)
                future.set_result(snapshot)

    async def _follow(self, handle: Any) -> Any:
        from control_msgs.action import FollowJointTrajectory

        answer = FollowJointTrajectory.Result()
        try:
            motion = self._commands.joint_trajectory(handle.request.trajectory, ACTION)
        except DofbotError as error:
            answer.error_code, answer.error_string = answer.INVALID_GOAL, str(error)
            handle.abort()
            return answer
        snapshot = await self._until(lambda s: s.result is not None and s.result.motion >= motion)
        answer.error_string = _reason(snapshot.result, motion)
        if handle.is_cancel_requested:
            handle.canceled()
        elif answer.error_string:
            answer.error_code = answer.PATH_TOLERANCE_VIOLATED
            handle.abort()
        else:
            handle.succeed()
        return answer

    async def _grip(self, handle: Any) -> Any:
        from control_msgs.action import GripperCommand

        answer, wanted = GripperCommand.Result(), handle.request.command.position
        try:
            self._daemon.gripper(wanted, ACTION)
        except DofbotError:
            handle.abort()
            return answer
        began = self._daemon.snapshot().stamp_s
        snapshot = await self._until(lambda s: s.stamp_s > began and not s.gripper_moving)
        if snapshot.reading is not None:
            answer.position = float(joint_to_gap(float(snapshot.reading.position[GRIP])))
        answer.reached_goal = abs(answer.position - wanted) <= REACHED_M
        answer.stalled = not answer.reached_goal  # it rests on a block
        if handle.is_cancel_requested:
            handle.canceled()
        else:
            handle.succeed()
        return answer

    def _cancel(self, _: Any) -> CancelResponse:
        self._daemon.stop()
        return CancelResponse.ACCEPT

    async def _until(self, ended: Callable[[Snapshot], bool]) -> Snapshot:
        future: Future[Snapshot] = Future()
        self._waiting.append((ended, future))
        snapshot: Any = await future
        return cast(Snapshot, snapshot)


def _reason(result: MotionResult | None, motion: int) -> str:
    """Why the motion did not arrive; "" when it did."""
    if result is None or result.motion != motion:
        return "replaced by the next command"
    return result.reason
