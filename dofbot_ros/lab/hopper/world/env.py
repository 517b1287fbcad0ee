"""Gymnasium environment DofBotHopper-v0: hop forward without falling; importing this module registers it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from dofbot_ros.core.types import FloatArray, ImageArray
from dofbot_ros.errors import ConfigError, UsageError, one_of
from dofbot_ros.lab.hopper.world.body import KEYPOINTS, STATE_SIZE, HopperBody
from dofbot_ros.lab.hopper.world.camera import SIZE, HopperCamera
from dofbot_ros.lab.hopper.world.keypoint_reader import KeypointReader
from dofbot_ros.lab.hopper.world.randomization import DOMAINS, HopperRanges, load_hopper_level

ENV_ID = "DofBotHopper-v0"
OBSERVATIONS = ("state", "image", "pipeline")
HORIZON = 1000
"""Steps of an episode that does not end before: 8 s."""
START_NOISE = 5e-3
"""Half width of the noise on where an episode begins [m], [rad], [m/s], [rad/s]."""


class HopperEnv(gym.Env[NDArray[Any], NDArray[np.float32]]):
    """The hopper of one domain; rewards and ends are those of Hopper-v5.

    Observations: `state`, (11,) as Hopper-v5 has them; `image`, a picture (64, 64, 3); `pipeline`, the five keypoints
    as a network finds them there, x from the centre of mass and height [m], (10,).

    Args:
        domain: source (torso 1 kg lighter) or target.
        ranges: a level of config/hopper.yaml, or ranges of one's own.
        obs: state, image or pipeline.
        horizon: steps of an episode.
        keypoints: folder of the pipeline's keypoint network.
        render_mode: rgb_array, or None.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 125}  # noqa: RUF012

    def __init__(
        self,
        domain: str = "source",
        ranges: str | HopperRanges = "none",
        obs: str = "state",
        *,
        horizon: int = HORIZON,
        keypoints: Path | None = None,
        render_mode: str | None = None,
    ) -> None:
        for what, given, valid in (("domain", domain, DOMAINS), ("obs", obs, OBSERVATIONS)):
            if given not in valid:
                raise UsageError(one_of(what, given, valid))
        if horizon < 1:
            raise ConfigError(f"horizon must be at least one step, got {horizon}")
        if (obs == "pipeline") != (keypoints is not None):
            raise ConfigError("a folder of a keypoint network goes with obs pipeline, and only with it")
        self.ranges = load_hopper_level(ranges) if isinstance(ranges, str) else ranges
        self.obs, self.horizon, self.render_mode = obs, horizon, render_mode
        self.body = HopperBody(DOMAINS[domain])
        self.draw = self.ranges.draw(np.random.default_rng(0))
        self._steps = 0
        self._reader = None if keypoints is None else KeypointReader(keypoints)
        drawn = obs != "state" or render_mode == "rgb_array"
        self._camera = HopperCamera(self.body, SIZE if obs != "state" else 480) if drawn else None
        self.action_space = gym.spaces.Box(-1.0, 1.0, (3,), np.float32)
        size = STATE_SIZE if obs == "state" else 2 * len(KEYPOINTS)
        picture = gym.spaces.Box(0, 255, (SIZE, SIZE, 3), np.uint8)
        self.observation_space = picture if obs == "image" else gym.spaces.Box(-np.inf, np.inf, (size,), np.float32)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[Any], dict[str, Any]]:
        """Start an episode; `draw` in the info is the world that was drawn for it."""
        super().reset(seed=seed, options=options)
        self.draw = self.ranges.draw(self.np_random)
        noise: FloatArray = self.np_random.uniform(-START_NOISE, START_NOISE, (2, 6))
        self.body.reset(self.draw, noise[0], noise[1])
        if self._camera is not None:
            self._camera.reset(self.draw)
        self._steps = 0
        return self.observe(), {"draw": self.draw.to_log()}

    def step(self, action: NDArray[np.float32]) -> tuple[NDArray[Any], float, bool, bool, dict[str, Any]]:
        """One step (8 ms). Earns the forward speed, 1 for standing, less 0.001 of the squared action."""
        acted = np.clip(action, -1.0, 1.0)
        speed = self.body.step(acted)
        self._steps += 1
        standing = self.body.healthy()
        reward = speed + float(standing) - 1e-3 * float(acted @ acted)
        return self.observe(), reward, not standing, self._steps >= self.horizon, {}

    def observe(self) -> NDArray[Any]:
        """What is seen now."""
        if self._camera is None or self.obs == "state":
            return self.body.state().astype(np.float32)
        picture = self._camera.picture()
        return picture if self._reader is None else self._reader.find(picture).ravel()

    def render(self) -> ImageArray | None:
        """What its camera sees, RGB; None without render_mode rgb_array."""
        return None if self._camera is None or self.render_mode is None else self._camera.picture()

    def close(self) -> None:
        """Let go of the camera."""
        if self._camera is not None:
            self._camera.close()


def register() -> None:
    """Make the environment known to gymnasium.make."""
    if ENV_ID not in gym.registry:
        gym.register(ENV_ID, entry_point="dofbot_ros.lab.hopper.world.env:HopperEnv", order_enforce=False)


register()
