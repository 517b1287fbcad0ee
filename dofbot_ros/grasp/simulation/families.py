"""Families of objects, each drawn from a generator; training, validation and held-out families share no shape."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np

from dofbot_ros.core.types import FloatArray
from dofbot_ros.errors import UsageError, one_of
from dofbot_ros.grasp.simulation.irregular import branch, kite, lobes, ramp, shard, steps, wye
from dofbot_ros.grasp.simulation.object_files import read_folder
from dofbot_ros.grasp.simulation.shapes import (
    Box,
    Capsule,
    Cylinder,
    Part,
    Prism,
    Shape,
    Solid,
    height_of,
    polygon,
    standing,
)

KIT_EDGE = 0.030
KIT = "kit"


def _block(x: float, y: float, z: float) -> tuple[Box, float]:
    return Box((x, y, z)), z


def cube(rng: np.random.Generator) -> Shape:  # noqa: ARG001
    """The kit's cube: 30 mm."""
    return standing("cube", (*_block(KIT_EDGE, KIT_EDGE, KIT_EDGE), 0.0, 0.0, 0.0))


def kit(rng: np.random.Generator) -> Shape:  # noqa: ARG001
    """The kit's cube with its markers: for planners that read them."""
    return standing(KIT, (*_block(KIT_EDGE, KIT_EDGE, KIT_EDGE), 0.0, 0.0, 0.0))


def box(rng: np.random.Generator) -> Shape:
    """15 to 38 mm by 15 to 60 mm, 18 to 42 mm high."""
    return standing("box", (*_block(rng.uniform(0.015, 0.038), rng.uniform(0.015, 0.060), height_of(rng)), 0, 0, 0))


def cylinder(rng: np.random.Generator) -> Shape:
    """Standing, 18 to 40 mm across."""
    h = height_of(rng)
    return standing("cylinder", (Cylinder(rng.uniform(0.009, 0.020), h), h, 0, 0, 0))


def hexagon(rng: np.random.Generator) -> Shape:
    """A regular six-sided prism, standing, 18 to 38 mm from side to side."""
    return _regular("hexagon", 6, rng.uniform(0.018, 0.038), height_of(rng))


def ell(rng: np.random.Generator) -> Shape:
    """Two bars of different length that form an L."""
    h, w = height_of(rng), rng.uniform(0.012, 0.022)
    a, b = rng.uniform(0.032, 0.055, size=2)
    return standing(
        "ell", (*_block(a, w, h), 0.5 * a, 0.5 * w, 0.0), (*_block(w, b - w, h), 0.5 * w, w + 0.5 * (b - w), 0.0)
    )


def cross(rng: np.random.Generator) -> Shape:
    """Two bars that form a plus."""
    h, w = height_of(rng), rng.uniform(0.012, 0.020)
    a, b = rng.uniform(0.036, 0.056, size=2)
    side = 0.5 * (b - w)
    return standing(
        "cross",
        (*_block(a, w, h), 0.0, 0.0, 0.0),
        (*_block(w, side, h), 0.0, 0.5 * (w + side), 0.0),
        (*_block(w, side, h), 0.0, -0.5 * (w + side), 0.0),
    )


def zed(rng: np.random.Generator) -> Shape:
    """A bar with an arm to the left on one end and to the right on the other."""
    h, w, b = height_of(rng), rng.uniform(0.012, 0.020), rng.uniform(0.036, 0.055)
    left, right = rng.uniform(0.010, 0.020, size=2)
    return standing(
        "zed",
        (*_block(w, b, h), 0.0, 0.0, 0.0),
        (*_block(left, w, h), -0.5 * (w + left), 0.5 * (b - w), 0.0),
        (*_block(right, w, h), 0.5 * (w + right), -0.5 * (b - w), 0.0),
    )


def channel(rng: np.random.Generator) -> Shape:
    """A bar with an arm on each end, to the same side: a U."""
    h, w, a = height_of(rng), rng.uniform(0.010, 0.014), rng.uniform(0.032, 0.040)
    left, right = rng.uniform(0.010, 0.028, size=2)
    return standing(
        "channel",
        (*_block(a, w, h), 0.0, 0.0, 0.0),
        (*_block(w, left, h), -0.5 * (a - w), 0.5 * (w + left), 0.0),
        (*_block(w, right, h), 0.5 * (a - w), 0.5 * (w + right), 0.0),
    )


def trapezium(rng: np.random.Generator) -> Shape:
    """A four-sided prism with one pair of parallel sides, standing, 18 to 36 mm between these."""
    d, a = 0.5 * rng.uniform(0.018, 0.036), 0.5 * rng.uniform(0.026, 0.046)
    b, lean = a * rng.uniform(0.45, 0.85), rng.uniform(-0.006, 0.006)
    h = height_of(rng)
    return standing("trapezium", (Prism(((-a, -d), (a, -d), (lean + b, d), (lean - b, d)), h), h, 0.0, 0.0, 0.0))


def oval(rng: np.random.Generator) -> Shape:
    """A prism with an elliptic outline, standing, 16 to 34 mm by 28 to 55 mm."""
    stretch = np.array([rng.uniform(0.014, 0.0275), rng.uniform(0.008, 0.017)])
    h = height_of(rng)
    return standing("oval", (Prism(_pairs(stretch * polygon(24, 1.0)), h), h, 0.0, 0.0, 0.0))


def capsule(rng: np.random.Generator) -> Shape:
    """Lying, 18 to 32 mm thick."""
    r, length = rng.uniform(0.009, 0.016), rng.uniform(0.015, 0.035)
    return Shape("capsule", (Part(Capsule(r, length), (0.0, 0.0, r), (0.0, 0.5 * math.pi, 0.0)),))


def pentagon(rng: np.random.Generator) -> Shape:
    """A regular five-sided prism, standing."""
    return _regular("pentagon", 5, rng.uniform(0.020, 0.036), height_of(rng))


def chevron(rng: np.random.Generator) -> Shape:
    """Two equal bars, 12 to 18 mm wide, that meet at 100 to 150 degrees."""
    h, w, length = height_of(rng), rng.uniform(0.012, 0.018), rng.uniform(0.022, 0.032)
    slope = 0.5 * rng.uniform(math.radians(100), math.radians(150))
    x, y, up = length * math.sin(slope), length * math.cos(slope), w / math.sin(slope)
    wings = (((0.0, 0.0), (x, -y), (x, up - y), (0.0, up)), ((0.0, 0.0), (0.0, up), (-x, up - y), (-x, -y)))
    return standing("chevron", *((Prism(wing, h), h, 0.0, 0.0, 0.0) for wing in wings))


def half_disc(rng: np.random.Generator) -> Shape:
    """Half a cylinder, standing, 18 to 28 mm from its flat to its round side."""
    radius, h = rng.uniform(0.018, 0.028), height_of(rng)
    angle = np.linspace(0.0, math.pi, 15)
    arc = radius * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    return standing("half_disc", (Prism(_pairs(arc), h), h, 0.0, 0.0, 0.0))


def tee(rng: np.random.Generator) -> Shape:
    """Two bars that form a T."""
    h, w = height_of(rng), rng.uniform(0.012, 0.020)
    a, b = rng.uniform(0.036, 0.056, size=2)
    return standing("tee", (*_block(a, w, h), 0.0, 0.0, 0.0), (*_block(w, b - w, h), 0.0, 0.5 * b, 0.0))


def triangle(rng: np.random.Generator) -> Shape:
    """A three-sided prism with equal sides, standing, 22 to 36 mm high in its outline."""
    return _regular("triangle", 3, rng.uniform(0.022, 0.036), height_of(rng))


def compound(rng: np.random.Generator) -> Shape:
    """A bar with a cylinder or a six-sided prism on one end, of another height."""
    w, a, r = rng.uniform(0.012, 0.022), rng.uniform(0.026, 0.040), rng.uniform(0.011, 0.016)
    low, high = height_of(rng), height_of(rng)
    head: Solid = Cylinder(r, high) if rng.random() < 0.5 else Prism(_outline(6, r), high)
    return standing("compound", (*_block(a, w, low), 0.0, 0.0, 0.0), (head, high, 0.5 * a, 0.0, 0.0))


Family = Callable[[np.random.Generator], Shape]

SPLITS: dict[str, dict[str, Family]] = {
    "train": {
        "cube": cube,
        "box": box,
        "cylinder": cylinder,
        "hexagon": hexagon,
        "trapezium": trapezium,
        "oval": oval,
        "ell": ell,
        "cross": cross,
        "zed": zed,
        "channel": channel,
        "shard": shard,
        "ramp": ramp,
        "branch": branch,
        "steps": steps,
        "lobes": lobes,
    },
    "validation": {
        "capsule": capsule,
        "pentagon": pentagon,
        "half_disc": half_disc,
        "chevron": chevron,
        "kite": kite,
        "wye": wye,
    },
    "heldout": {"tee": tee, "triangle": triangle, "compound": compound},
}
"""The split: a family is in one of the three only, so that no shape that is judged has been learnt from."""

FAMILIES: dict[str, Family] = {KIT: kit, **{name: make for split in SPLITS.values() for name, make in split.items()}}
"""All of them; the marked cube has the shape of `cube` and is in no split."""


def families_of(names: str) -> dict[str, Family]:
    """Families of a split, of a comma-separated list of family names, or one for each file of a folder.

    Raises:
        InputError: no such split, family or folder.
    """
    if names in SPLITS:
        return SPLITS[names]
    if Path(names).is_dir():
        return {name: _always(shape) for name, shape in read_folder(Path(names)).shapes.items()}
    chosen = {}
    for name in (part.strip() for part in names.split(",")):
        if name not in FAMILIES:
            raise UsageError(one_of("split, family or folder", name, [*SPLITS, *FAMILIES]))
        chosen[name] = FAMILIES[name]
    return chosen


def _always(shape: Shape) -> Family:
    return lambda rng: shape  # noqa: ARG005


def _outline(corners: int, radius: float) -> tuple[tuple[float, float], ...]:
    return _pairs(polygon(corners, radius))


def _pairs(points: FloatArray) -> tuple[tuple[float, float], ...]:
    return tuple((float(x), float(y)) for x, y in points)


def _regular(family: str, corners: int, width: float, height: float) -> Shape:
    """A regular prism whose outline is `width` wide from a side to the side or corner opposite it [m]."""
    apothem = math.cos(math.pi / corners)
    radius = width / (2.0 * apothem if corners % 2 == 0 else 1.0 + apothem)
    return standing(family, (Prism(_outline(corners, radius), height), height, 0.0, 0.0, 0.0))
