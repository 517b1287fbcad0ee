"""The console's ear: an ArmClient that also hears blocks, teleoperation and policies, where their nodes run."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from rclpy.node import Node
from std_msgs.msg import String
from std_srvs.srv import SetBool, Trigger

from dofbot_ros.console.arm import SeenBlock
from dofbot_ros.errors import InputError
from dofbot_ros.policy.interface.report import PolicyReport
from dofbot_ros.ros.clients.arm_client import ArmClient
from dofbot_ros.ros.clients.trial_client import block_pose
from dofbot_ros.ros.conversions.messages import detections
from dofbot_ros.ros.runtime.qos import STREAM
from dofbot_ros.teleop.sessions.report import TeleopReport
from dofbot_ros.vision.markers.block_layout import load_blocks

FRESH_S = 1.5
"""What a node said longer ago counts for nothing [s]."""
NODE_SERVICES: dict[str, type] = {
    "grasp/plan": Trigger,
    "grasp/execute": Trigger,
    "grasp/put_back": Trigger,
    "policy/start": Trigger,
    "policy/stop": Trigger,
    "teleop/engage": SetBool,
}
"""Services of the nodes beside the arm, by whose presence the console knows that they run."""


class ConsoleClient(ArmClient):
    """An ArmClient with what stands beside the arm.

    Args:
        node: as ArmClient; a name that begins with `console` ranks as an operator.
        check: as ArmClient.
    """

    def __init__(self, node: Node, check: Callable[[], None] = lambda: None) -> None:
        super().__init__(node, check, requests=("stop", "estop", "enable_torque"))
        self._sizes = {block.name: (block.size, block.colour) for block in load_blocks().blocks}
        self._blocks: tuple[float, tuple[SeenBlock, ...]] = (-float("inf"), ())
        self._policy: tuple[float, PolicyReport | None] = (-float("inf"), None)
        self._teleop: tuple[float, TeleopReport | None] = (-float("inf"), None)
        self._nodes: dict[str, Any] = {name: node.create_client(kind, name) for name, kind in NODE_SERVICES.items()}
        node.create_subscription(String, "blocks/detections", self.notify_after(self._on_blocks), STREAM)
        node.create_subscription(String, "policy/status", self._on_policy, STREAM)
        node.create_subscription(String, "teleop/status", self._on_teleop, STREAM)

    @property
    def blocks(self) -> tuple[SeenBlock, ...]:
        """What the localiser saw last, nothing where that was too long ago."""
        heard_s, blocks = self._blocks
        return blocks if time.monotonic() - heard_s < FRESH_S else ()

    @property
    def policy(self) -> PolicyReport | None:
        """How the policy stands; None where no policy_node runs."""
        heard_s, report = self._policy
        return report if time.monotonic() - heard_s < FRESH_S else None

    @property
    def teleop(self) -> TeleopReport | None:
        """How teleoperation stands; None where no teleop_node runs."""
        heard_s, report = self._teleop
        return report if time.monotonic() - heard_s < FRESH_S else None

    def serves(self, name: str) -> bool:
        """Whether the node with the service `name`, of NODE_SERVICES, runs."""
        return bool(self._nodes[name].service_is_ready())

    def fault_of(self, kind: str) -> str | None:
        """What keeps `teleop` or `policy` from moving the arm, as its node says; None while it says nothing."""
        report = self.teleop if kind == "teleop" else self.policy
        return None if report is None else report.fault

    def release_nodes(self) -> None:
        """Ask the policy and teleoperation that move the arm to end; returns at once."""
        if self.policy is not None and self.policy.phase != "idle" and self.serves("policy/stop"):
            self._nodes["policy/stop"].call_async(Trigger.Request())
        if self.teleop is not None and self.teleop.engaged and self.serves("teleop/engage"):
            self._nodes["teleop/engage"].call_async(SetBool.Request(data=False))

    def _on_blocks(self, message: String) -> None:
        try:
            found = detections(message.data)["blocks"]
        except InputError:
            return  # whatever it is, it is not from a localiser
        seen = []
        for block in found:
            size, colour = self._sizes.get(block["name"], (0.03, (150, 150, 150)))
            red, green, blue = colour
            seen.append(SeenBlock(block["name"], block_pose(block), size, (int(red), int(green), int(blue))))
        self._blocks = (time.monotonic(), tuple(seen))

    def _on_policy(self, message: String) -> None:
        try:
            self._policy = (time.monotonic(), PolicyReport.from_json(message.data))
        except (ValueError, TypeError):
            return  # not from a policy_node of this version

    def _on_teleop(self, message: String) -> None:
        try:
            self._teleop = (time.monotonic(), TeleopReport.from_json(message.data))
        except (ValueError, TypeError, KeyError):
            return  # not from a teleop_node of this version
