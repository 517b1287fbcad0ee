"""Values of some named joints as whole joint vectors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from dofbot_ros.core.types import JOINT_NAMES, FloatArray
from dofbot_ros.errors import CommandRefusedError, one_of
from dofbot_ros.motion.trajectory_bounds import check_count


def joint_columns(values: ArrayLike, joints: Sequence[str], rest: FloatArray) -> FloatArray:
    """Columns (n, 6) in the order of JOINT_NAMES from columns in the order of `joints`; `rest` (6,) for the others.

    Raises:
        CommandRefusedError: an unknown joint or one named twice, rows of another length, too many rows, no numbers.
    """
    check_count(values)
    for name in joints:
        if name not in JOINT_NAMES:
            raise CommandRefusedError(one_of("joint", name, JOINT_NAMES))
    if len(set(joints)) != len(joints):
        raise CommandRefusedError(f"a joint is named twice in {', '.join(joints)}")
    try:
        given = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise CommandRefusedError(f"the points are no table of numbers: {error}") from error
    if given.ndim != 2 or given.shape[1] != len(joints):
        raise CommandRefusedError(f"{len(joints)} joints are named, but the points have {given.shape[-1:]} values")
    full = np.tile(rest, (len(given), 1))
    full[:, [JOINT_NAMES.index(name) for name in joints]] = given
    return full
