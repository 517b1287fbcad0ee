"""A scripted teacher in the environments' own actions: what a policy is shown before it acts by itself."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dofbot_ros.arm.gripper import joint_to_gap
from dofbot_ros.arm.holding import STILL_RAD, presses
from dofbot_ros.core.types import GRIP
from dofbot_ros.errors import ConfigError
from dofbot_ros.grasp.planning.hand_geometry import PAD_THICKNESS, PAD_WIDTH
from dofbot_ros.policy.env.environments import DofBotEnv
from dofbot_ros.policy.env.tasks import USUAL_BLOCK, Place
from dofbot_ros.policy.interface.action_mapper import ROLL_STEP, TOOL_STEP
from dofbot_ros.policy.interface.observation import GOAL_CENTRE, GOAL_SCALE

GAIN = 0.35
"""Share of what is missing that one period's action asks for: with more, the servos' delay would let the tool ring."""

FORESIGHT = 2.0
"""Periods for which the joints are expected to go on as they move: what they were told and have not done yet."""

CLEARANCE = 0.003
"""Of the lowest corner of the finger pads above the table [m]."""

HOVER = 0.065
"""Height of the tool on the way to a block, and with one [m]."""

NEAR = 0.006
"""The tool comes all the way down where it is no further aside than this [m]."""

SLOPE = 2.5
"""Height that the tool keeps for each length that it is further aside than NEAR."""

AROUND = 0.012
"""The fingers close while the block is no further than this from the middle between them [m]..."""

LOW = 0.008
"""...and the tool no higher than this above its lowest [m]..."""

TURNED = 0.20
"""...and the hand turned to the block's sides to within this [rad]."""

MAX_SLANT = math.radians(12.0)
"""How far the closing line may be out of the horizontal [rad]: the rest of the turn the fingers do to the block."""

HELD_GAP = (0.8, 1.5)
"""Gap of fingers with a block between them, over its edge: from squeezed in to held by two of its edges."""

OPEN_GAP = 0.050
"""Fingers further apart than this go down around a block [m]."""

LIFTED = 0.080
"""Height that a block is lifted to [m]."""

THERE = 0.012
"""A block no further than this from its goal is let go there [m]."""


@dataclass(frozen=True)
class Sight:
    """What the teacher decides from.

    Attributes:
        joints: where they are [rad], (6,).
        moved: by how much they turned in the last period [rad], (6,).
        lead: of the gripper's command over the fingers [rad].
        block: place of its centre [m].
        yaw: of the block modulo a quarter turn [rad].
        size: edge of the block [m].
        tool: distance from joint 1's axis [m], azimuth [rad] and height [m].
        ahead: the same once the arm has done what it was told.
        tilt: of the tool from straight down [rad].
    """

    joints: list[float]
    moved: list[float]
    lead: float
    block: Place
    yaw: float
    size: float
    tool: Place
    ahead: Place
    tilt: float

    @property
    def place(self) -> Place:
        """Of the tool [m]."""
        radius, azimuth, z = self.tool
        return radius * math.cos(azimuth), radius * math.sin(azimuth), z

    @property
    def gap(self) -> float:
        """Between the fingers [m]."""
        return joint_to_gap(self.joints[GRIP])

    @property
    def holding(self) -> bool:
        """Whether the fingers press on something as wide as the block."""
        low, high = HELD_GAP
        grip = self.joints[GRIP]
        still = abs(self.moved[GRIP]) < STILL_RAD
        return still and presses(grip + self.lead, grip, (low * self.size, high * self.size))

    @property
    def lowest(self) -> float:
        """Height of the tool at which the pads, closed on the block, clear the table [m]."""
        roll = self.joints[4]
        aside = 0.5 * PAD_WIDTH * math.cos(roll) + (0.5 * self.size + PAD_THICKNESS) * abs(math.sin(roll))
        return CLEARANCE + aside * math.sin(self.tilt)


class Expert:
    """Acts in one environment. Decides anew in every period, from where things are then: nothing leaves it at a loss.

    The tool comes in above the block, turned to its sides, down a funnel, closes, and lifts; a block that slips is
    fetched again. Arm and block may be as they truly are in the simulated world, which makes a teacher that noise,
    delay and lost detections do not lead astray, or as a policy sees them.

    Args:
        env: whose episodes it acts in; tool control.
        privileged: decide from what is true.

    Raises:
        ConfigError: the environment's actions displace the joints.
    """

    def __init__(self, env: DofBotEnv, *, privileged: bool = True) -> None:
        if env.control != "tool":
            raise ConfigError("the scripted teacher displaces the tool: it needs control tool, not joints")
        self._env = env
        self._privileged = privileged

    def act(self, observation: Any = None) -> NDArray[np.float32]:  # noqa: ARG002
        """The action, each -1..1, at the moment that the environment is in."""
        sight, goal = self._look(), self._env.goal
        task = self._env.task.name
        if task == "pick":
            wanted = _pick(sight)
        else:
            x, y, z = (GOAL_SCALE * float(g) + c for g, c in zip(goal, GOAL_CENTRE, strict=True))
            wanted = _towards(sight, (x, y, z)) if task == "reach" else _place(sight, (x, y, z))
        action = np.array(wanted[: self._env.task.actions], np.float32)
        return np.minimum(np.maximum(action, -1.0), 1.0)

    def _look(self) -> Sight:
        sim, true = self._env.sim, self._privileged
        state = sim.state
        joints: list[float] = sim.world.arm.positions().tolist() if true else state.joints
        moved = [q - p for q, p in zip(state.joints, state.before, strict=True)]
        ahead = [q + FORESIGHT * by for q, by in zip(joints, moved, strict=True)]
        place, yaw, size = (0.0, 0.0, 0.0), 0.0, USUAL_BLOCK
        if state.block is not None:
            place, yaw = sim.true_block() if true else (state.block.position, state.block.yaw)
            size = sim.block_size if true else size
        return Sight(
            joints,
            moved,
            state.command[GRIP] - joints[GRIP],
            place,
            yaw,
            size,
            self._tool(joints),
            self._tool(ahead),
            math.pi - (joints[1] + joints[2] + joints[3]),
        )

    def _tool(self, joints: list[float]) -> Place:
        radius, z = self._env.sim.map.point((joints[1], joints[2], joints[3]))
        return radius, joints[0], z


def _towards(sight: Sight, place: Place) -> list[float]:
    """The displacement of the tool, (3,) in full actions, that brings it nearer: around joint 1, not through it."""
    radius, azimuth, _ = sight.tool
    out = GAIN * (math.hypot(place[0], place[1]) - sight.ahead[0])
    along = GAIN * radius * (math.atan2(place[1], place[0]) - sight.ahead[1])
    share = TOOL_STEP / max(TOOL_STEP, math.hypot(out, along))
    further, turned = radius + share * out, azimuth + share * along / radius
    x, y, _ = sight.place
    step = further * math.cos(turned) - x, further * math.sin(turned) - y, GAIN * (place[2] - sight.ahead[2])
    return [by / TOOL_STEP for by in step]


def _pick(sight: Sight) -> list[float]:
    if not sight.holding:
        return _grasp(sight)
    x, y, z = sight.place
    return [*_towards(sight, (x, y, z + LIFTED - sight.block[2])), 0.0, 1.0]


def _grasp(sight: Sight) -> list[float]:
    """Come to the block from above and close the fingers around it."""
    roll, lowest = sight.joints[4], sight.lowest
    x, y, _ = sight.block
    # The tool's axis, which leans, is to go through the middle of the block.
    further = 1.0 + (0.5 * sight.size - lowest) * math.tan(sight.tilt) / math.hypot(x, y)
    x, y = further * x, further * y
    away = math.dist((x, y), sight.place[:2])
    turn = hand_turn(sight.yaw, math.atan2(y, x), sight.tilt, roll)
    unturned = abs(turn - roll)
    closing = sight.gap < OPEN_GAP and sight.lead > 0.0
    if away < AROUND and sight.tool[2] < lowest + LOW and (closing or unturned < TURNED):
        return [*_towards(sight, (x, y, lowest)), 0.0, 1.0]
    height = HOVER
    if sight.gap > OPEN_GAP:
        height = min(HOVER, lowest + SLOPE * max(0.0, away - NEAR) + 0.1 * max(0.0, unturned - 0.5 * TURNED))
    return [*_towards(sight, (x, y, height)), GAIN * (turn - roll) / ROLL_STEP, -1.0]


def _place(sight: Sight, goal: Place) -> list[float]:
    x, y, z = sight.place
    aside = math.dist(sight.block[:2], goal[:2])
    let_go = sight.gap > sight.size + 0.008
    if aside < THERE and (z < sight.lowest + 0.012 or let_go):
        # Straight up, once the fingers are clear of the block's sides.
        clear = sight.gap > sight.size + 0.012
        return [*_towards(sight, (x, y, HOVER if clear else z)), 0.0, -1.0]
    if not sight.holding:
        return _grasp(sight)
    height = min(HOVER, sight.lowest + SLOPE * max(0.0, aside - NEAR))
    carried = x + goal[0] - sight.block[0], y + goal[1] - sight.block[1], height
    return [*_towards(sight, carried), 0.0, 1.0]


def hand_turn(yaw: float, azimuth: float, tilt: float, near: float) -> float:
    """Joint 5 [rad] that turns a hand leaning by `tilt` [rad] to two sides of a block, as far as MAX_SLANT lets it.

    Args:
        yaw: of the block modulo a quarter turn [rad].
        azimuth: of the arm's plane [rad].
        tilt: of the tool from straight down [rad].
        near: where joint 5 is [rad]; of two ways the nearer one is taken.
    """
    first = math.remainder(yaw - azimuth, 0.5 * math.pi)
    most = math.asin(min(1.0, math.sin(MAX_SLANT) / max(1e-6, math.sin(tilt))))
    turns = []
    for side in (first - 0.5 * math.pi, first, first + 0.5 * math.pi):
        if abs(side) < math.radians(60.0):
            turn = -math.atan2(math.sin(side), math.cos(side) * math.cos(tilt))
            turns.append(min(max(turn, -most), most))
    return min(turns, key=lambda turn: abs(turn - near))
