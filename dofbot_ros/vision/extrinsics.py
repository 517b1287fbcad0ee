"""Where a camera is: the pose of its optical frame in another frame, and its file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np

from dofbot_ros.config.loader import load_yaml, save_yaml
from dofbot_ros.config.ranges import Checked, Range
from dofbot_ros.core.transforms import matrix_from_quat, quat_from_matrix, transform
from dofbot_ros.core.types import FloatArray


@dataclass(frozen=True)
class Extrinsics(Checked):
    """Pose of `frame` in `parent`.

    Attributes:
        parent: base_link for a fixed camera, link4 for the wrist camera.
        frame: the camera's optical frame: z forward, x right, y down.
        translation: x, y, z of its origin in `parent` [m].
        rotation: unit quaternion x, y, z, w.
    """

    parent: str
    frame: str
    translation: Annotated[tuple[float, float, float], Range()]
    rotation: Annotated[tuple[float, float, float, float], Range()]

    def problems(self) -> Iterator[str]:
        """See Checked.problems."""
        length = float(np.linalg.norm(self.rotation))
        if abs(length - 1.0) > 1e-3:
            yield f"rotation is a unit quaternion x, y, z, w; this one has length {length:.4g}"

    @property
    def matrix(self) -> FloatArray:
        """T_parent_frame, shape (4, 4) [m]."""
        return transform(matrix_from_quat(self.rotation), self.translation)


def extrinsics_of(matrix: FloatArray, parent: str, frame: str) -> Extrinsics:
    """The same pose as numbers to write down; `matrix` is T_parent_frame, shape (4, 4) [m]."""
    x, y, z = (float(v) for v in matrix[:3, 3])
    qx, qy, qz, qw = (float(v) for v in quat_from_matrix(matrix[:3, :3]))
    return Extrinsics(parent, frame, (x, y, z), (qx, qy, qz, qw))


def load_extrinsics(path: str | Path) -> Extrinsics:
    """Read what save_extrinsics wrote.

    Raises:
        ConfigError: the file cannot be used, and where.
    """
    return load_yaml(Extrinsics, path)


def save_extrinsics(extrinsics: Extrinsics, path: str | Path) -> None:
    """Write a YAML file that load_extrinsics reads."""
    save_yaml(extrinsics, path)
