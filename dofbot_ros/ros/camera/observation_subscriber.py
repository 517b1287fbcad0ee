"""What policy_node sees: the block as the localiser gives it, or pictures as the policy was trained on them.

Both tell of a camera that was knocked: the localiser by what it refuses, pictures by the same watch as the localiser's.
"""

from __future__ import annotations

from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import String

from dofbot_ros.core.types import ImageArray
from dofbot_ros.errors import DofbotError
from dofbot_ros.policy.perception.camera_view import CameraView
from dofbot_ros.policy.runtime.block_tracker import BlockDetection, find_block
from dofbot_ros.ros.camera.messages import image_array, intrinsics_from
from dofbot_ros.ros.camera.pose import CameraPose
from dofbot_ros.ros.camera.subscription import CameraSubscription
from dofbot_ros.ros.camera.watch import PoseWatch
from dofbot_ros.ros.conversions.messages import detections, from_time, to_time
from dofbot_ros.ros.conversions.stamps import Stamps
from dofbot_ros.ros.runtime.qos import STREAM


class ObservationSubscriber:
    """Keeps the newest of each; the control thread takes it from here.

    Args:
        node: where the subscriptions live.
        stamps: between the arm's clock and ROS.
        block: name of the block that matters; "" for policies that act without one.
        width: of the policy's pictures [px]; 0 for policies that are shown none.
        pose: of the camera that takes them.
    """

    def __init__(self, node: Node, stamps: Stamps, block: str, width: int, pose: CameraPose) -> None:
        self._node, self._stamps, self._block, self._width = node, stamps, block, width
        self._view: CameraView | None = None
        self._calibration: tuple[object, ...] = ()
        self.seen: BlockDetection | None = None
        self.picture: tuple[ImageArray, float] | None = None
        self.trouble = ""
        """Of the camera; "" when there is none."""
        self.moved = ""
        """Why what is seen cannot be placed: the camera was moved; "" while it stands where it stood."""
        self._watch = PoseWatch(node, pose) if width else None
        node.create_subscription(String, "blocks/detections", self._on_blocks, STREAM)
        if width:
            self.trouble = "no camera_info yet"
            self._camera = CameraSubscription(node, self._on_image, self._on_info)

    @property
    def heard(self) -> bool:
        """Whether what the policy goes by has come at all: a picture, or the block."""
        return self.picture is not None if self._width else self.seen is not None or not self._block

    def _on_blocks(self, message: String) -> None:
        try:
            found = detections(message.data)
        except DofbotError as error:
            # It is as if the block had not been seen; a localiser that goes on like this ends the run.
            self._node.get_logger().warning(str(error), throttle_duration_sec=5.0)
            return
        stamp_s = self._stamps.to_arm(to_time(found["stamp_s"]))
        self.seen = find_block(found, self._block, stamp_s) or self.seen
        if self._watch is None and self._block:
            self.moved = next((one["reason"] for one in found["refused"] if one["what"] == "camera"), "")

    def _on_info(self, message: CameraInfo) -> None:
        calibration = (message.width, message.height, tuple(message.k), tuple(message.d))
        if calibration == self._calibration:
            return
        self._calibration = calibration
        try:
            intrinsics = intrinsics_from(message, self._camera.rectified)
            self._view, self.trouble = CameraView(intrinsics, self._width), ""
            if self._watch is not None:
                self._watch.watch(intrinsics)
        except DofbotError as error:
            self._view, self.trouble = None, str(error)
            self._node.get_logger().warning(self.trouble, throttle_duration_sec=5.0)

    def _on_image(self, message: Image) -> None:
        if self._view is None:
            return
        try:
            image = image_array(message)
            self.picture = self._view.shown(image), self._stamps.to_arm(message.header.stamp)
            if self._watch is not None:
                self.moved = self._watch.look(image, from_time(message.header.stamp))
        except DofbotError as error:
            self.trouble = str(error)
            return
        self.trouble = ""
