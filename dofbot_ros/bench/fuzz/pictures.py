"""Fuzzes pictures: what is decoded has the size that its header told, and no header costs more than MAX_PIXELS."""

from __future__ import annotations

import random
from pathlib import Path

import cv2
import numpy as np

from dofbot_ros.bench.fuzz.mutate import flipped
from dofbot_ros.bench.fuzz.target import Target
from dofbot_ros.vision.cameras.pictures import MAX_PIXELS, decode_picture, picture_size

SUFFIXES = (".bmp", ".jpg", ".png", ".tiff", ".webp")
HEADER = 64
"""Bytes in which most changes are made."""


def targets(_: Path) -> list[Target]:
    """Pictures of all formats that are read."""
    picture = np.random.default_rng(0).integers(0, 256, (9, 11, 3), dtype=np.uint8)
    whole = [cv2.imencode(suffix, picture)[1].tobytes() for suffix in SUFFIXES]
    return [Target("pictures", lambda rng: _case(rng, rng.choice(whole)))]


def _case(rng: random.Random, whole: bytes) -> None:
    head = flipped(rng, whole[:HEADER], 2) + whole[HEADER:]
    data = head if rng.random() < 0.7 else flipped(rng, whole)
    image = decode_picture(data)
    size = picture_size(data)
    assert size is not None
    assert image.shape[0] * image.shape[1] <= MAX_PIXELS
    if data[:2] not in (b"II", b"MM"):  # of a TIFF the larger of picture and tile is told
        # A camera's EXIF may ask to turn the picture.
        assert image.shape[:2] in ((size[1], size[0]), size), f"decoded {image.shape}, told {size}"
