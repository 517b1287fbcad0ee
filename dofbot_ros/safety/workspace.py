"""Where the arm may be: the distance from its bodies to the table, its own base and itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dofbot_ros.arm.gripper import CRANK, OPEN_TIP_DISTANCE
from dofbot_ros.arm.kinematics import Kinematics
from dofbot_ros.core.types import GRIP, FloatArray


@dataclass(frozen=True)
class WorkspaceConfig:
    """Bodies as capsules around the links, obstacles as a plane and a box, all in base_link [m].

    Attributes:
        table_z: height of the table.
        table_margin: what every body but the finger tips keeps from the table.
        tip_margin: what the finger tips keep from the table.
        base_lower, base_upper: box around base, controller board and fan; they sit behind joint 1.
        link_radius: of upper arm and forearm with their servos.
        wrist_radius: of the gripper's body, from joint 4 for `wrist_length` along the tool.
        finger_radius: of the closed or open pair of fingers, seen as one body.
        self_margin: what tool and upper arm, tool and base, forearm and base keep from each other.
    """

    table_z: float = 0.0
    table_margin: float = 0.004
    tip_margin: float = 0.001
    base_lower: tuple[float, float, float] = (-0.16, -0.06, -0.02)
    base_upper: tuple[float, float, float] = (0.055, 0.06, 0.09)
    link_radius: float = 0.026
    wrist_radius: float = 0.032
    wrist_length: float = 0.095
    finger_radius: float = 0.014
    self_margin: float = 0.003


NAMES = (
    "forearm above the table",
    "gripper above the table",
    "finger tips above the table",
    "forearm to the base",
    "gripper to the base",
    "fingers to the base",
    "gripper to the upper arm",
    "fingers to the upper arm",
)
"""What each clearance is, in the order of `Workspace.clearances`."""


class Workspace:
    """Clearances of joint vectors; negative means not allowed.

    Args:
        kinematics: lengths of the arm.
        config: bodies and obstacles.
    """

    def __init__(self, kinematics: Kinematics, config: WorkspaceConfig | None = None) -> None:
        self._kinematics = kinematics
        self.config = config or WorkspaceConfig()

    def clearances(self, q: FloatArray) -> FloatArray:
        """Distance left to each obstacle [m], shape (..., 8) for q (..., 6); see NAMES."""
        c = self.config
        q = np.asarray(q, dtype=np.float64)
        points = self._kinematics.link_points(q[..., :GRIP])
        j2, j3, j4, tool = (points[..., i, :] for i in range(4))
        axis = tool - j4
        axis = axis / np.linalg.norm(axis, axis=-1, keepdims=True)
        palm = j4 + c.wrist_length * axis
        tip = j4 + (OPEN_TIP_DISTANCE + CRANK * np.sin(q[..., GRIP]))[..., None] * axis

        table = c.table_z
        forearm_z = np.minimum(j3[..., 2], j4[..., 2]) - table - c.link_radius - c.table_margin
        palm_z = np.minimum(j4[..., 2], palm[..., 2]) - table - c.wrist_radius - c.table_margin
        tip_z = tip[..., 2] - table - c.tip_margin
        lower, upper = np.array(c.base_lower), np.array(c.base_upper)
        m = c.self_margin
        return np.stack(
            [
                forearm_z,
                palm_z,
                tip_z,
                _segment_to_box(j3, j4, lower, upper) - c.link_radius - m,
                _segment_to_box(j4, palm, lower, upper) - c.wrist_radius - m,
                _segment_to_box(palm, tip, lower, upper) - c.finger_radius - m,
                _segment_to_segment(j2, j3, 0.5 * (j4 + palm), palm) - c.link_radius - c.wrist_radius - m,
                _segment_to_segment(j2, j3, palm, tip) - c.link_radius - c.finger_radius - m,
            ],
            axis=-1,
        )

    def violation(self, q: FloatArray) -> str:
        """The worst offence of one joint vector (6,) in words, "" where it is allowed."""
        clearance = self.clearances(q)
        worst = int(np.argmin(clearance))
        return "" if clearance[worst] >= 0 else f"{NAMES[worst]}: {-1e3 * clearance[worst]:.1f} mm too near"

    def first_violation(self, path: FloatArray, start: FloatArray) -> tuple[int, str] | None:
        """The first forbidden joint vector of a path, as its index and the offence in words; None where there is none.

        An arm that stands in a forbidden place already may still move where no clearance that is negative shrinks.

        Args:
            path: shape (n, 6) [rad].
            start: where the path begins, shape (6,) [rad].
        """
        clearance = self.clearances(np.vstack([start, path]))
        allowed = ((clearance[1:] >= 0) | (clearance[1:] >= clearance[0] - 1e-9)).all(axis=-1)
        if allowed.all():
            return None
        first = int(np.argmin(allowed))
        return first, self.violation(path[first])


def _segment_to_box(a: FloatArray, b: FloatArray, lower: FloatArray, upper: FloatArray) -> FloatArray:
    """Distance from segments ab (..., 3) to a box, on nine points of the segment: 10 mm apart on these links."""
    s = np.linspace(0.0, 1.0, 9)[:, None]
    p = a[..., None, :] + s * (b - a)[..., None, :]
    outside = np.maximum(np.maximum(lower - p, p - upper), 0.0)
    distance: FloatArray = np.sqrt((outside**2).sum(axis=-1)).min(axis=-1)
    return distance


def _segment_to_segment(p1: FloatArray, q1: FloatArray, p2: FloatArray, q2: FloatArray) -> FloatArray:
    """Shortest distance of two segments (..., 3) (Ericson, Real-Time Collision Detection, 5.1.9)."""
    d1, d2, r = q1 - p1, q2 - p2, p1 - p2
    a, e, f = (d1 * d1).sum(-1), (d2 * d2).sum(-1), (d2 * r).sum(-1)
    c, b = (d1 * r).sum(-1), (d1 * d2).sum(-1)
    denominator = a * e - b * b
    s = np.where(
        denominator > 1e-12, np.clip((b * f - c * e) / np.where(denominator > 1e-12, denominator, 1.0), 0, 1), 0.0
    )
    t = (b * s + f) / e
    t_in = np.clip(t, 0.0, 1.0)
    s = np.where(t_in != t, np.clip((t_in * b - c) / a, 0.0, 1.0), s)
    gap = (p1 + s[..., None] * d1) - (p2 + t_in[..., None] * d2)
    distance: FloatArray = np.sqrt((gap * gap).sum(-1))
    return distance
