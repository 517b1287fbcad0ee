"""A motion that was taught by hand: few points, in a YAML file that people read and change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np

from dofbot_ros.arm.gripper import MAX_GAP, gap_to_joint, joint_to_gap
from dofbot_ros.config.loader import load_yaml
from dofbot_ros.config.ranges import Checked
from dofbot_ros.core.types import GRIP, N_ARM, FloatArray
from dofbot_ros.errors import InputError

TOLERANCE_RAD = 0.02
"""A taught point is left out where a straight line between others passes it this near [rad]."""
HEAD = """# A motion that was taught by hand. Change what you like, then: dofbot teach play FILE --speed 0.5
# seconds: from the start of the motion; joints_deg: joint1 to joint5, 0 is upright; gap_mm: between the finger tips.
"""


@dataclass(frozen=True)
class TaughtPoint(Checked):
    """One point, in the units that people read.

    Attributes:
        seconds: from the start of the motion [s].
        joints_deg: joint1 to joint5 [deg].
        gap_mm: between the finger tips [mm].
    """

    seconds: float
    joints_deg: list[float]
    gap_mm: float

    def problems(self) -> Iterator[str]:
        """See Checked.problems."""
        if len(self.joints_deg) != N_ARM:
            yield f"the point at {self.seconds:g} s has {len(self.joints_deg)} angles, and needs {N_ARM}"
        if not 0.0 <= self.gap_mm <= 1e3 * MAX_GAP:
            yield f"the gap at {self.seconds:g} s is {self.gap_mm:g} mm, and goes from 0 to {1e3 * MAX_GAP:g}"


@dataclass(frozen=True)
class TaughtMotion(Checked):
    """Two points or more, in order of their times, the first at 0."""

    points: list[TaughtPoint] = field(default_factory=list)

    def problems(self) -> Iterator[str]:
        """See Checked.problems."""
        if len(self.points) < 2:
            yield f"a motion has two points at least, and this one has {len(self.points)}"
        if self.points[0].seconds != 0.0:
            yield f"the first point is at 0 s, not at {self.points[0].seconds:g} s"
        for before, after in pairwise(self.points):
            if after.seconds <= before.seconds:
                yield f"the point at {after.seconds:g} s comes after the one at {before.seconds:g} s"

    @property
    def times(self) -> FloatArray:
        """Of the points [s], shape (n,)."""
        return np.array([point.seconds for point in self.points])

    @property
    def positions(self) -> FloatArray:
        """All joints at the points [rad], shape (n, 6)."""
        arm = np.radians([point.joints_deg for point in self.points])
        grip = [[float(gap_to_joint(1e-3 * point.gap_mm))] for point in self.points]
        return np.hstack([arm, grip])


def taught(times: FloatArray, positions: FloatArray) -> TaughtMotion:
    """A motion from samples, with no more points than it takes.

    Args:
        times: of the samples [s], shape (n,), strictly increasing.
        positions: all joints at those times [rad], shape (n, 6).

    Raises:
        InputError: fewer than two samples.
    """
    if len(times) < 2:
        raise InputError("nothing was taught: the arm told fewer than two positions in that time")
    kept = simplified(times, positions, TOLERANCE_RAD)
    return TaughtMotion(
        [
            TaughtPoint(
                round(float(times[i] - times[0]), 3),
                [round(float(angle), 2) for angle in np.degrees(positions[i, :GRIP])],
                round(float(np.clip(1e3 * joint_to_gap(float(positions[i, GRIP])), 0.0, 1e3 * MAX_GAP)), 1),
            )
            for i in kept
        ]
    )


def simplified(times: FloatArray, positions: FloatArray, tolerance: float) -> list[int]:
    """Indices of the samples that matter, ends included (Douglas and Peucker, 1973, with time as the parameter).

    Args:
        times: [s] shape (n,), strictly increasing, n >= 2.
        positions: [rad] shape (n, k).
        tolerance: no sample is farther from the straight lines between those that are kept [rad].
    """
    kept, open_spans = {0, len(times) - 1}, [(0, len(times) - 1)]
    while open_spans:
        first, last = open_spans.pop()
        if last - first < 2:
            continue
        inner = slice(first + 1, last)
        part = ((times[inner] - times[first]) / (times[last] - times[first]))[:, None]
        line = positions[first] + part * (positions[last] - positions[first])
        errors = np.abs(positions[inner] - line).max(axis=1)
        if errors.max() > tolerance:
            worst = first + 1 + int(errors.argmax())
            kept.add(worst)
            open_spans += [(first, worst), (worst, last)]
    return sorted(kept)


def save_taught(motion: TaughtMotion, path: Path) -> None:
    """Write the motion, one point a line."""
    lines = [
        f"- {{seconds: {point.seconds}, joints_deg: {point.joints_deg}, gap_mm: {point.gap_mm}}}"
        for point in motion.points
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(HEAD + "points:\n" + "\n".join(lines) + "\n", encoding="utf-8")


def load_taught(path: Path) -> TaughtMotion:
    """Read a motion.

    Raises:
        ConfigError: no such file, or no motion; with the place.
    """
    return load_yaml(TaughtMotion, path)
