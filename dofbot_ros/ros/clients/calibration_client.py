"""The arm that calibrates itself, over topics and services: it moves, tells its servos' ticks, and takes pictures."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, Image

from dofbot_ros.arm.calibration import Calibration
from dofbot_ros.config.loader import save_yaml
from dofbot_ros.core.types import ARM_JOINTS, FloatArray
from dofbot_ros.errors import DofbotError
from dofbot_ros.ros.camera.messages import image_array, intrinsics_from
from dofbot_ros.ros.camera.subscription import CameraParameters, CameraSubscription
from dofbot_ros.ros.clients.arm_client import ArmClient, background_client
from dofbot_ros.ros.conversions.messages import from_time
from dofbot_ros.ros.runtime.managed_stack import managed_stack
from dofbot_ros.ros.runtime.parameters import declare
from dofbot_ros.sim.config import WorldConfig
from dofbot_ros.vision.intrinsics import Intrinsics
from dofbot_ros.vision.markers.aruco import Marker, MarkerDetector

SPEED = 0.5
"""Of the joint that moves furthest, on average [rad/s]."""
LEAST_S = 0.6
STILL_S, READINGS = 0.5, 5
"""How long the arm rests before it is read [s], and how many joint states are averaged."""
READING_S = 0.06
LOOK_LIMIT_S, CONNECTED_S = 15.0, 40.0


class CalibrationClient(ArmClient):
    """A calibration.automatic.CalibrationArm over topics and services.

    Args:
        node: as ArmClient.
        check: as ArmClient.
        calibration: that the driver makes joint angles by.
        dictionary: of the markers.
    """

    def __init__(self, node: Node, check: Callable[[], None], calibration: Calibration, dictionary: str) -> None:
        super().__init__(node, check)
        self._calibration, self._detector = calibration, MarkerDetector(dictionary)
        self._image: Image | None = None
        self._info: CameraInfo | None = None
        self._images = declare(node, CameraParameters)

    def wait_for_camera(self) -> Intrinsics:
        """Wait until the arm is connected and its camera told of itself. Returns the camera's intrinsics."""
        self.wait_connected(CONNECTED_S)
        with self._camera():
            self.wait_until(
                lambda: self._info is not None and self._image is not None, LOOK_LIMIT_S, "images of the camera"
            )
            if self._info is None:
                raise DofbotError("no camera_info yet")
            return intrinsics_from(self._info, self._images.rectified)

    def go_to(self, q: FloatArray) -> None:
        """Move the arm's joints to q (5,) [rad] on a straight joint path, slowly."""
        way = float(np.abs(np.asarray(q) - self.position[: len(ARM_JOINTS)]).max())
        self.move_joints(q, max(LEAST_S, way / SPEED))
        self.rest(STILL_S)

    def ticks(self) -> list[int]:
        """What the six servos read, averaged over some joint states."""
        readings = []
        for _ in range(READINGS):
            readings.append(self.position.copy())
            self.rest(READING_S)
        return [round(float(tick)) for tick in self._calibration.rad_to_ticks(np.mean(readings, axis=0))]

    def look(self) -> list[Marker]:
        """The markers in the first picture that was taken from now on."""
        begin_s = self.now_s()
        with self._camera():
            self.wait_until(lambda: self._stamp_s() >= begin_s, LOOK_LIMIT_S, "picture of the arm at rest")
        if self._image is None:
            raise DofbotError("no image yet")
        return self._detector.detect(image_array(self._image))

    @contextmanager
    def _camera(self) -> Iterator[None]:
        """Listen meanwhile: a simulated camera renders for a listener alone, and the arm moves most of the time."""
        on_image, on_info = self.notify_after(self._on_image), self.notify_after(self._on_info)
        camera = CameraSubscription(self.node, on_image, on_info, self._images)
        try:
            yield
        finally:
            camera.close()

    def _stamp_s(self) -> float:
        return -math.inf if self._image is None else from_time(self._image.header.stamp)

    def _on_image(self, message: Image) -> None:
        self._image = message

    def _on_info(self, message: CameraInfo) -> None:
        self._info = message


@contextmanager
def calibration_arm(
    backend: str, world: WorldConfig | None, given: Mapping[str, str], calibration: Calibration, dictionary: str
) -> Iterator[CalibrationClient]:
    """The arm and its camera as a stack of their own, and the client before it.

    Args:
        backend: sim, emulator (real time) or serial (a real arm).
        world: what is simulated; None for a real arm.
        given: further arguments of the stack.
        calibration: that of the driver.
        dictionary: of the markers.

    Raises:
        DofbotError: a node ended, or is not ready in time.
    """
    with tempfile.TemporaryDirectory(prefix="dofbot-world-") as folder:
        arguments = {**given, "localize": "false"}
        if world is not None:
            arguments["world_file"] = str(Path(folder) / "world.yaml")
            save_yaml(world, arguments["world_file"])
        with managed_stack("trials", backend, arguments) as check:
            make = partial(CalibrationClient, calibration=calibration, dictionary=dictionary)
            with background_client(make, "calibration_client", check=check) as client:
                yield client
