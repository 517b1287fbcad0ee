"""What differs from arm to arm: servo ids, zeros, signs, scales, limits and base height; ticks <-> rad."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dofbot_ros.arm.gripper import (
    joint_to_servo_degrees,
    plain_joint,
    plain_servo_degrees,
    servo_degrees_to_joint,
)
from dofbot_ros.config.loader import load_yaml
from dofbot_ros.config.ranges import Checked
from dofbot_ros.core.types import GRIP, GRIP_JOINT, JOINT_NAMES, FloatArray
from dofbot_ros.errors import CalibrationError

LOWEST_TICK, HIGHEST_TICK = 96, 4000
"""Goal positions that the servos accept."""

TICKS_PER_DEGREE = 2200 / 180
"""Arm_Lib's scale; a user measured 11.8 to 12.05 counts a degree."""

_PLAUSIBLE_SCALE = (11.0, 14.0)
_PLAUSIBLE_HEIGHT = (0.09, 0.13)
_PLAUSIBLE_FINGER = 0.008
_MAX_ID = 250

TickArray = NDArray[np.int64]

_DEGREES, _RADIANS = 180.0 / math.pi, math.pi / 180.0


@dataclass(frozen=True)
class ServoCalibration(Checked):
    """One servo.

    Attributes:
        id: its address on the bus, 1..250.
        zero_ticks: its reading at joint angle 0; of the gripper, at servo angle 0 (open).
        min_ticks: lowest position it is sent to.
        max_ticks: highest position it is sent to.
        sign: +1 where ticks rise with the joint angle, -1 where they fall.
        ticks_per_degree: its scale [1/deg].
    """

    ERROR = CalibrationError

    id: int
    zero_ticks: int
    min_ticks: int
    max_ticks: int
    sign: int = 1
    ticks_per_degree: float = TICKS_PER_DEGREE

    def problems(self) -> Iterator[str]:
        """See Checked.problems."""
        if not 1 <= self.id <= _MAX_ID:
            yield f"id {self.id} is not a servo's address: 1 to {_MAX_ID}"
        if self.sign not in (-1, 1):
            yield f"sign {self.sign} must be 1 (ticks rise with the angle) or -1 (they fall)"
        low, high = _PLAUSIBLE_SCALE
        if not low <= self.ticks_per_degree <= high:
            yield f"ticks_per_degree {self.ticks_per_degree:g} is not these servos': they have {low:g} to {high:g}"
        if self.min_ticks >= self.max_ticks:
            yield f"limits are reversed: min_ticks {self.min_ticks} >= max_ticks {self.max_ticks}"
        if self.min_ticks < LOWEST_TICK or self.max_ticks > HIGHEST_TICK:
            limits, taken = f"{self.min_ticks}..{self.max_ticks}", f"{LOWEST_TICK}..{HIGHEST_TICK}"
            yield f"limits {limits} leave what the servos accept: {taken}"


# Zero of each servo and how far the vendor's own zero setting (register 0x1C) may move it.
_NOMINAL_ZERO = {"joint1": 2000, "joint2": 2000, "joint3": 2000, "joint4": 2000, "joint5": 1486, GRIP_JOINT: 900}
_ZERO_WINDOW = {"joint1": 400, "joint2": 400, "joint3": 400, "joint4": 400, "joint5": 300, GRIP_JOINT: 400}


@dataclass(frozen=True)
class Calibration(Checked):
    """One arm. The defaults are the vendor's numbers (Arm_Lib 1.0.0) and drawing.

    In this package's angles (upright 0, forward positive) the ticks of all six servos rise with the joint angle:
    Arm_Lib inverts the degrees of servos 2, 3 and 4, and counting forward as positive undoes that, once, here.

    Attributes:
        base_height_m: table to joint 2 [m]; 0.1075 in the drawing, up to 0.12 on suction cups.
        finger_across_m: of the middle between the fingers off the tool's axis, along y of link5 [m].
        finger_along_m: of the fingers along the tool, further out than drawn [m].
        signs_checked: whether somebody has watched that every joint turns the right way (`dofbot arm check`).
    """

    base_height_m: float = 0.1075
    joint1: ServoCalibration = ServoCalibration(1, 2000, 900, 3100)
    joint2: ServoCalibration = ServoCalibration(2, 2000, 900, 3100)
    joint3: ServoCalibration = ServoCalibration(3, 2000, 900, 3100)
    joint4: ServoCalibration = ServoCalibration(4, 2000, 900, 3100)
    joint5: ServoCalibration = ServoCalibration(5, 1486, 380, 3700, 1, 3320 / 270)
    grip_joint: ServoCalibration = ServoCalibration(6, 900, 900, 3100)
    finger_across_m: float = 0.0
    finger_along_m: float = 0.0
    signs_checked: bool = False

    ERROR = CalibrationError

    def problems(self) -> Iterator[str]:
        """See Checked.problems."""
        low, high = _PLAUSIBLE_HEIGHT
        if not low <= self.base_height_m <= high:
            yield f"base_height_m {self.base_height_m:g} is not this arm's: {low:g} to {high:g} m"
        for name, off in (("finger_across_m", self.finger_across_m), ("finger_along_m", self.finger_along_m)):
            if abs(off) > _PLAUSIBLE_FINGER:
                yield f"{name} {off:g} is not this arm's: {-_PLAUSIBLE_FINGER:g} to {_PLAUSIBLE_FINGER:g} m"
        seen: dict[int, str] = {}
        for name, servo in zip(JOINT_NAMES, self.servos, strict=True):
            nominal, window = _NOMINAL_ZERO[name], _ZERO_WINDOW[name]
            if abs(servo.zero_ticks - nominal) > window:
                yield (
                    f"{name}: zero_ticks {servo.zero_ticks} is more than {window} from the nominal {nominal}; "
                    "is the horn mounted a tooth off?"
                )
            if servo.id in seen:
                yield f"{seen[servo.id]} and {name} have the same id {servo.id}"
            seen[servo.id] = name
        # The vendor's table covers 0..180 degrees; a tick outside it would have no crank angle of its own.
        servo = self.grip_joint
        scale = servo.sign / servo.ticks_per_degree
        ends = [(ticks - servo.zero_ticks) * scale for ticks in (servo.min_ticks, servo.max_ticks)]
        if min(ends) < -0.01 or max(ends) > 180.01:
            yield (
                f"{GRIP_JOINT}: limits {servo.min_ticks}..{servo.max_ticks} are {min(ends):.1f}..{max(ends):.1f} "
                "degrees of servo 6; the gripper's table covers 0..180"
            )

    @property
    def servos(self) -> tuple[ServoCalibration, ...]:
        """All six, in the order of JOINT_NAMES."""
        return (self.joint1, self.joint2, self.joint3, self.joint4, self.joint5, self.grip_joint)

    @property
    def ids(self) -> tuple[int, ...]:
        """Bus addresses, in the order of JOINT_NAMES."""
        return tuple(servo.id for servo in self.servos)

    def ticks_to_rad(self, ticks: ArrayLike) -> FloatArray:
        """Joint angles [rad] of servo positions, shape (..., 6). Not clipped: a hand may push the arm past a limit."""
        degrees = (np.asarray(ticks, dtype=np.float64) - self._zero) * self._sign / self._scale
        q: FloatArray = np.radians(degrees)
        q[..., GRIP] = servo_degrees_to_joint(degrees[..., GRIP])
        return q

    def rad_to_ticks(self, q: ArrayLike) -> TickArray:
        """Servo positions of joint angles [rad], shape (..., 6): the nearest tick that the servos accept.

        Nothing is cut at min_ticks and max_ticks: an arm that was pushed past them has to be held where it is. Where it
        may go is the governor's to decide, by `limits`. ticks_to_rad gives every accepted tick back exactly.
        """
        q = np.asarray(q, dtype=np.float64)
        degrees = np.degrees(q)
        degrees[..., GRIP] = joint_to_servo_degrees(q[..., GRIP])
        ticks = self._zero + degrees * self._sign * self._scale
        whole: TickArray = np.clip(np.rint(ticks), LOWEST_TICK, HIGHEST_TICK).astype(np.int64)
        return whole

    def plain_rad(self, ticks: Sequence[float]) -> list[float]:
        """ticks_to_rad of one arm's six numbers, bit for bit: a simulation converts hundreds of times a second."""
        q = [(t - zero) / scale * _RADIANS for t, (zero, scale) in zip(ticks, self._rows, strict=True)]
        zero, scale = self._rows[GRIP]
        q[GRIP] = plain_joint((ticks[GRIP] - zero) / scale)
        return q

    def plain_ticks(self, q: Sequence[float]) -> list[int]:
        """rad_to_ticks of one arm's six numbers [rad], bit for bit."""
        ticks = [round(zero + angle * _DEGREES * scale) for angle, (zero, scale) in zip(q, self._rows, strict=True)]
        zero, scale = self._rows[GRIP]
        ticks[GRIP] = round(zero + plain_servo_degrees(q[GRIP]) * scale)
        if min(ticks) < LOWEST_TICK or max(ticks) > HIGHEST_TICK:
            return [min(max(t, LOWEST_TICK), HIGHEST_TICK) for t in ticks]
        return ticks

    @cached_property
    def limits(self) -> tuple[FloatArray, FloatArray]:
        """Joint angles [rad] at the ends of min_ticks..max_ticks, lower and upper, each of shape (6,)."""
        ends = np.array([[s.min_ticks, s.max_ticks] for s in self.servos], dtype=np.float64)
        angles = self.ticks_to_rad(ends.T)
        return angles.min(axis=0), angles.max(axis=0)

    @cached_property
    def _rows(self) -> tuple[tuple[float, float], ...]:
        return tuple((s.zero_ticks, s.sign * s.ticks_per_degree) for s in self.servos)

    # Kept, because a simulation converts hundreds of times a second.
    @cached_property
    def _zero(self) -> FloatArray:
        return self._column("zero_ticks")

    @cached_property
    def _sign(self) -> FloatArray:
        return self._column("sign")

    @cached_property
    def _scale(self) -> FloatArray:
        return self._column("ticks_per_degree")

    def _column(self, name: str) -> FloatArray:
        return np.array([getattr(servo, name) for servo in self.servos], dtype=np.float64)


DEFAULT_CALIBRATION = Calibration()


def load_calibration(path: str | Path) -> Calibration:
    """Read a calibration file (config/calibration.yaml is the pattern).

    Raises:
        ConfigError: no such file, an unknown key, a value of another type.
        CalibrationError: a value that no DofBot could have.
    """
    return load_yaml(Calibration, path)


def calibration_of(calibration_file: str | Path) -> Calibration:
    """load_calibration, or the nominal calibration for "": what the parameter calibration_file means."""
    return load_calibration(calibration_file) if calibration_file else DEFAULT_CALIBRATION
