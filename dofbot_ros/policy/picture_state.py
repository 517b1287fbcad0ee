"""PictureState: what a pose network finds in pictures in the form of the state observation, without learning."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from dofbot_ros.arm.kinematics import Kinematics
from dofbot_ros.core.transforms import invert
from dofbot_ros.policy.keypoint_network import Poses
from dofbot_ros.policy.keypoints import BLOCK, KEYPOINTS, PLATE_CORNERS
from dofbot_ros.policy.observation import ARM, BLOCK_ENTRIES, GOAL_CENTRE, GOAL_SCALE
from dofbot_ros.policy.pixels import WIDTH, nominal_view, rows
from dofbot_ros.policy.pose_reader import ASTRAY_PX, LYING_M

PICTURE_NUMBERS = 2 * len(KEYPOINTS) + 2 + 2 + 1
"""What is kept of a picture: keypoints, the block from the tool, its yaw, whether it is seen."""

SIGMA_PX = (0.6, 0.6, 1.0, 1.0, 0.8, 2.5)
"""How well each of the arm's keypoints tells the camera's displacement."""

PRIOR_PX = 4.0
"""Standard deviation of that displacement along an axis."""

TOOL = KEYPOINTS.index("tool")
_SIZES = np.cumsum([0, *(entry.size for entry in ARM)])
GAP_AT, TOOL_AT, LEAD_AT, MOVED_AT = (int(_SIZES[k]) for k in (1, 2, 4, 5))
"""Where the state layout has the gap, the tool's place, command less measured, and the change in a period."""

GRIP = 5
HELD_LEAD, HELD_STILL, HELD_GAP = 0.05, 0.02, (0.022, 0.040)
"""Fingers hold something that are told to close further [rad], stand still [rad], and are about a block apart [m]."""


def picture_numbers(poses: Poses) -> Tensor:
    """What is kept of n pictures, (n, PICTURE_NUMBERS), each about -1..1."""
    half = 0.5 * WIDTH
    places = ((poses.pixels - half) / half).flatten(1)
    away = (poses.pixels[:, BLOCK] - poses.pixels[:, TOOL]) / 10.0
    shown = poses.shown.sigmoid() * (4.0 * (ASTRAY_PX - poses.spread[:, BLOCK])).sigmoid()
    return torch.cat([places, away.clamp(-3.0, 3.0), poses.yaw, shown[:, None]], dim=1)


class PictureState(nn.Module):
    """Goals and state observation, as a goal environment gives them, from pictures by a calibrated camera.

    The arm's keypoints in each picture are compared with where joint angles and calibration expect them; their common
    offset is taken off the block's pixel. A block that is not seen is taken to be where it was last seen, or else under
    the tool; one that the fingers feel is at the tool.

    Args:
        stack: pictures, oldest first.
    """

    camera: Tensor
    lens: Tensor
    plate: Tensor
    lengths: Tensor
    rays: Tensor
    foot: Tensor
    variance: Tensor
    joints_centre: Tensor
    goal_centre: Tensor
    block_centre: Tensor

    def __init__(self, stack: int) -> None:
        super().__init__()
        self.stack = stack
        self.outputs = 2 + sum(entry.size for entry in (*ARM, *BLOCK_ENTRIES))
        self.hints = 2 * BLOCK + stack
        intrinsics, pose = nominal_view(WIDTH)
        arm = Kinematics()
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
            "joints_centre": ARM[0].centre,
            "goal_centre": GOAL_CENTRE,
            "block_centre": BLOCK_ENTRIES[0].centre,
        }
        for name, value in constants.items():
            self.register_buffer(name, torch.tensor(np.array(value), dtype=torch.float32), persistent=False)
        self.base_height = arm.base_height

    def forward(self, numbers: Tensor) -> Tensor:
        """Achieved goal, desired goal, state observation, and hints, (n, outputs + hints).

        Args:
            numbers: of `stack` pictures as picture_numbers gives them, the state layout without the block, the goal.
        """
        end = self.stack * PICTURE_NUMBERS
        pictures = numbers[:, :end].view(-1, self.stack, PICTURE_NUMBERS)
        arm, goal = numbers[:, end:-1], numbers[:, -1:]
        half = 0.5 * WIDTH
        pixels = half + half * pictures[..., : 2 * len(KEYPOINTS)].reshape(-1, self.stack, len(KEYPOINTS), 2)
        expected = self._expected(arm[:, :5] + self.joints_centre)
        tool = GOAL_SCALE * arm[:, TOOL_AT : TOOL_AT + 3] + self.goal_centre
        place = torch.cat([tool[:, :2], torch.full_like(tool[:, :1], LYING_M)], dim=1)
        yaw = torch.zeros_like(place[:, :2])
        hints = []
        for k in range(self.stack):
            missing = pixels[:, k, :BLOCK] - expected
            block = pixels[:, k, BLOCK] - self._common(missing, expected)
            there = torch.cat([block, torch.ones_like(block[:, :1])], dim=1) @ self.rays.T + self.foot
            sight = (20.0 * (pictures[:, k, -1:] - 0.5)).sigmoid()
            place = torch.cat([sight * there + (1.0 - sight) * place[:, :2], place[:, 2:]], dim=1)
            # Columns and rows of the picture run along -y and -x.
            told = pictures[:, k, -3:-1] * torch.tensor([1.0, -1.0])
            yaw = sight * told / told.norm(dim=1, keepdim=True).clamp_min(0.1) + (1.0 - sight) * yaw
            hints.append(sight)
        held = self._held(arm)
        place = held * tool + (1.0 - held) * place
        state = torch.cat(
            [
                (place[:, 2:] - self.goal_centre[2]) / GOAL_SCALE,
                goal,
                arm,
                (place - self.block_centre) / GOAL_SCALE,
                yaw,
                (place - tool) / BLOCK_ENTRIES[2].scale,
                torch.zeros_like(goal),
            ],
            dim=1,
        )
        return torch.cat([state, (missing / 5.0).clamp(-3.0, 3.0).flatten(1), *hints], dim=1)

    def _common(self, missing: Tensor, expected: Tensor) -> Tensor:
        """Offset (n, 2) [px] that keypoints (n, 6, 2) share; those that differ from the others weigh less."""
        edge = torch.tensor([WIDTH - 1.0, rows(WIDTH) - 1.0])
        inside = ((expected >= 0.0) & (expected <= edge)).all(dim=2).float()
        offset = torch.zeros_like(missing[:, 0])
        for _ in range(3):
            odd = (missing - offset[:, None]).square().sum(dim=2)
            weight = inside / (self.variance + odd.clamp_max(100.0))
            offset = (weight[..., None] * missing).sum(dim=1) / (weight.sum(dim=1, keepdim=True) + PRIOR_PX**-2)
        return offset

    def _held(self, arm: Tensor) -> Tensor:
        """Whether the fingers feel a block, 0..1, (n, 1)."""
        lead = ARM[4].scale * arm[:, LEAD_AT + GRIP] - HELD_LEAD
        still = HELD_STILL - (ARM[5].scale * arm[:, MOVED_AT + GRIP]).abs()
        gap = ARM[1].scale * arm[:, GAP_AT] + ARM[1].centre[0]
        apart = torch.minimum(gap - HELD_GAP[0], HELD_GAP[1] - gap)
        return ((200.0 * lead).sigmoid() * (500.0 * still).sigmoid() * (2000.0 * apart).sigmoid())[:, None]

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
