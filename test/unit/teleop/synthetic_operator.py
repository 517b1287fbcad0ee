"""An operator made of numbers: a recorded hand carried along a path, seen by a camera with the noise of a real one."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np

from dofbot_ros.arm.kinematics import Kinematics
from dofbot_ros.core.types import FloatArray, ToolPose
from dofbot_ros.safety.workspace import Workspace
from dofbot_ros.teleop.config import ClutchConfig, TeleopConfig
from dofbot_ros.teleop.landmarks import PALM, Landmarks, Observation
from dofbot_ros.teleop.pipeline import TeleopCommand, TeleopPipeline, landmark_pipeline
from dofbot_ros.teleop.recording import load_observations

RECORDING = Path(__file__).parent / "data" / "hand_video.npz"
OPEN, FIST, PINCH = 0, 265, 328
"""Frames of the recording, checked by test_hand."""

WIDTH, HEIGHT, FOV_DEG = 640, 480, 60.0
FOCAL = 0.5 * WIDTH / math.tan(math.radians(FOV_DEG / 2))
START = ToolPose(0.20, 0.0, 0.14, 2.1, 0.0)
QUICK = TeleopConfig(clutch=ClutchConfig(settle_s=0.5))

Path3 = Callable[[float], tuple[float, float, float]]


def recorded(frame: int) -> Landmarks:
    hand = load_observations(RECORDING)[frame].hand
    assert hand is not None
    return hand


class Operator:
    """Shows one recorded hand anywhere in front of the camera.

    Noise, as measured on photos with sensor noise: 0.2 px of the whole hand, 0.7 % of its size, 0.3 px and 0.5 mm of
    each landmark.
    """

    def __init__(self, frame: int = OPEN, noise: float = 1.0, seed: int = 0) -> None:
        self._hand = recorded(frame)
        # Turned to camera axes around the palm, brought to the palm length that the configuration assumes.
        world = self._hand.world - self._hand.world[list(PALM)].mean(axis=0)
        self._world = world * (0.095 / np.linalg.norm(world[9] - world[0]))
        self._noise, self._rng = noise, np.random.default_rng(seed)

    def at(self, forward: float, left: float, up: float, stamp_s: float, score: float = 0.95) -> Observation:
        """The palm at (forward, left, up) from the camera [m]; forward is negative."""
        n, rng = self._noise, self._rng
        points = self._world + (left, -up, -forward)
        uv = points[:, :2] / points[:, 2:] * FOCAL
        centre = uv[list(PALM)].mean(axis=0)
        uv = centre + (uv - centre) * (1.0 + n * 0.007 * rng.standard_normal())
        uv = uv + n * (0.2 * rng.standard_normal(2) + 0.3 * rng.standard_normal(uv.shape))
        image = np.column_stack([uv + (WIDTH / 2, HEIGHT / 2), np.zeros(len(uv))])
        world = self._world + n * 0.0005 * rng.standard_normal(self._world.shape)
        return Observation(stamp_s, WIDTH, HEIGHT, Landmarks(image, world, score, "right"))


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
