"""What was measured of a gripper -> the arm's calibration file, where it is better than what was stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from dofbot_ros.arm.calibration import Calibration
from dofbot_ros.calibration import store
from dofbot_ros.calibration.hand.fingers import FingerFit
from dofbot_ros.calibration.hand.gap import Closing, GapFit, fit_gap
from dofbot_ros.config.loader import save_yaml

WORST_FINGERS_MM = 3.0
"""Held-out distance of the fingers' edges above which nothing is taken [mm]; half of it is blur and noise."""
WORST_GAP_MM = 1.0


def gap_kept(stored: Calibration, closings: Sequence[Closing]) -> tuple[Calibration, dict[str, Any]]:
    """The calibration with servo 6 as the closings tell, or as it was where that is no better; and what was found.

    Raises:
        CalibrationError: too few closings.
    """
    found = fit_gap(stored, closings)
    compared = store.compare(found.held_out_mm, found.stored_mm, np.random.default_rng(0))
    taken = compared.interval[1] <= WORST_GAP_MM and compared.difference is not None and compared.difference[1] < 0.0
    result = {**_of_gap(stored, found, compared), "gap_taken": taken}
    return (replace(stored, grip_joint=found.servo) if taken else stored), result


def write_gripper(stored: Calibration, found: FingerFit, out: Path, force: bool) -> dict[str, Any]:
    """Write `stored` with the fingers where they were found, to `out`.

    Args:
        stored: the calibration that the hand was shown by, with servo 6 as measured.
        found: of the hand's pictures.
        out: file of the calibration.
        force: also where the fingers' believed place explains the held-out pictures better.

    Raises:
        CalibrationError: it is not good enough, or worse than what was believed; nothing was written.
    """
    told = np.isfinite(found.held_out_mm) & np.isfinite(found.stored_mm)
    compared = store.compare(found.held_out_mm[told], found.stored_mm[told], np.random.default_rng(0))
    new = replace(stored, finger_across_m=found.across, finger_along_m=found.along)
    backup = store.replace(out, lambda path: save_yaml(new, path), compared, WORST_FINGERS_MM, "mm", force=force)
    return {
        "finger_across_mm": 1e3 * found.across,
        "finger_along_mm": 1e3 * found.along,
        "sigma_mm": (1e3 * found.sigma).tolist(),
        "outline_found": found.fit.found,
        "held_out_mm": compared.new,
        "interval_mm": list(compared.interval),
        "stored_mm": compared.old,
        "replaced": "" if backup is None else str(backup),
    }


def _of_gap(stored: Calibration, found: GapFit, compared: store.Comparison) -> dict[str, Any]:
    return {
        "grip_zero_moved_ticks": found.servo.zero_ticks - stored.grip_joint.zero_ticks,
        "grip_ticks_per_degree": found.servo.ticks_per_degree,
        "gap_held_out_mm": compared.new,
        "gap_stored_mm": compared.old,
    }
