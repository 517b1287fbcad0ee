"""Joint bundle adjustment: the unknowns that explain all pictures best, with priors, and how sure each is.

The servos' own error (play, droop, rounding) moves all corners of one view together. It is carried to the pixels
through the arm's Jacobian, and the pixels of a view are whitened by the covariance that follows, so that a view's scale
and perspective count with the corners' precision and its place with the arm's (generalised least squares; Triggs et
al., Bundle Adjustment, 2000, section 3).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from dofbot_ros.calibration.fitting.parameters import ParameterSet
from dofbot_ros.calibration.observations import Observations
from dofbot_ros.calibration.scene import Scene
from dofbot_ros.core.types import N_ARM, FloatArray
from dofbot_ros.errors import CalibrationError, DependencyError

ROOT_EPS = float(np.finfo(float).eps) ** 0.5
"""Step of a difference quotient, in the unknown's own size where that is above 1."""
FEW_POINTS = 500
"""Of so many points all columns of a Jacobian are predicted at once, of more in parts: they fit a processor's cache."""
STEP_RAD = 1e-5
"""Of the joints, for the difference quotient of the pixels [rad]."""
OUTLIER = 3.0
"""Residuals beyond so many deviations count linearly (Huber, 1964)."""
ROUNDS = 3
"""Covariances follow from the last solution, and change little after the second."""


@dataclass(frozen=True)
class Noise:
    """Standard deviations of what is measured.

    Attributes:
        corner_px: of a corner's place along each axis [px].
        joint_rad: of a joint's angle against what its servo reads [rad].
    """

    corner_px: float
    joint_rad: float


@dataclass(frozen=True, eq=False)
class BundleResult:
    """A solution.

    Attributes:
        parameters: the unknowns.
        x: their values, shape (p,).
        sigma: their standard deviations, priors included, shape (p,).
        information: of the data alone, in units of the priors' deviations, shape (p, p).
        rms_px: root mean square distance of corners from where they were seen [px].
        whitened_rms: the same in deviations of a view's covariance; 1 where the noise is as it was assumed.
    """

    parameters: ParameterSet
    x: FloatArray
    sigma: FloatArray
    information: FloatArray
    rms_px: float
    whitened_rms: float

    def value(self, name: str) -> float:
        """One unknown's value."""
        return self.parameters.value(self.x, name)

    def sigma_of(self, name: str) -> float:
        """One unknown's standard deviation."""
        return self.parameters.value(self.sigma, name)


def solve(scene: Scene, seen: Observations, noise: Noise, start: FloatArray | None = None) -> BundleResult:
    """Fit all unknowns of `scene` to what was seen.

    Args:
        scene: the unknowns and their priors.
        seen: the measurements.
        noise: of the corners and the servos.
        start: where to begin, shape (p,); by default at the priors' means.

    Raises:
        CalibrationError: nothing was seen, or no finite solution was found.
        DependencyError: SciPy is not installed.
    """
    try:
        from scipy.optimize import least_squares
    except ImportError as error:
        raise DependencyError("scipy", "sim", "calibration") from error
    if not len(seen.pixels):
        raise CalibrationError("no corner was seen: nothing to calibrate from")
    prior, sigma = scene.parameters.nominal, scene.parameters.sigma
    x = prior.copy() if start is None else start.copy()
    count = seen.pixels.size

    def residuals(scaled: FloatArray, whiten: Whitening) -> FloatArray:
        error = scene.predict(prior + sigma * scaled, seen) - seen.pixels
        return np.concatenate([whiten(error), scaled])

    def slopes(scaled: FloatArray, whiten: Whitening) -> FloatArray:
        """Of the residuals by the unknowns: SciPy's forward difference quotients, all from one prediction."""
        step = ROOT_EPS * np.where(scaled >= 0.0, 1.0, -1.0) * np.maximum(1.0, np.abs(scaled))
        moved = scaled + np.diag(step)
        unknowns = prior + sigma * np.vstack([scaled, moved])
        parts = np.array_split(unknowns, 1 + len(seen.points) // FEW_POINTS)
        errors = whiten(np.concatenate([scene.predict(part, seen) for part in parts]) - seen.pixels)
        J = (errors[1:] - errors[0]) / (moved.diagonal() - scaled)[:, None]
        slope: FloatArray = np.hstack([J, np.eye(len(scaled))]).T
        return slope

    def loss(squares: FloatArray) -> FloatArray:
        """Huber on the pixels, none on the priors: value, first and second derivative."""
        rho: FloatArray = np.stack([squares, np.ones_like(squares), np.zeros_like(squares)])
        far = np.flatnonzero(squares[:count] > OUTLIER**2)
        root = np.sqrt(squares[far])
        rho[:, far] = 2 * OUTLIER * root - OUTLIER**2, OUTLIER / root, -0.5 * OUTLIER / root**3
        return rho

    whiten = Whitening(scene, x, seen, noise)
    for round_ in range(ROUNDS):
        # Far from the solution everything looks like an outlier: the first round takes all at their word.
        done = least_squares(
            residuals,
            (x - prior) / sigma,
            jac=slopes,
            loss=loss if round_ else "linear",
            args=(whiten,),
            x_scale="jac",
            max_nfev=40,
            xtol=1e-6,
            ftol=1e-6,
        )
        if not np.all(np.isfinite(done.x)):
            raise CalibrationError("the fit found no finite solution: are the servo angles those of these pictures?")
        x = prior + sigma * done.x
        whiten = Whitening(scene, x, seen, noise)
    J = np.asarray(done.jac)[:count]
    information: FloatArray = J.T @ J
    covariance = np.linalg.inv(information + np.eye(len(x)))
    off = scene.predict(x, seen) - seen.pixels
    return BundleResult(
        scene.parameters,
        x,
        sigma * np.sqrt(np.diag(covariance)),
        information,
        float(np.sqrt(np.mean(np.sum(off**2, axis=1)))),
        float(np.sqrt(np.mean(whiten(off) ** 2))),
    )


class Whitening:
    """Scales pixel errors by the inverse square root of each view's covariance.

    Args:
        scene, x: where the arm's Jacobian is taken.
        seen: the measurements.
        noise: of the corners and the servos.
    """

    def __init__(self, scene: Scene, x: FloatArray, seen: Observations, noise: Noise) -> None:
        steps = STEP_RAD * np.eye(N_ARM)
        slopes = [(scene.predict(x, seen, s) - scene.predict(x, seen, -s)) / (2 * STEP_RAD) for s in steps]
        jacobian = np.stack(slopes, axis=-1)
        bounds = np.searchsorted(seen.view, np.arange(len(seen.read) + 1))
        self._parts = []
        for first, last in pairwise(bounds.tolist()):
            if last > first:
                J = jacobian[first:last].reshape(-1, N_ARM)
                covariance = noise.corner_px**2 * np.eye(len(J)) + noise.joint_rad**2 * J @ J.T
                self._parts.append((first, last, np.linalg.inv(np.linalg.cholesky(covariance))))

    def __call__(self, error: FloatArray) -> FloatArray:
        """Errors (..., n, 2) [px] as independent numbers of unit deviation, shape (..., 2n)."""
        columns = error.reshape(*error.shape[:-2], -1, 1)
        return np.concatenate([(w @ columns[..., 2 * a : 2 * b, :])[..., 0] for a, b, w in self._parts], axis=-1)
