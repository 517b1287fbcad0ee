"""The arm of the trials behind its ROS interface: nothing here that a program on a real arm could not do."""

from __future__ import annotations

import json
import time
from collections import OrderedDict
from collections.abc import Callable
from types import TracebackType
from typing import Any, TypeVar

import numpy as np
from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import SetParameters
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import String

from dofbot_ros.arm.gripper import MAX_GAP
from dofbot_ros.core.resources import share_file
from dofbot_ros.core.transforms import matrix_from_quat, transform
from dofbot_ros.core.types import FloatArray
from dofbot_ros.errors import CommandRefusedError, DofbotError
from dofbot_ros.grasp.retiming import TimedPath
from dofbot_ros.nodes.arm_client import ArmClient
from dofbot_ros.nodes.arm_motions import MOVABLE, REST_LIMIT_S, ArmMotions
from dofbot_ros.nodes.camera_messages import image_array, intrinsics_from
from dofbot_ros.nodes.messages import detections, from_time
from dofbot_ros.nodes.qos import NEWEST_IMAGE, STREAM
from dofbot_ros.trials.arm import Look, View
from dofbot_ros.vision.extrinsics import load_extrinsics

LOOK_LIMIT_S = 15.0
FAULT_LIMIT_S = 20.0
"""A fault that has not passed after this long is not going to [s]."""

KEPT_IMAGES = 4

Me = TypeVar("Me", bound="TrialClient")


class TrialClient:
    """A trials.arm.TrialArm over topics and services.

    Args:
        world_node: the node that has the simulated world, for new scenes.
        check: called now and then while waiting; raises when waiting is in vain.
    """

    def __init__(self, world_node: str, check: Callable[[], None] = lambda: None) -> None:
        self._world_node = world_node
        self._T_base_camera = load_extrinsics(share_file("config", "sim_camera.yaml")).matrix
        self._images: OrderedDict[float, Image] = OrderedDict()
        self._found: dict[str, Any] = {"stamp_s": -np.inf}
        self._info: CameraInfo | None = None
        self._arm = ArmClient("trial_client")
        self._motions = ArmMotions(self._arm, check)
        subscribe, noting = self._arm.node.create_subscription, self._arm.noting
        subscribe(CameraInfo, "camera/camera_info", noting(self._on_info), STREAM)
        subscribe(Image, "camera/image_raw", noting(self._on_image), NEWEST_IMAGE)
        subscribe(String, "blocks/detections", noting(self._on_blocks), STREAM)

    def __enter__(self: Me) -> Me:
        try:
            self._motions.wait(lambda: self._arm.state not in ("", "DISCONNECTED"), REST_LIMIT_S, "connected arm")
            self._arm.wait_connected()
            self._motions.wait(lambda: self._info is not None, LOOK_LIMIT_S, "camera_info")
        except BaseException:
            self._arm.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._arm.close()

    @property
    def view(self) -> View:
        """Where the camera is."""
        if self._info is None:
            raise DofbotError("no camera_info yet")
        return View(intrinsics_from(self._info), self._T_base_camera)

    def now_s(self) -> float:
        """Stamp of the newest joint state [s]."""
        return self._motions.now_s()

    def prepare(self) -> None:
        """Bring the arm upright with open fingers; a fault is given time to pass."""
        deadline = time.monotonic() + FAULT_LIMIT_S
        while True:
            try:
                if self._arm.state == "FAULT":
                    self._arm.trigger("clear_fault")
                self._arm.switch("enable_torque", True)
                self._motions.wait(lambda: self._arm.state in (*MOVABLE, "FAULT"), LOOK_LIMIT_S, "torque")
                self._motions.grip(MAX_GAP)
                self._motions.home()
                return
            except CommandRefusedError:
                if time.monotonic() > deadline:
                    raise
                self._motions.settle()

    def stop(self) -> None:
        """Brake and hold."""
        self._motions.stop()

    def follow(self, path: TimedPath) -> None:
        """Move along `path`."""
        self._motions.follow(path)

    def grip(self, gap: float) -> None:
        """Open or close to `gap` [m], or until a block stops the fingers."""
        self._motions.grip(gap)

    def gap(self) -> float:
        """Where the fingers stand now [m]."""
        return self._motions.gap()

    def look(self) -> Look:
        """The first image from now on, with the blocks that the localiser found in it."""
        begin_s = self.now_s()
        self._motions.wait(lambda: self._seen(begin_s), LOOK_LIMIT_S, "localised image")
        stamp_s = float(self._found["stamp_s"])
        blocks = {block["name"]: block_pose(block) for block in self._found["blocks"]}
        return Look(stamp_s, blocks, image_array(self._images[stamp_s]))

    def reset_scene(self, seed: int) -> None:
        """Put the blocks where `seed` says."""
        value = ParameterValue(type=ParameterType.PARAMETER_INTEGER, integer_value=seed)
        request = SetParameters.Request(parameters=[Parameter(name="scene_seed", value=value)])
        answer = self._arm.call(SetParameters, f"{self._world_node}/set_parameters", request)
        if not answer.results[0].successful:
            raise DofbotError(f"{self._world_node} takes no scene_seed {seed}: {answer.results[0].reason}")
        self._arm.trigger("sim/reset")
        self._motions.settle()

    def truth(self) -> dict[str, FloatArray] | None:
        """True poses of the blocks, if somebody tells."""
        try:
            answer = self._arm.trigger("sim/truth")
        except CommandRefusedError:
            return None
        return {name: block_pose(block) for name, block in json.loads(answer)["blocks"].items()}

    # -- messages ----------------------------------------------------------------------------------------------------

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
