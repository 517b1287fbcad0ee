"""Whether the poses tell the unknowns apart: a motion that leaves one of them open is refused, by its name."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from dofbot_ros.calibration.fitting.parameters import ParameterSet
from dofbot_ros.core.types import FloatArray
from dofbot_ros.errors import CalibrationError


def weakest(parameters: ParameterSet, information: FloatArray, needed: Mapping[str, float]) -> tuple[str, float]:
    """The unknown that is known least, and the smallest eigenvalue of the information about those that are needed.

    The other unknowns are marginalised with their priors (Schur complement).

    Args:
        parameters: all unknowns.
        information: of the data, in units of the priors' deviations, shape (p, p).
        needed: name of each unknown that has to be found -> the standard deviation that will do.

    Returns:
        The name with the greatest part in the weakest direction, and the eigenvalue in units of 1 / needed^2: below 1
        some combination of the unknowns is known less well than is needed.
    """
    index = parameters.slice(list(needed))
    scale = parameters.sigma[index] / np.array(list(needed.values()))
    covariance = np.linalg.inv(information + np.eye(len(information)))[np.ix_(index, index)]
    values, vectors = np.linalg.eigh(covariance * np.outer(scale, scale))
    return list(needed)[int(np.argmax(np.abs(vectors[:, -1])))], float(1.0 / values[-1])


def check(parameters: ParameterSet, information: FloatArray, needed: Mapping[str, float]) -> float:
    """The smallest eigenvalue of `weakest`.

    Raises:
        CalibrationError: it is below 1; names the unknown.
    """
    name, least = weakest(parameters, information, needed)
    if least < 1.0:
        raise CalibrationError(
            f"{name} is not observable from these poses (smallest eigenvalue of the information {least:.2g}, needs 1): "
            "vary all joints, joint 5 too, and tilt the hand to both sides of upright"
        )
    return least
