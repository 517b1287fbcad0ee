"""The gripper's own motion, beside whatever the arm does, and its place in others': squeezing no harder than needed."""

from __future__ import annotations

import math

from dofbot_ros.motion.online import OnlineMotion
from dofbot_ros.motion.pressing import Pressing


class GripMotion:
    """Moves grip_joint to its goal; when a block stops the fingers, the goal stays a little ahead of them.

    A bus servo pushes harder the further its goal lies ahead, and burns out when it stalls for long (the vendor's
    precautions): so a goal that leads a standing gripper by more than `lead` is drawn back to that lead, or to less
    where it has been pressed for long. From then on it keeps its lead, while the fingers close further on a block that
    gives way or is lost, and while a block that turns in the hand presses them apart.

    Args:
        motion: of one joint.
        lead: [rad].
        pressing: how long the servo has been pressing, shared with whatever else commands it; its own when None.
    """

    STANDING_S = 0.3
    STANDING_TRAVEL = 0.02
    AHEAD = 1e-3
    """So far the motion may be ahead of what was commanded [rad]."""
    SLACK = 0.005
    """Fingers that are pressed apart by more than this are followed at once [rad]: the servo turns up to 1.7
    times as far as they do, gives all it has from 0.135 rad ahead on, and lets go after some seconds of that."""

    def __init__(self, motion: OnlineMotion, lead: float, pressing: Pressing | None = None) -> None:
        self._motion = motion
        self._lead = lead
        self._pressing = pressing or Pressing(lead)
        self._goal = self._wanted = self._measured = 0.0
        self._mark: tuple[float, float] | None = None
        self.stalled = False

    @property
    def moving(self) -> bool:
        """Whether it is on its way to its goal."""
        return not self._motion.at_rest or abs(float(self._motion.state.position[0]) - self._goal) > 1e-6

    def reset(self, position: float, velocity: float = 0.0) -> None:
        """Be at `position` [rad] and stay there."""
        self._motion.reset([position], [velocity])
        self._goal = self._wanted = self._measured = position
        self._mark = None
        self.stalled = False

    def keep_near(self, position: float, velocity: float) -> None:
        """Go on to the goal from what was really commanded: `position` [rad] and `velocity` [rad/s].

        A motion that runs ahead of a governor that slows it is caught up with, and overshot.
        """
        if abs(float(self._motion.state.position[0]) - position) > self.AHEAD:
            self._motion.reset([position], [velocity])

    def go(self, goal: float) -> None:
        """Move to `goal` [rad]. Fingers that hold a block are pressed harder once more, where their servo bears it."""
        tighter = self.stalled and (goal - self._measured) * (self._goal - self._measured) > 0.0
        self._wanted = goal
        if tighter and not self._pressing.may_press_hard:
            return
        self._pressing.release()
        self._goal = goal
        self._mark = None
        self.stalled = False

    def update(self, measured: float, now_s: float) -> tuple[float, float]:
        """One period on; `measured` is where the joint is [rad]. Returns position [rad] and velocity [rad/s]."""
        self._measured = measured
        self._pressing.update(float(self._motion.state.position[0]), measured, now_s)
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
        if abs(lead) > self._pressing.cap(math.copysign(1.0, lead)) + self.SLACK:
            self._stall(measured, lead)
        elif mark is None or nearer or abs(lead) <= self._lead + 1e-3:
            self._mark = (measured, now_s)
        elif now_s - mark[1] >= self.STANDING_S:
            self._stall(measured, lead)

    def _cap(self, lead: float) -> float:
        """The lead that standing fingers may have towards the side of `lead` [rad]."""
        return min(self._lead, self._pressing.cap(math.copysign(1.0, lead)))

    def _stall(self, measured: float, lead: float) -> None:
        self.stalled = True
        self._goal = measured + math.copysign(self._cap(lead), lead)

    def _keep_up(self, measured: float) -> None:
        left = self._wanted - measured
        goal = measured + math.copysign(min(abs(left), self._cap(left)), left)
        closer = math.copysign(1.0, left) * (goal - self._goal)
        if closer > self.STANDING_TRAVEL or closer < -self.SLACK:
            self._goal = goal


class GripGuard:
    """Draws a gripper back that somebody else's motion presses on a block for long: GripMotion's care for its servo.

    Whoever streams goals of grip_joint may lead the fingers as far as he likes while they move, and hard for as long as
    Pressing allows; from then on by no more than it says, until he asks for less than half of `lead`.

    Args:
        lead: [rad].
        pressing: how long the servo has been pressing, shared with whatever else commands it; its own when None.
    """

    FINGER_SPEED = 1.6
    """How fast fingers follow a goal that is far away [rad/s]: the driver's limit."""

    def __init__(self, lead: float, pressing: Pressing | None = None) -> None:
        self._lead = lead
        self._pressing = pressing or Pressing(lead)
        self._last: tuple[float, float] | None = None
        self.reset()

    def reset(self) -> None:
        """A motion begins."""
        self._side = 0.0
        self._drawn: float | None = None
        self._last = None

    def limit(self, wanted: float, measured: float, now_s: float, sent: float | None = None) -> float:
        """The goal to send for the one that is wanted.

        Args:
            wanted: [rad].
            measured: where the joint is [rad].
            now_s: on the control clock [s].
            sent: what was really sent last [rad], after all limits; as far as FINGER_SPEED allows when None.
        """
        goal = self._limited(wanted, measured)
        before, then_s = self._last or (measured, now_s)
        step = self.FINGER_SPEED * max(0.0, now_s - then_s)
        reached = min(max(goal, before - step), before + step)
        self._last = (reached, now_s)
        self._pressing.update(reached if sent is None else sent, measured, now_s)
        return goal

    def _limited(self, wanted: float, measured: float) -> float:
        ahead = wanted - measured
        side = math.copysign(1.0, ahead)
        # Fingers on a block that wobbles come nearer to the goal for moments: that is no rest for the servo.
        if abs(ahead) < 0.5 * self._lead or side != self._side:
            self._pressing.release()
            self._drawn, self._side = None, side
        cap = self._pressing.cap(side)
        if math.isinf(cap):
            self._drawn = None
            return wanted
        goal = measured + side * cap
        if self._drawn is None or not -GripMotion.SLACK <= side * (goal - self._drawn) <= GripMotion.STANDING_TRAVEL:
            self._drawn = goal
        return side * min(side * self._drawn, side * wanted)
