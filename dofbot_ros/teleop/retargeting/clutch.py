"""The clutch between operator and arm: nothing moves until it is engaged, and every doubt lets go."""

from __future__ import annotations

import math
from enum import Enum

from dofbot_ros.teleop.config import ClutchConfig, Sign


class Reason(str, Enum):
    """Why the arm does not follow; the text is what the operator reads."""

    START = "not engaged yet"
    RELEASED = "released by the operator"
    HAND_LOST = "hand lost"
    BODY_LOST = "person lost"
    STALE = "no fresh frame"
    SETTLING = "seen just now"
    LOW_SCORE = "low score"
    TWO_HANDS = "two hands in view"
    WRONG_HAND = "the other hand"
    OUTLIER = "the hand jumped"
    NOT_FINITE = "a landmark is no number"
    UNREACHABLE = "arm outside its limits"
    TOO_NEAR = "arm lies on the table or on itself: home it first"
    SOURCE_LOST = "camera or device lost"
    ARM_NOT_READY = "arm not ready"


class Clutch:
    """Engaged or not, and why not.

    A sign engages only when it was seen absent first: an open palm that happens to be in view when the camera starts,
    or when the arm has just let go, does nothing. A frame that cannot be used never moves the arm; when the newest
    usable one is older than `hold_after_s`, the clutch lets go and names what was wrong with the frames since.

    Args:
        config: times and thresholds.
        engage_sign, release_sign: what the operator shows.
    """

    def __init__(self, config: ClutchConfig, engage_sign: Sign = "none", release_sign: Sign = "none") -> None:
        self._config = config
        self._engage_sign: Sign = engage_sign if config.signs else "none"
        self._release_sign: Sign = release_sign if config.signs else "none"
        self.engaged = False
        self.reason = Reason.START
        """Why it let go the last time."""
        self.fault: Reason | None = Reason.STALE
        """What keeps it from being engaged now; None when nothing does."""
        self.progress = 0.0
        """How much of the time for which the sign must be held has passed, 0 to 1."""
        self._sign_since_s: float | None = None
        self._sign_seen_absent = False
        self._usable_s = self._seen_since_s = -math.inf

    @property
    def primed(self) -> bool:
        """Whether the sign that is due was seen absent, so that it counts when it is shown."""
        return self._sign_seen_absent

    def engage(self) -> Reason | None:
        """A key or a service asks to engage. Returns what keeps it from that; None when it is engaged."""
        if self.fault is None and not self.engaged:
            self.engaged = True
            self._forget_sign()
        return self.fault

    def release(self, reason: Reason = Reason.RELEASED) -> None:
        """Let go now."""
        if self.engaged:
            self.engaged, self.reason = False, reason
        self._forget_sign()

    def observe(self, stamp_s: float, now_s: float, fault: Reason | None, sign: Sign = "none") -> bool:
        """Take note of a frame. Returns whether it may move the arm (when the clutch is engaged).

        Args:
            stamp_s: when it was captured [s]; one that is not newer than the last usable frame is ignored.
            now_s: the same clock now [s].
            fault: why it cannot be used; None when it can.
            sign: what the operator showed in it.
        """
        if not self._usable_s < stamp_s <= now_s:
            return False
        if fault is None and now_s - stamp_s > self._config.hold_after_s:
            fault = Reason.STALE
        self.fault = fault
        if fault is not None:
            self._restart_sign()
            return False
        if stamp_s - self._usable_s > self._config.hold_after_s:
            self._seen_since_s = stamp_s
        self._usable_s = stamp_s
        if not self.engaged and stamp_s - self._seen_since_s < self._config.settle_s:
            self.fault = Reason.SETTLING
        self._watch_sign(stamp_s, sign)
        return True

    def tick(self, now_s: float) -> None:
        """Let go when the newest usable frame is too old at `now_s` [s], on the clock of the stamps."""
        if now_s - self._usable_s > self._config.hold_after_s:
            if self.fault in (None, Reason.SETTLING):
                self.fault = Reason.STALE
            self.release(self.fault)

    def _watch_sign(self, stamp_s: float, sign: Sign) -> None:
        expected = self._release_sign if self.engaged else self._engage_sign
        hold_s = self._config.release_hold_s if self.engaged else self._config.engage_hold_s
        if sign != expected or expected == "none":
            self._sign_seen_absent = True
            self._sign_since_s, self.progress = None, 0.0
            return
        if not self._sign_seen_absent:
            return
        if self._sign_since_s is None:
            self._sign_since_s = stamp_s
        held = stamp_s - self._sign_since_s
        self.progress = min(1.0, held / hold_s) if hold_s > 0 else 1.0
        if self.progress >= 1.0:
            if self.engaged:
                self.release()
            else:
                self.engage()

    def _restart_sign(self) -> None:
        """The sign must be held anew; one that engages must also be seen absent anew, one that releases need not."""
        self._sign_since_s, self.progress = None, 0.0
        self._sign_seen_absent &= self.engaged

    def _forget_sign(self) -> None:
        self._sign_since_s, self.progress, self._sign_seen_absent = None, 0.0, False
