"""Between numpy and ROS messages: nothing here decides anything."""

from __future__ import annotations

import array
import math
from collections.abc import Sequence

import numpy as np
from builtin_interfaces.msg import Duration, Time
from geometry_msgs.msg import Pose, Transform
from sensor_msgs.msg import CameraInfo, Image, JointState
from std_msgs.msg import Header

from dofbot_ros.core.transforms import matrix_from_quat, quat_from_matrix, transform
from dofbot_ros.core.types import JOINT_NAMES, BoolArray, FloatArray, ImageArray
from dofbot_ros.errors import InputError
from dofbot_ros.vision.intrinsics import Intrinsics

ENCODINGS = {"rgb8": (3, False), "bgr8": (3, True), "mono8": (1, False), "rgba8": (4, False), "bgra8": (4, True)}
"""Image encodings that are understood: channels, and whether blue comes first."""


def to_time(seconds: float) -> Time:
    """A stamp from seconds [s]."""
    nanoseconds = round(seconds * 1e9)
    return Time(sec=nanoseconds // 10**9, nanosec=nanoseconds % 10**9)


def to_duration(seconds: float) -> Duration:
    """A duration from seconds [s]."""
    nanoseconds = round(seconds * 1e9)
    return Duration(sec=nanoseconds // 10**9, nanosec=nanoseconds % 10**9)


def from_time(stamp: Time) -> float:
    """Seconds [s] of a stamp."""
    return float(stamp.sec) + 1e-9 * float(stamp.nanosec)


def joint_state(stamp: Time, position: FloatArray, fresh: BoolArray) -> JointState:
    """Joint positions [rad] (6,), only those that are `fresh` (6,)."""
    names = [name for name, is_fresh in zip(JOINT_NAMES, fresh, strict=True) if is_fresh]
    return JointState(header=Header(stamp=stamp), name=names, position=position[fresh].tolist())


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
    if step < width * channels or raw.size < step * height:
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
    return Intrinsics(
        message.width, message.height, matrix, distortion, message.distortion_model, message.header.frame_id
    )


def pose_message(matrix: FloatArray) -> Pose:
    """A rigid transform (4, 4) [m] as a pose."""
    pose = Pose()
    pose.position.x, pose.position.y, pose.position.z = (float(v) for v in matrix[:3, 3])
    q = pose.orientation
    q.x, q.y, q.z, q.w = (float(v) for v in quat_from_matrix(matrix[:3, :3]))
    return pose


def transform_message(matrix: FloatArray) -> Transform:
    """A rigid transform (4, 4) [m] as a transform."""
    pose, result = pose_message(matrix), Transform()
    result.translation.x, result.translation.y, result.translation.z = pose.position.x, pose.position.y, pose.position.z
    result.rotation = pose.orientation
    return result


def pose_matrix(pose: Pose) -> FloatArray:
    """A pose as a rigid transform (4, 4) [m].

    Raises:
        InputError: a number that is not finite, or a quaternion without length.
    """
    p, q = pose.position, pose.orientation
    numbers = finite("pose", [p.x, p.y, p.z, q.x, q.y, q.z, q.w])
    try:
        return transform(matrix_from_quat(numbers[3:]), numbers[:3])
    except ValueError as error:
        raise InputError(str(error)) from error


def finite(what: str, numbers: Sequence[float]) -> FloatArray:
    """The numbers as an array.

    Raises:
        InputError: one of them is not finite.
    """
    if not all(math.isfinite(n) for n in numbers):
        raise InputError(f"{what} holds a number that is not finite: {list(numbers)}")
    return np.asarray(numbers, dtype=np.float64)
