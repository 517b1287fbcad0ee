"""Encodings of camera drivers become RGB, whatever the padding of their rows."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from dofbot_ros.core.types import ImageArray
from dofbot_ros.errors import InputError
from dofbot_ros.vision.encodings import ENCODINGS, decode, decode_file

HEIGHT, WIDTH, PADDING = 6, 8, 4
COLOURS = {"red": (200, 30, 40), "green": (20, 180, 60), "blue": (30, 50, 210), "grey": (90, 90, 90)}


def encoded(name: str, rgb: tuple[int, int, int]) -> ImageArray:
    """Rows of an image of one colour, written out as the encoding's description says, without cv2's help."""
    r, g, b = rgb
    luma = 0.299 * r + 0.587 * g + 0.114 * b
    y, u, v = round(16 + 219 * luma / 255), round(128 + 0.564 * (b - luma) * 224 / 255), 0
    v = round(128 + 0.713 * (r - luma) * 224 / 255)
    grey = round(luma)
    pair = {
        "rgb8": [r, g, b], "bgr8": [b, g, r], "rgba8": [r, g, b, 255], "bgra8": [b, g, r, 255],
        "8UC3": [b, g, r], "8UC4": [b, g, r, 255], "mono8": [grey], "8UC1": [grey], "mono16": [7, grey],
        "yuyv": [y, u, y, v], "yuv422_yuy2": [y, u, y, v], "uyvy": [u, y, v, y], "yuv422": [u, y, v, y],
    }.get(name)  # fmt: skip
    if pair is not None:
        two = name in ("yuyv", "yuv422_yuy2", "uyvy", "yuv422")
        return np.tile(np.array(pair, np.uint8), (HEIGHT, WIDTH // 2 if two else WIDTH))
    if name.startswith("nv"):
        chroma = [u, v] if name == "nv12" else [v, u]
        return np.vstack([np.full((HEIGHT, WIDTH), y), np.tile(chroma, (HEIGHT // 2, WIDTH // 2))]).astype(np.uint8)
    pattern, letters = np.zeros((HEIGHT, WIDTH), np.uint8), name.removeprefix("bayer_").rstrip("1680")
    for k, letter in enumerate(letters):
        pattern[k // 2 :: 2, k % 2 :: 2] = {"r": r, "g": g, "b": b}[letter]
    return np.dstack([np.full_like(pattern, 7), pattern]).reshape(HEIGHT, -1) if name.endswith("16") else pattern


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("name", ENCODINGS)
def test_an_image_of_one_colour_keeps_it(name: str, colour: str) -> None:
    rows = encoded(name, COLOURS[colour])
    padded = np.pad(rows, ((0, 0), (0, PADDING)))
    image = decode(padded.tobytes(), name, (WIDTH, HEIGHT), padded.shape[1])
    r, g, b = COLOURS[colour]
    grey = name.startswith("mono") or name == "8UC1"
    expected = np.full(3, round(0.299 * r + 0.587 * g + 0.114 * b)) if grey else np.array([r, g, b])
    assert image.shape == (HEIGHT, WIDTH, 3)
    assert image.dtype == np.uint8
    np.testing.assert_allclose(image[2:4, 2:6].reshape(-1, 3), np.tile(expected, (8, 1)), atol=4)


def test_numbers_of_two_bytes_may_come_the_other_way_round() -> None:
    rows = np.tile(np.array([120, 7], np.uint8), (2, 3))
    assert decode(rows.tobytes(), "mono16", (3, 2), 6, big_endian=True)[0, 0].tolist() == [120, 120, 120]


@pytest.mark.parametrize(
    ("name", "sides", "step", "size", "message"),
    [
        ("rgb9", (8, 6), 24, 144, "image encoding 'rgb9' is not one of .*did you mean rgb8"),
        ("nv12", (8, 6), 8, 48, "8x6 nv12 cannot have 48 bytes"),
        ("nv12", (8, 5), 8, 72, "not even"),
        ("yuyv", (7, 6), 14, 84, "not even"),
        ("bayer_rggb8", (7, 6), 7, 42, "not even"),
        ("mono16", (8, 6), 8, 48, "8x6 mono16 cannot have 48 bytes, 8 a row"),
    ],
)
def test_what_cannot_be_an_image_is_refused(
    name: str, sides: tuple[int, int], step: int, size: int, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        decode(bytes(size), name, sides, step)


def test_a_compressed_image_is_a_jpeg_or_a_png() -> None:
    rgb = np.zeros((6, 8, 3), np.uint8)
    rgb[:] = COLOURS["red"]
    png = cv2.imencode(".png", rgb[:, :, ::-1])[1].tobytes()
    np.testing.assert_array_equal(decode_file(png), rgb)
    for broken in (b"", b"no picture", png[:20]):
        with pytest.raises(InputError, match="compressed image"):
            decode_file(broken)
