"""Gymnasium environment HandImitation-v0: bring a hand to a target's shape; importing this module registers it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import cv2
import gymnasium as gym
import numpy as np
import torch
from numpy.typing import NDArray

from dofbot_ros.core.types import ImageArray
from dofbot_ros.errors import ConfigError, one_of, optional_packages
from dofbot_ros.lab.imitation.landmarks import angles_from_landmarks
from dofbot_ros.lab.imitation.mask import MASKS, HandCutout, Mask
from dofbot_ros.lab.imitation.silhouette import SIZE, hard
from dofbot_ros.lab.imitation.urdf.saved import hand_of

ENV_ID = "HandImitation-v0"
PERIOD_S, SPEED = 0.1, 6.0
"""Of a step [s]; of the joints at most [rad/s]."""
GAIN, DAMPING = 120.0, 18.0
"""Of the joints' controller in `control="pid"`: [1/s^2], [1/s]; its integral part has nothing to make up for here."""
SUBSTEPS = 20


class HandImitationEnv(gym.Env[NDArray[np.uint8], NDArray[np.float32]]):
    """A target's silhouette beside the hand's own; an action is the joint angles to take, each -1..1 of its range.

    Observations are pictures (resolution, 2 x resolution, 3): the target on the left, the hand on the right. A step
    earns minus the share of wrong pixels. `is_success` in the info: the wrong pixels are fewer than `epsilon` of the
    target's.

    Args:
        dof: 12 or 17.
        source: folder of photos, or a video, whose hands are the targets; empty: poses are drawn.
        mask: how the hands of `source` are cut out, see mask.cut_out.
        urdf: file of another hand, see urdf.reader.read_hand, as for `joints`; empty: none.
        resolution: edge of both pictures [px].
        epsilon: share of wrong pixels below which an episode has succeeded, and ends.
        mirror: targets are those of the other hand, mirrored.
        control: position (the joints are where they are told to be) or pid (they get there in the time they need).
        horizon: steps of an episode.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 10}  # noqa: RUF012

    def __init__(
        self,
        dof: int = 12,
        resolution: int = SIZE,
        *,
        source: str = "",
        mask: Mask = "grabcut",
        urdf: str = "",
        joints: Mapping[str, str] | None = None,
        epsilon: float = 0.02,
        mirror: bool = False,
        control: Literal["position", "pid"] = "position",
        horizon: int = 20,
        render_mode: str | None = None,
    ) -> None:
        if resolution < 8:
            raise ConfigError(f"resolution must be at least 8 pixels, got {resolution}")
        if not 0.0 <= epsilon < 1.0:
            raise ConfigError(f"epsilon must lie in 0..1, got {epsilon}")
        if control not in ("position", "pid"):
            raise ConfigError(f"control must be position or pid, got {control}")
        if mask not in MASKS:
            raise ConfigError(one_of("mask", mask, MASKS))
        self.model = hand_of(dof, urdf, joints or {})
        self._hands: list[HandCutout] = []
        if source:
            with optional_packages("teleop", "hands in photos"):
                from dofbot_ros.lab.imitation.seen import hands_of
            self._hands = hands_of(source, mask)
        dof = self.model.dof
        self.resolution, self.epsilon, self.mirror = resolution, epsilon, mirror
        self.control, self.horizon, self.render_mode = control, horizon, render_mode
        self._lower, self._upper = self.model.lower.numpy(), self.model.upper.numpy()
        self.angles = 0.5 * (self._lower + self._upper)
        self.target_angles = self.angles.copy()
        self._speed = np.zeros(dof, np.float32)
        self._target = np.zeros((resolution, resolution), bool)
        self._steps = 0
        self.action_space = gym.spaces.Box(-1.0, 1.0, (dof,), np.float32)
        self.observation_space = gym.spaces.Box(0, 255, (resolution, 2 * resolution, 3), np.uint8)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.uint8], dict[str, Any]]:
        """A new target; the hand is in the middle of its ranges."""
        super().reset(seed=seed, options=options)
        if self._hands:
            self._take(self._hands[int(self.np_random.integers(len(self._hands)))])
        else:
            generator = torch.Generator().manual_seed(int(self.np_random.integers(2**31)))
            self.target_angles = self.model.sample(1, generator)[0].numpy()
            self._target = self._silhouette(self.target_angles)
        self.angles = 0.5 * (self._lower + self._upper)
        self._speed[:] = 0.0
        self._steps = 0
        return self._observe(), self._info()

    def step(self, action: NDArray[np.float32]) -> tuple[NDArray[np.uint8], float, bool, bool, dict[str, Any]]:
        """One period."""
        share = 0.5 * (np.clip(action, -1.0, 1.0) + 1.0)
        goal = (self._lower + share * (self._upper - self._lower)).astype(np.float32)
        if self.control == "position":
            self.angles = goal
        else:
            self._approach(goal)
        self._steps += 1
        info = self._info()
        wrong = float(info["xor_px"]) / self.resolution**2
        return self._observe(), -wrong, bool(info["is_success"]), self._steps >= self.horizon, info

    def render(self) -> ImageArray | None:
        """What is observed, enlarged."""
        return None if self.render_mode is None else self._observe().repeat(4, axis=0).repeat(4, axis=1)

    def _take(self, hand: HandCutout) -> None:
        """A photo's hand as the target; nobody knows its angles, so they are those that its landmarks tell."""
        size = (self.resolution, self.resolution)
        shown: Any = cv2.resize(hand.silhouette.astype(np.uint8) * 255, size, interpolation=cv2.INTER_AREA)
        self._target = shown > 127
        told = angles_from_landmarks(self.model, torch.from_numpy(hand.landmarks).float()[None])
        self.target_angles = told[0].numpy()

    def _approach(self, goal: NDArray[np.float32]) -> None:
        """Joints with a speed of their own follow their controllers for one period."""
        step_s = PERIOD_S / SUBSTEPS
        for _ in range(SUBSTEPS):
            acceleration = GAIN * (goal - self.angles) - DAMPING * self._speed
            self._speed = np.clip(self._speed + step_s * acceleration, -SPEED, SPEED).astype(np.float32)
            self.angles = np.clip(self.angles + step_s * self._speed, self._lower, self._upper).astype(np.float32)

    def _silhouette(self, angles: NDArray[np.float32]) -> NDArray[np.bool_]:
        shown: NDArray[np.bool_] = hard(self.model, torch.from_numpy(angles)[None], self.resolution)[0].numpy()
        return shown

    def _info(self) -> dict[str, Any]:
        shown = self._silhouette(self.angles)
        wrong, either = int((shown ^ self._target).sum()), int((shown | self._target).sum())
        success = wrong < self.epsilon * max(1, int(self._target.sum()))
        return {"xor_px": wrong, "iou": 1.0 - wrong / max(1, either), "is_success": success}

    def _observe(self) -> NDArray[np.uint8]:
        pair = [self._target, self._silhouette(self.angles)]
        if self.mirror:
            pair = [picture[:, ::-1] for picture in pair]
        flat = np.hstack(pair).astype(np.uint8) * 255
        return np.repeat(flat[:, :, None], 3, axis=2)


def register() -> None:
    """Make the environment known to gymnasium.make."""
    if ENV_ID not in gym.registry:
        gym.register(ENV_ID, entry_point="dofbot_ros.lab.imitation.env:HandImitationEnv", order_enforce=False)


register()
