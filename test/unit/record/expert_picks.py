"""Picks by the scripted expert, recorded as the nodes would have recorded them.

    python test/unit/record/expert_picks.py DEMOS 50

records so many successful ones in worlds drawn from `wide`, for `dofbot policy train --demos DEMOS`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

from dofbot_ros.core.transforms import quat_from_matrix, rot_z
from dofbot_ros.core.types import JOINT_NAMES
from dofbot_ros.policy.env.environments import DofBotEnv, make_env
from dofbot_ros.policy.interface.action_mapper import PERIOD_S
from dofbot_ros.policy.learning.expert import Expert
from dofbot_ros.record.metadata import EpisodeInfo

from .episodes import T0, At, episode, state, stream, text

AFTER_S = 0.002
"""A command is sent this long after the joint states that it follows from."""

APART_S = 60.0
"""One episode begins this long after the one before."""


def detection(time_s: float, position: tuple[float, float, float], yaw: float, name: str = "red") -> At:
    block = {"name": name, "position": list(position), "quaternion": quat_from_matrix(rot_z(yaw)).tolist()}
    return text(time_s, json.dumps({"stamp_s": time_s, "blocks": [block], "refused": []}), "/blocks/detections")


def pick(env: DofBotEnv, seed: int) -> tuple[list[At], list[dict[str, np.ndarray]], bool]:
    """What is recorded of one pick, what was observed in each of its periods, and whether the block was lifted."""
    observation = env.reset(seed=seed)[0]
    expert = Expert(env)
    moments: list[At] = []
    observed = []
    for period in range(env.task.periods):
        now, sim = period * PERIOD_S, env.sim.state
        assert sim.block is not None
        observed.append(observation)
        moments.append(state(now, sim.joints))
        moments.append(detection(max(0.0, now - AFTER_S), sim.block.position, sim.block.yaw))
        observation, _, _, _, info = env.step(expert.act())
        moments.append(stream(now + AFTER_S, env.sim.state.command, JOINT_NAMES))
    return moments, observed, bool(info["is_success"])


def main(folder: Path, wanted: int) -> None:
    env = make_env("pick", ranges="wide", node_physics=True)
    seed = done = 0
    while done < wanted:
        moments, _, lifted = pick(env, 5_000_000 + seed)
        seed += 1
        if lifted:
            episode(folder, moments, EpisodeInfo(T0 + APART_S * done))
            done += 1
    env.close()
    print(f"{done} of {seed} picks recorded in {folder}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
