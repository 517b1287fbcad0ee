"""Where the camera of a node is: as extrinsics_file says, or the simulated place, for the simulated camera alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from rclpy.node import Node

from dofbot_ros.arm.model import load_model
from dofbot_ros.core.resources import share_file
from dofbot_ros.errors import ConfigError, InputError
from dofbot_ros.ros.arm.frames import FrameParameters, publish_static
from dofbot_ros.ros.runtime.parameters import declare
from dofbot_ros.vision.extrinsics import load_extrinsics

BASE_FRAME = "base_link"


class CameraPose:
    """Reads the pose, holds the images' frame to it, and publishes it on /tf_static.

    Args:
        node: publishes.
        file: an extrinsics YAML; "" for the simulated camera's.

    Attributes:
        matrix: T_base_camera, of the optical frame, shape (4, 4) [m].
        base_frame: base_link, behind the parameter frame_prefix.

    Raises:
        ConfigError: the file cannot be used, or gives the pose in another frame than base_link.
    """

    def __init__(self, node: Node, file: str) -> None:
        self._node, self._simulated = node, not file
        self.base_frame = declare(node, FrameParameters).frame_prefix + BASE_FRAME
        self._file = Path(file or share_file("config", "sim_camera.yaml"))
        self.matrix = np.eye(4)
        self._read()
        self._links = {joint.child for joint in load_model().joints}
        self._told = ""

    def read_again(self) -> bool:
        """Take the pose anew, if the file has been written since. Returns whether it has.

        Raises:
            ConfigError: the file cannot be used.
        """
        if self._written() == self._read_at:
            return False
        frame, self._told = self._told, ""
        self._read()
        if frame:
            self.check(frame)
        return True

    def _read(self) -> None:
        self._read_at = self._written()
        extrinsics = load_extrinsics(self._file)
        if extrinsics.parent != BASE_FRAME:
            raise ConfigError(f"the camera's pose is given in {extrinsics.parent}, not in {BASE_FRAME}")
        self.matrix, self._frame = extrinsics.matrix, extrinsics.frame

    def _written(self) -> int:
        """When the file was written [ns]; 0 where there is none."""
        try:
            return self._file.stat().st_mtime_ns
        except OSError:
            return 0

    def check(self, frame: str) -> None:
        """Take the frame_id of a camera_info; the pose goes out on /tf_static as that frame's.

        Raises:
            InputError: a camera that is not the simulated one, and no extrinsics_file.
        """
        if self._simulated and frame != self._frame:
            raise InputError(
                f"where the camera {frame!r} is, nobody has said: give extrinsics_file "
                f"(only {self._frame}, the simulated camera, needs none)"
            )
        if frame == self._told:
            return
        self._told = frame
        if frame in self._links:
            self._node.get_logger().warning(
                f"the images' frame_id {frame} is a link of the arm: its pose is not published; give the camera another"
            )
            return
        publish_static(self._node, self.base_frame, frame, self.matrix)
