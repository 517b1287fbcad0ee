"""ArUco dictionaries by name."""

from __future__ import annotations

import cv2

from dofbot_ros.errors import ConfigError, one_of

DICTIONARIES: dict[str, int] = {name: getattr(cv2.aruco, name) for name in dir(cv2.aruco) if name.startswith("DICT_")}
"""Name -> OpenCV's number of every predefined dictionary."""


def dictionary_named(name: str) -> cv2.aruco.Dictionary:
    """OpenCV's predefined dictionary called `name`, for instance DICT_6X6_250.

    Raises:
        ConfigError: no such dictionary; the message lists those there are.
    """
    if name not in DICTIONARIES:
        raise ConfigError(one_of("dictionary", name, DICTIONARIES))
    return cv2.aruco.getPredefinedDictionary(DICTIONARIES[name])
