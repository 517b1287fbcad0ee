"""Lens distortion as camera drivers and calibration files give it, brought to what OpenCV's functions take."""

from __future__ import annotations

import numpy as np

from dofbot_ros.core.types import FloatArray
from dofbot_ros.errors import ConfigError, one_of

DISTORTION_MODELS = {"plumb_bob": (5,), "rational_polynomial": (8, 12, 14)}
"""ROS name of the model -> numbers of coefficients, in OpenCV's order: k1 k2 p1 p2 k3 [k4 k5 k6 [s1..s4 [tx ty]]]."""
FISHEYE = ("equidistant", "fisheye")
"""Kannala and Brandt's model, IEEE PAMI 28(8), 2006, with four coefficients of the angle: names in ROS and OpenCV."""
NAMES = (*DISTORTION_MODELS, FISHEYE[0])
MAX_FIT_ERROR_PX = 0.2
"""A fisheye lens that the rational model misses by more is refused [px]."""
_SAMPLES = 400
_ROUNDS = 30


def distortion_of(
    values: FloatArray, named: str | None, focal_px: float = 0.0, corner: float = 0.0
) -> tuple[FloatArray, str]:
    """Coefficients and the name of their model, a key of DISTORTION_MODELS.

    No coefficients at all are a lens without distortion; zeros behind the last one are left out or added. A fisheye
    lens becomes the rational model that fits it.

    Args:
        values: as given, shape (n,).
        named: the model as given; None or "" where it is to be told from the number.
        focal_px: of a fisheye lens [px].
        corner: distance of the image corner from the principal point, by the focal length: how far it has to fit.

    Raises:
        ConfigError: a number of coefficients that the model has not, a model that does not exist, or one that is left
            open.
    """
    values = np.asarray(values, dtype=np.float64).ravel()
    if named and named not in NAMES and named not in FISHEYE:
        raise ConfigError(one_of("distortion model", named[:80], NAMES))
    if values.size == 0:
        return np.zeros(5), "plumb_bob"
    if named in FISHEYE:
        if values.size != 4:
            raise ConfigError(f"{FISHEYE[0]} has 4 distortion coefficients, got {_listed(values)}")
        return _rational_of_fisheye(values, focal_px, corner), "rational_polynomial"
    if not named:
        named = _told_from_number(values)
    if named == "plumb_bob":
        if values.size == 4:
            values = np.append(values, 0.0)
        elif values.size > 5 and not values[5:].any():
            values = values[:5]
    elif 5 <= values.size < 8:
        values = np.append(values, np.zeros(8 - values.size))
    return values, named


def check_distortion(values: FloatArray, model: str) -> None:
    """Refuse coefficients that are not those of `model`.

    Raises:
        ConfigError: another number, or one that is not finite.
    """
    if model not in DISTORTION_MODELS:
        raise ConfigError(one_of("distortion model", model, DISTORTION_MODELS))
    counts = DISTORTION_MODELS[model]
    if values.ndim != 1 or values.size not in counts or not np.isfinite(values).all():
        many = " or ".join(map(str, counts))
        raise ConfigError(f"{model} has {many} distortion coefficients, got {_listed(values.ravel())}")


def _told_from_number(values: FloatArray) -> str:
    if values.size == 4 and values.any():
        raise ConfigError(
            "four distortion coefficients without a distortion_model may be a fisheye's: "
            "say distortion_model: plumb_bob, or give k3 = 0 as the fifth"
        )
    by_count = {n: name for name, counts in DISTORTION_MODELS.items() for n in counts} | {4: "plumb_bob"}
    if values.size not in by_count:
        raise ConfigError(f"{values.size} distortion coefficients: plumb_bob has 5, rational_polynomial 8, 12 or 14")
    return by_count[values.size]


def _rational_of_fisheye(k: FloatArray, focal_px: float, corner: float) -> FloatArray:
    """The rational model (8,) of a fisheye lens up to the corner of its image, by an iterated linear fit."""
    most = _angle_at(corner, k)
    theta = np.linspace(1e-3, most, _SAMPLES)
    radius = np.tan(theta)
    x, scale = radius**2, _distorted(theta, k) / radius
    powers = np.stack([x, x**2, x**3], axis=1)
    weight = np.ones_like(x)
    for _ in range(_ROUNDS):
        # scale * (1 + k4 x + k5 x^2 + k6 x^3) = 1 + k1 x + k2 x^2 + k3 x^3, in image distances
        rows = np.hstack([powers, -scale[:, None] * powers]) * (weight * radius)[:, None]
        size = np.linalg.norm(rows, axis=0)
        fit = np.linalg.lstsq(rows / size, (scale - 1.0) * weight * radius, rcond=None)[0] / size
        weight = 1.0 / np.abs(1.0 + powers @ fit[3:])
    error = focal_px * np.abs((1.0 + powers @ fit[:3]) / (1.0 + powers @ fit[3:]) - scale) * radius
    if not error.max() <= MAX_FIT_ERROR_PX:
        raise ConfigError(
            f"a fisheye lens of {2 * np.degrees(most):.0f} degrees is too wide: give rectified images (image_rect)"
        )
    return np.array([fit[0], fit[1], 0.0, 0.0, fit[2], fit[3], fit[4], fit[5]])


def _distorted(theta: FloatArray, k: FloatArray) -> FloatArray:
    square = theta**2
    distorted: FloatArray = theta * (1.0 + square * (k[0] + square * (k[1] + square * (k[2] + square * k[3]))))
    return distorted


def _angle_at(distance: float, k: FloatArray) -> float:
    """Angle from the axis that is seen at a `distance` from the principal point, in focal lengths [rad]."""
    angles = np.linspace(0.0, 0.49 * np.pi, 2000)
    seen = _distorted(angles, k)
    beyond = np.flatnonzero(seen >= distance)
    if (np.diff(seen[: beyond[0] + 1 if beyond.size else None]) <= 0).any():
        raise ConfigError(f"these are no coefficients of a fisheye lens: {k.tolist()}: two directions share a pixel")
    if not beyond.size:
        raise ConfigError("a fisheye lens that sees behind its camera: give rectified images (image_rect)")
    return float(angles[beyond[0]])


def _listed(values: FloatArray) -> str:
    return str(values[:8].tolist()) + (" and more" if values.size > 8 else "")
