"""The hopper's physics: gymnasium's Hopper-v5 model in MuJoCo, with the masses and motors of one world."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dofbot_ros.core.types import FloatArray
from dofbot_ros.errors import DependencyError
from dofbot_ros.lab.hopper.world.randomization import HopperDraw

FRAME_SKIP = 4
"""Physics steps of 2 ms in a step of the environment, as in Hopper-v5."""
STEP_S = 0.002 * FRAME_SKIP
"""An environment's step [s]."""

STATE_SIZE = 11
"""Numbers of the state."""

KEYPOINTS = ("head", "hip", "knee", "ankle", "toe")
"""What a camera looks for: the torso's upper end, the three joints, the foot's front end."""

PUSH_CHANCE, PUSH_STEPS = 1.0 / 125.0, (10, 50)
"""A push begins once in a second on average, and lasts 0.08 to 0.4 s."""


def import_mujoco() -> Any:
    """The mujoco module.

    Raises:
        DependencyError: it is not installed.
    """
    # Drawing without a display, on one core; the library reads both when it is imported.
    os.environ.setdefault("MUJOCO_GL", "egl")
    os.environ.setdefault("LP_NUM_THREADS", "1")
    try:
        import mujoco
    except ModuleNotFoundError as error:
        raise DependencyError("mujoco", "hopper", "the hopper") from error
    return mujoco


def model_file() -> Path:
    """The model of Hopper-v5, which gymnasium brings."""
    import gymnasium

    return Path(gymnasium.__file__).parent / "envs" / "mujoco" / "assets" / "hopper.xml"


class HopperBody:
    """The simulated hopper.

    Args:
        torso_kg: added to the torso's mass [kg].
    """

    def __init__(self, torso_kg: float) -> None:
        self._mujoco = import_mujoco()
        self.model = self._mujoco.MjModel.from_xml_path(str(model_file()))
        self.data = self._mujoco.MjData(self.model)
        self._torso = self.model.body("torso").id
        # The mass alone, as in the task that this one is compared with; the inertia stays.
        self.model.body_mass[self._torso] += torso_kg
        model = self.model
        self._nominal = {
            name: getattr(model, name).copy()
            for name in ("body_mass", "body_inertia", "geom_friction", "dof_damping", "actuator_gear")
        }
        self._floor = model.geom("floor").id
        self._start = model.qpos0.copy()
        self._push_n, self._push_left = 0.0, 0
        self._rng = np.random.default_rng(0)

    def reset(self, draw: HopperDraw, position: FloatArray, velocity: FloatArray) -> None:
        """Begin an episode in the world of `draw`.

        Args:
            draw: masses, friction, damping, motors, pushes.
            position: added to the upright position [m], [rad] (6,).
            velocity: [m/s], [rad/s] (6,).
        """
        model = self.model
        for name, values in self._nominal.items():
            getattr(model, name)[:] = values
        for name, factor in (("thigh", draw.thigh_mass), ("leg", draw.leg_mass), ("foot", draw.foot_mass)):
            body = model.body(name).id
            model.body_mass[body] *= factor
            model.body_inertia[body] *= factor
        bodies = np.arange(model.ngeom) != self._floor
        model.geom_friction[bodies, 0] *= draw.friction
        model.dof_damping[3:] *= draw.damping
        model.actuator_gear[:, 0] *= draw.gear
        self._mujoco.mj_setConst(model, self.data)
        self._mujoco.mj_resetData(model, self.data)
        self.data.qpos[:] = self._start + position
        self.data.qvel[:] = velocity
        self._mujoco.mj_forward(model, self.data)
        self._push_n, self._push_left = draw.push_n, 0
        self._rng = np.random.default_rng([draw.seed, 1])

    def step(self, action: NDArray[np.float32]) -> float:
        """Act for one step with motor commands (3,), -1..1. Returns the mean forward speed in it [m/s]."""
        if self._push_n:
            self._push()
        before = float(self.data.qpos[0])
        self.data.ctrl[:] = action
        self._mujoco.mj_step(self.model, self.data, FRAME_SKIP)
        return (float(self.data.qpos[0]) - before) / STEP_S

    def state(self) -> FloatArray:
        """Position without x [m], [rad] and velocities clipped to +-10 [m/s], [rad/s]: (11,), as Hopper-v5 tells it."""
        return np.concatenate([self.data.qpos[1:], np.clip(self.data.qvel, -10.0, 10.0)])

    def healthy(self) -> bool:
        """Whether it stands: higher than 0.7 m, leaning by less than 0.2 rad."""
        position, velocity = self.data.qpos, self.data.qvel
        return bool(
            position[1] > 0.7
            and abs(position[2]) < 0.2
            and np.abs(position[2:]).max() < 100.0
            and np.abs(velocity).max() < 100.0
        )

    def keypoints(self) -> FloatArray:
        """Where KEYPOINTS are, x from the torso's centre of mass and height over the floor [m], (5, 2)."""
        data, model = self.data, self.model
        head = _end(data, model, "torso_geom", 1.0)
        toe = _end(data, model, "foot_geom", -1.0)
        joints = [data.joint(name).xanchor for name in ("thigh_joint", "leg_joint", "foot_joint")]
        points: FloatArray = np.stack([head, *joints, toe])[:, [0, 2]]
        points[:, 0] -= data.subtree_com[0, 0]
        return points

    def _push(self) -> None:
        rng = self._rng
        if self._push_left == 0:
            self.data.xfrc_applied[self._torso, [0, 2]] = 0.0
            if rng.random() < PUSH_CHANCE:
                self._push_left = int(rng.integers(*PUSH_STEPS))
                self.data.xfrc_applied[self._torso, [0, 2]] = rng.uniform(-self._push_n, self._push_n, 2)
        else:
            self._push_left -= 1


def _end(data: Any, model: Any, name: str, side: float) -> FloatArray:
    """An end of a capsule's axis (3,) [m]."""
    geom = data.geom(name)
    axis: FloatArray = geom.xmat.reshape(3, 3)[:, 2]
    end: FloatArray = geom.xpos + side * float(model.geom(name).size[1]) * axis
    return end
