"""Between images and intrinsics and their ROS messages; apart from messages.py because drivers need no OpenCV."""

from __future__ import annotations

import array

import numpy as np
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header

from dofbot_ros.core.types import ImageArray
from dofbot_ros.errors import InputError
from dofbot_ros.vision.intrinsics import Intrinsics, of_whole_image

ENCODINGS = {"rgb8": (3, False), "bgr8": (3, True), "mono8": (1, False), "rgba8": (4, False), "bgra8": (4, True)}
"""Image encodings that are understood: channels, and whether blue comes first."""


def image_message(header: Header, image: ImageArray) -> Image:
    """An RGB image (h, w, 3) as rgb8."""
    height, width, channels = image.shape
    # array.array is what the generated class stores: any other sequence is checked byte by byte.
    data = array.array("B", np.ascontiguousarray(image).tobytes())
    return Image(header=header, height=height, width=width, encoding="rgb8", step=width * channels, data=data)


def image_array(message: Image) -> ImageArray:
    """The image as RGB (h, w, 3); without a copy where it already is rgb8.

    Raises:
        InputError: an encoding that is not understood, or fewer bytes than the sizes say.
    """
    if message.encoding not in ENCODINGS:
        raise InputError(f"image encoding {message.encoding!r} is not one of {', '.join(ENCODINGS)}")
    channels, blue_first = ENCODINGS[message.encoding]
    height, width, step = message.height, message.width, message.step
    raw = np.frombuffer(message.data, dtype=np.uint8)
    if not (width and height) or step < width * channels or raw.size < step * height:
        raise InputError(f"an image of {width}x{height} {message.encoding} cannot have {raw.size} bytes, {step} a row")
    pixels = raw[: step * height].reshape(height, step)[:, : width * channels].reshape(height, width, channels)
    if channels == 1:
        return np.repeat(pixels, 3, axis=2)
    return pixels[:, :, 2::-1] if blue_first else pixels[:, :, :3]


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


def intrinsics_from(message: CameraInfo) -> Intrinsics:
    """Intrinsics of a camera_info message.

    Raises:
        InputError: the camera is not calibrated (focal length 0, as drivers send it without a calibration file),
            or its values are those of no camera.
    """
    matrix = np.asarray(message.k, dtype=np.float64).reshape(3, 3)
    if matrix[0, 0] == 0.0:
        raise InputError("camera_info carries no calibration (focal length 0): give the camera a camera_info_url")
    distortion = np.asarray(message.d, dtype=np.float64)
    size, frame = (message.width, message.height), message.header.frame_id
    try:
        return of_whole_image(Intrinsics(*size, matrix, distortion, message.distortion_model, frame))
    except InputError as error:
        raise InputError(f"camera_info cannot be used: {error}") from error
