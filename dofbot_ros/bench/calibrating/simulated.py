"""A simulated arm with hidden errors that calibrates itself, through rendered pictures and servo models."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from dofbot_ros.arm.calibration import DEFAULT_CALIBRATION, Calibration
from dofbot_ros.arm.gripper import gap_to_joint
from dofbot_ros.calibration.automatic import calibrate_all
from dofbot_ros.core.transforms import exp_so3, invert, log_so3, transform
from dofbot_ros.core.types import ARM_JOINTS, GRIP, FloatArray
from dofbot_ros.hardware.emulation.servo_model import ServoModelConfig
from dofbot_ros.sim.arm import SimArm
from dofbot_ros.sim.config import load_world_config
from dofbot_ros.sim.rendering.camera import SimCamera, look_at
from dofbot_ros.sim.world import World
from dofbot_ros.vision.markers.aruco import Marker, MarkerDetector
from dofbot_ros.vision.markers.block_layout import load_blocks

HELD = "red"
ZERO_DEG, SCALE, PLAY_TICKS = 2.0, 0.01, 18.0
"""Hidden errors of the servos, the first two with random signs; 18 ticks are 1.5 degrees."""
CAMERA_M, AIM_M = 0.003, 0.005
"""How far camera and the point that it looks at are from where they are believed, along each axis [m]."""
SPEED = 0.8
"""Of the joint that moves furthest [rad/s]."""
PERIOD_S, SETTLE_S = 0.02, 0.6
HELD_M, HELD_DEG = 0.001, np.array([0.5, 2.0, 0.5])
"""How the block lies in the fingers, along and about tool_link's axes [m, degrees]."""
AWAY = transform(translation=(-1.0, 0.0, 0.015))
"""Where it is between two pictures."""
TABLE_PX_PER_M = 3000


class SimulatedArm:
    """A CalibrationArm in a world whose servos and camera differ from what is believed.

    Args:
        seed: of the hidden errors.
    """

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        config = load_world_config()
        position, target = (
            tuple(float(v) for v in np.add(p, size * rng.choice([-1.0, 1.0], 3)))
            for p, size in ((config.camera.position, CAMERA_M), (config.camera.target, AIM_M))
        )
        believed = config.camera
        self.T_base_camera_believed = look_at(believed.position, believed.target, believed.up)
        camera = replace(believed, position=position, target=target, noise=2.0)  # type: ignore[arg-type]
        self.world = World(replace(config, marked=(HELD,), plain=(), camera=camera))
        self.true_calibration = hidden_servos(rng)
        self.arm = SimArm(
            self.world, calibration=self.true_calibration, servo=ServoModelConfig(backlash_ticks=PLAY_TICKS)
        )
        self.camera = SimCamera(self.world, replace(camera, sheet=True), rng)
        self._detector = MarkerDetector(self.world.blocks.dictionary)
        turned, held = np.radians(rng.normal(0.0, HELD_DEG)), rng.normal(0.0, HELD_M, 3)
        self._T_tool_block = transform(exp_so3(turned), held)
        self._goal = np.append(np.zeros(5), gap_to_joint(self.world.block_size(HELD)))
        self.arm.connect()
        self.world.stand(self._truly(self._goal))
        self.world.place(HELD, AWAY)

    def move(self, q: FloatArray) -> None:
        """Go there and rest."""
        start = self._goal.copy()
        goal = np.append(q, start[GRIP])
        steps = max(1, math.ceil(float(np.max(np.abs(goal - start))) / (SPEED * PERIOD_S)))
        for share in np.linspace(0.0, 1.0, steps + 1)[1:]:
            # Smooth at both ends.
            self._send(start + (3 * share**2 - 2 * share**3) * (goal - start))
        self._goal = goal
        self._wait(SETTLE_S)

    def ticks(self) -> list[int]:
        """What the servos read."""
        return [int(t) for t in self.true_calibration.rad_to_ticks(self.arm.read().position)]

    def look(self) -> list[Marker]:
        """The markers in a rendered picture."""
        # The block is glued to the fingers: it is put where they hold it for the picture, and out of the way after it.
        self.world.place(HELD, self.world.arm.link_pose("tool_link") @ self._T_tool_block)
        picture = self.camera.render()
        self.world.place(HELD, AWAY)
        return self._detector.detect(picture)

    def close(self) -> None:
        """Let go of the world."""
        self.world.close()

    def _send(self, goal: FloatArray) -> None:
        self.arm.write(self._truly(goal), PERIOD_S)
        self._wait(PERIOD_S)

    def _truly(self, goal: FloatArray) -> FloatArray:
        """Where the servos go when the believed calibration sends them to `goal` [rad]."""
        return self.true_calibration.ticks_to_rad(DEFAULT_CALIBRATION.rad_to_ticks(goal))

    def _wait(self, seconds: float) -> None:
        self.arm.clock.sleep_until(self.arm.clock.now() + seconds)


def hidden_servos(rng: np.random.Generator) -> Calibration:
    """A calibration whose zeros and scales differ from the vendor's."""
    servos = {}
    for joint in ARM_JOINTS:
        servo = getattr(DEFAULT_CALIBRATION, joint)
        zero, scale = ZERO_DEG * rng.choice([-1.0, 1.0]), 1.0 + SCALE * rng.choice([-1.0, 1.0])
        per_degree = servo.ticks_per_degree / scale
        ticks = round(servo.zero_ticks - zero * per_degree)
        servos[joint] = replace(servo, zero_ticks=ticks, ticks_per_degree=per_degree)
    return replace(DEFAULT_CALIBRATION, **servos)


def measure(seed: int, poses: int, record: Path, done: Callable[[int], None]) -> dict[str, Any]:
    """Let a simulated arm calibrate itself; what was found against what is true.

    Args:
        seed: of the hidden errors and of the candidate poses.
        poses: how many.
        record: session file that is written.
        done: is told how many poses are done.
    """
    arm, taken = SimulatedArm(seed), 0

    def one_more(count: int) -> None:
        nonlocal taken
        taken = count
        done(count)

    try:
        fit = calibrate_all(
            arm,
            load_blocks(),
            HELD,
            DEFAULT_CALIBRATION,
            T_base_camera=arm.T_base_camera_believed,
            intrinsics=arm.camera.intrinsics,
            poses=poses,
            rng=np.random.default_rng(seed),
            record=record,
            done=one_more,
        )
        apart, before = (invert(T) @ arm.camera.pose() for T in (fit.T_base_camera, arm.T_base_camera_believed))
        zeros = {
            joint: fit.result.value(f"{joint}.zero") - math.radians(_true_zero_deg(arm.true_calibration, joint))
            for joint in ARM_JOINTS
        }
        return {
            "poses": taken,
            "arm_time_s": arm.arm.clock.now(),
            "held_out_mm": float(np.median(fit.held_out_mm)),
            "stored_mm": float(np.median(fit.stored_mm)),
            "hand_eye_mm": 1e3 * float(np.linalg.norm(apart[:3, 3])),
            "hand_eye_deg": math.degrees(float(np.linalg.norm(log_so3(apart[:3, :3])))),
            "hand_eye_before_mm": 1e3 * float(np.linalg.norm(before[:3, 3])),
            "hand_eye_before_deg": math.degrees(float(np.linalg.norm(log_so3(before[:3, :3])))),
            "zeros_off_deg": {joint: abs(math.degrees(z)) for joint, z in zeros.items()},
            "base_height_off_mm": 1e3 * abs(fit.result.value("base_height") - DEFAULT_CALIBRATION.base_height_m),
            "least_eigenvalue": fit.least_eigenvalue,
        }
    finally:
        arm.close()


def _true_zero_deg(calibration: Calibration, joint: str) -> float:
    servo, believed = getattr(calibration, joint), getattr(DEFAULT_CALIBRATION, joint)
    return float((believed.zero_ticks - servo.zero_ticks) / servo.ticks_per_degree)
