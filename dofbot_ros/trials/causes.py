"""Why a trial failed, told from what was believed against what was true."""

from __future__ import annotations

from typing import Literal

Stage = Literal["", "not seen", "no plan", "refused", "missed", "misplaced"]
"""Where the last attempt ended: the block was not found, no motion was found, the arm refused one or ended it early,
the fingers closed on nothing, the block was not put where it should be."""

SEEN_WRONG_MM = 6.0
"""A block that was localised further off than this makes a grasp miss by itself: open fingers leave 15 mm at each side
of a block, less what its corners need [mm]."""


def cause_of(*, placed: bool | None, seen_placed: bool, stage: Stage, block_off_mm: list[float]) -> str:
    """One short phrase; "" for a trial that succeeded, or of which nobody knows.

    Args:
        placed: by the true poses; None where these are hidden.
        seen_placed: by the last image.
        stage: where the last attempt ended.
        block_off_mm: horizontal distance of the block as localised from its true place, before each attempt [mm].
    """
    if placed or (placed is None and seen_placed):
        return ""
    if seen_placed:
        return "seen placed, but is not"
    if stage == "missed" and block_off_mm:
        return "missed: localised wrong" if block_off_mm[-1] > SEEN_WRONG_MM else "missed: arm off"
    return stage or "not seen"
