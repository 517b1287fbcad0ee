"""Motions of the arm behind its ROS interface that return when it has come to rest, or say why it has not."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NoReturn

import numpy as np
from std_msgs.msg import String

from dofbot_ros.arm.gripper import joint_to_gap
from dofbot_ros.core.types import ARM_JOINTS, GRIP, N_ARM, FloatArray
from dofbot_ros.errors import CommandRefusedError, DofbotError
from dofbot_ros.grasp.retiming import TimedPath
from dofbot_ros.nodes.arm_client import ArmClient
from dofbot_ros.nodes.qos import STREAM
from dofbot_ros.service.config import HOME

ARRIVED_RAD = 0.05
"""A joint this near to the end of its motion has arrived; what backlash and sag leave is less [rad]."""

SETTLE_S = 0.12
"""Arm time after which the servos have reached what they were told [s]."""

IDLE_GRIP_S = 0.3
"""A gripper that has not begun to move after this much arm time is where it was told to be [s]."""

REST_LIMIT_S = 40.0
"""No motion takes longer, however slow the simulation is [s]."""

CHECK_S = 1.0

MOVABLE = ("HOLD", "ACTIVE")
"""States in which the arm obeys."""


class ArmMotions:
    """One motion at a time, through topics and services that any program on a real arm may use.

    Args:
        arm: the client that commands it.
        check: called now and then while waiting; raises when waiting is in vain.
    """

    def __init__(self, arm: ArmClient, check: Callable[[], None] = lambda: None) -> None:
        self._arm = arm
        self._check = check
        self._stops: str | None = None
        self._states: list[str] = []
        arm.node.create_subscription(String, "state", arm.noting(lambda m: self._states.append(m.data)), STREAM)

    def now_s(self) -> float:
        """The arm's own time [s]: that of its newest joint state, which in simulation may run faster than the clock."""
        return float(self._arm.stamps_s.max())

    def gap(self) -> float:
        """Where the fingers stand now [m]."""
        return float(joint_to_gap(float(self._arm.position[GRIP])))

    def stop(self) -> None:
        """Brake and hold."""
        self._arm.trigger("stop")

    def heed_stops(self) -> None:
        """From now on a stop, whoever asks for it, is the end of every motion here, also of one that begins later."""
        self._stops = self._arm_entry("stops", "0")

    def home(self) -> None:
        """Move upright, out of an overhead camera's view of the table; raises as follow()."""
        self._go(lambda: self._arm.trigger("home"), np.array(HOME[:N_ARM]))

    def follow(self, path: TimedPath) -> None:
        """Move along `path`.

        Raises:
            CommandRefusedError: the arm refused it, or ended it early, and why.
        """
        self._go(
            lambda: self._arm.follow(path.times.tolist(), path.positions, ARM_JOINTS, path.velocities),
            path.positions[-1],
        )

    def grip(self, gap: float) -> None:
        """Open or close to `gap` [m], or until something stops the fingers; raises as follow()."""
        self._require_going_on()
        refused = self._refused()
        self._states.clear()
        begin_s = self.now_s()
        self._arm.grip(gap)
        self.wait(lambda: "ACTIVE" in self._states or self.now_s() > begin_s + IDLE_GRIP_S, REST_LIMIT_S, "gripper")
        self.wait(lambda: self._arm.state != "ACTIVE", REST_LIMIT_S, "end of the gripper's motion")
        if "ACTIVE" in self._states:
            # Fingers that were stopped rest like fingers that have arrived; what is told of the rest tells of the stop.
            before = self._arm.diagnostics.get("arm")
            self.wait(lambda: self._told_since(before), REST_LIMIT_S, "diagnostics")
        self.settle()
        # ACTIVE again is a grip that gives way to a block: no failure.
        if self._arm.state not in MOVABLE or self._refused() != refused or self._stopped():
            self._give_up(refused)

    def tighten(self) -> None:
        """Let the fingers close on what they hold while the next motion runs; returns at once."""
        self._arm.grip(0.0)

    def settle(self) -> None:
        """Let the servos reach what they were told."""
        end_s = self.now_s() + SETTLE_S
        self.wait(lambda: self.now_s() >= end_s, REST_LIMIT_S, "joint states")

    def wait(self, condition: Callable[[], bool], limit_s: float, what: str) -> None:
        """ArmClient.wait_until, with a look at `check` now and then.

        Raises:
            DofbotError: not within `limit_s` [s].
        """
        deadline = time.monotonic() + limit_s
        while True:
            self._check()
            try:
                self._arm.wait_until(condition, CHECK_S, what)
                return
            except DofbotError as error:
                if time.monotonic() >= deadline:
                    raise DofbotError(
                        f"no {what} within {limit_s:g} s; the arm's state is {self._arm.state}"
                    ) from error

    def _go(self, command: Callable[[], object], goal: FloatArray) -> None:
        """Give a command that moves the arm to `goal` [rad] (5,), and return when it rests there.

        How a motion has ended is told by diagnostics, a little late; an arm that rests at its goal is seen at once.
        """
        self._require_going_on()
        refused, ended = self._refused(), self._ended()
        self._states.clear()
        command()

        def arrived() -> bool:
            near = float(np.abs(self._arm.position[:N_ARM] - goal).max()) < ARRIVED_RAD
            # The end of the motion before may be told only now: it is this one's when the arm has moved meanwhile.
            told = "ACTIVE" in self._states and self._ended() != ended and self._last_arrived()
            return self._arm.state == "HOLD" and (near or told)

        def failed() -> bool:
            ended_early = self._ended() != ended and not self._last_arrived()
            return ended_early or self._refused() != refused or self._arm.state not in MOVABLE or self._stopped()

        self.wait(lambda: arrived() or failed(), REST_LIMIT_S, "end of the motion")
        if failed() or not arrived():
            self._give_up(refused)
        self.settle()

    def _require_going_on(self) -> None:
        if self._stopped():
            raise CommandRefusedError("stopped")

    def _give_up(self, refused: str) -> NoReturn:
        """Raise why the last motion came to nothing, if so many had been refused before it."""
        why = self._why(refused)
        if self._stopped():
            self.stop()  # the stop that is told only now may have come before the motion began
        raise CommandRefusedError(why)

    def _arm_entry(self, name: str, otherwise: str) -> str:
        return self._arm.diagnostics.get("arm", {}).get(name, otherwise)

    def _refused(self) -> str:
        return self._arm.diagnostics.get("commands", {}).get("refused", "0")

    def _ended(self) -> str:
        return self._arm_entry("motions ended", "0")

    def _last_arrived(self) -> bool:
        return self._arm_entry("last motion", "").endswith(": arrived")

    def _told_since(self, before: dict[str, str] | None) -> bool:
        return self._arm.diagnostics.get("arm") is not before and self._arm_entry("state", "ACTIVE") != "ACTIVE"

    def _stopped(self) -> bool:
        return self._stops is not None and self._arm_entry("stops", self._stops) != self._stops

    def _why(self, refused: str) -> str:
        if self._arm.state not in MOVABLE:
            told = self._arm_entry("state", "") == self._arm.state
            return self._arm_entry("message", "") if told else self._arm.state
        if self._refused() != refused:
            return self._arm.diagnostics["commands"]["last refusal"]
        return "stopped" if self._stopped() else self._arm_entry("last motion", "unknown")
