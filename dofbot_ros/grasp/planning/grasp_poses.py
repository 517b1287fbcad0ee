"""Where the hand may close around a block and where it lets it go, in order of preference.

The closing line turns out of the horizontal as the hand rolls at a tilted tool: by asin(sin roll sin tilt). A roll that
turns the hand fully towards the block's faces would slant it by up to 30 degrees, and slanted pads hold a block by its
edges. The roll is therefore cut where the slant becomes too much; the fingers turn the block the rest of the way.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from dofbot_ros.arm.kinematics import Kinematics
from dofbot_ros.core.types import FloatArray, ToolPose
from dofbot_ros.grasp.planning.hand_geometry import StandingBlock, deepest, hand_frames
from dofbot_ros.grasp.planning.tilt_band import TiltBand


@dataclass(frozen=True)
class HoldConfig:
    """Choices and distances.

    Attributes:
        band: places in the band of reachable tilts that are tried, 0 the steepest tool, 1 the flattest.
        band_margin: kept from the ends of that band [rad].
        max_slant: by how much the closing line may be out of the horizontal [rad].
        pad_clearance: lowest corner of the finger pads above the table when they have closed on the block [m].
        squeeze: how much narrower than the block the fingers are told to close [m].
        told_clearance: lowest corner of the pads where they would be if they went as far as they are told [m]: the tips
            travel along the tool as they close, and a command below the workspace's margin would be braked.
        drop: lowest corner of the held block above the table when it is let go [m].
    """

    band: tuple[float, ...] = (0.05, 0.3, 0.55, 0.8, 0.95)
    band_margin: float = math.radians(1.0)
    max_slant: float = math.radians(20.0)
    pad_clearance: float = 0.0025
    squeeze: float = 0.006
    told_clearance: float = 0.0015
    drop: float = 0.002


@dataclass(frozen=True, eq=False)
class Pick:
    """A tool pose in which the fingers close around the block.

    Attributes:
        pose: of the tool.
        band: its place in the band of tilts.
        centre: of the block when the fingers have closed, in tool_link, shape (3,) [m].
        up: the block's upward axis then, in tool_link, shape (3,).
        slant: of the closing line [rad].
        askew: how far the block has to turn until its faces lie on the pads [rad].
    """

    pose: ToolPose
    band: float
    centre: FloatArray
    up: FloatArray
    slant: float
    askew: float


@dataclass(frozen=True)
class Place:
    """A tool pose in which the fingers let the block go, its place in the band, and the block's tilt then [rad]."""

    pose: ToolPose
    band: float
    released_tilt: float


class GraspPoseSampler:
    """Finds them for one arm."""

    def __init__(self, kinematics: Kinematics, config: HoldConfig | None = None) -> None:
        self.config = config or HoldConfig()
        self.bands = TiltBand(kinematics, self.config.band_margin)
        self._kinematics = kinematics

    def ranked(self, block: StandingBlock, target: tuple[float, float]) -> list[tuple[Pick, Place]]:
        """All pairs that are within reach, best first.

        What loses blocks is a slanted grasp, so it weighs most; a block that is let go tilted falls flat in a way that
        is known beforehand.
        """
        pairs = [(pick, place) for pick in self._picks(block) for place in self._places(block, pick, target)]

        def cost(pair: tuple[Pick, Place]) -> float:
            pick, place = pair
            return 1.5 * pick.slant + pick.askew + place.released_tilt + 0.7 * pick.pose.tilt + 0.1 * place.pose.tilt

        return sorted(pairs, key=cost)

    def _picks(self, block: StandingBlock) -> Iterator[Pick]:
        turn = math.remainder(block.yaw - math.atan2(block.y, block.x), math.pi / 2)
        for band in self.config.band:
            for side in (turn, turn - math.copysign(math.pi / 2, turn)):
                pick = self._pick(block, band, side)
                if pick is not None:
                    yield pick

    def _pick(self, block: StandingBlock, band: float, side: float) -> Pick | None:
        """Close on the pair of faces whose normal is turned by `side` [rad] from square to the arm's plane."""
        half, roll = 0.5 * block.size, 0.0
        x, y, z = block.x, block.y, self.config.pad_clearance
        for _ in range(4):  # the tilt depends on the point, the point on the tilt
            tilt = self.bands.tilt(x, y, z, band, roll)
            if tilt is None:
                return None
            sine = math.sin(tilt)
            most = math.asin(min(1.0, math.sin(self.config.max_slant) / sine))
            roll = min(max(-math.atan2(math.sin(side), math.cos(side) * math.cos(tilt)), -most), most)
            z = max(
                self.config.pad_clearance + deepest(tilt, roll, block.size),
                self.config.told_clearance + deepest(tilt, roll, max(0.0, block.size - self.config.squeeze)),
            )
            # The tool's axis goes through the middle of the block.
            further = 1.0 + (half - z) * math.tan(tilt) / math.hypot(block.x, block.y)
            x, y = block.x * further, block.y * further
        q = self.bands.column(x, y, (z, z), band, roll)
        if q is None:
            return None
        pose = self._kinematics.forward(q[0])
        hand = hand_frames(self._kinematics, q[:1])[1][0]
        centre = hand.T @ (np.array([block.x, block.y, half]) - (pose.x, pose.y, pose.z))
        centre[1] = 0.0  # the fingers push it into the middle
        up = hand[2].copy()
        up[1] = 0.0  # and turn it until its faces lie on the pads
        closing = hand[:, 1]
        askew = abs(math.remainder(math.atan2(closing[1], closing[0]) - block.yaw, math.pi / 2))
        return Pick(pose, band, centre, up / np.linalg.norm(up), abs(math.asin(closing[2])), askew)

    def _places(self, block: StandingBlock, pick: Pick, target: tuple[float, float]) -> Iterator[Place]:
        for band in self.config.band:
            place = self._place(block, pick, target, band)
            if place is not None:
                yield place

    def _place(self, block: StandingBlock, pick: Pick, target: tuple[float, float], band: float) -> Place | None:
        """Let go with a level closing line; height and radius of the tool follow from how the hand holds the block."""
        half = 0.5 * block.size
        radius, azimuth = math.hypot(*target), math.atan2(target[1], target[0])
        r, z, lean = radius, half, 0.0
        for _ in range(4):  # the tilt depends on the point, the point on the tilt
            tilt = self.bands.tilt(r * math.cos(azimuth), r * math.sin(azimuth), z, band)
            if tilt is None:
                return None
            # The hand's x and z axes in the arm's plane, as (outward, up).
            hand = np.array([[-math.cos(tilt), math.sin(tilt)], [-math.sin(tilt), -math.cos(tilt)]])
            offset, up = hand @ pick.centre[[0, 2]], hand @ pick.up[[0, 2]]
            lean = math.atan2(up[0], up[1])
            # Let go, it turns about its lower edge until it lies flat: that edge stays where it is, not the centre.
            low = half * (math.cos(lean) + abs(math.sin(lean)))
            aside = math.copysign(half, lean) * (math.cos(lean) - abs(math.sin(lean)) - 1.0)
            z, r = low + self.config.drop - offset[1], radius - offset[0] - aside
        q = self.bands.column(r * math.cos(azimuth), r * math.sin(azimuth), (z, z), band, 0.0)
        return None if q is None else Place(self._kinematics.forward(q[0]), band, abs(lean))
