"""The teleop stack as a context: its processes in a ROS domain of their own, and a client that watches them."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from rclpy.node import Node
from sensor_msgs.msg import Joy
from std_msgs.msg import String
from trajectory_msgs.msg import JointTrajectory

from dofbot_ros.arm.robot import Robot, load_robot
from dofbot_ros.core.dds import private_domain
from dofbot_ros.errors import DofbotError
from dofbot_ros.launching import processes
from dofbot_ros.ros.clients.arm_client import ArmClient, background_client
from dofbot_ros.ros.conversions.messages import from_time
from dofbot_ros.ros.runtime.qos import STREAM
from dofbot_ros.stacks import find
from dofbot_ros.supervisor import ProcessGroup
from dofbot_ros.teleop.config import START
from dofbot_ros.teleop.sessions.report import TeleopReport

READY_S = 40.0
TO_START_S = 3.0
OPERATOR = "teleop_node"


class TeleopClient(ArmClient):
    """An ArmClient that also hears and steers teleop_node.

    Attributes:
        report: the last message on teleop/status; None before the first.
        on_report: called after each, in the client's thread.
    """

    def __init__(self, node: Node, check: Callable[[], None] = lambda: None) -> None:
        super().__init__(node, check)
        self.report: TeleopReport | None = None
        self.on_report: Callable[[], None] = lambda: None
        self._joy = self.node.create_publisher(Joy, "joy", STREAM)
        self.node.create_subscription(String, "teleop/status", self.notify_after(self._on_status), STREAM)

    def joy(self, axes: list[float], buttons: list[int]) -> None:
        """Be a gamepad."""
        self._joy.publish(Joy(axes=axes, buttons=buttons))

    def command_arrivals(self) -> dict[float, float]:
        """Stamp of each streamed command from now on -> when it came, both as ROS counts time [s]; goes on growing."""
        arrivals: dict[float, float] = {}

        def on_command(message: JointTrajectory) -> None:
            arrivals[from_time(message.header.stamp)] = time.time()

        self.node.create_subscription(JointTrajectory, "command/joint_stream", on_command, STREAM)
        return arrivals

    def go_to_start(self, robot: Robot) -> None:
        """Take the arm, which is `robot`, to a pose from which it can follow."""
        joints = robot.kinematics.solve(START)
        farthest = float(np.abs(joints - self.position[: len(joints)]).max())
        if farthest > 0.05:
            self.move_joints(joints, TO_START_S)

    def _on_status(self, message: String) -> None:
        self.report = TeleopReport.from_json(message.data)
        self.on_report()


class Running:
    """A teleop stack at work.

    Attributes:
        client: hears and steers it.
    """

    def __init__(self, client: TeleopClient, groups: tuple[ProcessGroup, ...]) -> None:
        self.client, self._groups = client, groups

    def check(self) -> None:
        """See that every process is still there.

        Raises:
            DofbotError: one ended.
        """
        for group in self._groups:
            for ended in group.ended():
                if ended.command.required:
                    raise DofbotError(f"{ended}: teleoperation ends with it")


@contextmanager
def bent_arm(robot: Robot, to_start: bool, namespace: str = "") -> Iterator[TeleopClient]:
    """A client of an arm that runs, which holds, and with `to_start` is bent so that it can follow.

    Raises:
        DofbotError: there is no arm, or it does not move.
    """
    with background_client(TeleopClient, "teleop_client", namespace) as client:
        client.wait_connected(READY_S)
        client.switch("enable_torque", True)
        if to_start:
            client.go_to_start(robot)
        yield client


@contextmanager
def teleop_stack(arguments: Mapping[str, str], to_start: bool, domain: int | None = None) -> Iterator[Running]:
    """Start the arm, then whoever steers it; both end with the context.

    Args:
        arguments: of the stack `teleop`.
        to_start: take the arm to START in between.
        domain: ROS domain of all of it; one of its own when None.

    Raises:
        DofbotError: a node ended, or is not ready in time.
    """
    robot = load_robot(arguments.get("calibration_file", ""))
    with tempfile.TemporaryDirectory(prefix="dofbot-teleop-") as folder, private_domain(domain):
        given = {"emulator_port": str(Path(folder) / "servo_bus"), **arguments}
        commands = [process.command() for process in processes(find("teleop"), given)]
        with ProcessGroup([c for c in commands if c.name != OPERATOR]) as arm:
            arm.wait_ready(READY_S)
            with (
                bent_arm(robot, to_start) as client,
                ProcessGroup([c for c in commands if c.name == OPERATOR]) as operator,
            ):
                operator.wait_ready(READY_S)
                yield Running(client, (arm, operator))
