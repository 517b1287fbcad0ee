"""Reads what a hand asks of the arm: engage, a gripper gap by its curl, a sign by the fingers that are straight."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from dofbot_ros.arm.gripper import MAX_GAP
from dofbot_ros.core.types import FloatArray

STRAIGHT, BENT = 0.4, 0.6
"""Share of its bend below which a finger becomes straight, and above which it becomes bent; between both it stays what
it was."""
APART = 0.25
"""Least difference between a bent and a straight finger of a sign; fingers nearer than that bend together."""
OPEN_CURL, CLOSED_CURL = 0.15, 0.75
"""Mean bend of index to little finger at which the gripper is open, and from which on it is closed."""
SMOOTHING_S = 0.15
"""Time constant of the low-pass filter on the curl [s]."""
ENGAGE_HOLD_S, SIGN_HOLD_S = 0.8, 0.6
"""How long the open hand has to be held to engage, and a sign to count [s]."""
LOST_S = 1.0
"""Without a hand for this long, the hand has to engage anew [s]."""

SIGNS = {
    "one": (True, False, False, False),
    "two": (True, True, False, False),
    "three": (True, True, True, False),
    "rock": (True, False, False, True),
    "call": (False, False, False, True),
}
"""Sign -> whether index, middle, ring and little finger are straight. The thumb does not count: it is read worst."""


@dataclass(frozen=True)
class Wanted:
    """What a hand asks for in one frame; None where it asks for nothing.

    Attributes:
        gap: of the gripper [m].
        sign: a key of SIGNS, once each time that it has been held long enough.
    """

    gap: float | None = None
    sign: str | None = None


class HandReader:
    """What a hand asks for, frame after frame. Nothing until it is engaged: a fist, then the open hand, held.

    Attributes:
        engaged: whether the hand may move the arm.
        seen: whether the last frame showed a hand.
        shape: open, fist, a key of SIGNS, "" for a hand that bends its fingers together, "other" for other fingers.
        curl: mean bend of index to little finger, smoothed, 0 straight to 1 bent; nan where no hand is seen.
        why: the hand is not engaged, in words.
    """

    def __init__(self) -> None:
        self.engaged = self.seen = False
        self.shape = ""
        self.curl = math.nan
        self.why = "not engaged yet"
        self._straight: tuple[bool, ...] = ()
        self._stamp_s = self._seen_s = self._since_s = -math.inf
        self._given = self._closed = False

    def observe(self, stamp_s: float, bends: FloatArray | None) -> Wanted:
        """Take note of a frame.

        Args:
            stamp_s: when it was captured [s].
            bends: of thumb to little finger, 0 straight to 1 bent, shape (5,); None: no hand was seen.
        """
        if stamp_s - self._seen_s > LOST_S:
            self.release("no hand")
        self.seen = bends is not None
        if bends is None:
            self._straight, self.shape, self.curl = (), "", math.nan
            return Wanted()
        self._seen_s = stamp_s
        self._read(np.asarray(bends[1:], float), stamp_s)
        held_s = stamp_s - self._since_s
        if not self.engaged:
            self._closed |= self.shape == "fist"
            if self._closed and self.shape == "open" and held_s >= ENGAGE_HOLD_S:
                self.engage()
            return Wanted()
        if self.shape in ("open", "fist", ""):
            return Wanted(gap=gap_of(self.curl))
        if self.shape not in SIGNS or self._given or held_s < SIGN_HOLD_S:
            return Wanted()
        self._given = True
        return Wanted(sign=self.shape)

    def engage(self) -> None:
        """The hand may move the arm from now on, if one is seen."""
        if self.seen and not self.engaged:
            self.engaged, self.why, self._since_s = True, "", self._stamp_s

    def release(self, why: str) -> None:
        """The hand may not move the arm any more, until it engages anew."""
        if self.engaged:
            self.engaged, self.why = False, why
        self._closed = False

    def _read(self, fingers: FloatArray, stamp_s: float) -> None:
        """Curl and shape, of bends (4,)."""
        if not self._straight:
            self._straight = tuple(bool(bend < 0.5 * (STRAIGHT + BENT)) for bend in fingers)
            self.curl = float(fingers.mean())
        self._straight = tuple(
            bool(bend < (BENT if was else STRAIGHT)) for was, bend in zip(self._straight, fingers, strict=True)
        )
        passed_s, self._stamp_s = stamp_s - self._stamp_s, stamp_s
        self.curl += -math.expm1(-max(0.0, passed_s) / SMOOTHING_S) * (float(fingers.mean()) - self.curl)
        shape = shape_of(self._straight, fingers)
        if shape != self.shape:
            self.shape, self._since_s, self._given = shape, stamp_s, False


def shape_of(straight: tuple[bool, ...], fingers: FloatArray) -> str:
    """HandReader.shape of index to little finger: whether each is straight (4,), and its bend (4,)."""
    if all(straight) or not any(straight):
        return "open" if straight[0] else "fist"
    bent = [not one for one in straight]
    if fingers[bent].min() - fingers[list(straight)].max() < APART:
        return ""
    return next((name for name, shown in SIGNS.items() if shown == straight), "other")


def gap_of(curl: float) -> float:
    """Gap of the gripper [m] for a mean bend of the fingers, 0 straight to 1 bent."""
    share = (curl - OPEN_CURL) / (CLOSED_CURL - OPEN_CURL)
    return MAX_GAP * (1.0 - min(max(share, 0.0), 1.0))
