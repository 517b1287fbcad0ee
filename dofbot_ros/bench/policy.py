"""How long one period of a policy takes: observation, network on one core, joint goals."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np

from dofbot_ros.errors import InputError
from dofbot_ros.policy.perception.pixels import rows
from dofbot_ros.policy.perception.pose_estimator import estimator_of
from dofbot_ros.policy.runtime.block_tracker import BlockDetection
from dofbot_ros.policy.runtime.controller import ControllerConfig, PolicyController
from dofbot_ros.policy.runtime.policy_runner import PolicyRunner, shipped

TASK, OBSERVED = "pick", ("state", "image", "pipeline")

WARM_UP = 20
"""Periods before the first that counts."""

ENDLESS = ControllerConfig(time_limit_s=1e6, goal_hold_s=1e6, max_block_age_s=1e6)


def measure(steps: int, model: Path | None = None) -> dict[str, Any]:
    """Drive an arm that does at once what it is told.

    Args:
        steps: periods of each policy.
        model: a policy's folder; by default every pick policy that this package ships.

    Returns:
        Kind of observation -> `p50_ms`, `p99_ms`, `max_ms` of a period.

    Raises:
        InputError: there is none.
    """
    folders = [model] if model is not None else _shipped()
    return {policy.spec.obs: _periods(folder, policy, steps) for folder in folders for policy in [PolicyRunner(folder)]}


def _shipped() -> list[Path]:
    found, missing = [], ""
    for obs in OBSERVED:
        try:
            found.append(shipped(TASK, obs))
        except InputError as error:
            missing = missing or str(error)
    if not found:
        raise InputError(missing)
    return found


def _periods(folder: Path, policy: PolicyRunner, steps: int) -> dict[str, float]:
    spec = policy.spec
    controller = PolicyController(policy, ENDLESS, estimator_of(spec, folder))
    rng, joints = np.random.default_rng(0), controller.ready_pose()
    place = {"reach": (0.2, 0.05, 0.08), "pick": (), "place": (0.2, 0.05)}[spec.task]
    took = []
    for period in range(WARM_UP + steps):
        now_s = period * spec.period_s
        controller.joints(joints, now_s)
        controller.block(BlockDetection((0.2, 0.0, 0.015), 0.1, now_s))
        if spec.image_size:
            controller.picture(rng.integers(0, 256, (rows(spec.image_size), spec.image_size, 3), np.uint8), now_s)
        if period == 0:
            controller.start(now_s, place)
        begin = time.perf_counter()
        step = controller.step(now_s)
        took.append(time.perf_counter() - begin)
        if step.command is None:
            raise RuntimeError(f"the policy stopped: {step.end} {step.detail}")
        joints = step.command.tolist()
    p50, p99, most = np.percentile(1e3 * np.array(took[WARM_UP:]), [50, 99, 100])
    return {"p50_ms": float(p50), "p99_ms": float(p99), "max_ms": float(most)}
