"""Named poses of the arm: a YAML file of joint angles that a person has given names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from dofbot_ros.config.loader import load_yaml, save_yaml
from dofbot_ros.config.ranges import Checked
from dofbot_ros.core.types import N_ARM, FloatArray
from dofbot_ros.errors import InputError, one_of


@dataclass(frozen=True)
class NamedPoses(Checked):
    """Poses by name.

    Attributes:
        poses: name -> angles of joint1 to joint5 [rad].
    """

    poses: dict[str, list[float]] = field(default_factory=dict)

    def problems(self) -> Iterator[str]:
        """See Checked.problems."""
        for name, angles in self.poses.items():
            if len(angles) != N_ARM:
                yield f"pose {name!r} has {len(angles)} angles, and needs {N_ARM}"

    def find(self, name: str) -> list[float]:
        """The angles [rad] of a pose.

        Raises:
            InputError: there is no such pose; with the name that is nearest.
        """
        if name not in self.poses:
            raise InputError(one_of("pose", name, self.poses) if self.poses else f"no pose {name!r}: none is saved yet")
        return self.poses[name]

    def with_pose(self, name: str, angles: FloatArray) -> NamedPoses:
        """These, and one more or another of that name: angles (5,) [rad], kept to a ten-thousandth."""
        return NamedPoses({**self.poses, name: [round(float(angle), 4) for angle in angles]})


def load_poses(file: Path) -> NamedPoses:
    """The poses of a file; none where there is no file.

    Raises:
        ConfigError: it is no file of poses.
    """
    path = file.expanduser()
    return load_yaml(NamedPoses, path) if path.exists() else NamedPoses()


def save_poses(poses: NamedPoses, file: Path) -> None:
    """Write the poses to a file, whose folder is made."""
    path = file.expanduser()
    path.parent.mkdir(parents=True, exist_ok=True)
    save_yaml(poses, path)
