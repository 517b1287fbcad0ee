from __future__ import annotations

import struct
import subprocess
import sys
import zlib

import cv2
import numpy as np
import pytest

from dofbot_ros.bench.fuzz.memory import PeakMemory
from dofbot_ros.vision.cameras.pictures import MAX_PIXELS, PictureError, decode_picture, picture_size

RNG = np.random.default_rng(0)
PICTURE = cv2.GaussianBlur(RNG.integers(0, 256, (37, 53, 3), dtype=np.uint8), (9, 9), 0)
SUFFIXES = (".bmp", ".jpg", ".png", ".tiff", ".webp")


def encoded(suffix: str, *options: int) -> bytes:
    return cv2.imencode(suffix, PICTURE, options)[1].tobytes()


VARIANTS = {
    **{suffix: encoded(suffix) for suffix in SUFFIXES[:4]},
    ".webp": encoded(".webp", cv2.IMWRITE_WEBP_QUALITY, 90),
    "progressive.jpg": encoded(".jpg", cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
    "restarts.jpg": encoded(".jpg", cv2.IMWRITE_JPEG_RST_INTERVAL, 2),
    "lossless.webp": encoded(".webp", cv2.IMWRITE_WEBP_QUALITY, 101),
    # A segment that looks like a frame header of another size, as an embedded preview has it.
    "preview.jpg": b"\xff\xd8\xff\xe1\x00\x0f"
    + b"\xff\xc0\x00\x11\x08\xff\xff\xff\xff\x03\0\0\0"
    + encoded(".jpg")[2:],
}


@pytest.mark.parametrize("name", VARIANTS)
def test_the_size_is_known_before_and_is_that_of_the_decoded_picture(name: str) -> None:
    data = VARIANTS[name]

    assert picture_size(data) == (53, 37)
    image = decode_picture(data)
    assert image.shape == (37, 53, 3)
    np.testing.assert_allclose(image[..., ::-1].mean((0, 1)), PICTURE.mean((0, 1)), atol=4)


def png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    )


def grown(data: bytes, old: bytes, new: bytes) -> bytes:
    assert data.count(old) >= 1
    return data.replace(old, new, 1)


HUGE = {
    ".png": png(30_000, 30_000),
    ".jpg": grown(encoded(".jpg"), struct.pack(">HH", 37, 53), struct.pack(">HH", 30_000, 30_000)),
    ".bmp": grown(encoded(".bmp"), struct.pack("<ii", 53, 37), struct.pack("<ii", 30_000, -30_000)),
    ".tiff": grown(
        grown(encoded(".tiff"), struct.pack("<HHIHH", 256, 3, 1, 53, 0), struct.pack("<HHII", 256, 4, 1, 30_000)),
        struct.pack("<HHIHH", 257, 3, 1, 37, 0),
        struct.pack("<HHII", 257, 4, 1, 30_000),
    ),
    ".webp": grown(VARIANTS[".webp"], struct.pack("<HH", 53, 37), struct.pack("<HH", 16_000, 16_000)),
}


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_header_that_costs_gigabytes_is_refused_before_it_is_decoded(suffix: str) -> None:
    side = 16_000 if suffix == ".webp" else 30_000
    assert picture_size(HUGE[suffix]) == (side, side)

    memory = PeakMemory()
    with pytest.raises(PictureError, match=f"says that it has {side}x{side} pixels: at most 50000000"):
        decode_picture(HUGE[suffix])
    assert memory.grown_mb() < 50


def test_a_chunk_that_asks_for_gigabytes_is_refused_before_it_gets_them() -> None:
    data = grown(VARIANTS[".png"], b"IDAT", b"tEXt")
    at = data.index(b"tEXt") - 4
    data = data[:at] + struct.pack(">I", 1_900_000_000) + data[at + 4 :]

    memory = PeakMemory()
    with pytest.raises(PictureError, match="is no image that OpenCV can read"):
        decode_picture(data)
    assert memory.grown_mb() < 50


@pytest.mark.slow
def test_the_largest_that_is_decoded_fits_into_a_gigabyte() -> None:
    side = int(MAX_PIXELS**0.5)
    code = (
        "import numpy as np, cv2\n"
        "from dofbot_ros.bench.fuzz.memory import PeakMemory\n"
        "from dofbot_ros.vision.cameras.pictures import decode_picture\n"
        f"data = cv2.imencode('.png', np.zeros(({side}, {side}), np.uint8))[1].tobytes()\n"
        "memory = PeakMemory()\n"
        f"assert decode_picture(data).shape == ({side}, {side}, 3)\n"
        "print(memory.grown_mb())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert 100 < float(done.stdout) < 600


@pytest.mark.parametrize(
    "data",
    [b"", b"\xff\xd8\xff", b"II*\0" + b"\xff" * 8, b"GIF89a" + b"\x10\0" * 20, b"P6 9999999 9999999 255\n", b"\0" * 64],
)
def test_what_is_no_picture_is_said(data: bytes) -> None:
    with pytest.raises(PictureError, match="is no image that OpenCV can read"):
        decode_picture(data)


@pytest.mark.parametrize("name", VARIANTS)
def test_damage_is_an_error_or_a_picture_of_the_size_that_was_told(name: str) -> None:
    rng = np.random.default_rng(1)
    for _ in range(50):
        data = bytearray(VARIANTS[name])
        for at in rng.integers(0, min(len(data), 300), 3):
            data[at] = rng.integers(256)
        try:
            image = decode_picture(bytes(data[: rng.integers(len(data) // 2, len(data) + 1)]))
        except PictureError:
            continue
        size = picture_size(bytes(data))
        assert size is not None
        assert image.shape[0] * image.shape[1] <= MAX_PIXELS
