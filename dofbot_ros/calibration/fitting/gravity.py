"""How hard gravity pulls at each joint, and to which side it takes up the gears' play."""

from __future__ import annotations

import numpy as np

from dofbot_ros.arm.kinematics import Kinematics
from dofbot_ros.core.types import N_ARM, FloatArray

MASSES_KG = (0.0852, 0.0852, 0.1605, 0.17)
"""Of upper arm, forearm, wrist, and hand with a block in it (docs/kinematics.md) [kg]."""
CENTRES_M = (0.055, 0.055, 0.04, 0.12)
"""Their centres of mass along each link from joints 2, 3, 4 and 4 [m]."""
TURNING = 0.05
"""Share of the full load at which most of the play has been taken up."""


def gravity_load(kinematics: Kinematics, q: FloatArray) -> FloatArray:
    """Torque of gravity on each joint as a share of that on joint 2 at full stretch, shape (v, 5), of `q` (v, 5) [rad].

    Positive where gravity bends the joint forward; none on joints 1 and 5, which turn about the vertical or an axis
    near the hand's own centre of mass.
    """
    angle = np.cumsum(q[:, 1:4], axis=1)
    lengths = np.array([kinematics.upper_arm, kinematics.forearm])
    sine = np.sin(angle)
    joint = np.concatenate([np.zeros((len(q), 1)), np.cumsum(lengths * sine[:, :2], axis=1)], axis=1)
    centre = joint[:, [0, 1, 2, 2]] + np.array(CENTRES_M) * sine[:, [0, 1, 2, 2]]
    load = np.zeros((len(q), N_ARM))
    for j in range(3):
        load[:, j + 1] = np.sum(np.array(MASSES_KG[j:]) * (centre[:, j:] - joint[:, [j]]), axis=1)
    reach = np.array([0.0, lengths[0], lengths.sum(), lengths.sum()])
    share: FloatArray = load / float(np.sum(np.array(MASSES_KG) * (reach + CENTRES_M)))
    return share


def gravity_side(load: FloatArray) -> FloatArray:
    """To which side gravity takes up the play of joints 2 to 4, -1 to 1, of `load` (v, 5) from gravity_load."""
    side: FloatArray = np.tanh(load / TURNING)
    return side
