"""Capsules that stand for what a URDF draws a link with."""

from __future__ import annotations

import math
from xml.etree import ElementTree

import numpy as np

from dofbot_ros.arm.model import ArmModel
from dofbot_ros.arm.shapes import Shape, link_shapes
from dofbot_ros.core.types import FloatArray

SPACING = 1.2
"""Of the capsules that fill a box, in radii: their outlines then leave no gap of more than 20 % of the radius."""
MOST = 8
"""Capsules for a box; a thinner one is drawn somewhat thicker."""


def link_capsules(model: ArmModel, link: str) -> tuple[FloatArray, FloatArray]:
    """A link's collision elements, or its visual ones where it has none of those.

    Args:
        model: read from a URDF.
        link: of its links.

    Returns:
        Ends in the link's frame (k, 2, 3) and radii (k,) [m].

    Raises:
        ConfigError: a shape is no box, cylinder, sphere or capsule.
    """
    element = ElementTree.fromstring(model.urdf).find(f"link[@name='{link}']")
    tag = "collision" if element is not None and element.find("collision") is not None else "visual"
    ends: list[FloatArray] = []
    radii: list[float] = []
    for shape in link_shapes(model, link, (tag,)):
        local, radius = _capsules(shape)
        ends.append(local @ shape.pose[:3, :3].T + shape.pose[:3, 3])
        radii += [radius] * len(local)
    return np.concatenate(ends) if ends else np.zeros((0, 2, 3)), np.array(radii)


def _capsules(shape: Shape) -> tuple[FloatArray, float]:
    """Ends in the shape's frame (k, 2, 3) and their radius [m]; a cylinder wider than long counts as a sphere."""
    if shape.kind == "box":
        return _fill_box(shape.size)
    radius = float(shape.size[0])
    half = max(0.0, float(shape.size[2]) - radius)
    return np.array([[[0.0, 0.0, -half], [0.0, 0.0, half]]]), radius


def _fill_box(size: FloatArray) -> tuple[FloatArray, float]:
    """Parallel capsules along the longest edge of a box of half lengths (3,), side by side over the middle one."""
    thin, middle, long = (int(i) for i in np.argsort(size, kind="stable"))
    radius = max(float(size[thin]), float(size[middle]) / MOST)
    reach, half = float(size[middle]) - radius, max(0.0, float(size[long]) - radius)
    count = min(MOST, 1 + math.ceil(2.0 * reach / (SPACING * radius)))
    ends = np.zeros((count, 2, 3))
    ends[:, :, middle] = np.linspace(-reach, reach, count)[:, None] if count > 1 else 0.0
    ends[:, 0, long], ends[:, 1, long] = -half, half
    return ends, radius
