"""Between images and intrinsics and their ROS messages; apart from messages.py because drivers need no OpenCV."""

from __future__ import annotations

import array

import numpy as np
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from std_msgs.msg import Header

from dofbot_ros.core.types import ImageArray
from dofbot_ros.errors import InputError
from dofbot_ros.vision.encodings import decode, decode_file
from dofbot_ros.vision.intrinsics import Intrinsics, distorted, of_whole_image


def image_message(header: Header, image: ImageArray) -> Image:
    """An RGB image (h, w, 3) as rgb8."""
    height, width, channels = image.shape
    # array.array is what the generated class stores: any other sequence is checked byte by byte.
    data = array.array("B", np.ascontiguousarray(image).tobytes())
    return Image(header=header, height=height, width=width, encoding="rgb8", step=width * channels, data=data)


def image_array(message: Image | CompressedImage) -> ImageArray:
    """The image as RGB (h, w, 3); without a copy where it already is rgb8.

    Raises:
        InputError: an encoding that is not understood, or fewer bytes than the sizes say.
    """
    if isinstance(message, CompressedImage):
        return decode_file(message.data)
    m = message
    return decode(m.data, m.encoding, (m.width, m.height), m.step, big_endian=bool(m.is_bigendian))


def camera_info(header: Header, intrinsics: Intrinsics) -> CameraInfo:
    """Intrinsics as a message of a camera that is not part of a stereo pair."""
    return CameraInfo(
        header=header,
        height=intrinsics.height,
        width=intrinsics.width,
        distortion_model=intrinsics.model,
        d=intrinsics.distortion.tolist(),
        k=intrinsics.K.ravel(),
        r=np.eye(3).ravel(),
        p=intrinsics.projection.ravel(),
    )


def uncalibrated(header: Header, width: int, height: int) -> CameraInfo:
    """What drivers send for a camera that has no calibration: everything zero but the size."""
    return CameraInfo(header=header, width=width, height=height)


def intrinsics_from(message: CameraInfo, rectified: bool = False) -> Intrinsics:
    """Intrinsics of a camera_info message.

    Args:
        message: of the camera.
        rectified: of its rectified images, for which P holds and no distortion, or of those as they come.

    Raises:
        InputError: the camera is not calibrated (focal length 0, as drivers send it without a calibration file),
            or its values are those of no camera.
    """
    matrix = np.asarray(message.k, dtype=np.float64).reshape(3, 3)
    if rectified:
        matrix = np.asarray(message.p, dtype=np.float64).reshape(3, 4)[:, :3]
    if matrix[0, 0] == 0.0:
        raise InputError("camera_info carries no calibration (focal length 0): give the camera a camera_info_url")
    size, frame = (message.width, message.height), message.header.frame_id
    try:
        if rectified:
            return of_whole_image(Intrinsics(*size, matrix, frame=frame))
        return distorted(matrix, size, np.asarray(message.d, dtype=np.float64), message.distortion_model, frame)
    except InputError as error:
        raise InputError(f"camera_info cannot be used: {error}") from error
