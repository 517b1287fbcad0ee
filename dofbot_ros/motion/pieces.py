"""Polynomials between the knots of a trajectory: cubic where positions and velocities are given, else quintic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dofbot_ros.core.types import FloatArray

Chosen: TypeAlias = slice | NDArray[np.signedinteger[Any]]
"""Which pieces."""
QUINTIC_SAMPLES = 65
"""Moments at which a quintic piece is looked at: between them it differs from its extremes by a few percent at most."""
_VANISHES = 1e-300
"""A smaller denominator stands for 0: quotients by it are of no motion, and too large for a number."""


@dataclass(frozen=True)
class Pieces:
    """n pieces, each a polynomial of u, which runs from 0 to 1 along the piece.

    Attributes:
        lengths: [s] shape (n, 1).
        coefficients: of u^0 to u^5, [rad] shape (6, n, joints).
        quintic: whether the last two coefficients are used.
    """

    lengths: FloatArray
    coefficients: FloatArray
    quintic: bool

    @classmethod
    def cubic(cls, t: FloatArray, q: FloatArray, v: FloatArray) -> Pieces:
        """Hermite pieces through knots at t (n + 1,) [s]; positions [rad] and velocities [rad/s] (n + 1, joints)."""
        h = np.diff(t)[:, None]
        q0, q1, m0, m1 = q[:-1], q[1:], h * v[:-1], h * v[1:]
        nothing = np.zeros_like(q0)
        rows = (q0, m0, -3 * q0 + 3 * q1 - 2 * m0 - m1, 2 * q0 - 2 * q1 + m0 + m1, nothing, nothing)
        return cls(h, np.stack(rows), quintic=False)

    @classmethod
    def quintic_through(cls, t: FloatArray, q: FloatArray, v: FloatArray, a: FloatArray) -> Pieces:
        """The same with accelerations [rad/s^2] (n + 1, joints) at the knots."""
        h = np.diff(t)[:, None]
        c1, c2 = h * v[:-1], 0.5 * h**2 * a[:-1]
        # What is left for u^3, u^4 and u^5: position, velocity and acceleration at the end of the piece.
        dq, dv, da = q[1:] - q[:-1] - c1 - c2, h * v[1:] - c1 - 2 * c2, h**2 * a[1:] - 2 * c2
        rows = (q[:-1], c1, c2, 10 * dq - 4 * dv + da / 2, -15 * dq + 7 * dv - da, 6 * dq - 3 * dv + da / 2)
        return cls(h, np.stack(rows), quintic=True)

    def position(self, u: FloatArray, piece: Chosen = slice(None)) -> FloatArray:
        """Position [rad] at `u`, an array that fits (..., n, joints) of the pieces chosen by `piece`."""
        c0, c1, c2, c3, c4, c5 = self.coefficients[:, piece]
        value: FloatArray = c0 + u * (c1 + u * (c2 + u * (c3 + u * (c4 + u * c5))))
        return value

    def velocity(self, u: FloatArray, piece: Chosen = slice(None)) -> FloatArray:
        """Velocity [rad/s] there."""
        _, c1, c2, c3, c4, c5 = self.coefficients[:, piece]
        value: FloatArray = (c1 + u * (2 * c2 + u * (3 * c3 + u * (4 * c4 + u * 5 * c5)))) / self.lengths[piece]
        return value

    def acceleration(self, u: FloatArray, piece: Chosen = slice(None)) -> FloatArray:
        """Acceleration [rad/s^2] there."""
        _, _, c2, c3, c4, c5 = self.coefficients[:, piece]
        value: FloatArray = (2 * c2 + u * (6 * c3 + u * (12 * c4 + u * 20 * c5))) / self.lengths[piece] ** 2
        return value

    def extremes(self) -> FloatArray:
        """Values of u (m, n, joints), among which are those of extreme position and velocity; 0 and 1 come first.

        For a cubic they are exact.
        """
        shape = self.coefficients.shape[1:]
        if self.quintic:
            between = np.linspace(0.0, 1.0, QUINTIC_SAMPLES)[1:-1]
            u = np.concatenate([[0.0, 1.0], between])
            return np.broadcast_to(u[:, None, None], (QUINTIC_SAMPLES, *shape))
        _, c, b, a, _, _ = self.coefficients
        # The zeros of the slope 3 a u^2 + 2 b u + c, without cancellation and also where a vanishes (Press et al.,
        # Numerical Recipes, 5.6), and its vertex.
        half = -(b + np.copysign(np.sqrt(np.maximum(b * b - 3.0 * a * c, 0.0)), b))
        candidates = (_share(half, 3.0 * a), _share(c, half), _share(-b, 3.0 * a))
        return np.stack([np.zeros(shape), np.ones(shape), *candidates])

    def steepest(self) -> FloatArray:
        """Values of u, shape (m, n, joints), among which is that of the largest velocity: exact for a cubic."""
        if self.quintic:
            return self.extremes()
        _, _, b, a, _, _ = self.coefficients
        return np.stack([np.zeros_like(a), np.ones_like(a), _share(-b, 3.0 * a)])


def _share(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    """The quotient, cut to 0..1; 0 where there is none."""
    quotient = numerator / np.where(np.abs(denominator) < _VANISHES, np.inf, denominator)
    share: FloatArray = np.clip(quotient, 0.0, 1.0)
    return share


def monotone_slopes(t: FloatArray, q: FloatArray, v_start: FloatArray) -> FloatArray:
    """Knot velocities (n, 6): weighted harmonic mean of the neighbouring slopes, zero where they change sign."""
    h = np.diff(t)[:, None]
    slope = np.diff(q, axis=0) / h
    v = np.zeros_like(q)
    v[0] = v_start
    before, after, h0, h1 = slope[:-1], slope[1:], h[:-1], h[1:]
    w0, w1 = 2 * h1 + h0, h1 + 2 * h0
    # The mean of slopes of one sign; where the sign changes the zeros stay.
    np.divide((w0 + w1) * before * after, w0 * after + w1 * before, out=v[1:-1], where=before * after > 0)
    return v
