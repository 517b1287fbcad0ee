"""Decodes pictures whose size is known before: a few bytes of header must not cost gigabytes."""

from __future__ import annotations

import math
import struct
import zlib

import cv2
import numpy as np

from dofbot_ros.core.types import ImageArray
from dofbot_ros.errors import InputError

MAX_PIXELS = 50_000_000
"""Largest picture that is decoded: 150 MB of memory, more than any camera for this arm has [px]."""

Size = tuple[int, int]

_NO_FRAME = frozenset({0xC4, 0xC8, 0xCC})
"""Markers among JPEG's C0 to CF that begin no frame: DHT, JPG, DAC."""

_PNG_CHUNKS = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND"})


class PictureError(InputError):
    """Bytes that are no picture, or one that is too large."""


def decode_picture(data: bytes) -> ImageArray:
    """A BMP, JPEG, PNG, TIFF or WebP picture as RGB, shape (height, width, 3).

    Raises:
        PictureError: it is none of these, is damaged, or has more than MAX_PIXELS.
    """
    size = picture_size(data)
    if size is None:
        raise PictureError("is no image that OpenCV can read (BMP, JPEG, PNG, TIFF, WebP)")
    width, height = size
    if not 0 < width * height <= MAX_PIXELS:
        raise PictureError(f"says that it has {width}x{height} pixels: at most {MAX_PIXELS} are decoded")
    level = cv2.getLogLevel()
    cv2.setLogLevel(0)  # OpenCV would say on stderr what is raised here
    try:
        bgr = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise PictureError(f"cannot be decoded: {' '.join(str(error).split())[:200]}") from error
    finally:
        cv2.setLogLevel(level)
    if bgr is None:
        raise PictureError("is no image that OpenCV can read: it is damaged")
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), dtype=np.uint8)


def picture_size(data: bytes) -> Size | None:
    """Width and height [px] as the header says; None where it is of none of the five formats, or is cut."""
    try:
        if data.startswith(b"\xff\xd8\xff"):
            return _jpeg(data)
        if data.startswith(b"\x89PNG\r\n\x1a\n"):
            return _png(data)
        if data.startswith(b"BM"):
            return _bmp(data)
        if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
            return _webp(data)
        if data[:4] in (b"II*\0", b"MM\0*"):
            return _tiff(data, "<" if data[:2] == b"II" else ">")
    except (struct.error, IndexError):
        pass  # the header is cut
    return None


def _png(data: bytes) -> Size | None:
    """From the first chunk (PNG, 11.2.1); None unless all chunks are whole, and the critical ones known.

    OpenCV reserves what a chunk asks for before it looks whether it is there, and loses its way in unknown ones.
    """
    at, kinds = 8, list[bytes]()
    while not kinds or kinds[-1] != b"IEND":
        length, kind = struct.unpack_from(">I4s", data, at)
        (wanted,) = struct.unpack_from(">I", data, at + 8 + length)
        if zlib.crc32(data[at + 4 : at + 8 + length]) != wanted or (kind[:1].isupper() and kind not in _PNG_CHUNKS):
            return None
        kinds.append(kind)
        at += 12 + length
    width, height = struct.unpack_from(">II", data, 16)
    return (width, height) if kinds[0] == b"IHDR" and b"IDAT" in kinds else None


def _jpeg(data: bytes) -> Size | None:
    """From the frame header (ITU-T T.81, B.2.2)."""
    at = 2
    while True:
        at = data.find(b"\xff", at)
        if at < 0:
            return None
        marker = data[at + 1]
        if marker in (0x00, 0xFF):  # a stuffed or a fill byte
            at += 1
        elif 0xC0 <= marker <= 0xCF and marker not in _NO_FRAME:
            height, width = struct.unpack_from(">HH", data, at + 5)
            return width, height
        elif marker == 0x01 or 0xD0 <= marker <= 0xD9:  # without a segment
            at += 2
        else:
            at += 2 + max(2, int.from_bytes(data[at + 2 : at + 4], "big"))


def _bmp(data: bytes) -> Size:
    if struct.unpack_from("<I", data, 14)[0] == 12:  # OS/2's header
        width, height = struct.unpack_from("<HH", data, 18)
    else:
        width, height = struct.unpack_from("<ii", data, 18)
    return abs(width), abs(height)  # rows from the top are written as a negative height


def _webp(data: bytes) -> Size | None:
    """From the first chunk (RFC 9649)."""
    kind = data[12:16]
    if kind == b"VP8X":
        return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
    if kind == b"VP8L":
        bits = struct.unpack_from("<I", data, 21)[0]
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, 26)
        return width & 0x3FFF, height & 0x3FFF
    return None


def _tiff(data: bytes, order: str) -> Size | None:
    """From tags 256 and 257 of the first directory (TIFF 6.0, section 2), or 322 and 323, of its tiles, if larger.

    Where a tag stands twice the largest value counts.
    """
    (at,) = struct.unpack_from(f"{order}I", data, 4)
    (count,) = struct.unpack_from(f"{order}H", data, at)
    sizes = {256: 0, 257: 0, 322: 0, 323: 0}
    for entry in range(at + 2, at + 2 + 12 * count, 12):
        tag, kind = struct.unpack_from(f"{order}HH", data, entry)
        if tag in sizes:
            (value,) = struct.unpack_from(f"{order}{'H' if kind == 3 else 'I'}", data, entry + 8)
            sizes[tag] = max(sizes[tag], value)
    if not (sizes[256] and sizes[257]):
        return None
    return max((sizes[256], sizes[257]), (sizes[322], sizes[323]), key=math.prod)
