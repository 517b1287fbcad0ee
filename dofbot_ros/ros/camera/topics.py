"""camera/image_raw, camera/camera_info and camera/image_raw/compressed: the same from a real and a rendered camera."""

from __future__ import annotations

import cv2
from builtin_interfaces.msg import Time
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from std_msgs.msg import Header

from dofbot_ros.core.types import ImageArray
from dofbot_ros.ros.camera.messages import camera_info, image_message, uncalibrated
from dofbot_ros.ros.runtime.qos import IMAGE, STREAM
from dofbot_ros.vision.intrinsics import Intrinsics

JPEG_QUALITY = 90


class CameraTopics:
    """Publishers of one camera.

    Args:
        node: where they live.
        frame: of the images' headers, when there are no intrinsics.
        intrinsics: of the camera, None when it is not calibrated: camera_info then says so (focal length 0).
    """

    def __init__(self, node: Node, frame: str, intrinsics: Intrinsics | None) -> None:
        self._frame = intrinsics.frame if intrinsics else frame
        self._intrinsics = intrinsics
        self._images = node.create_publisher(Image, "camera/image_raw", IMAGE)
        self._infos = node.create_publisher(CameraInfo, "camera/camera_info", STREAM)
        self._compressed = node.create_publisher(CompressedImage, "camera/image_raw/compressed", IMAGE)

    def calibrate(self, intrinsics: Intrinsics) -> None:
        """Tell this calibration from the next image on."""
        self._intrinsics = intrinsics

    @property
    def wanted(self) -> bool:
        """Whether anybody listens: a rendered camera need not render otherwise."""
        return any(p.get_subscription_count() for p in (self._images, self._infos, self._compressed))

    def publish(self, image: ImageArray, stamp: Time) -> None:
        """Publish an RGB image (h, w, 3) and its camera_info; the compressed one only when somebody listens."""
        header = Header(stamp=stamp, frame_id=self._frame)
        height, width = image.shape[:2]
        info = camera_info(header, self._intrinsics) if self._intrinsics else uncalibrated(header, width, height)
        self._infos.publish(info)
        if self._images.get_subscription_count():
            self._images.publish(image_message(header, image))
        if self._compressed.get_subscription_count():
            jpeg = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1]
            self._compressed.publish(
                CompressedImage(header=header, format="rgb8; jpeg compressed bgr8", data=jpeg.tobytes())
            )
