"""How gravity pulls joints 2 to 4, from the masses of the URDF."""

from __future__ import annotations

import numpy as np

from dofbot_ros.arm.kinematics import Kinematics
from dofbot_ros.core.types import N_JOINTS, FloatArray

LINK_KG, LINK_CENTRE_M = 0.0852, 0.055
"""Mass of upper arm and forearm, and its centre's distance from the joint before it."""
HAND_KG, HAND_CENTRE_M = 0.3006, 0.0795
"""The same of everything from joint 4 on, with nothing between the fingers."""


class Gravity:
    """Torques by gravity, as shares of the greatest: that on joint 2 with the arm stretched out level.

    Args:
        kinematics: lengths of the arm.
    """

    def __init__(self, kinematics: Kinematics) -> None:
        # Kilograms times metres along upper arm, forearm and hand: what each adds at a level angle.
        self._moments = np.array(
            [
                LINK_KG * LINK_CENTRE_M + (LINK_KG + HAND_KG) * kinematics.upper_arm,
                LINK_KG * LINK_CENTRE_M + HAND_KG * kinematics.forearm,
                HAND_KG * HAND_CENTRE_M,
            ]
        )
        self._greatest = self._moments.sum()

    def shares(self, q: FloatArray) -> FloatArray:
        """Share of the greatest torque on each joint, positive towards greater angles, (6,); 0 but for joints 2 to 4.

        Args:
            q: joint angles [rad], (5,) or (6,).
        """
        level = self._moments * np.sin(q[1:4].cumsum())
        shares = np.zeros(N_JOINTS)
        shares[1:4] = level[::-1].cumsum()[::-1] / self._greatest
        return shares
