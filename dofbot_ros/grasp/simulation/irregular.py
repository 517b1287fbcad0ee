"""Irregular objects: random polygons, branching bars, steps and lobes, none of them a triangle or a T.

They teach what makes a grasp hold and what does not: sides that are not parallel, corners that a finger slides off,
junctions that keep a finger out, a centre of mass far from the fingers.
"""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np

from dofbot_ros.core.types import FloatArray
from dofbot_ros.grasp.simulation.shapes import Box, Cylinder, Prism, Shape, Solid, height_of, standing

MOST_TRIANGLE = 0.75
"""A polygon whose largest triangle of corners covers more of it than this counts as a triangle."""


def shard(rng: np.random.Generator) -> Shape:
    """A convex prism with four to seven corners anywhere, 16 to 36 mm at its narrowest, up to 60 mm long."""
    while True:
        corners = int(rng.integers(4, 8))
        angle = np.sort(rng.uniform(0.0, 2.0 * math.pi, corners))
        outline = np.stack([np.cos(angle), rng.uniform(0.45, 1.0) * np.sin(angle)], axis=-1)
        narrow, wide = _widths(outline)
        if narrow < 0.2 or _triangle_share(outline) > MOST_TRIANGLE:
            continue
        scale = rng.uniform(0.016, 0.036) / narrow
        if scale * wide <= 0.060:
            return _prism("shard", scale * outline, height_of(rng))


def ramp(rng: np.random.Generator) -> Shape:
    """A four-sided prism with two right angles and one slanting side, 18 to 36 mm deep."""
    depth, long = rng.uniform(0.018, 0.036), rng.uniform(0.024, 0.050)
    short = long * rng.uniform(0.35, 0.80)
    return _prism("ramp", np.array([(0.0, 0.0), (long, 0.0), (short, depth), (0.0, depth)]), height_of(rng))


def kite(rng: np.random.Generator) -> Shape:
    """A four-sided prism, pointed at both ends, 18 to 34 mm wide."""
    half, long = 0.5 * rng.uniform(0.018, 0.034), rng.uniform(0.022, 0.040)
    short = long * rng.uniform(0.35, 1.0)
    return _prism("kite", np.array([(long, 0.0), (0.0, half), (-short, 0.0), (0.0, -half)]), height_of(rng))


def branch(rng: np.random.Generator) -> Shape:
    """A bar with one to three arms that leave it anywhere, to either side, at 50 to 130 degrees: F, H, h, y, E."""
    length, width, h = rng.uniform(0.040, 0.060), rng.uniform(0.010, 0.018), height_of(rng)
    arms = []
    for at in rng.permutation([-0.5, 0.0, 0.5])[: rng.integers(1, 4)] + rng.uniform(-0.12, 0.12):
        turn = rng.choice([-1.0, 1.0]) * rng.uniform(math.radians(50), math.radians(130))
        arms.append((float(np.clip(at, -0.5, 0.5)) * length, turn))
    if len(arms) == 1 and abs(arms[0][0]) < 0.3 * length:
        arms[0] = (math.copysign(0.4 * length, arms[0][0]), arms[0][1])  # one arm at the middle would make a T
    bars = [_bar(-0.5 * length, 0.0, length, width, h)]
    for at, turn in arms:
        bars.append(_bar(at, turn, 0.5 * width + rng.uniform(0.010, 0.030), rng.uniform(0.010, 0.018), h))
    return standing("branch", *bars)


def wye(rng: np.random.Generator) -> Shape:
    """Three arms from one point, no two of them in one line: a Y or an arrow."""
    while True:
        angle = np.sort(rng.uniform(0.0, 2.0 * math.pi, 3))
        gaps = np.diff([*angle, angle[0] + 2.0 * math.pi])
        if gaps.min() > math.radians(50) and np.abs(gaps - math.pi).min() > math.radians(25):
            break
    width, h = rng.uniform(0.010, 0.016), height_of(rng)
    return standing("wye", *(_bar(0.0, float(a), rng.uniform(0.020, 0.034), width, h) for a in angle))


def steps(rng: np.random.Generator) -> Shape:
    """Two or three boxes in a row, each of its own width and height and flush with the last, or further to one side."""
    parts, x, y, last = [], 0.0, 0.0, 0.0
    for number in range(int(rng.integers(2, 4))):
        length, width, h = rng.uniform(0.010, 0.024), rng.uniform(0.012, 0.034), height_of(rng)
        if number:
            # Never in the middle of the last one: that would make a T.
            y += rng.choice([-1.0, 1.0]) * (0.5 * abs(width - last) + rng.uniform(0.0, 0.008))
        parts.append((Box((length, width, h)), h, x + 0.5 * length, y, 0.0))
        x, last = x + length, width
    return standing("steps", *parts)


def lobes(rng: np.random.Generator) -> Shape:
    """Two or three cylinders of different width and height that run into each other."""
    radius = rng.uniform(0.009, 0.016, size=int(rng.integers(2, 4)))
    at, turn, parts = np.zeros(2), rng.uniform(-math.pi, math.pi), []
    for number, r in enumerate(radius):
        if number:
            turn += rng.uniform(-1.8, 1.8)
            reach = rng.uniform(0.6, 0.95) * (r + radius[number - 1])
            at = at + reach * np.array([math.cos(turn), math.sin(turn)])
        h = height_of(rng)
        parts.append((Cylinder(float(r), h), h, float(at[0]), float(at[1]), 0.0))
    return standing("lobes", *parts)


def _bar(x: float, turn: float, length: float, width: float, h: float) -> tuple[Solid, float, float, float, float]:
    """A bar from x, 0 in the direction `turn` [rad]."""
    out = 0.5 * length
    return Box((length, width, h)), h, x + out * math.cos(turn), out * math.sin(turn), turn


def _prism(family: str, outline: FloatArray, h: float) -> Shape:
    """A standing prism about the middle of its corners."""
    corners = outline - outline.mean(axis=0)
    return standing(family, (Prism(tuple((float(x), float(y)) for x, y in corners), h), h, 0.0, 0.0, 0.0))


def _widths(outline: FloatArray) -> tuple[float, float]:
    """The least distance of two parallel lines that hold a convex polygon (n, 2) between them, and its diameter."""
    side = np.roll(outline, -1, axis=0) - outline
    normal = np.stack([-side[:, 1], side[:, 0]], axis=-1) / np.linalg.norm(side, axis=1, keepdims=True)
    across = outline @ normal.T
    diameter = np.linalg.norm(outline[:, None] - outline[None], axis=-1).max()
    return float(np.ptp(across, axis=0).min()), float(diameter)


def _triangle_share(outline: FloatArray) -> float:
    """Part of a convex polygon (n, 2) that its largest triangle of corners covers."""
    return max(_area(outline[list(three)]) for three in combinations(range(len(outline)), 3)) / _area(outline)


def _area(outline: FloatArray) -> float:
    """Of a polygon (n, 2), counter-clockwise."""
    x, y = outline.T
    return 0.5 * float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y))
