"""A node's watch over its camera: refuses pictures of one that was moved, until it is back or has been located anew."""

from __future__ import annotations

from rclpy.node import Node

from dofbot_ros.core.types import ImageArray
from dofbot_ros.errors import DofbotError
from dofbot_ros.ros.camera.pose import CameraPose
from dofbot_ros.ros.runtime.parameters import declare
from dofbot_ros.vision.camera_watch import CameraWatch, WatchConfig
from dofbot_ros.vision.intrinsics import Intrinsics


class PoseWatch:
    """Looks at pictures, and says why they are not to be used.

    `dofbot calibrate hand-eye` replaces the file of the pose, and `dofbot calibrate check` renews its time where the
    pose holds: either way the camera's present place is the right one from then on.

    Args:
        node: declares the parameters of WatchConfig, and logs.
        pose: of the camera.

    Attributes:
        trouble: why what is seen cannot be placed, "" where it can.
    """

    def __init__(self, node: Node, pose: CameraPose) -> None:
        self._node, self._pose = node, pose
        self._config = declare(node, WatchConfig)
        self._watch: CameraWatch | None = None
        self._intrinsics: Intrinsics | None = None
        self.trouble = ""

    @property
    def word(self) -> str:
        """What is known of the camera's place, for diagnostics."""
        return "no picture yet" if self._watch is None else self._watch.state.value

    def watch(self, intrinsics: Intrinsics) -> None:
        """Watch the camera with these intrinsics from its next picture on."""
        self._intrinsics, self.trouble = intrinsics, ""
        self._watch = CameraWatch(intrinsics, self._pose.matrix, self._config)

    def look(self, image: ImageArray, stamp_s: float) -> str:
        """Take a picture of `stamp_s` [s]. Returns `trouble`."""
        if self._watch is None:
            return ""
        if self.trouble:
            self._read_again()
        before = self.trouble
        self._watch.look(image, stamp_s)
        self.trouble = self._watch.trouble
        if self.trouble and not before:
            self._node.get_logger().warning(self.trouble)
        elif before and not self.trouble:
            self._node.get_logger().info("the camera is back in its place")
        return self.trouble

    def _read_again(self) -> None:
        """Take the pose of a file that has been written since."""
        try:
            if self._pose.read_again() and self._intrinsics is not None:
                self.watch(self._intrinsics)
        except DofbotError as error:
            self._node.get_logger().warning(str(error))
