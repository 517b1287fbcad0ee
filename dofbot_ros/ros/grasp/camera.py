"""The camera as grasp_node sees it: an image taken from now on with its calibration, or why there is none."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from sensor_msgs.msg import CameraInfo, Image

from dofbot_ros.errors import DofbotError
from dofbot_ros.grasp.execution.executor import CameraSnapshot, NotNowError
from dofbot_ros.ros.camera.messages import image_array, intrinsics_from
from dofbot_ros.ros.camera.pose import CameraPose
from dofbot_ros.ros.camera.subscription import CameraSubscription
from dofbot_ros.ros.camera.watch import PoseWatch
from dofbot_ros.ros.clients.arm_listener import ArmListener
from dofbot_ros.ros.conversions.messages import from_time
from dofbot_ros.vision.intrinsics import Intrinsics


class GraspCamera:
    """Keeps the newest image.

    Ages are measured against the stamps of joint_states: wall time on a real arm, simulated time in simulation.

    Args:
        arm: the arm beside it; its node owns the subscriptions, and it tells the time.
        pose: of the camera.
        timeout_s: how long to wait for an image, and how old one may be [s].
    """

    def __init__(self, arm: ArmListener, pose: CameraPose, timeout_s: float) -> None:
        node = arm.node
        self._arm, self._pose, self._timeout_s = arm, pose, timeout_s
        self._watch = PoseWatch(node, pose)
        self._image: Image | None = None
        self._intrinsics: Intrinsics | None = None
        self._uncalibrated = "no camera_info yet"
        self._told: tuple[object, ...] = ()
        self._topic = node.resolve_topic_name("camera/image_raw")
        self.on_image: Callable[[], None] = lambda: None
        """Called after each image, in the executor's thread."""
        note_image = arm.notify_after(self._on_image)

        def on_image(message: Image) -> None:
            note_image(message)
            self.on_image()  # without the lock of who waits

        self._camera = CameraSubscription(node, on_image, arm.notify_after(self._on_info))

    @property
    def age_s(self) -> float:
        """Of the newest image [s]; inf before the first."""
        return self._arm.now_s() - self._stamp_s

    @property
    def trouble(self) -> str:
        """Why there is nothing to look at, "" when there is."""
        if self._image is None:
            return f"no image on {self._topic}: is a camera running?"
        if self.age_s > self._timeout_s:
            return f"the newest image on {self._topic} is {self.age_s:.1f} s old"
        return self._watch.trouble if self._intrinsics else self._uncalibrated

    def newest(self) -> CameraSnapshot:
        """The newest image.

        Raises:
            DofbotError: there is none, it is old, or the camera is not calibrated.
        """
        trouble, image, intrinsics = self.trouble, self._image, self._intrinsics
        if trouble or image is None or intrinsics is None:
            raise NotNowError(trouble)
        return CameraSnapshot(from_time(image.header.stamp), image_array(image), intrinsics, self._pose.matrix)

    def look(self) -> CameraSnapshot:
        """The first image taken from now on; raises as newest()."""
        begin_s, deadline = self._arm.now_s(), time.monotonic() + self._timeout_s

        def taken() -> bool:
            return self._stamp_s >= begin_s

        self._arm.wait_until(lambda: taken() or time.monotonic() > deadline, self._timeout_s + 1.0, "image")
        if not taken():
            raise NotNowError(self.trouble or f"no image on {self._topic} for {self._timeout_s:g} s")
        return self.newest()

    @property
    def _stamp_s(self) -> float:
        return -np.inf if self._image is None else from_time(self._image.header.stamp)

    def _on_image(self, message: Image) -> None:
        self._image = message
        try:
            self._watch.look(image_array(message), from_time(message.header.stamp))
        except DofbotError:
            return  # who looks at it is told

    def _on_info(self, message: CameraInfo) -> None:
        try:
            intrinsics = intrinsics_from(message, self._camera.rectified)
            self._pose.check(message.header.frame_id)
            if self._told != (told := (message.width, message.height, tuple(message.k), tuple(message.d))):
                self._watch.watch(intrinsics)
            self._intrinsics, self._told = intrinsics, told
        except DofbotError as error:
            self._intrinsics, self._uncalibrated = None, str(error)
