"""The simulated world: a table, the arm and blocks in one PyBullet client, advanced in fixed steps."""

from __future__ import annotations

import math
import tempfile
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from dofbot_ros.core.transforms import exp_so3, matrix_from_quat, quat_from_matrix, transform
from dofbot_ros.core.types import FloatArray
from dofbot_ros.errors import InputError, one_of
from dofbot_ros.sim import engine, objects
from dofbot_ros.sim.body import ArmBody
from dofbot_ros.sim.config import WorldConfig
from dofbot_ros.sim.scene import sample_poses
from dofbot_ros.sim.true_urdf import arm_urdf
from dofbot_ros.vision.markers.block_layout import BlockSet, load_blocks

GRAVITY = 9.81
HELD_KG = 0.002
"""Of a block that is fixed to the hand: a calibration is to find the servos, not what a load does to them [kg]."""


class Actuator(Protocol):
    """What drives the arm: called by the world at every servo tick, with the world locked."""

    def restart(self) -> None:
        """The world has been reset: the arm stands at its start, time is zero again."""
        ...

    def tick(self, time_s: float) -> None:
        """Set the motors for the steps until the next tick; `time_s` is the world's time [s]."""
        ...


class World:
    """Table plane z = 0 (the underside of the arm's base plate), arm at the origin, blocks around it.

    The world frame is the table's: base_link, unless the arm of `config` stands tilted. The same seed and the same
    calls give the same run, bit for bit. Every method may be called from any thread; a longer exchange with the client
    holds `lock`.

    Args:
        config: what is in it.
        seed: of the blocks' places; reset() takes the next one.
        blocks: how marked blocks look; those of `config`, or else the shipped set, by default.
    """

    def __init__(self, config: WorldConfig | None = None, seed: int = 0, blocks: BlockSet | None = None) -> None:
        self.config = config or WorldConfig()
        self.blocks = blocks or self.config.blocks or load_blocks()
        self.lock = threading.RLock()
        self.client: Any = engine.connect()
        # Kept, because the client makes a new one at every call.
        self._step_engine, self._body_pose = self.client.stepSimulation, self.client.getBasePositionAndOrientation
        self._textures = tempfile.TemporaryDirectory(prefix="dofbot-sim-")
        self._actuator: Actuator | None = None
        self._steps = 0
        self._reset_at = 0
        self._iterations = self.config.physics.solver_iterations
        self._bodies: dict[str, int] = {}
        self._sizes: dict[str, float] = {}
        self.arm: ArmBody
        self.reset(seed)

    @property
    def time_s(self) -> float:
        """Simulated time since the last reset [s]."""
        return (self._steps - self._reset_at) / self._calls_hz

    @property
    def now_s(self) -> float:
        """Simulated time since the world was made [s]; a reset does not set it back."""
        return self._steps / self._calls_hz

    @property
    def block_names(self) -> tuple[str, ...]:
        """The blocks on the table."""
        return tuple(self._bodies)

    def block_size(self, name: str) -> float:
        """Edge of a block [m]."""
        return self._sizes[name]

    def body_id(self, name: str) -> int:
        """The client's number of a block."""
        return self._bodies[name]

    def attach(self, actuator: Actuator) -> None:
        """Let `actuator` drive the arm from now on."""
        with self.lock:
            self._actuator = actuator
            actuator.restart()

    def reset(self, seed: int, config: WorldConfig | None = None) -> None:
        """Start anew: time zero, the arm at its start, blocks at the places that `seed` gives.

        Args:
            seed: of the blocks' places.
            config: what is in the world from now on; as before by default. `lean` stays what it was.

        Raises:
            ConfigError: so many blocks do not fit.
        """
        with self.lock:
            if config is not None:
                self.config = replace(config, lean=self.config.lean)
                self.blocks = config.blocks or self.blocks
            # A new engine each time: the old one's solver and contact caches would leak into the new run.
            self.client.resetSimulation()
            self._reset_at = self._steps
            self._set_engine()
            self._add_table()
            urdf = arm_urdf(Path(self._textures.name), self.config.arm, self.config.lean)
            self.arm = ArmBody(self.client, self.config.physics, urdf, self.config.arm)
            self.arm.teleport(self.config.start)
            self._add_blocks()
            self._fix_held_block()
            self._start = self.client.saveState()
            self.scatter(seed)
            if self._actuator is not None:
                self._actuator.restart()

    def rewind(self, seed: int) -> None:
        """Do what reset(seed) does, with the same run after it bit for bit, without loading everything again.

        Raises:
            ConfigError: so many blocks do not fit.
        """
        with self.lock:
            self._use(self.config.physics.solver_iterations)
            self.client.restoreState(self._start)
            # Contacts outlive a restored state. A step with nothing near anything ends them.
            for number, body in enumerate(self._bodies.values()):
                self.client.resetBasePositionAndOrientation(body, [0.0, 0.0, 2.0 + number], [0, 0, 0, 1])
            self.client.stepSimulation()
            self.client.restoreState(self._start)
            self._reset_at = self._steps
            self.arm.teleport(self.config.start)
            self.scatter(seed)
            if self._actuator is not None:
                self._actuator.restart()

    def scatter(self, seed: int) -> None:
        """Put the blocks at the places that `seed` gives, at rest; the arm and the time stay as they are.

        Raises:
            ConfigError: so many blocks do not fit.
        """
        poses = sample_poses(np.random.default_rng(seed), list(self._sizes.values()), self.config.scene)
        with self.lock:
            for name, pose in zip(self._bodies, poses, strict=True):
                self.place(name, pose)
            self._bring_held_block()

    def place(self, name: str, pose: FloatArray) -> None:
        """Put a block at `pose` (4, 4) in the world, at rest.

        Raises:
            InputError: no such block.
        """
        body = self._body(name)
        with self.lock:
            self.client.resetBasePositionAndOrientation(
                body, pose[:3, 3].tolist(), quat_from_matrix(pose[:3, :3]).tolist()
            )
            self.client.resetBaseVelocity(body, [0, 0, 0], [0, 0, 0])

    def body_pose(self, name: str) -> tuple[tuple[float, float, float], tuple[float, float, float, float]]:
        """True position [m] and quaternion (x, y, z, w) of one block: for judges and for noise models of sensors.

        Raises:
            InputError: no such block.
        """
        body = self._body(name)
        with self.lock:
            position, quaternion = self._body_pose(body)
        return position, quaternion

    def _body(self, name: str) -> int:
        if name not in self._bodies:
            raise InputError(one_of("block", name, self._bodies))
        return self._bodies[name]

    def truth(self) -> dict[str, FloatArray]:
        """True pose of every block in the world, by name, shape (4, 4) each: for judges, never for planners."""
        with self.lock:
            found = {name: self.client.getBasePositionAndOrientation(body) for name, body in self._bodies.items()}
        return {name: transform(matrix_from_quat(quat), position) for name, (position, quat) in found.items()}

    def stand(self, position: FloatArray) -> None:
        """Put the arm at joint angles (6,) [rad], at rest, its servos on there; time goes on."""
        with self.lock:
            self.arm.teleport(position)
            if self._actuator is not None:
                self._actuator.restart()

    def step(self) -> None:
        """Advance by one call of the engine; the actuator acts first where its tick has come."""
        with self.lock:
            self._advance(self._steps + 1)

    def run_until(self, now_s: float) -> None:
        """Advance until the world's `now_s` has reached this one [s]; nothing happens when it has passed."""
        # The slack forgives the rounding of deadlines that were added up.
        goal = math.ceil(now_s * self._calls_hz - 1e-6)
        with self.lock:
            self._advance(goal)

    def set_solver_iterations(self, iterations: int) -> None:
        """How hard the engine works on a step from this servo tick on, until the next reset() or rewind().

        Args:
            iterations: of the sequential-impulse solver. 0: the engine does not run; ArmBody.glide moves the arm, and
                blocks stay where they are. Right while the arm touches nothing and the blocks lie still.

        Raises:
            InputError: it is no servo tick: motors are set for the whole time until the next one.
        """
        with self.lock:
            if (self._steps - self._reset_at) % self._calls_a_tick:
                raise InputError(f"a solver is set at a servo tick, not at {self.time_s:g} s between two of them")
            self._use(iterations)

    def close(self) -> None:
        """Let go of the client; may be called twice."""
        with self.lock:
            if self.client.isConnected():
                self.client.disconnect()
            self._textures.cleanup()

    def _use(self, iterations: int) -> None:
        self._iterations = iterations
        self.arm.gliding = not iterations
        if iterations:
            self.client.setPhysicsEngineParameter(numSolverIterations=iterations)

    def _advance(self, goal: int) -> None:
        while self._steps < goal:
            if self._actuator is not None and (self._steps - self._reset_at) % self._calls_a_tick == 0:
                self._actuator.tick(self.time_s)
            if self._iterations:
                self._step_engine()
                self.arm.moved()
                self._steps += 1
            else:
                self.arm.glide(self._calls_a_tick / self._calls_hz)
                self._steps += self._calls_a_tick

    def _fix_held_block(self) -> None:
        """Fix the block that is held to the hand: it does not collide with the arm then, which it would push away."""
        held = self.config.held
        if held is None:
            return
        block, link = self._bodies[held.name], self.arm.link_index("tool_link")
        for part in range(-1, self.client.getNumJoints(self.arm.body)):
            self.client.setCollisionFilterPair(self.arm.body, block, part, -1, 0)
        self.client.changeDynamics(block, -1, mass=HELD_KG)
        self._bring_held_block()
        # A constraint is given in the frame of the link's inertia; that of a link without one is its own.
        self.client.createConstraint(
            self.arm.body, link, block, -1, self.client.JOINT_FIXED, [0, 0, 0], held.position, [0, 0, 0],
            quat_from_matrix(exp_so3(np.array(held.turn))).tolist(), [0, 0, 0, 1],
        )  # fmt: skip

    def _bring_held_block(self) -> None:
        held = self.config.held
        if held is not None:
            in_hand = transform(exp_so3(np.array(held.turn)), held.position)
            self.place(held.name, self.arm.link_pose("tool_link") @ in_hand)

    def _set_engine(self) -> None:
        physics = self.config.physics
        self._calls_hz, self._calls_a_tick = physics.calls_hz, physics.calls_hz // physics.servo_hz
        self._iterations = physics.solver_iterations
        self.client.setGravity(0, 0, -GRAVITY)
        self.client.setPhysicsEngineParameter(
            fixedTimeStep=1.0 / physics.calls_hz,
            numSubSteps=physics.substeps if physics.substeps > 1 else 0,
            numSolverIterations=physics.solver_iterations,
            deterministicOverlappingPairs=1,
        )

    def _add_table(self) -> None:
        client = self.client
        # The camera paints the table itself (see camera.py); without a shape of its own the plane would be drawn.
        speck = client.createVisualShape(client.GEOM_BOX, halfExtents=[1e-4] * 3, visualFramePosition=[0, 0, -1.0])
        self._table = client.createMultiBody(0, client.createCollisionShape(client.GEOM_PLANE), speck)
        client.changeDynamics(self._table, -1, lateralFriction=self.config.physics.table_friction)

    def _add_blocks(self) -> None:
        self._bodies, self._sizes = {}, {}
        density = self.config.physics.block_density
        for name in self.config.marked:
            marked = self.blocks.block(name)
            if self.config.marked_size is not None:
                marked = marked.resized(self.config.marked_size)
            self._bodies[name] = objects.add_marked_cube(
                self.client, marked, self.blocks.dictionary, density * marked.size**3, Path(self._textures.name)
            )
            self._sizes[name] = marked.size
        for plain in self.config.plain:
            self._bodies[plain.name] = objects.add_plain_cube(self.client, plain, density * plain.size**3)
            self._sizes[plain.name] = plain.size
        for body in self._bodies.values():
            self.client.changeDynamics(
                body,
                -1,
                lateralFriction=self.config.physics.block_friction,
                frictionAnchor=1,
                linearDamping=0.0,
                angularDamping=0.0,
            )
