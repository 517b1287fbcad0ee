"""Whether the fingers hold something: at rest by their gap, while they close by how far they stay behind their goal."""

from __future__ import annotations

from dofbot_ros.arm.gripper import joint_to_gap

EMPTY_GAP_M = 0.005
"""Fingers nearer to each other than this hold nothing [m]; the thinnest part that grasps are meant for has 12 mm."""

HELD_MARGIN_M = 0.002
"""Fingers at rest that stand this much wider than they were told hold something [m]."""

RELEASED_M = 0.004
"""Fingers further than this from the width of what they held hold it no longer [m]."""

PRESSING_RAD = 0.05
"""Fingers that stay this far behind a goal that is further closed press on something [rad]."""

STILL_RAD = 0.02
"""Fingers that turn by less than this in a control period of a policy stand still [rad]."""

STILL_PERIODS = 2
"""For so many periods fingers that press have to stand still: when a motion begins, the goal leads, too."""

BLOCK_GAPS_M = (0.010, 0.045)
"""Gaps at which a block can be between the fingers: a cube of 30 mm, across its diagonal at most [m]."""


def holds(gap: float, told: float = 0.0) -> bool:
    """Whether fingers at rest hold something.

    Args:
        gap: where they stand [m].
        told: the gap that they were told to close to [m].
    """
    return gap >= max(EMPTY_GAP_M, told + HELD_MARGIN_M)


def released(gap: float, width: float) -> bool:
    """Whether fingers that stand `gap` apart [m] have let go of an object of that `width` [m]."""
    return gap > width + RELEASED_M


def still_holds(gap: float, held: float) -> bool:
    """Whether fingers that stand `gap` apart [m] are around what they held at a gap of `held` [m]."""
    return abs(gap - held) <= RELEASED_M


def presses(command: float, measured: float, gaps: tuple[float, float] = BLOCK_GAPS_M) -> bool:
    """Whether fingers press on something.

    Args:
        command: what grip_joint was told last [rad].
        measured: where it is [rad].
        gaps: the smallest and the largest gap at which they can have it between them [m].
    """
    return command - measured >= PRESSING_RAD and gaps[0] < joint_to_gap(measured) < gaps[1]
