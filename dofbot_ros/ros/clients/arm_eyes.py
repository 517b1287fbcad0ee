"""Watches a running arm through the camera beside it, to see which way a joint turns."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import numpy as np
from sensor_msgs.msg import CameraInfo, Image

from dofbot_ros.core.resources import share_file
from dofbot_ros.core.types import FloatArray, ImageArray
from dofbot_ros.errors import DofbotError
from dofbot_ros.grasp.sight.joint_motion import MovingArm, SeenMotion
from dofbot_ros.ros.camera.messages import image_array, intrinsics_from
from dofbot_ros.ros.camera.subscription import TOPIC, CameraParameters, CameraSubscription
from dofbot_ros.ros.clients.arm_client import ArmClient
from dofbot_ros.ros.clients.arm_listener import LATE_S
from dofbot_ros.ros.clients.arm_sender import FOUND_S
from dofbot_ros.ros.conversions.messages import from_time
from dofbot_ros.ros.runtime.graph import NAMELESS
from dofbot_ros.vision.extrinsics import load_extrinsics

LOOK_LIMIT_S = 6.0
STILL_S = 0.25
"""The arm rests so long before a picture counts: images come a little late [s]."""
SIMULATED = ("sim_node", "world_node")
"""Nodes whose camera stands where config/sim_camera.yaml says."""


class ArmEyes:
    """Pictures of one arm, and what they say of a joint that turned in between.

    Args:
        arm: spun by another thread.
        T_base_camera: the camera's optical frame in base_link, shape (4, 4) [m].

    Raises:
        DofbotError: the camera says nothing.
    """

    def __init__(self, arm: ArmClient, T_base_camera: FloatArray) -> None:
        self._arm, self._T_base_camera = arm, T_base_camera
        self._image: Image | None = None
        self._info: CameraInfo | None = None
        camera = CameraSubscription(
            arm.node, arm.notify_after(self._on_image), arm.notify_after(self._on_info), CameraParameters()
        )
        self._moving = self._watch(camera.rectified)
        self._before, self._q = self.look(), arm.position.copy()

    def _watch(self, rectified: bool) -> MovingArm:
        self._arm.wait_until(lambda: self._info is not None, LOOK_LIMIT_S, "camera_info of the camera")
        model = self._arm.described.model
        if self._info is None or model is None:
            raise DofbotError("the arm has not described itself")
        if not np.any(self._info.k):
            raise DofbotError("the camera is not calibrated: its camera_info holds zeros")
        return MovingArm(model, intrinsics_from(self._info, rectified), self._T_base_camera)

    def look(self) -> ImageArray:
        """The first picture of the arm at rest, RGB, shape (h, w, 3)."""
        self._arm.rest(STILL_S)
        begin_s = self._arm.now_s()
        self._arm.wait_until(
            lambda: self._image is not None and from_time(self._image.header.stamp) >= begin_s,
            LOOK_LIMIT_S,
            "picture of the arm",
        )
        assert self._image is not None
        return image_array(self._image)

    def remember(self) -> None:
        """The next joint turns from how the arm is now."""
        self._before, self._q = self.look(), self._arm.position.copy()

    def turned(self, joint: int) -> SeenMotion:
        """What is seen of a joint, by its index, that has turned since remember()."""
        told = float(self._arm.position[joint] - self._q[joint])
        return self._moving.judge(self._before, self.look(), self._q, joint, told)

    def _on_image(self, message: Image) -> None:
        self._image = message

    def _on_info(self, message: CameraInfo) -> None:
        self._info = message


def eyes_of(arm: ArmClient, extrinsics_file: Path | None) -> tuple[ArmEyes | None, str]:
    """The camera that looks at a running arm; or None, and why it cannot be used, "" where there is no camera.

    Args:
        arm: connected.
        extrinsics_file: where the camera is; None: where the simulated one stands, if it is simulated.
    """
    topic = arm.node.resolve_topic_name(TOPIC)
    owners: list[str] = []

    def discovered() -> bool:
        found = [info.node_name for info in arm.node.get_publishers_info_by_topic(topic)]
        owners[:] = [name for name in found if name != NAMELESS]
        return bool(owners)

    # Who says where a camera is says that there is one; else one that is there has been discovered by now, or soon is.
    with suppress(DofbotError):
        arm.wait_until(discovered, FOUND_S if extrinsics_file is not None else LATE_S, "camera")
    if not owners:
        return None, "there is no camera" if extrinsics_file is not None else ""
    if extrinsics_file is None and owners[0] not in SIMULATED:
        return None, "a camera is there, but nobody has said where: name its --extrinsics-file"
    file = extrinsics_file or share_file("config", "sim_camera.yaml")
    try:
        return ArmEyes(arm, load_extrinsics(file).matrix), ""
    except DofbotError as error:
        return None, str(error)
