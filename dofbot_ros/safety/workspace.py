"""Where the arm may be: the distance from its bodies to the table, its own base and itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dofbot_ros.arm.kinematics import Kinematics
from dofbot_ros.core.types import FloatArray
from dofbot_ros.safety.bodies import BODIES, dofbot_bodies, features
from dofbot_ros.safety.separation import Base, Box


@dataclass(frozen=True)
class WorkspaceConfig:
    """The table, the space of the base, and the margins kept from them; all in base_link [m].

    Attributes:
        table_z: height of the table.
        table_margin: what every body but the fingers keeps from the table.
        tip_margin: what the fingers keep from the table.
        base: boxes around what does not move: base plate; servo 1, controller board and its cables.
        self_margin: what the bodies keep from the base and from link 1.
    """

    table_z: float = 0.0
    table_margin: float = 0.004
    tip_margin: float = 0.001
    base: tuple[Box, ...] = (
        Box((-0.20, -0.06, -0.02), (0.06, 0.06, 0.004)),
        Box((-0.20, -0.06, -0.02), (0.04, 0.06, 0.09)),
    )
    self_margin: float = 0.003


NAMES = (
    *(f"{body} too near the table" for body in BODIES),
    *(f"{body} too near the base" for body in BODIES[1:]),
)
"""What is wrong where a clearance is negative, in the order of `Workspace.clearances`."""

CHUNK = 1024
"""Joint vectors that are judged at once: bounds the memory of long paths, and fits a processor's cache."""


class Workspace:
    """Clearances of joint vectors; negative means not allowed.

    Within the joint limits no other parts of the arm can touch each other: neither hand nor wrist camera reaches upper
    arm or forearm.

    Args:
        kinematics: lengths of the arm and its base height.
        config: obstacles and margins.
    """

    def __init__(self, kinematics: Kinematics, config: WorkspaceConfig | None = None) -> None:
        self.kinematics = kinematics
        self.config = c = config or WorkspaceConfig()
        self._bodies = dofbot_bodies(kinematics.finger_across, kinematics.finger_along)
        self._base = Base(kinematics, c.base)
        fingers = [body.endswith("finger") for body in BODIES]
        margins = np.where(fingers, c.tip_margin, c.table_margin) + c.table_z
        self._margins = np.concatenate([margins, np.full(len(NAMES) - len(BODIES), c.self_margin)])

    def clearances(self, q: FloatArray) -> FloatArray:
        """Distance left to each obstacle [m], shape (..., len(NAMES)) for q (..., 6) [rad]; see NAMES.

        Those to the table are exact. Those to the base never exceed the true ones, and are no more than a lower bound
        where they exceed separation.FAR.
        """
        q = np.asarray(q, dtype=np.float64)
        rows = q.reshape(-1, q.shape[-1])
        parts = [self._clearances(rows[i : i + CHUNK]) for i in range(0, max(1, len(rows)), CHUNK)]
        found = parts[0] if len(parts) == 1 else np.concatenate(parts)
        return found.reshape(*q.shape[:-1], len(NAMES))

    def _clearances(self, q: FloatArray) -> FloatArray:
        f = features(self.kinematics, q)
        heights = self._bodies.lowest(f[:, 2])
        base = self._base.distances(self._bodies, q[:, 0], f, heights)
        clearances: FloatArray = np.concatenate([heights, base]).T - self._margins
        return clearances

    def violation(self, q: FloatArray) -> str:
        """The worst offence of one joint vector (6,) in words, "" where it is allowed."""
        clearance = self.clearances(q)
        worst = int(np.argmin(clearance))
        return "" if clearance[worst] >= 0 else f"{NAMES[worst]}: by {-1e3 * clearance[worst]:.1f} mm"

    def first_violation(self, path: FloatArray, start: FloatArray) -> tuple[int, str] | None:
        """The first forbidden joint vector of a path, as its index and the offence in words; None where there is none.

        An arm that stands in a forbidden place already may still move where no clearance that is negative shrinks.

        Args:
            path: shape (n, 6) [rad].
            start: where the path begins, shape (6,) [rad].
        """
        clearance = self.clearances(np.concatenate([start[None], path]))
        allowed = ((clearance[1:] >= 0) | (clearance[1:] >= clearance[0] - 1e-9)).all(axis=-1)
        if allowed.all():
            return None
        first = int(np.argmin(allowed))
        return first, self.violation(path[first])
