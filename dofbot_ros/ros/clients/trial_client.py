"""The arm of the trials with its camera and its table: nothing here that a program on a real arm could not do."""

from __future__ import annotations

import json
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import SetParameters
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import String

from dofbot_ros.arm.gripper import MAX_GAP
from dofbot_ros.core.resources import share_file
from dofbot_ros.core.transforms import matrix_from_quat, transform
from dofbot_ros.core.types import FloatArray
from dofbot_ros.errors import CommandRefusedError, DofbotError, InputError
from dofbot_ros.policy.interface.compatibility import RobotCapabilities
from dofbot_ros.ros.camera.messages import image_array, intrinsics_from
from dofbot_ros.ros.camera.subscription import CameraSubscription
from dofbot_ros.ros.clients.arm_client import ArmClient, background_client
from dofbot_ros.ros.clients.arm_listener import MOVABLE
from dofbot_ros.ros.conversions.messages import detections, from_time
from dofbot_ros.ros.runtime.qos import STREAM
from dofbot_ros.sim.arrangement import Arrangement, as_text
from dofbot_ros.trials.arm import Look, View
from dofbot_ros.vision.cameras.identity import CameraIdentity, identity_of
from dofbot_ros.vision.extrinsics import load_extrinsics

CONNECTED_S = 40.0
LOOK_LIMIT_S = 15.0
FAULT_LIMIT_S = 20.0
"""A fault that has not passed after this long is not going to [s]."""
FALL_S = 0.3
"""Arm time in which arranged objects come to rest [s]."""
ABILITIES_LIMIT_S = 15.0
"""A driver that has not told its parameters after so long is not going to [s]."""
IDENTITY_S = 4.0
"""A camera's node that has not told which camera it is after so long does not tell [s]."""
KEPT_IMAGES = 4


class TrialClient(ArmClient):
    """A trials.arm.TrialArm over topics and services.

    Args:
        node: as ArmClient.
        check: as ArmClient.
        world_node: the node that has the simulated world, for new scenes; "" for a real table.
        extrinsics: where the camera is; None: where the simulated one is.
    """

    def __init__(
        self,
        node: Node,
        check: Callable[[], None] = lambda: None,
        world_node: str = "",
        extrinsics: Path | None = None,
    ) -> None:
        super().__init__(node, check)
        self._world_node = world_node
        self._T_base_camera = load_extrinsics(extrinsics or share_file("config", "sim_camera.yaml")).matrix
        self._images: OrderedDict[float, Image] = OrderedDict()
        self._found: dict[str, Any] = {"stamp_s": -np.inf}
        self._info: CameraInfo | None = None
        self._camera = CameraSubscription(node, self.notify_after(self._on_image), self.notify_after(self._on_info))
        node.create_subscription(String, "blocks/detections", self.notify_after(self._on_blocks), STREAM)

    @property
    def view(self) -> View:
        """Where the camera is."""
        if self._info is None:
            raise DofbotError("no camera_info yet")
        return View(intrinsics_from(self._info, self._camera.rectified), self._T_base_camera)

    def wait_for_table(self) -> None:
        """Return when the arm is connected and its camera told of itself."""
        self.wait_connected(CONNECTED_S)
        self.wait_until(lambda: self._info is not None, LOOK_LIMIT_S, "camera_info")

    def camera(self) -> CameraIdentity:
        """The camera that looks at its table, as its node says; a driver of others tells its image size alone."""
        if self._info is None:
            raise DofbotError("no camera_info yet")
        with suppress(DofbotError):
            self.wait_until(lambda: "camera" in self.diagnostics, IDENTITY_S, "word of the camera")
        return identity_of(self.diagnostics.get("camera", {}), f"{self._info.width}x{self._info.height}")

    def prepare(self) -> None:
        """Bring the arm upright with open fingers; a fault is given time to pass."""
        deadline = time.monotonic() + FAULT_LIMIT_S
        while True:
            try:
                if self.state == "FAULT":
                    self.trigger("clear_fault")
                self.switch("enable_torque", True)
                self.wait_until(lambda: self.state in (*MOVABLE, "FAULT"), LOOK_LIMIT_S, "torque")
                self.gripper(MAX_GAP)
                self.home()
                return
            except CommandRefusedError:
                if time.monotonic() > deadline:
                    raise
                self.settle()

    def look(self) -> Look:
        """The first image from now on, with the blocks that the localiser found in it."""
        begin_s = self.now_s()
        self.wait_until(lambda: self._seen(begin_s), LOOK_LIMIT_S, "localised image")
        stamp_s = float(self._found["stamp_s"])
        blocks = {block["name"]: block_pose(block) for block in self._found["blocks"]}
        return Look(stamp_s, blocks, image_array(self._images[stamp_s]), refusals(self._found))

    def capabilities(self) -> RobotCapabilities:
        """What the arm's description and its driver's parameters say."""
        self.wait_until(self._has_told, ABILITIES_LIMIT_S, "description and parameters of the arm")
        return self.described.capabilities()

    def joints(self) -> tuple[FloatArray, float]:
        """Measured angles, and the oldest of their stamps."""
        return self.position.copy(), float(self.stamps_s.min())

    def seen(self) -> tuple[dict[str, FloatArray], float]:
        """What the localiser found last."""
        found = self._found
        return {block["name"]: block_pose(block) for block in found["blocks"]}, float(found["stamp_s"])

    # -- the simulated world -----------------------------------------------------------------------------------------

    def reset_scene(self, seed: int) -> None:
        """Put the blocks where `seed` says."""
        self._set("scene_seed", ParameterValue(type=ParameterType.PARAMETER_INTEGER, integer_value=seed))
        self.trigger("sim/reset")
        self.settle()

    def arrange(self, arrangement: Arrangement) -> None:
        """Put the objects of the simulated world there."""
        text = as_text(arrangement)
        self._set("arrangement", ParameterValue(type=ParameterType.PARAMETER_STRING, string_value=text))
        self.trigger("sim/reset")
        self.rest(FALL_S)

    def truth(self) -> dict[str, FloatArray] | None:
        """True poses of the blocks, if somebody tells."""
        try:
            answer = self.trigger("sim/truth")
        except CommandRefusedError:
            return None
        return {name: block_pose(block) for name, block in json.loads(answer)["blocks"].items()}

    def _set(self, name: str, value: ParameterValue) -> None:
        if not self._world_node:
            raise InputError("a real table is arranged by a person")
        request = SetParameters.Request(parameters=[Parameter(name=name, value=value)])
        answer = self.call(SetParameters, f"{self._world_node}/set_parameters", request)
        if not answer.results[0].successful:
            raise DofbotError(f"{self._world_node} takes no such {name}: {answer.results[0].reason}")

    # -- messages ----------------------------------------------------------------------------------------------------

    def _has_told(self) -> bool:
        self.described.ask()
        return self.described.complete

    def _seen(self, begin_s: float) -> bool:
        stamp_s = self._found["stamp_s"]
        return bool(stamp_s >= begin_s) and stamp_s in self._images

    def _on_info(self, message: CameraInfo) -> None:
        self._info = message

    def _on_image(self, message: Image) -> None:
        self._images[from_time(message.header.stamp)] = message
        while len(self._images) > KEPT_IMAGES:
            self._images.popitem(last=False)

    def _on_blocks(self, message: String) -> None:
        self._found = detections(message.data)


def block_pose(block: dict[str, Any]) -> FloatArray:
    """Pose (4, 4) [m] of a block as detections and truth tell it."""
    return transform(matrix_from_quat(block["quaternion"]), block["position"])


def refusals(found: dict[str, Any]) -> dict[str, str]:
    """What a detection says was seen and not believed -> why; a localiser of another kind need not say it."""
    told = found.get("refused")
    rows = [row for row in told if isinstance(row, dict)] if isinstance(told, list) else []
    return {str(row.get("what", "")): str(row.get("reason", "")) for row in rows}


@contextmanager
def trial_client(
    world_node: str, check: Callable[[], None] = lambda: None, extrinsics: Path | None = None
) -> Iterator[TrialClient]:
    """A TrialClient with a node of its own, connected; arguments as TrialClient's."""
    make = partial(TrialClient, world_node=world_node, extrinsics=extrinsics)
    with background_client(make, "trial_client", check=check) as client:
        client.wait_for_table()
        yield client
