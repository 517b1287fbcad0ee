"""Chooses the arm poses of a calibration: reachable, clear of table and base, and together the most informative."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from dofbot_ros.arm.robot import Robot
from dofbot_ros.calibration.fitting.bundle import BundleResult, Noise, Whitening
from dofbot_ros.calibration.observations import Observations
from dofbot_ros.calibration.scene import Scene
from dofbot_ros.calibration.targets.block_in_hand import blank, visible_faces
from dofbot_ros.core.types import N_ARM, BoolArray, FloatArray
from dofbot_ros.errors import CalibrationError
from dofbot_ros.safety.workspace import Workspace

MARGIN_M = 0.02
"""Kept from table and base beyond the workspace's own margins: the arm is not calibrated yet, and holds a block [m]."""
STEP = 1e-4
"""Of the unknowns in units of their priors' deviations, for difference quotients."""
DRAW = 3000
"""Joint vectors drawn at a time."""
MOST_DRAWS = 40
UPRIGHT = np.zeros((1, N_ARM)), np.zeros((1, 3), dtype=bool)
"""One view of the sheet alone: joint angles and visible faces."""
PATH_STEP = 0.05
"""No joint moves further between two checked points of a way [rad]."""


@dataclass(frozen=True, eq=False)
class PosePlan:
    """Poses in the order in which the arm visits them.

    Attributes:
        q: joint angles, shape (n, 5) [rad].
        visible: which faces of the block each should show, shape (n, 3).
        information: of all of them and of what was known before, in units of the priors' deviations, shape (p, p).
    """

    q: FloatArray
    visible: BoolArray
    information: FloatArray


@dataclass(frozen=True, eq=False)
class Rig:
    """What the planner knows: the believed arm, camera and block.

    Attributes:
        robot: lengths and limits.
        scene: from block_scene.
        size: of the picture [px].
        marker: edge of the block's markers [m].
        grip: the gripper's joint angle while it holds the block [rad].
        noise: of corners and servos.
        sheet_pictures: how many pictures of the sheet are taken while the arm stands upright.
    """

    robot: Robot
    scene: Scene
    size: tuple[int, int]
    marker: float
    grip: float
    noise: Noise
    sheet_pictures: int = 6


def plan(
    rig: Rig, count: int, rng: np.random.Generator, so_far: BundleResult | None = None, candidates: int = 250
) -> PosePlan:
    """Choose `count` of `candidates` random poses, one after the other, each the most informative beside those before.

    The measure is the determinant of the information with the priors (D-optimality; Fedorov, 1972).

    Args:
        rig: what is believed.
        count: how many poses.
        rng: draws the candidates.
        so_far: a first calibration: poses are chosen where it puts the arm, for what it does not tell.
        candidates: how many poses there are to choose from.

    Raises:
        CalibrationError: too few poses show the block to the camera.
    """
    x = rig.scene.parameters.nominal if so_far is None else so_far.x
    q, visible = _candidates(rig, x, candidates, rng)
    if len(q) < count:
        raise CalibrationError(f"only {len(q)} poses show the block to the camera, {count} are wanted: is it in view?")
    blocks = _jacobians(rig, x, blank(rig.robot.kinematics, q, visible, rig.marker, ()))
    if so_far is None:
        table = blank(rig.robot.kinematics, *UPRIGHT, rig.marker, (0,))
        sheet = np.sqrt(rig.sheet_pictures) * _jacobians(rig, x, table)[0]
        known: FloatArray = sheet.T @ sheet
    else:
        known = so_far.information
    covariance = np.linalg.inv(np.eye(len(x)) + known)
    chosen: list[int] = []
    left = list(range(len(q)))
    for _ in range(count):
        gains = [np.linalg.slogdet(np.eye(len(blocks[i])) + blocks[i] @ covariance @ blocks[i].T)[1] for i in left]
        best = left.pop(int(np.argmax(gains)))
        J = blocks[best]
        gain = covariance @ J.T @ np.linalg.inv(np.eye(len(J)) + J @ covariance @ J.T)
        covariance = covariance - gain @ J @ covariance
        chosen.append(best)
    order = _visit(rig, q[chosen])
    chosen = [chosen[i] for i in order]
    information = np.sum([blocks[i].T @ blocks[i] for i in chosen], axis=0) + known
    return PosePlan(q[chosen], visible[chosen], information)


def _candidates(rig: Rig, x: FloatArray, count: int, rng: np.random.Generator) -> tuple[FloatArray, BoolArray]:
    workspace = Workspace(rig.robot.kinematics)
    lower, upper = rig.robot.lower[:N_ARM] + 0.1, rig.robot.upper[:N_ARM] - 0.1
    believed = rig.scene.arm(x)
    found, shown = [np.zeros((0, N_ARM))], [np.zeros((0, 3), dtype=bool)]
    for _ in range(MOST_DRAWS):
        q = rng.uniform(lower, upper, (DRAW, N_ARM))
        none = np.zeros_like(q)
        visible = visible_faces(rig.scene, x, believed.joints(q, none, none), rig.size)
        keep = visible.any(axis=1)
        q, visible = q[keep], visible[keep]
        if len(q):
            full = np.column_stack([q, np.full(len(q), rig.grip)])
            clear = workspace.clearances(full).min(axis=1) >= MARGIN_M
            found.append(q[clear])
            shown.append(visible[clear])
        if sum(map(len, found)) >= count:
            break
    return np.concatenate(found)[:count], np.concatenate(shown)[:count]


def _jacobians(rig: Rig, x: FloatArray, seen: Observations) -> list[FloatArray]:
    """Whitened derivative of each view's pixels by the unknowns in units of their deviations."""
    scene = rig.scene
    sigma = scene.parameters.sigma
    whiten = Whitening(scene, x, seen, rig.noise)
    steps = STEP * np.diag(sigma)
    J = ((whiten(scene.predict(x + steps, seen)) - whiten(scene.predict(x - steps, seen))) / (2 * STEP)).T
    ends = 2 * np.searchsorted(seen.view, np.arange(len(seen.read) + 1))
    return [J[a:b] for a, b in pairwise(ends.tolist())]


def _visit(rig: Rig, q: FloatArray) -> list[int]:
    """An order of visits from upright: always to the nearest pose that a straight joint motion reaches."""
    workspace = Workspace(rig.robot.kinematics)
    here, left, order = np.zeros(N_ARM), list(range(len(q))), []
    while left:
        near = sorted(left, key=lambda i: float(np.max(np.abs(q[i] - here))))
        free = next((i for i in near if _free(workspace, here, q[i], rig.grip)), None)
        if free is None:
            break
        order.append(free)
        left.remove(free)
        here = q[free]
    return order


def way_from_upright(rig: Rig, visited: Sequence[FloatArray], goal: FloatArray) -> list[FloatArray]:
    """Joint angles (5,) [rad] to pass on the way from upright to `goal`, `goal` last.

    Straight where that is clear; otherwise by the latest of the poses that a plan visits before `goal` from which on
    its ways are known to be clear.
    """
    workspace = Workspace(rig.robot.kinematics)
    passed = [*visited, goal]
    for i in range(len(passed) - 1, 0, -1):
        if _free(workspace, np.zeros(N_ARM), passed[i], rig.grip):
            return passed[i:]
    return passed


def _free(workspace: Workspace, start: FloatArray, end: FloatArray, grip: float) -> bool:
    steps = max(2, int(np.ceil(np.max(np.abs(end - start)) / PATH_STEP)) + 1)
    path = start + np.linspace(0.0, 1.0, steps)[:, None] * (end - start)
    clearance = workspace.clearances(np.column_stack([path, np.full(steps, grip)]))
    return bool(clearance.min() >= 0.5 * MARGIN_M)
