"""Image encodings of camera drivers, by their ROS names, as RGB."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from dofbot_ros.core.types import ImageArray
from dofbot_ros.errors import InputError, one_of


@dataclass(frozen=True)
class Encoding:
    """How pixels lie in memory.

    Attributes:
        channels: numbers a pixel, in the first plane.
        to_rgb: cv2's conversion of them; None where only the order or number of channels differs.
        order: indices of red, green and blue, where to_rgb is None.
        bytes_each: of a number.
        multiple: the width, and for planes the height, is a multiple of this.
        rows: rows of the data for each two rows of the image.
    """

    channels: int
    to_rgb: int | None = None
    order: tuple[int, int, int] = (0, 1, 2)
    bytes_each: int = 1
    multiple: int = 1
    rows: int = 2


_YUYV = Encoding(2, cv2.COLOR_YUV2RGB_YUY2, multiple=2)
_UYVY = Encoding(2, cv2.COLOR_YUV2RGB_UYVY, multiple=2)
# OpenCV names a Bayer pattern by its second row and column, ROS by its first.
_BAYER = {
    "rggb": cv2.COLOR_BayerBG2RGB,
    "bggr": cv2.COLOR_BayerRG2RGB,
    "gbrg": cv2.COLOR_BayerGR2RGB,
    "grbg": cv2.COLOR_BayerGB2RGB,
}
ENCODINGS: dict[str, Encoding] = {
    "rgb8": Encoding(3),
    "bgr8": Encoding(3, order=(2, 1, 0)),
    "rgba8": Encoding(4),
    "bgra8": Encoding(4, order=(2, 1, 0)),
    "mono8": Encoding(1, order=(0, 0, 0)),
    "mono16": Encoding(1, order=(0, 0, 0), bytes_each=2),
    "8UC1": Encoding(1, order=(0, 0, 0)),
    "8UC3": Encoding(3, order=(2, 1, 0)),
    "8UC4": Encoding(4, order=(2, 1, 0)),
    "yuyv": _YUYV,
    "yuv422_yuy2": _YUYV,
    "uyvy": _UYVY,
    "yuv422": _UYVY,
    "nv12": Encoding(1, cv2.COLOR_YUV2RGB_NV12, multiple=2, rows=3),
    "nv21": Encoding(1, cv2.COLOR_YUV2RGB_NV21, multiple=2, rows=3),
    **{f"bayer_{name}8": Encoding(1, code, multiple=2) for name, code in _BAYER.items()},
    **{f"bayer_{name}16": Encoding(1, code, bytes_each=2, multiple=2) for name, code in _BAYER.items()},
}
"""ROS name -> how pixels lie. 8UC3 and 8UC4 are OpenCV's images, in which blue comes first."""


def decode(
    data: bytes | memoryview, encoding: str, size: tuple[int, int], step: int, *, big_endian: bool = False
) -> ImageArray:
    """The image as RGB (h, w, 3) uint8; a view of `data` where it already is.

    Args:
        data: rows of `step` bytes each.
        encoding: a key of ENCODINGS.
        size: width and height [px].
        step: [bytes].
        big_endian: of numbers of two bytes.

    Raises:
        InputError: an encoding that is not understood, or fewer bytes than the sizes say.
    """
    if encoding not in ENCODINGS:
        raise InputError(one_of("image encoding", encoding[:40], ENCODINGS))
    width, height = size
    kind, raw = ENCODINGS[encoding], np.frombuffer(data, dtype=np.uint8)
    row, rows = width * kind.channels * kind.bytes_each, height * kind.rows // 2
    if not (width and height) or step < row or raw.size < step * rows:
        raise InputError(f"an image of {width}x{height} {encoding} cannot have {raw.size} bytes, {step} a row")
    if width % kind.multiple or height % (kind.multiple if kind.to_rgb and kind.channels == 1 else 1):
        raise InputError(f"an image of {width}x{height} cannot be {encoding}: its sides are not even")
    pixels = raw[: step * rows].reshape(rows, step)[:, :row]
    if kind.bytes_each == 2:
        # The more significant byte of each number.
        pixels = pixels[:, 0 if big_endian else 1 :: 2]
    if kind.to_rgb is not None:
        shape = (rows, width, kind.channels) if kind.channels > 1 else (rows, width)
        return np.asarray(cv2.cvtColor(np.ascontiguousarray(pixels).reshape(shape), kind.to_rgb), dtype=np.uint8)
    channels = pixels.reshape(height, width, kind.channels)
    if kind.order == (0, 1, 2):
        return channels[:, :, :3]
    return channels[:, :, 2::-1] if kind.order == (2, 1, 0) else np.repeat(channels, 3, axis=2)


def decode_file(data: bytes | memoryview) -> ImageArray:
    """A JPEG or PNG file as RGB (h, w, 3).

    Raises:
        InputError: it is no picture.
    """
    try:
        bgr = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise InputError(f"the compressed image cannot be read: {str(error).strip()[:120]}") from error
    if bgr is None:
        raise InputError("the compressed image is neither a JPEG nor a PNG")
    return np.asarray(bgr[:, :, ::-1], dtype=np.uint8)
