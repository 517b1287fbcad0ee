"""Whether the poses tell the unknowns apart: a motion that leaves one of them open is refused, by its name."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dofbot_ros.calibration.parameters import ParameterSet
from dofbot_ros.core.types import FloatArray
from dofbot_ros.errors import CalibrationError

LEAST_GAIN = 1.0
"""Least eigenvalue of the information in units of the priors': 1 halves the variance of what is known least."""


def weakest(parameters: ParameterSet, information: FloatArray, wanted: Sequence[str]) -> tuple[str, float]:
    """The wanted unknown that the data say least about, and the smallest eigenvalue of the information about them.

    The other unknowns are marginalised with their priors (Schur complement).

    Args:
        parameters: all unknowns.
        information: of the data, in units of the priors' deviations, shape (p, p).
        wanted: names of those that have to be found.

    Returns:
        Name, and eigenvalue: 0 where the data say nothing, 1 where they say as much as the prior.
    """
    index = parameters.slice(wanted)
    covariance = np.linalg.inv(information + np.eye(len(information)))[np.ix_(index, index)]
    values, vectors = np.linalg.eigh(covariance)
    name = wanted[int(np.argmax(np.abs(vectors[:, -1])))]
    return name, max(0.0, float(1.0 / values[-1] - 1.0))


def check(parameters: ParameterSet, information: FloatArray, wanted: Sequence[str]) -> float:
    """The smallest eigenvalue of `weakest`.

    Raises:
        CalibrationError: it is below LEAST_GAIN; names the unknown.
    """
    name, gain = weakest(parameters, information, wanted)
    if gain < LEAST_GAIN:
        raise CalibrationError(
            f"{name} is not observable from these poses (smallest eigenvalue {gain:.2g}, least {LEAST_GAIN:g}): "
            "vary all joints, joint 5 too, and tilt the hand to both sides of upright"
        )
    return gain
