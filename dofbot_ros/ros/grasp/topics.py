"""What grasp_node shows: the grasps that the arm can carry out, best first, and a picture of what it sees."""

from __future__ import annotations

from geometry_msgs.msg import PoseArray
from rclpy.node import Node
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from dofbot_ros.arm.kinematics import Kinematics
from dofbot_ros.grasp.detection.detector import GraspDetection
from dofbot_ros.grasp.detection.overlay import draw_detection, draw_words
from dofbot_ros.ros.camera.messages import image_message
from dofbot_ros.ros.conversions.messages import pose_message, to_time
from dofbot_ros.ros.runtime.qos import IMAGE, STREAM

BASE_FRAME = "base_link"


class GraspTopics:
    """Publishers of grasp_node.

    Args:
        node: where they live.
        kinematics: of the arm.
        size: of a view [pixels].
    """

    def __init__(self, node: Node, kinematics: Kinematics, size: int) -> None:
        self.kinematics, self._size = kinematics, size
        self._candidates = node.create_publisher(PoseArray, "grasp/candidates", STREAM)
        self._overlay = node.create_publisher(Image, "grasp/overlay", IMAGE)

    @property
    def wanted(self) -> bool:
        """Whether anybody listens."""
        return bool(self._candidates.get_subscription_count() or self._overlay.get_subscription_count())

    def publish(self, detection: GraspDetection, stamp_s: float, words: str) -> None:
        """Show what an image of `stamp_s` [s] shows."""
        header = Header(stamp=to_time(stamp_s), frame_id=BASE_FRAME)
        poses = [
            pose_message(self.kinematics.tool_transform(plan.motions.descend.positions[-1]))
            for plan in detection.reachable
        ]
        self._candidates.publish(PoseArray(header=header, poses=poses))
        if self._overlay.get_subscription_count():
            self._overlay.publish(image_message(header, draw_detection(detection, words)))

    def nothing(self, stamp_s: float, words: str) -> None:
        """Show that there is nothing to be seen, and why."""
        header = Header(stamp=to_time(stamp_s), frame_id=BASE_FRAME)
        self._candidates.publish(PoseArray(header=header))
        if self._overlay.get_subscription_count():
            self._overlay.publish(image_message(header, draw_words(self._size, words)))
