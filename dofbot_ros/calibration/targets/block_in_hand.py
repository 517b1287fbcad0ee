"""A fixed camera that sees a marker block in the fingers and a sheet on the table: unknowns and visibility."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from dofbot_ros.arm.kinematics import Kinematics
from dofbot_ros.calibration.fitting.chain import ArmGeometry, tool_poses
from dofbot_ros.calibration.fitting.gravity import gravity_load, gravity_side
from dofbot_ros.calibration.observations import Observations
from dofbot_ros.calibration.priors import ArmSigma, UnknownPose
from dofbot_ros.calibration.scene import Scene
from dofbot_ros.core.transforms import transform
from dofbot_ros.core.types import BoolArray, FloatArray
from dofbot_ros.vision.markers.block_layout import Block, square_corners
from dofbot_ros.vision.markers.sheet import BASE_FRONT_M, SHEET

FACES = ("+z", "+x", "-x")
"""Faces of a block that the fingers, which hold +y and -y, and the palm at -z leave free."""
SHEET_TARGET = len(FACES)
"""Index of the sheet among the targets."""

FACE_SIGMA = np.array([0.002, 0.001, 0.002, np.radians(1.2), np.radians(3.0), np.radians(1.2)])
"""Of a marker in the hand, along and about tool_link's axes: flush to the fingers, tilted between them [m, rad]."""
SHEET_SIGMA = np.array([0.0007, 0.0007, 0.0005, np.radians(0.4), np.radians(0.4), np.radians(0.2)])
"""Of a sheet that was pushed against the base plate, its middle on that of the plate [m, rad].

The plate stands tilted on the table, by as much as a degree: the sheet lies as the table does.
"""
CAMERA_SIGMA = np.array([0.005, 0.005, 0.005, np.radians(0.7), np.radians(0.7), np.radians(0.7)])
"""Of a fixed camera whose place was measured by hand [m, rad]."""
PRINT_SIGMA = 0.001
"""Relative, of a sheet whose ruler was checked: 0.25 mm of 250."""
LABEL_SIGMA = 0.03
"""Relative, of a block's label, which nobody has measured; the sheet gives the scale."""

STEEPEST = np.cos(np.radians(62.0))
"""Least cosine between a face's normal and the direction to the camera at which its marker is read."""
RIM_PX = 25.0
"""Markers nearer to the picture's rim are not counted on [px]."""
CLEAR_M = 0.035
"""Least distance of the arm's links from the line between a marker and the camera [m]."""


def block_scene(
    arm: ArmGeometry,
    sigma: ArmSigma,
    lens: Mapping[str, tuple[float, float]],
    T_base_camera: FloatArray,
    block: Block,
    *,
    camera_sigma: FloatArray = CAMERA_SIGMA,
) -> Scene:
    """All unknowns: arm, lens, camera, three faces of the block in the hand, sheet on the table.

    Args:
        arm: as believed.
        sigma: how well that is known.
        lens: value and deviation of each of scene.CAMERA.
        T_base_camera: the camera as believed, shape (4, 4) [m].
        block: the one in the fingers, its middle at tool_link.
        camera_sigma: how well the camera's pose is known along and about base_link's axes, shape (6,) [m, rad].
    """
    faces = [
        UnknownPose(f"face{face}", "tool_link", block.marker_frame(face), FACE_SIGMA, LABEL_SIGMA) for face in FACES
    ]
    sheet = UnknownPose("sheet", "base_link", transform(translation=(BASE_FRONT_M, 0.0, 0.0)), SHEET_SIGMA, PRINT_SIGMA)
    mount = UnknownPose("camera", "base_link", T_base_camera, camera_sigma)
    return Scene(arm, sigma, lens, mount, [*faces, sheet])


def blank(
    kinematics: Kinematics, read: FloatArray, visible: BoolArray, marker: float, sheets: Sequence[int]
) -> Observations:
    """Which points are looked for in which view, without pixels.

    Args:
        kinematics: the believed arm, for gravity.
        read: joint angles of the views, shape (v, 5) [rad].
        visible: which of FACES each shows, shape (v, 3).
        marker: edge of the block's markers [m].
        sheets: views in which the sheet is looked at as well.
    """
    sheet = np.concatenate(list(SHEET.corners().values()))
    square = square_corners(marker)
    view, target, points = [], [], []
    for v in range(len(read)):
        for face in np.flatnonzero(visible[v]):
            view.append(np.full(4, v))
            target.append(np.full(4, face))
            points.append(square)
        if v in sheets:
            view.append(np.full(len(sheet), v))
            target.append(np.full(len(sheet), SHEET_TARGET))
            points.append(sheet)
    load = gravity_load(kinematics, read)
    n = sum(len(p) for p in points)
    return Observations(
        read,
        np.concatenate([np.zeros(0, int), *view]),
        np.concatenate([np.zeros(0, int), *target]),
        np.concatenate([np.zeros((0, 3)), *points]),
        np.zeros((n, 2)),
        gravity_side(load),
        load,
    )


def visible_faces(scene: Scene, x: FloatArray, q: FloatArray, size: tuple[int, int]) -> BoolArray:
    """Which of FACES the camera reads at each joint vector, shape (v, 3).

    Args:
        scene: from block_scene.
        x: its unknowns, shape (p,).
        q: true joint angles, shape (v, 5) [rad].
        size: width and height of the picture [px].
    """
    arm, camera = scene.arm(x), scene.pose(x, scene.mount)
    tool = tool_poses(arm, q)
    eye = camera[:3, 3]
    visible = np.zeros((len(q), len(FACES)), dtype=bool)
    square = np.concatenate([square_corners(0.022), np.zeros((1, 3))])
    for i, target in enumerate(scene.targets[: len(FACES)]):
        face = tool @ scene.pose(x, target)
        corners = np.einsum("vij,nj->vni", face[:, :3, :3], square) + face[:, None, :3, 3]
        to_eye = eye - face[:, :3, 3]
        distance = np.linalg.norm(to_eye, axis=1)
        facing = np.einsum("vi,vi->v", face[:, :3, 2], to_eye) / distance >= STEEPEST
        seen = scene.project(x, corners.reshape(-1, 3)).reshape(len(q), -1, 2)
        inside = np.all((seen > RIM_PX) & (seen < np.array(size) - RIM_PX), axis=(1, 2))
        visible[:, i] = facing & inside & (distance > 0.12) & _clear(arm, q, tool, face[:, :3, 3], eye)
    return visible


def _clear(arm: ArmGeometry, q: FloatArray, tool: FloatArray, face: FloatArray, eye: FloatArray) -> BoolArray:
    """Whether no link comes near the line from a face to the camera, shape (v,)."""
    a, b = q[:, 1], q[:, 1] + q[:, 2]
    outward = np.column_stack([np.cos(q[:, 0]), np.sin(q[:, 0])])
    j2 = np.tile([0.0, 0.0, arm.base_height], (len(q), 1))
    j3, j4 = j2.copy(), j2.copy()
    j3[:, :2] = arm.upper_arm * np.sin(a)[:, None] * outward
    j3[:, 2] += arm.upper_arm * np.cos(a)
    j4[:, :2] = j3[:, :2] + arm.forearm * np.sin(b)[:, None] * outward
    j4[:, 2] = j3[:, 2] + arm.forearm * np.cos(b)
    palm = tool[:, :3, 3] - 0.07 * tool[:, :3, 2]
    along = np.linspace(0.0, 1.0, 6)
    links = [p[:, None] + along[:, None] * (e - p)[:, None] for p, e in ((j2, j3), (j3, j4), (j4, palm))]
    points = np.concatenate(links, axis=1)
    line = eye - face
    share = np.clip(np.einsum("vni,vi->vn", points - face[:, None], line) / np.sum(line**2, axis=1)[:, None], 0.0, 1.0)
    nearest = face[:, None] + share[..., None] * line[:, None]
    clear: BoolArray = np.all(np.linalg.norm(points - nearest, axis=-1) > CLEAR_M, axis=1)
    return clear
