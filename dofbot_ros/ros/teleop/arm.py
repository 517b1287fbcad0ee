"""The arm as teleop_node commands it: five joints as a stream, the gripper by goals of its own."""

from __future__ import annotations

from builtin_interfaces.msg import Time

from dofbot_ros.core.types import ARM_JOINTS
from dofbot_ros.ros.clients.arm_listener import SILENT
from dofbot_ros.ros.clients.arm_sender import ArmSender
from dofbot_ros.ros.conversions.messages import from_time
from dofbot_ros.teleop.retargeting.pipeline import TeleopCommand

GAP_STEP_M = 0.0005
"""Smaller changes of the gap are not worth a command [m]."""


class TeleopArm(ArmSender):
    """An ArmSender that carries out what the pipeline commands.

    The gripper gets goals of its own, so that the driver's care for fingers that a block has stopped still works.
    """

    _gap: float | None = None

    @property
    def trouble(self) -> str:
        """Why it cannot be engaged, "" when it can; an arm without torque gets it on engaging."""
        if self.ready or self.torque_off:
            return ""
        if self.present:
            return f"its state is {self.state}"
        return "it says nothing" if self.silence == SILENT else self.silence

    def send(self, command: TeleopCommand, stamp: Time) -> None:
        """Publish a command that is for the moment `stamp`."""
        self.stream(command.stopping_point, ARM_JOINTS, from_time(stamp))
        # The first gap is the one that the arm has: engaging commands nothing to the fingers.
        if self._gap is None:
            self._gap = command.gap
        elif abs(command.gap - self._gap) > GAP_STEP_M:
            self._gap = command.gap
            self.send_gripper(command.gap)

    def let_go(self) -> None:
        """The next command begins a new engagement."""
        self._gap = None
