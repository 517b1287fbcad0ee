"""The workspace against what the URDF draws: random poses that it allows, near the table and near the base."""

from __future__ import annotations

import time
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from dofbot_ros.arm.kinematics import Kinematics
from dofbot_ros.arm.model import ArmModel, forward_chain, load_model
from dofbot_ros.arm.shapes import Shape, link_shapes
from dofbot_ros.core.types import FloatArray
from dofbot_ros.errors import InputError
from dofbot_ros.safety.workspace import Workspace, WorkspaceConfig

NEAR_M = 0.03
"""Near the table is a pose whose lowest point is this near to it, above or below; near the base is one with a point in
the box around base and link 1, widened by as much [m]."""

BASE = ((-0.20, -0.06, 0.0), (0.06, 0.06, 0.13))
"""That box, by two corners in base_link [m]."""

DRAW = 8000
FIXED = ("base_link", "link1")

Drawn = dict[str, FloatArray]
"""Link -> points in base_link, shape (n, k, 3) [m]."""


@dataclass(frozen=True)
class Found:
    """Poses of one kind: how many were judged, how many of them allowed, how many of these wrongly.

    Attributes:
        lowest_m: lowest point of any allowed one above the table [m].
    """

    judged: int
    allowed: int
    violations: int
    lowest_m: float


def measure(poses: int = 100_000, seed: int = 0, config: WorkspaceConfig | None = None) -> dict[str, Any]:
    """Judge poses drawn evenly within the joint limits until `poses` near table and base each are allowed.

    The truth is forward kinematics of the corners of all visual and collision elements, mimic joints included.

    Args:
        poses: how many of each kind must be allowed.
        seed: of the poses.
        config: margins and base of the workspace that judges; its default.

    Returns:
        poses: allowed near the table; allowed_share: of those judged there; lowest_mm: lowest point of any of them
        above the table; violations: with a part below the table. base_poses, base_allowed_share, base_violations: the
        same near the base, a violation being a part inside base or link 1. governor_us, batch_us: time that a pose
        takes in the six of a control cycle, and in a thousand at once.

    Raises:
        InputError: no poses.
    """
    if poses < 1:
        raise InputError(f"poses must be at least 1, got {poses}")
    model = load_model()
    workspace = Workspace(Kinematics.from_model(model), config)
    rng = np.random.default_rng(seed)
    table = _search(model, workspace, rng, poses, table=True)
    base = _search(model, workspace, rng, poses, table=False)
    return {
        "poses": table.allowed,
        "allowed_share": table.allowed / table.judged,
        "lowest_mm": 1e3 * table.lowest_m,
        "violations": table.violations,
        "base_poses": base.allowed,
        "base_allowed_share": base.allowed / base.judged,
        "base_violations": base.violations,
        "governor_us": _time_us(workspace, model, rng, 6),
        "batch_us": _time_us(workspace, model, rng, 1000),
    }


def _search(model: ArmModel, workspace: Workspace, rng: np.random.Generator, poses: int, *, table: bool) -> Found:
    shapes = {link: found for link in model.links if (found := link_shapes(model, link))}
    moving = {link: _points(found, corners_only=table) for link, found in shapes.items() if link not in FIXED}
    if not table:
        moving.pop("link2")  # the upper arm turns on link 1
    judged = allowed = violations = 0
    lowest_m = np.inf
    while allowed < poses:
        q = rng.uniform(model.lower, model.upper, (DRAW, len(model.lower)))
        # Where the tool and joint 4 are tells cheaply that a pose is of no interest; the fingers reach 6 cm beyond.
        height = workspace.kinematics.link_points(q[:, :5])[:, 2:, 2].min(axis=1)
        q = q[height < 0.06 + NEAR_M + (0.0 if table else BASE[1][2])]
        drawn = place(model, moving, q)
        lowest = np.min([points[..., 2].min(axis=1) for points in drawn.values()], axis=0)
        near = np.abs(lowest) < NEAR_M if table else _near_base(drawn)
        fine = workspace.clearances(q).min(axis=1) >= 0.0
        ends = np.flatnonzero(np.cumsum(near & fine) == poses - allowed)
        kept = near & (np.arange(len(q)) <= (ends[0] if len(ends) else len(q)))
        judged += int(kept.sum())
        kept &= fine
        allowed += int(kept.sum())
        lowest_m = min(lowest_m, float(lowest[kept].min(initial=np.inf)))
        wrong = lowest[kept] < 0.0 if table else _inside(model, shapes, q[kept], {k: v[kept] for k, v in drawn.items()})
        violations += int(wrong.sum())
    return Found(judged, allowed, violations, lowest_m)


def place(model: ArmModel, points: dict[str, FloatArray], q: FloatArray) -> Drawn:
    """Points of links, each (k, 3) [m] in its link, in base_link, of joint vectors (n, 6) [rad]."""
    drawn: Drawn = {}
    for link, local in points.items():
        pose = forward_chain(model, q, link)
        drawn[link] = local @ np.swapaxes(pose[..., :3, :3], -1, -2) + pose[..., None, :3, 3]
    return drawn


def _points(shapes: tuple[Shape, ...], *, corners_only: bool) -> FloatArray:
    """Corners of all shapes; for the base, of boxes the middles of their edges, faces and bodies too."""
    points = [shape.corners() for shape in shapes]
    if not corners_only:
        points += [np.array([0.5 * (a + b) for a, b in combinations(c, 2)]) for c in points if len(c) == 8]
    return np.unique(np.vstack(points).round(9), axis=0)


def _near_base(drawn: Drawn) -> Any:
    lower, upper = (np.array(corner) for corner in BASE)
    near = [((p > lower - NEAR_M) & (p < upper + NEAR_M)).all(axis=-1).any(axis=1) for p in drawn.values()]
    return np.any(near, axis=0)


def _inside(model: ArmModel, shapes: dict[str, tuple[Shape, ...]], q: FloatArray, drawn: Drawn) -> Any:
    """Which poses have a point of a link beyond the upper arm inside a shape of base or link 1."""
    inside = np.zeros(len(q), dtype=bool)
    for link in FIXED:
        pose = forward_chain(model, q, link)
        for points in drawn.values():
            rows, columns = np.nonzero(points[..., 2] < BASE[1][2])
            at = points[rows, columns] - pose[rows, :3, 3]
            local = np.einsum("mi,mij->mj", at, pose[rows, :3, :3])
            for shape in shapes[link]:
                inside[rows[shape.holds(local)]] = True
    return inside


def _time_us(workspace: Workspace, model: ArmModel, rng: np.random.Generator, count: int) -> float:
    """Median time of one pose among `count` [us], between joint angles as they occur at work."""
    q = rng.uniform([-1.0, 0.2, 0.4, 0.4, -1.5, 0.0], [1.0, 0.9, 1.2, 1.4, model.upper[4], 1.57], (count, 6))
    elapsed = []
    for _ in range(100):
        start = time.perf_counter()
        workspace.clearances(q)
        elapsed.append(time.perf_counter() - start)
    return 1e6 * float(np.median(elapsed)) / count
