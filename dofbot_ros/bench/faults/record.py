"""What an arm was asked to do and when it had to stop: the side of the operators, beside the servos' truth."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from dofbot_ros.core.types import N_JOINTS, BoolArray, FloatArray
from dofbot_ros.safety.states import ArmState


@dataclass(frozen=True)
class Commanded:
    """A motion command that was accepted.

    Attributes:
        time_s: when [s].
        joints: which it moves, shape (6,).
        lower, upper: the smallest box of joint angles that holds all it asks for, shape (6,) [rad].
        rest_s: from when on the arm has to be at rest if nothing else is commanded [s].
        kind: "trajectory", "stream", "twist", "gripper", "home", "park".
        first_s: time from the command to the first point of a trajectory [s]; 0 for other commands.
        first: that point, shape (6,) [rad].
    """

    time_s: float
    joints: BoolArray
    lower: FloatArray
    upper: FloatArray
    rest_s: float
    kind: str
    first_s: float = 0.0
    first: FloatArray | None = None

    @staticmethod
    def of(time_s: float, points: FloatArray, rest_s: float, kind: str, joints: BoolArray | None = None) -> Commanded:
        """A command through `points` [rad], shape (n, 6)."""
        every = np.ones(N_JOINTS, dtype=np.bool_) if joints is None else joints
        return Commanded(time_s, every, points.min(axis=0), points.max(axis=0), rest_s, kind)


@dataclass(frozen=True)
class Halt:
    """A moment from which the arm has to brake: why is "estop", "stop", or the state that the driver went to."""

    time_s: float
    why: str


@dataclass(frozen=True)
class Hand:
    """Somebody turned a limp joint, or put a load on one: from then on it is where the hand left it.

    Attributes:
        time_s: when [s].
        joint: which.
        sag: how far it may go from there once its motor bears the load [rad]: its hand lets go of it then.
    """

    time_s: float
    joint: int
    sag: float = 0.0


@dataclass(frozen=True)
class TorqueOrder:
    """A torque switch that the driver has accepted: it has to be true of every servo."""

    time_s: float
    enabled: bool


@dataclass
class Record:
    """One run, in the order in which things happened.

    Attributes:
        commands: motions that were accepted.
        halts: moments from which the arm has to brake.
        hands: joints that were turned by hand.
        torque_orders: switches of the torque that the driver said were carried out.
        states: the driver's state whenever it changed, with its reason.
        refusals: commands that were refused: when, which, why.
        onset_s, end_s: of the fault [s].
        recovered: whether the arm obeyed again after the fault; None where that was not asked.
        crash: what ended the driver; "" when nothing did.
    """

    commands: list[Commanded] = field(default_factory=list)
    halts: list[Halt] = field(default_factory=list)
    hands: list[Hand] = field(default_factory=list)
    torque_orders: list[TorqueOrder] = field(default_factory=list)
    states: list[tuple[float, ArmState, str]] = field(default_factory=list)
    refusals: list[tuple[float, str, str]] = field(default_factory=list)
    onset_s: float = np.inf
    end_s: float = np.inf
    recovered: bool | None = None
    crash: str = ""

    def first_state(self, states: tuple[ArmState, ...], since_s: float) -> float | None:
        """When the driver was first in one of `states` at or after `since_s` [s]; None for never."""
        standing = [time_s for time_s, state, _ in self.states if time_s <= since_s]
        begin_s = standing[-1] if standing else since_s
        for time_s, state, _ in self.states:
            if time_s >= begin_s and state in states:
                return max(time_s, since_s)
        return None
