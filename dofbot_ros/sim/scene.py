"""Random placements of blocks on the table, drawn from a generator."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np

from dofbot_ros.core.transforms import rot_z, transform
from dofbot_ros.core.types import FloatArray
from dofbot_ros.errors import ConfigError
from dofbot_ros.sim.config import SceneConfig

ATTEMPTS = 2000
"""Places that are drawn before those found so far are thrown away: they may leave no room for the rest."""

ROUNDS = 20
"""How often that is done before the blocks are taken not to fit at all."""


def sample_poses(rng: np.random.Generator, sizes: list[float], scene: SceneConfig) -> list[FloatArray]:
    """Poses of cubes that stand flat on the table and apart from each other.

    Args:
        rng: where the randomness comes from.
        sizes: edge of each cube [m].
        scene: the sector and the spacing.

    Returns:
        A pose in the world frame for each cube, shape (4, 4).

    Raises:
        ConfigError: so many blocks do not fit.
    """
    for _ in range(ROUNDS):
        centres = _spread(rng, len(sizes), scene)
        if len(centres) == len(sizes):
            break
    if len(centres) < len(sizes):
        raise ConfigError(
            f"{len(sizes)} blocks {scene.spacing} m apart do not fit between radius {scene.radius[0]} and "
            f"{scene.radius[1]} m: take fewer blocks or a smaller scene spacing"
        )
    return [
        transform(rot_z(rng.uniform(-np.pi, np.pi)) @ FACE_UP[rng.integers(len(FACE_UP))], (*centre, 0.5 * size))
        for centre, size in zip(centres, sizes, strict=True)
    ]


def _spread(rng: np.random.Generator, count: int, scene: SceneConfig) -> list[FloatArray]:
    """Up to `count` places (2,) in the sector, each apart from those before it [m]."""
    centres: list[FloatArray] = []
    for _ in range(ATTEMPTS):
        if len(centres) == count:
            break
        # The square of the radius is uniform: every spot of the sector is as likely as any other.
        radius = np.sqrt(rng.uniform(scene.radius[0] ** 2, scene.radius[1] ** 2))
        azimuth = rng.uniform(-scene.azimuth, scene.azimuth)
        centre = radius * np.array([np.cos(azimuth), np.sin(azimuth)])
        if all(np.linalg.norm(centre - other) >= scene.spacing for other in centres):
            centres.append(centre)
    return centres


def _cube_rotations() -> FloatArray:
    """The 24 rotations that carry a cube onto itself, shape (24, 3, 3)."""
    signed = [
        np.diag(signs) @ np.eye(3)[list(order)]
        for order in permutations(range(3))
        for signs in product((1.0, -1.0), repeat=3)
    ]
    return np.array([matrix for matrix in signed if np.linalg.det(matrix) > 0])


FACE_UP = _cube_rotations()
"""The 24 ways a cube can lie, shape (24, 3, 3)."""
