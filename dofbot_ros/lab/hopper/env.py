"""Gymnasium environment DofBotHopper-v0: hop forward without falling; importing this module registers it."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from dofbot_ros.core.types import FloatArray
from dofbot_ros.errors import ConfigError, one_of
from dofbot_ros.lab.hopper.body import STATE_SIZE, HopperBody
from dofbot_ros.lab.hopper.randomization import DOMAINS, HopperRanges, load_hopper_level

ENV_ID = "DofBotHopper-v0"
HORIZON = 1000
"""Steps of an episode that does not end before: 8 s."""
START_NOISE = 5e-3
"""Half width of the noise on where an episode begins [m], [rad], [m/s], [rad/s]."""


class HopperEnv(gym.Env[NDArray[np.float32], NDArray[np.float32]]):
    """The hopper of one domain; rewards and ends are those of Hopper-v5.

    Args:
        domain: source (torso 1 kg lighter) or target.
        ranges: a level of config/hopper.yaml, or ranges of one's own.
        horizon: steps of an episode.
    """

    metadata = {"render_modes": [], "render_fps": 125}  # noqa: RUF012

    def __init__(self, domain: str = "source", ranges: str | HopperRanges = "none", horizon: int = HORIZON) -> None:
        if domain not in DOMAINS:
            raise ConfigError(one_of("domain", domain, DOMAINS))
        if horizon < 1:
            raise ConfigError(f"horizon must be at least one step, got {horizon}")
        self.ranges = load_hopper_level(ranges) if isinstance(ranges, str) else ranges
        self.body = HopperBody(DOMAINS[domain])
        self.draw = self.ranges.draw(np.random.default_rng(0))
        self.horizon, self._steps = horizon, 0
        self.action_space = gym.spaces.Box(-1.0, 1.0, (3,), np.float32)
        self.observation_space = gym.spaces.Box(-np.inf, np.inf, (STATE_SIZE,), np.float32)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """Start an episode; `draw` in the info is the world that was drawn for it."""
        super().reset(seed=seed, options=options)
        self.draw = self.ranges.draw(self.np_random)
        noise: FloatArray = self.np_random.uniform(-START_NOISE, START_NOISE, (2, 6))
        self.body.reset(self.draw, noise[0], noise[1])
        self._steps = 0
        return self.observe(), {"draw": self.draw.to_log()}

    def step(self, action: NDArray[np.float32]) -> tuple[NDArray[np.float32], float, bool, bool, dict[str, Any]]:
        """One step (8 ms). Earns the forward speed, 1 for standing, less 0.001 of the squared action."""
        acted = np.clip(action, -1.0, 1.0)
        speed = self.body.step(acted)
        self._steps += 1
        standing = self.body.healthy()
        reward = speed + float(standing) - 1e-3 * float(acted @ acted)
        return self.observe(), reward, not standing, self._steps >= self.horizon, {}

    def observe(self) -> NDArray[np.float32]:
        """The state (11,)."""
        return self.body.state().astype(np.float32)


def register() -> None:
    """Make the environment known to gymnasium.make."""
    if ENV_ID not in gym.registry:
        gym.register(ENV_ID, entry_point="dofbot_ros.lab.hopper.env:HopperEnv", order_enforce=False)


register()
