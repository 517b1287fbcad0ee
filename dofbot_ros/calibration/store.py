"""Calibration files are replaced only by better ones, whole or not at all, and the one before is kept."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dofbot_ros.core.files import whole_file
from dofbot_ros.core.types import FloatArray
from dofbot_ros.errors import CalibrationError

BACKUP = ".before"
"""Ending of the file that was replaced."""
BOOTSTRAPS = 1000


@dataclass(frozen=True)
class Comparison:
    """A new calibration and the stored one, on the same held-out data.

    Attributes:
        new: median of the new one's errors, in their unit.
        interval: 95 % interval of that median (bootstrap over the data; Efron, 1979).
        old: median of the stored one's errors; None where there is none.
        difference: 95 % interval of new less old; None where there is none.
    """

    new: float
    interval: tuple[float, float]
    old: float | None
    difference: tuple[float, float] | None


def compare(new: FloatArray, old: FloatArray | None, rng: np.random.Generator) -> Comparison:
    """Compare held-out errors, pair by pair.

    Args:
        new: of the new calibration, shape (n,).
        old: of the stored one on the same data, shape (n,).
        rng: draws the resamples.
    """
    draws = rng.integers(0, len(new), (BOOTSTRAPS, len(new)))
    medians = np.median(new[draws], axis=1)
    low, high = np.percentile(medians, [2.5, 97.5])
    if old is None:
        return Comparison(float(np.median(new)), (float(low), float(high)), None, None)
    worse, better = np.percentile(medians - np.median(old[draws], axis=1), [2.5, 97.5])
    return Comparison(
        float(np.median(new)), (float(low), float(high)), float(np.median(old)), (float(worse), float(better))
    )


def replace(
    path: Path, write: Callable[[Path], None], found: Comparison, worst: float, unit: str, *, force: bool = False
) -> Path | None:
    """Put a new calibration in place of the stored one.

    Args:
        path: of the file.
        write: writes it to the path that it is given.
        found: how good both are.
        worst: largest upper end of the interval that is taken.
        unit: of the errors, for messages.
        force: take it also where the stored one is better.

    Returns:
        Where the replaced file is kept; None where there was none.

    Raises:
        CalibrationError: the new one is not good enough, or worse than the stored one; nothing was written.
    """
    low, high = found.interval
    if high > worst:
        raise CalibrationError(
            f"held-out error {found.new:.2f} {unit} (95 % interval {low:.2f} to {high:.2f}) is above {worst:g} {unit}: "
            "nothing was written"
        )
    if found.difference is not None and found.difference[0] > 0 and not force:
        raise CalibrationError(
            f"the stored one is better on the same data ({found.old:.2f} against {found.new:.2f} {unit}): "
            "nothing was written",
            str(path),
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    backup = path.with_name(path.name + BACKUP) if path.exists() else None
    with whole_file(path) as draft:
        write(draft)
        if backup is not None:
            shutil.copy2(path, backup)
    return backup
