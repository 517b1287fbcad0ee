"""Samples of a wrist camera that looks at square tags on the table: servo degrees and corners, from a CSV file."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dofbot_ros.calibration.fitting.chain import ArmGeometry, link4_poses
from dofbot_ros.calibration.observations import IndexArray, Observations
from dofbot_ros.calibration.priors import ArmSigma, UnknownPose
from dofbot_ros.calibration.scene import Scene
from dofbot_ros.core.transforms import rot_z, transform
from dofbot_ros.core.types import N_ARM, FloatArray
from dofbot_ros.errors import ConfigError
from dofbot_ros.vision.intrinsics import Intrinsics
from dofbot_ros.vision.markers.block_layout import square_corners
from dofbot_ros.vision.markers.marker_pose import marker_pose

COLUMNS = (
    "group",
    *(f"servo{i + 1}_deg" for i in range(N_ARM)),
    *(f"{axis}{i}" for i in range(4) for axis in "uv"),
)
"""Of the file: place of the tag, degrees that the servos read (90 is straight), corners [px] counter-clockwise."""

TAG_M = 0.020
"""Edge of the tag [m]."""
CUBE_M = 0.030
"""The tag lies on a cube of this height [m]."""
FOCAL_PX = 950.0
"""Where the search for the focal length begins [px]."""

TAG_SIGMA = np.array([0.05, 0.05, 0.003, np.radians(2.0), np.radians(2.0), 0.5])
"""Of a tag's place and tilt: anywhere, but flat on a cube [m, rad]."""
MOUNT_SIGMA = np.array([0.03, 0.03, 0.03, 0.1, 0.1, 0.1])
"""Of the wrist camera on link4 against the drawing [m, rad]."""
LENS_PRIOR: Mapping[str, tuple[float, float]] = {
    "focal_x": (FOCAL_PX, 300.0),
    "focal_y": (FOCAL_PX, 300.0),
    "centre_x": (319.5, 20.0),
    "centre_y": (239.5, 20.0),
    "k1": (0.0, 0.3),
    "k2": (0.0, 1e-3),
}


@dataclass(frozen=True, eq=False)
class HandEyeSamples:
    """What the arm read and the camera saw.

    Attributes:
        group: which place the tag lay in, numbered from 0, shape (v,).
        servo_deg: what the servos read, 90 is straight, shape (v, 5) [deg].
        corners: of the tag, clockwise from its top left, shape (v, 4, 2) [px].
    """

    group: IndexArray
    servo_deg: FloatArray
    corners: FloatArray

    def joints(self, servo1_sign: int = 1) -> FloatArray:
        """Joint angles (v, 5) [rad] by the nominal mapping: joints 2 to 4 bend forward where degrees fall.

        Args:
            servo1_sign: +1 where servo 1's degrees rise counter-clockwise seen from above, -1 where clockwise.
        """
        angles: FloatArray = np.radians((self.servo_deg - 90.0) * [servo1_sign, -1, -1, -1, 1])
        return angles

    def observations(self, servo1_sign: int = 1) -> Observations:
        """The same as measurements for a bundle adjustment; target i is the tag in group i."""
        views = len(self.group)
        return Observations(
            self.joints(servo1_sign),
            np.repeat(np.arange(views), 4),
            np.repeat(self.group, 4),
            np.tile(square_corners(TAG_M), (views, 1)),
            self.corners.reshape(-1, 2),
        )


def load_samples(path: str | Path) -> HandEyeSamples:
    """Read the samples.

    Raises:
        ConfigError: no such file, other columns, a field that is no number, corners that a mirror would show.
    """
    where = str(path)
    try:
        with Path(path).open(encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(f"cannot be read: {error}", where) from error
    if not rows or tuple(rows[0]) != COLUMNS:
        raise ConfigError(f"expected the columns {', '.join(COLUMNS)}", where)
    try:
        values = np.array([[float(field) for field in row] for row in rows[1:]]).reshape(-1, len(COLUMNS))
    except ValueError as error:
        raise ConfigError(f"each row needs {len(COLUMNS)} numbers: {error}", where) from error
    if len(values) < 3 or not np.all(np.isfinite(values)):
        raise ConfigError(f"needs at least 3 rows of finite numbers, got {len(values)}", where)
    corners = values[:, 1 + N_ARM :].reshape(-1, 4, 2)[:, ::-1]
    mirrored = np.flatnonzero(_signed_areas(corners) <= 0)
    if len(mirrored):
        raise ConfigError(f"row {mirrored[0] + 2}: corners must go counter-clockwise in the picture", where)
    group = np.unique(values[:, 0], return_inverse=True)[1]
    return HandEyeSamples(np.asarray(group), values[:, 1 : 1 + N_ARM], corners)


def eye_in_hand_scene(
    samples: HandEyeSamples, seen: Observations, arm: ArmGeometry, T_link4_camera: FloatArray, sigma: ArmSigma
) -> Scene:
    """The unknowns of a wrist camera that looks at tags on cubes.

    Args:
        samples: for a first idea of where the tags lie.
        seen: the same as measurements.
        arm: nominal geometry.
        T_link4_camera: where the drawing puts the camera, shape (4, 4) [m].
        sigma: how well the arm is known.
    """
    K = np.array([[FOCAL_PX, 0.0, 319.5], [0.0, FOCAL_PX, 239.5], [0.0, 0.0, 1.0]])
    cameras = link4_poses(arm, seen.read) @ T_link4_camera
    lens = Intrinsics(640, 480, K)
    found = []
    for camera, corners in zip(cameras, samples.corners, strict=True):
        pose = marker_pose(corners, TAG_M, lens)
        both = camera @ pose.T_camera_marker, camera @ pose.T_camera_marker_other
        found.append(max(both, key=lambda T: float(T[2, 2])))
    poses = np.array(found)
    targets = []
    for i in range(int(samples.group.max()) + 1):
        mine = poses[samples.group == i]
        yaw = float(np.arctan2(mine[:, 1, 0].sum(), mine[:, 0, 0].sum()))
        x, y = np.median(mine[:, :2, 3], axis=0)
        targets.append(UnknownPose(f"tag{i}", "base_link", transform(rot_z(yaw), (x, y, CUBE_M)), TAG_SIGMA))
    mount = UnknownPose("camera", "link4", T_link4_camera, MOUNT_SIGMA)
    return Scene(arm, sigma, LENS_PRIOR, mount, targets)


def _signed_areas(corners: FloatArray) -> FloatArray:
    """Areas of polygons (n, 4, 2) [px^2], positive where they go clockwise in a picture (its y points down)."""
    after = np.roll(corners, -1, axis=1)
    areas: FloatArray = 0.5 * np.sum(corners[..., 0] * after[..., 1] - corners[..., 1] * after[..., 0], axis=1)
    return areas
