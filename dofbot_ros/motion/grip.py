"""The gripper's own motion, beside whatever the arm does, and its place in others': squeezing no harder than needed."""

from __future__ import annotations

import math

from dofbot_ros.motion.online import OnlineMotion


class GripMotion:
    """Moves grip_joint to its goal; when a block stops the fingers, the goal stays a little ahead of them.

    A bus servo pushes harder the further its goal lies ahead, and burns out when it stalls for long (the vendor's
    precautions): so a goal that leads a standing gripper by more than `lead` is drawn back to that lead. From then on
    it keeps its lead, while the fingers close further on a block that gives way or is lost, and while a block that
    turns in the hand presses them apart.

    Args:
        motion: of one joint.
        lead: [rad].
    """

    STANDING_S = 0.3
    STANDING_TRAVEL = 0.02
    SLACK = 0.005
    """Fingers that are pressed apart by more than this are followed at once [rad]: the servo turns up to 1.7
    times as far as they do, gives all it has from 0.135 rad ahead on, and lets go after some seconds of that."""

    def __init__(self, motion: OnlineMotion, lead: float) -> None:
        self._motion = motion
        self._lead = lead
        self._goal = self._wanted = 0.0
        self._mark: tuple[float, float] | None = None
        self.stalled = False

    @property
    def moving(self) -> bool:
        """Whether it is on its way to its goal."""
        return not self._motion.at_rest or abs(float(self._motion.state.position[0]) - self._goal) > 1e-6

    def reset(self, position: float, velocity: float = 0.0) -> None:
        """Be at `position` [rad] and stay there."""
        self._motion.reset([position], [velocity])
        self._goal = self._wanted = position
        self._mark = None
        self.stalled = False

    def go(self, goal: float) -> None:
        """Move to `goal` [rad]."""
        self._goal = self._wanted = goal
        self._mark = None
        self.stalled = False

    def update(self, measured: float, now_s: float) -> tuple[float, float]:
        """One period on; `measured` is where the joint is [rad]. Returns position [rad] and velocity [rad/s]."""
        self._watch(measured, now_s)
        sample = self._motion.update([self._goal])
        return float(sample.position[0]), float(sample.velocity[0])

    def _watch(self, measured: float, now_s: float) -> None:
        lead = float(self._motion.state.position[0]) - measured
        if self.stalled:
            self._keep_up(measured)
            return
        # Only what brings the fingers nearer to their goal counts: a block that wobbles between them is no way made.
        mark = self._mark
        nearer = mark is None or math.copysign(1.0, lead) * (measured - mark[0]) > self.STANDING_TRAVEL
        if mark is None or nearer or abs(lead) <= self._lead + 1e-3:
            self._mark = (measured, now_s)
        elif now_s - mark[1] >= self.STANDING_S:
            self.stalled = True
            self._goal = measured + math.copysign(self._lead, lead)

    def _keep_up(self, measured: float) -> None:
        left = self._wanted - measured
        goal = measured + math.copysign(min(abs(left), self._lead), left)
        closer = math.copysign(1.0, left) * (goal - self._goal)
        if closer > self.STANDING_TRAVEL or closer < -self.SLACK:
            self._goal = goal


class GripGuard:
    """Draws a gripper back that somebody else's motion presses on a block for long: GripMotion's care for its servo.

    Whoever streams goals of grip_joint may lead the fingers as far as he likes while they move, and for `HARD_S` once
    they stand; from then on by no more than `lead`, until he asks for less than half of that.

    Args:
        lead: [rad].
    """

    HARD_S = 1.5
    """A bus servo lets go after about three seconds of all it has [s]."""

    def __init__(self, lead: float) -> None:
        self._lead = lead
        self.reset()

    def reset(self) -> None:
        """A motion begins."""
        self._mark: tuple[float, float] | None = None
        self._side = 0.0
        self._drawn: float | None = None

    def limit(self, wanted: float, measured: float, now_s: float) -> float:
        """The goal to send [rad] for the one that is wanted; `measured` is where the joint is [rad]."""
        ahead = wanted - measured
        side = math.copysign(1.0, ahead)
        # Fingers on a block that wobbles come nearer to the goal for moments: that is no rest for the servo.
        if abs(ahead) < 0.5 * self._lead or side != self._side:
            self.reset()
            self._side = side
            return wanted
        if self._drawn is None:
            nearer = self._mark is not None and side * (measured - self._mark[0]) > GripMotion.STANDING_TRAVEL
            if self._mark is None or nearer:
                self._mark = (measured, now_s)
            if now_s - self._mark[1] < self.HARD_S:
                return wanted
        goal = measured + side * self._lead
        if self._drawn is None or not -GripMotion.SLACK <= side * (goal - self._drawn) <= GripMotion.STANDING_TRAVEL:
            self._drawn = goal
        return side * min(side * self._drawn, side * wanted)
