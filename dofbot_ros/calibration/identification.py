"""What a recorded motion says about the servos: delay, play, droop under the arm's weight, and greatest speed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dofbot_ros.arm.kinematics import Kinematics
from dofbot_ros.arm.robot import load_robot
from dofbot_ros.calibration.fitting.gravity import gravity_load
from dofbot_ros.core.array_files import load_arrays
from dofbot_ros.core.types import ARM_JOINTS, N_ARM, FloatArray
from dofbot_ros.errors import InputError

DELAYS_S = np.arange(0.0, 0.4001, 0.005)
"""Delays that are tried [s]."""
TURN_RAD = 0.012
"""A joint was turned round when it was sent back by more than this [rad]."""
SATURATED_RAD = 0.2
"""A joint that is further behind its goal than this moves as fast as it can [rad]."""
MIN_TRAVEL_RAD = 0.2
"""A joint that moved less is not judged [rad]."""
MIN_TURNS = 4
CORRELATED_S = 0.5
"""Neighbouring samples within this time count as one for the deviations [s]."""
LEAST_LOAD_SPREAD = 0.15
"""Least range of gravity's load over the motion for a droop to be told [share of full load]."""

DESKS: dict[str, dict[str, float]] = {
    "play_deg": {"careful": 1.0, "typical": 1.5, "rough": 2.0},
    "droop_deg": {"careful": 1.0, "typical": 2.0, "rough": 3.0},
}
"""What the desks of docs/calibration.md assume, from good to bad."""


@dataclass(frozen=True)
class JointIdentity:
    """One joint.

    Attributes:
        delay_s: from a command to the motion [s].
        play_rad: whole width of the play between the command and the angle read [rad].
        play_sigma_rad: its standard deviation [rad].
        droop_rad: what it gives way at full load [rad]; None where the load hardly changed.
        droop_sigma_rad: its standard deviation [rad].
        max_speed: where it was too slow for its command [rad/s]; None where it never was.
        residual_rad: what the model does not explain, root mean square [rad].
    """

    delay_s: float
    play_rad: float
    play_sigma_rad: float
    droop_rad: float | None
    droop_sigma_rad: float | None
    max_speed: float | None
    residual_rad: float


def identify(
    times: FloatArray, commands: FloatArray, positions: FloatArray, kinematics: Kinematics
) -> dict[str, JointIdentity]:
    """Identify every joint that moved to and fro.

    A joint reads command(t - delay) + offset - play / 2 * direction + droop * load.

    Args:
        times: rising, shape (n,) [s].
        commands: where the joints were to be, shape (n, 5) [rad].
        positions: where they were, shape (n, 5) [rad].
        kinematics: of the arm, for gravity.

    Raises:
        InputError: too short a motion, or no joint moved to and fro.
    """
    if len(times) < 100 or np.any(np.diff(times) <= 0):
        raise InputError(f"needs at least 100 samples at rising times, got {len(times)}")
    load = gravity_load(kinematics, positions)
    found = {}
    for j, joint in enumerate(ARM_JOINTS):
        direction = _direction(commands[:, j])
        turns = int(np.count_nonzero(np.diff(direction[direction != 0])))
        if np.ptp(positions[:, j]) >= MIN_TRAVEL_RAD and turns >= MIN_TURNS:
            found[joint] = _identify(times, commands[:, j], positions[:, j], direction, load[:, j])
    if not found:
        raise InputError(
            f"no joint moved to and fro by {math.degrees(MIN_TRAVEL_RAD):.0f} degrees {MIN_TURNS} times: "
            "record sweeps with rests at their ends, one joint after the other"
        )
    return found


def identify_file(path: Path, calibration_file: str) -> dict[str, Any]:
    """Identify the motion in a .npz file of `dofbot export`; for people and --json."""
    arrays = load_arrays(path, "exported motion")
    missing = [name for name in ("times", "commands", "positions") if name not in arrays]
    if missing:
        raise InputError(f"{path} is no exported motion: it lacks {', '.join(missing)}")
    times, commands, positions = (np.asarray(arrays[n], dtype=np.float64) for n in ("times", "commands", "positions"))
    n = len(times)
    if times.ndim != 1 or commands.shape != (n, N_ARM) or positions.ndim != 2 or positions.shape[0] != n:
        raise InputError(f"{path}: times, commands and positions have shapes that do not fit together")
    known = np.isfinite(commands).all(axis=1) & np.isfinite(positions[:, :N_ARM]).all(axis=1) & np.isfinite(times)
    kinematics = load_robot(calibration_file).kinematics
    found = identify(times[known], commands[known], positions[known, :N_ARM], kinematics)
    return {"joints": {joint: _described(one) for joint, one in found.items()}, **_placed(found)}


def _identify(
    times: FloatArray, command: FloatArray, position: FloatArray, direction: FloatArray, load: FloatArray
) -> JointIdentity:
    heavy = bool(np.ptp(load) >= LEAST_LOAD_SPREAD)
    best: tuple[float, float, FloatArray, FloatArray] | None = None
    for delay in DELAYS_S:
        late = np.interp(times - delay, times, command)
        side = direction[np.searchsorted(times, times - delay).clip(0, len(times) - 1)]
        A = np.column_stack([np.ones_like(times), -0.5 * side, *([load] if heavy else [])])
        usable = (times - times[0] > DELAYS_S[-1]) & (np.abs(late - position) < SATURATED_RAD) & (side != 0)
        if np.count_nonzero(usable) < 50:
            continue
        x, *_ = np.linalg.lstsq(A[usable], (position - late)[usable], rcond=None)
        rms = float(np.sqrt(np.mean(((position - late)[usable] - A[usable] @ x) ** 2)))
        if best is None or rms < best[0]:
            best = rms, float(delay), x, A[usable]
    if best is None:
        raise InputError("the joints were never near their commands: are these the commands of this motion?")
    rms, delay, x, used = best
    step = float(np.median(np.diff(times)))
    shared = max(1.0, CORRELATED_S / step)
    sigma = rms * np.sqrt(shared * np.diag(np.linalg.pinv(used.T @ used)))
    behind = np.abs(np.interp(times - delay, times, command) - position) > SATURATED_RAD
    speed = np.abs(np.gradient(position, times))[behind]
    return JointIdentity(
        delay,
        abs(float(x[1])),
        float(sigma[1]),
        abs(float(x[2])) if heavy else None,
        float(sigma[2]) if heavy else None,
        float(np.median(speed)) if len(speed) >= 5 else None,
        rms,
    )


def _direction(command: FloatArray) -> FloatArray:
    """Which way a joint was sent last, -1 or 1, shape (n,); 0 before it moved by TURN_RAD."""
    direction = np.zeros(len(command))
    extreme, now = float(command[0]), 0.0
    for i, value in enumerate(command.tolist()):
        if now == 0.0:
            now = math.copysign(1.0, value - extreme) if abs(value - extreme) > TURN_RAD else 0.0
            extreme = value if now else extreme
        elif (value - extreme) * now > 0:
            extreme = value
        elif (extreme - value) * now > TURN_RAD:
            now, extreme = -now, value
        direction[i] = now
    return direction


def _described(one: JointIdentity) -> dict[str, Any]:
    return {
        "delay_s": one.delay_s,
        "play_deg": math.degrees(one.play_rad),
        "play_sigma_deg": math.degrees(one.play_sigma_rad),
        "droop_deg": None if one.droop_rad is None else math.degrees(one.droop_rad),
        "droop_sigma_deg": None if one.droop_sigma_rad is None else math.degrees(one.droop_sigma_rad),
        "max_speed_rad_s": one.max_speed,
        "residual_deg": math.degrees(one.residual_rad),
    }


def _placed(found: dict[str, JointIdentity]) -> dict[str, str]:
    """Between which desks the worst joint stands."""
    worst = {
        "play_deg": max(math.degrees(one.play_rad) for one in found.values()),
        "droop_deg": max(math.degrees(one.droop_rad or 0.0) for one in found.values()),
    }
    return {f"{name}_place": place(name, value) for name, value in worst.items()}


def place(name: str, value: float) -> str:
    """Where a value stands among the desks, in words: "between careful and typical"."""
    before = ""
    for desk, limit in DESKS[name].items():
        if value <= limit:
            return f"between {before} and {desk}" if before else f"better than {desk}"
        before = desk
    return f"worse than {before}"
