"""An operator made of numbers: a recorded hand carried along a path, seen by a camera with the noise of a real one."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np

from dofbot_ros.arm.kinematics import Kinematics
from dofbot_ros.core.types import FloatArray, ToolPose
from dofbot_ros.safety.workspace import Workspace
from dofbot_ros.teleop.config import ClutchConfig, TeleopConfig
from dofbot_ros.teleop.input.landmarks import Landmarks, Observation
from dofbot_ros.teleop.input.recording import load_observations
from dofbot_ros.teleop.input.synthetic import SyntheticHand
from dofbot_ros.teleop.retargeting.pipeline import TeleopCommand, TeleopPipeline, landmark_pipeline

RECORDING = Path(__file__).parent / "data" / "hand_video.npz"
OPEN, FIST, PINCH = 0, 265, 328
"""Frames of the recording, checked by test_hand."""

FOV_DEG = TeleopConfig().camera.horizontal_fov_deg
START = ToolPose(0.20, 0.0, 0.14, 2.1, 0.0)
QUICK = TeleopConfig(clutch=ClutchConfig(settle_s=0.5))

Path3 = Callable[[float], tuple[float, float, float]]


@cache
def recording() -> list[Observation]:
    return load_observations(RECORDING)


def recorded(frame: int) -> Landmarks:
    hand = recording()[frame].hand
    assert hand is not None
    return hand


class Operator(SyntheticHand):
    """Shows one recorded hand anywhere in front of the camera."""

    def __init__(self, frame: int = OPEN, noise: float = 1.0, seed: int = 0) -> None:
        super().__init__(np.random.default_rng(seed), recorded(frame).world, noise)


def pipeline(config: TeleopConfig | None = None) -> TeleopPipeline[Observation]:
    """With the shipped parameters, but a hand settles quickly: the tests are shorter for it."""
    kinematics = Kinematics()
    return landmark_pipeline(config or QUICK, kinematics, Workspace(kinematics))


def start_joints(grip: float = 0.0) -> FloatArray:
    return np.append(Kinematics().solve(START), grip)


def follow(
    path: Path3, seconds: float, operator: Operator, config: TeleopConfig | None = None, latency_s: float = 0.03
) -> tuple[FloatArray, FloatArray, list[TeleopCommand]]:
    """Engage at once and follow `path`; frames at 30 Hz reach the pipeline `latency_s` after their capture.

    Returns:
        Times of the commands (n,), tool points (n, 3), the commands.
    """
    config = config or TeleopConfig()
    teleop = pipeline(config)
    joints = start_joints()
    period, frames = 1.0 / config.control_rate_hz, 0
    commands, times = [], []
    for tick in range(round(seconds * config.control_rate_hz)):
        now = 1.0 + tick * period
        while 1.0 + frames / 30.0 + latency_s <= now:
            stamp = 1.0 + frames / 30.0
            teleop.observe(operator.at(*path(stamp - 1.0), stamp), now)
            frames += 1
            if not teleop.status.engaged:
                teleop.engage()
        command = teleop.step(joints, now)
        if command is not None:
            joints = command.position
            commands.append(command)
            times.append(now - 1.0)
    return np.array(times), np.array([[c.tool.x, c.tool.y, c.tool.z] for c in commands]), commands
