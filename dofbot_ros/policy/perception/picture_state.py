"""PictureState: what a pose network finds in picture after picture, in the form of the state observation.

The same as camera estimate, pose reader and tracker do for the pipeline, but as layers without weights that go into one
network: what was found in earlier pictures is a vector that the network carries from period to period.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from dofbot_ros.arm.holding import BLOCK_GAPS_M, PRESSING_RAD, STILL_PERIODS, STILL_RAD
from dofbot_ros.arm.robot import DRAWN
from dofbot_ros.core.transforms import invert
from dofbot_ros.core.types import GRIP
from dofbot_ros.policy.interface.observation import ARM, BLOCK_ENTRIES, GOAL_CENTRE, GOAL_SCALE
from dofbot_ros.policy.perception.keypoint_network import Poses
from dofbot_ros.policy.perception.keypoints import BLOCK, FORGET, KEYPOINTS, LATE, PLATE_CORNERS, SHARP_PX
from dofbot_ros.policy.perception.pixels import WIDTH, nominal_view, rows
from dofbot_ros.policy.perception.pose_estimator import ASTRAY_PX, IN_HAND_PX, JUMP_M, JUMP_PICTURES, LYING_M
from dofbot_ros.policy.runtime.block_tracker import DEFAULT_ESTIMATE, LONGEST_AGE

READ = (2 * len(KEYPOINTS), len(KEYPOINTS), 2, 1)
"""What is kept of a picture: the keypoints [px], the spread of their heat [px], the block's yaw, whether it shows."""

MEMORY = (1, 2, 2, 1, 2, 1, 1, 7)
"""What is kept of all pictures so far: whether the block has been seen; its place [m], yaw and age; another place where
it may be [m], and for how many pictures; for how many periods the fingers have stood; what the arm's keypoints told of
the camera's displacement."""

SIGMA_PX = (0.6, 0.6, 1.0, 1.0, 0.8, 2.5)
"""How well each of the arm's keypoints tells the camera's displacement."""

PRIOR_PX, PRIOR_TURN_PX = 4.0, 1.3
"""Standard deviation of that displacement along an axis, and by a turn of the picture, TURN_PX from its middle."""

TURN_PX = 50.0
"""Distance from the middle of the picture at which its turn is told in pixels."""

ODD_PX = 10.0
"""A keypoint that differs from the others by more than this weighs no less than one that differs so much."""

TOOL = KEYPOINTS.index("tool")
_SIZES = np.cumsum([0, *(entry.size for entry in ARM)])
GAP_AT, TOOL_AT, LEAD_AT, MOVED_AT = (int(_SIZES[k]) for k in (1, 2, 4, 5))
"""Where the state layout has the gap, the tool's place, command less measured, and the change in a period."""


def picture_numbers(poses: Poses) -> Tensor:
    """What is kept of n pictures, (n, sum of READ)."""
    return torch.cat([poses.pixels.flatten(1), poses.spread, poses.yaw, poses.shown.sigmoid()[:, None]], dim=1)


class PictureState(nn.Module):
    """Goals and state observation, as a goal environment gives them, from pictures by a calibrated camera.

    The arm's keypoints are compared with where joint angles and calibration expect them; the shift and turn that they
    have in common, over all pictures, are the camera's and come off the block's pixel. A block that is not seen is
    where it was last seen, or between the fingers that feel it; one that is suddenly elsewhere is believed once it
    stays there.
    """

    camera: Tensor
    lens: Tensor
    plate: Tensor
    lengths: Tensor
    rays: Tensor
    foot: Tensor
    variance: Tensor
    edge: Tensor
    prior: Tensor
    unseen: Tensor
    joints_centre: Tensor
    goal_centre: Tensor
    block_centre: Tensor

    outputs = 2 + sum(entry.size for entry in (*ARM, *BLOCK_ENTRIES))

    def __init__(self) -> None:
        super().__init__()
        intrinsics, pose = nominal_view(WIDTH)
        arm = DRAWN.kinematics
        # A camera that looks straight down sees the table as it is, but for scale and turn.
        rays = (pose[2, 3] - LYING_M) * pose[:2, :3] @ np.linalg.inv(intrinsics.K)
        constants = {
            "camera": invert(pose),
            "lens": intrinsics.K,
            "plate": PLATE_CORNERS,
            "lengths": (arm.upper_arm, arm.forearm, arm.tool),
            "rays": rays,
            "foot": pose[:2, 3],
            "variance": np.square(SIGMA_PX),
            "edge": (WIDTH - 1.0, rows(WIDTH) - 1.0),
            "prior": (PRIOR_PX**-2, 0.0, 0.0, PRIOR_TURN_PX**-2, 0.0, 0.0, 0.0),
            "unseen": DEFAULT_ESTIMATE.position[:2],
            "joints_centre": ARM[0].centre,
            "goal_centre": GOAL_CENTRE,
            "block_centre": BLOCK_ENTRIES[0].centre,
        }
        for name, value in constants.items():
            self.register_buffer(name, torch.tensor(np.array(value), dtype=torch.float32), persistent=False)
        self.base_height = arm.base_height

    def forward(self, read: Tensor, arm: Tensor, goal: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        """Achieved goal, desired goal and state observation, (n, outputs); and the new memory, (n, sum of MEMORY).

        Args:
            read: of the newest picture, as picture_numbers gives it.
            arm: the state layout without the block.
            goal: the desired one.
            memory: of the period before; zeros in the first.
        """
        known, place, yaw, age, doubted, jump_count, stood, told = torch.split(memory, list(MEMORY), dim=1)
        points, spread, turned, shown = torch.split(read, list(READ), dim=1)
        pixels = points.view(-1, len(KEYPOINTS), 2)
        angles = arm[:, :5] + self.joints_centre
        expected = self._expected(angles)
        moved = self._expected(angles - ARM[5].scale * arm[:, MOVED_AT : MOVED_AT + 5]) - expected
        unsure = self.variance + (spread[:, :BLOCK] - SHARP_PX).clamp_min(0.0).square()
        unsure = unsure + (LATE * moved).square().sum(dim=2)
        displaced, told = self._displaced(pixels[:, :BLOCK] - expected, expected, unsure, FORGET * told)

        stood = self._stood(arm, stood)
        held = stood >= STILL_PERIODS
        block = pixels[:, BLOCK] - _shift(displaced, self._from_middle(pixels[:, BLOCK:]))[:, 0]
        in_hand = held & ((block - expected[:, TOOL]).norm(dim=1, keepdim=True) < IN_HAND_PX)
        looks = (shown > 0.5) & (spread[:, BLOCK:] < ASTRAY_PX) & ~in_hand
        there = torch.cat([block, torch.ones_like(shown)], dim=1) @ self.rays.T + self.foot
        place = torch.where(known > 0.5, place, self.unseen)
        jumps = looks & (known > 0.5) & ((there - place).norm(dim=1, keepdim=True) > JUMP_M)
        jump_count = self._doubts(jumps, there, doubted, jump_count)
        doubted = torch.where(jumps, there, doubted)
        seen = looks & (~jumps | (jump_count >= JUMP_PICTURES))
        jump_count = torch.where(seen, torch.zeros_like(jump_count), jump_count)

        tool = GOAL_SCALE * arm[:, TOOL_AT : TOOL_AT + 3] + self.goal_centre
        place = torch.where(seen, there, torch.where(held, tool[:, :2], place))
        # The picture's own turn comes off, four times; its columns and rows run along -y and -x.
        turn = 4.0 / TURN_PX * displaced[:, 2:]
        cos, sin = turned.split(1, dim=1)  # type: ignore[no-untyped-call]
        level = torch.cat([cos * turn.cos() + sin * turn.sin(), cos * turn.sin() - sin * turn.cos()], dim=1)
        yaw = torch.where(seen, level / level.norm(dim=1, keepdim=True).clamp_min(0.1), yaw)
        age = torch.where(seen, torch.zeros_like(age), (age + 1.0).clamp_max(float(LONGEST_AGE)))
        known = torch.where(seen, torch.ones_like(known), known)
        height = torch.where(held & ~seen, tool[:, 2:], torch.full_like(known, LYING_M))
        where = torch.cat([place, height], dim=1)
        state = torch.cat(
            [
                (height - self.goal_centre[2]) / GOAL_SCALE,
                goal,
                arm,
                (where - self.block_centre) / GOAL_SCALE,
                yaw,
                (where - tool) / BLOCK_ENTRIES[2].scale,
                age / BLOCK_ENTRIES[3].scale,
            ],
            dim=1,
        )
        return state, torch.cat([known, place, yaw, age, doubted, jump_count, stood, told], dim=1)

    def _displaced(self, missing: Tensor, expected: Tensor, unsure: Tensor, told: Tensor) -> tuple[Tensor, Tensor]:
        """Shift and turn (n, 3) [px] of the picture that keypoints (n, 6, 2) share, now and before: least squares.

        Args:
            missing: what is found less what is expected [px].
            expected: [px].
            unsure: variance of each keypoint [px^2], (n, 6).
            told: sums of weights w, w x, w y, w (x^2 + y^2) and of w times what is missing along u, v and the turn.

        Returns:
            The displacement, and the sums with this picture's.
        """
        inside = ((expected >= 0.0) & (expected <= self.edge)).all(dim=2).float()
        at = self._from_middle(expected)
        (x, y), (u, v) = at.unbind(dim=2), missing.unbind(dim=2)
        parts = torch.stack([torch.ones_like(x), x, y, x * x + y * y, u, v, x * v - y * u], dim=2)
        displaced, now = _solved(told + self.prior), told
        for _ in range(3):
            odd = (missing - _shift(displaced, at)).square().sum(dim=2)
            # Those that differ from the others weigh less.
            weight = inside / (unsure + odd.clamp_max(ODD_PX**2))
            now = told + (weight[..., None] * parts).sum(dim=1)
            displaced = _solved(now + self.prior)
        return displaced, now

    def _from_middle(self, pixels: Tensor) -> Tensor:
        """Places in the picture (n, k, 2) from its middle, in units of TURN_PX."""
        return (pixels - 0.5 * self.edge) / TURN_PX

    @staticmethod
    def _doubts(jumps: Tensor, there: Tensor, doubted: Tensor, jump_count: Tensor) -> Tensor:
        """For how many pictures in a row a block that jumps has been seen `there`; as BlockPoseEstimator counts."""
        again = (jump_count > 0.5) & ((there - doubted).norm(dim=1, keepdim=True) < JUMP_M)
        count = torch.where(again, jump_count + 1.0, torch.ones_like(jump_count))
        return torch.where(jumps, count, jump_count)

    @staticmethod
    def _stood(arm: Tensor, before: Tensor) -> Tensor:
        """Periods for which the fingers have pressed on something and stood still, (n, 1); as BlockTracker counts."""
        lead = ARM[4].scale * arm[:, LEAD_AT + GRIP : LEAD_AT + GRIP + 1]
        moved = (ARM[5].scale * arm[:, MOVED_AT + GRIP : MOVED_AT + GRIP + 1]).abs()
        gap = ARM[1].scale * arm[:, GAP_AT : GAP_AT + 1] + ARM[1].centre[0]
        presses = (lead >= PRESSING_RAD) & (gap > BLOCK_GAPS_M[0]) & (gap < BLOCK_GAPS_M[1])
        more = torch.where(moved < STILL_RAD, (before + 1.0).clamp_max(float(STILL_PERIODS)), torch.zeros_like(before))
        # What holds a block holds it until it lets go.
        kept = torch.where(before >= STILL_PERIODS, before, more)
        return torch.where(presses, kept, torch.zeros_like(before))

    def _expected(self, q: Tensor) -> Tensor:
        """Pixels of ARM_KEYPOINTS, (n, 6, 2), by calibration; as keypoints.arm_points and keypoints.project."""
        angle = q[:, 1:4].cumsum(dim=1)
        zero = torch.zeros_like(q[:, :1])
        out = torch.cat([zero, (self.lengths * angle.sin()).cumsum(dim=1)], dim=1)
        up = torch.cat([zero, (self.lengths * angle.cos()).cumsum(dim=1)], dim=1) + self.base_height
        moving = torch.stack([out * q[:, :1].cos(), out * q[:, :1].sin(), up], dim=2)
        points = torch.cat([self.plate.expand(q.shape[0], -1, -1), moving], dim=1)
        seen = (points @ self.camera[:3, :3].T + self.camera[:3, 3]) @ self.lens.T
        pixels: Tensor = seen[..., :2] / seen[..., 2:]
        return pixels


def _shift(displaced: Tensor, at: Tensor) -> Tensor:
    """By how much (n, k, 2) [px] a shift and turn (n, 3) displace what is at (n, k, 2) from the middle."""
    x, y = at.unbind(dim=2)
    turn = displaced[:, 2:]
    return torch.stack([displaced[:, :1] - turn * y, displaced[:, 1:2] + turn * x], dim=2)


def _solved(told: Tensor) -> Tensor:
    """Shift and turn (n, 3) of which the sums (n, 7) tell: their normal equations, solved for the turn first."""
    weight, x, y, square, u, v, turned = told.split(1, dim=1)  # type: ignore[no-untyped-call]
    turn = (turned + (y * u - x * v) / weight) / (square - (x * x + y * y) / weight)
    return torch.cat([(u + y * turn) / weight, (v - x * turn) / weight, turn], dim=1)
