"""An arm that pages only watch: a program in this process moves it in simulation, and says here how it stands."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import numpy as np

from dofbot_ros.arm.gripper import joint_to_gap
from dofbot_ros.arm.robot import Robot
from dofbot_ros.console.arm import ArmView, JobEnd, SeenBlock
from dofbot_ros.core.types import GRIP, N_ARM, N_JOINTS, FloatArray
from dofbot_ros.errors import CommandRefusedError

WATCHED = "WATCHED"
"""State of such an arm."""
NOT_FROM_HERE = "a program moves this simulated arm: the page only watches, and Stop ends the program"


class WatchedArm:
    """A console.arm.ConsoleArm. `put` and the console may be called from two threads.

    Args:
        robot: kinematics and limits.
        end: called where a page presses Stop or the emergency stop.
    """

    def __init__(self, robot: Robot, end: Callable[[], None]) -> None:
        self.robot = robot
        self.urdf = robot.describe().urdf
        self._end = end
        self._view = self._seen(np.zeros(N_JOINTS), (), "")

    def put(self, joints: FloatArray, blocks: Sequence[SeenBlock], words: str) -> None:
        """Show the arm at `joints` [rad] (6,), `blocks`, and how it goes in words."""
        self._view = self._seen(joints, tuple(blocks), words)

    def view(self) -> ArmView:
        """See ConsoleArm."""
        return self._view

    def request_stop(self) -> None:
        """See ConsoleArm; ends the program."""
        self._end()

    def request_estop(self) -> None:
        """See ConsoleArm; ends the program."""
        self._end()

    def listen(self, on: bool) -> None:
        """See ConsoleArm; there is nothing to hear."""

    def stream(self, joints: FloatArray) -> None:  # noqa: ARG002 - as the protocol has it
        """See ConsoleArm."""
        raise CommandRefusedError(NOT_FROM_HERE)

    def send_gripper(self, gap: float) -> None:  # noqa: ARG002 - as the protocol has it
        """See ConsoleArm."""
        raise CommandRefusedError(NOT_FROM_HERE)

    def do(self, job: str, speed: float, about: str = "") -> JobEnd:  # noqa: ARG002 - as the protocol has it
        """See ConsoleArm."""
        raise CommandRefusedError(NOT_FROM_HERE)

    def look_at(self, names: Collection[str]) -> None:
        """See ConsoleArm; there are no pictures."""

    def picture(self, name: str) -> tuple[int, bytes]:  # noqa: ARG002 - as the protocol has it
        """See ConsoleArm."""
        return 0, b""

    def _seen(self, joints: FloatArray, blocks: tuple[SeenBlock, ...], words: str) -> ArmView:
        return ArmView(
            present=True,
            state=WATCHED,
            joints=joints,
            gap=float(joint_to_gap(float(joints[GRIP]))),
            tool=self.robot.kinematics.forward(joints[:N_ARM]),
            diagnostics={},
            blocks=blocks,
            activity="program",
            activity_words=words,
        )
