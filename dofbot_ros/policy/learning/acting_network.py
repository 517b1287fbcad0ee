"""The layers by which a stable-baselines3 policy from state acts, without what the library does around them.

The library's `predict` switches the mode of all networks, builds a distribution and validates it in each period, which
takes several times as long as the layers do.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from stable_baselines3.common.policies import ActorCriticPolicy

from dofbot_ros.policy.learning.torch_policy import MlpPolicy


def acting_network(policy: Any) -> MlpPolicy:
    """The mean action of a policy of PPO, SAC or TQC, or of the actor of the last two; it shares their parameters.

    Args:
        policy: from state, `MultiInputPolicy`: takes the parts of an observation one after the other, by their names.
    """
    if isinstance(policy, ActorCriticPolicy):
        return MlpPolicy([*policy.mlp_extractor.policy_net, policy.action_net], "clamp")
    actor = getattr(policy, "actor", policy)
    return MlpPolicy([*actor.latent_pi, actor.mu])


def inputs_of(observation: Mapping[str, Any]) -> NDArray[np.float32]:
    """What such a network is given of an observation, (n,): its parts in the order of their names."""
    return np.concatenate([observation[name] for name in sorted(observation)], dtype=np.float32)


def decide(network: MlpPolicy, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
    """The action (actions,), each -1..1, of inputs (n,)."""
    device = next(network.parameters()).device
    with torch.inference_mode():
        action = network(torch.from_numpy(inputs)[None].to(device))[0]
    return np.asarray(action.cpu().numpy(), np.float32)
