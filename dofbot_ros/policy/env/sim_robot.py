"""The arm at work in a simulated world, one policy period at a time: the environments' view of it."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from dofbot_ros.arm.calibration import DEFAULT_CALIBRATION, Calibration
from dofbot_ros.arm.robot import DRAWN
from dofbot_ros.config.ranges import Checked
from dofbot_ros.core.types import GRIP, ImageArray
from dofbot_ros.desks.config import OWN
from dofbot_ros.desks.installation import Installation, install
from dofbot_ros.errors import InputError
from dofbot_ros.hardware.emulation.servo_model import ServoModelConfig
from dofbot_ros.policy.evaluation.desk_eye import DeskEye, DeskPictures
from dofbot_ros.policy.interface.action_mapper import PERIOD_S, ActionMapper
from dofbot_ros.policy.interface.state import BlockEstimate, SceneState, cube_yaw
from dofbot_ros.policy.interface.tool_pitch_map import ToolPitchMap
from dofbot_ros.policy.perception.pixels import PolicyCamera, rows
from dofbot_ros.policy.perception.pose_estimator import BlockPoseEstimator
from dofbot_ros.policy.runtime.block_tracker import BlockTracker
from dofbot_ros.sim.config import PhysicsConfig, PlainBlock, WorldConfig
from dofbot_ros.sim.randomization import DomainSample
from dofbot_ros.sim.rendering.camera import SimCamera
from dofbot_ros.sim.servos import WorldServos
from dofbot_ros.sim.world import World

BLOCK = "block"

FAST = PhysicsConfig(step_hz=100, servo_hz=50, solver_iterations=30)
"""For learning: quicker than the simulation of the nodes."""

FREE, NEAR, GRASPING = 0, FAST.solver_iterations, 250
"""Iterations of its solver while the hand touches nothing, while it may touch something, and while the fingers may
press on the block: with fewer iterations they sink into a light one."""

AT_REST = 1e-4
"""A block that moves by less than this in a period lies still [m]."""

NEAR_RANGE = 0.090
"""From here on the hand may soon touch the block [m]: half its diagonal, half the open hand, and two periods' way."""

NEAR_TABLE = 0.075
"""Below this height of the tool the hand may soon touch the table [m]: its depth below the tool (action_mapper.LOW),
two periods' way, and the errors of a desk."""

GRASP_RANGE = 0.060
"""From here on the fingers may press on it [m]: half its diagonal and half their gap..."""

GRASP_GAP = 0.050
"""...when they are no further apart than this [m]: a little more than the diagonal of the largest block."""


@dataclass(frozen=True)
class SimRobotConfig(Checked):
    """How the arm and its block are simulated.

    Attributes:
        node_physics: the physics that sim_node runs, instead of the fast one.
        block: whether there is one on the table.
        marked: the block of config/blocks.yaml that it is; a plain one by default.
        desk: errors that the policy is not told, as desks.config.load_desk takes them; each episode on an installation
            of its own. The block is seen through the desk's camera, and has to be a marked one.

    Raises:
        InputError: a block on a desk without markers.
    """

    ERROR = InputError

    node_physics: bool = False
    block: bool = True
    marked: str | None = None
    desk: str = OWN

    def problems(self) -> Iterator[str]:
        """See Checked.problems."""
        if self.desk != OWN and self.block and self.marked is None:
            yield f"on the desk {self.desk} a block is found by its markers: it has to be a marked one"

    def world(self) -> WorldConfig:
        """The world before anything is drawn."""
        plain = (PlainBlock(BLOCK, (200, 40, 40)),) if self.block and self.marked is None else ()
        marked = (self.marked,) if self.block and self.marked is not None else ()
        physics = PhysicsConfig() if self.node_physics else FAST
        return WorldConfig(marked=marked, plain=plain, physics=physics, lean=not self.node_physics)


class SimRobot:
    """A world, its servos, the limiter in front of them, and what can be seen.

    Actions go the way a policy node's commands go: goals of a period, limited as the governor limits them, into the
    same servo models. Only the daemon's thread and its workspace check are left out.

    Args:
        config: how it is simulated.
        reader: finds the block in pictures; without it the block is seen as a calibrated localiser sees it.
        width: of the pictures that a policy is shown [px]; None for one that is shown none.
    """

    def __init__(
        self, config: SimRobotConfig, reader: BlockPoseEstimator | None = None, width: int | None = None
    ) -> None:
        self.config = config
        self._reader = reader
        self._width = width
        self._tracker = BlockTracker(DRAWN.kinematics)
        self._base = config.world()
        self.world = World(self._base)
        self.state = SceneState()
        self._mapper = ActionMapper()
        self.map: ToolPitchMap = self._mapper.map
        self._servos = WorldServos(self.world)
        self._on_desk = config.desk != OWN
        self._calibration: Calibration = DEFAULT_CALIBRATION
        self._eye: DeskEye | None = None
        self._desk_pictures: DeskPictures | None = None
        self._rng = np.random.default_rng(0)
        self._draw: DomainSample | None = None
        self._iterations = NEAR
        self._place, self._still = (0.0, 0.0, 0.0), True
        self._built: WorldConfig = self._base
        self.installation: Installation | None = None
        """The desk of this episode; None on the own one."""
        self._seen: deque[BlockEstimate] = deque()
        self._camera: PolicyCamera | None = None
        self._pictures: deque[ImageArray] = deque()

    def reset(self, draw: DomainSample, start: Sequence[float], seed: int) -> None:
        """Start an episode in the world of `draw`, the arm at rest at `start` [rad] (6,); same arguments, same run."""
        built = draw.world(self._base)
        installation = install(self.config.desk, draw.seed, replace(built, marked_size=None)) if self._on_desk else None
        self.installation = installation
        if installation is not None:
            built = installation.world
        self._iterations = NEAR
        if built == self._built and draw.link_mass == 1.0 and self._draw is not None and self._draw.link_mass == 1.0:
            self.world.rewind(seed)
        else:
            self.world.reset(seed, built)
            draw.load_links(self.world)
            self._built = built
        self._draw, self._rng = draw, np.random.default_rng([draw.seed, seed])
        self._seen = deque(maxlen=1 + round(draw.observation_delay_s / PERIOD_S))
        self.state.block = None
        self._camera = None
        self.world.arm.teleport(start)
        # A new bank of servos each time: they are switched on where the arm now stands.
        if installation is None:
            self._servos = WorldServos(self.world, config=draw.servo(ServoModelConfig()))
        else:
            self._servos = WorldServos(self.world, installation.calibration, installation.servos)
            self._calibration = installation.belief.calibration
        self._eye = self._desk_pictures = None
        if installation is not None and self._width is not None:
            self._desk_pictures = DeskPictures(self.world, installation, self._width)
        elif installation is not None and self.config.marked is not None:
            self._eye = DeskEye(self.world, installation, self.config.marked)
        self._mapper.start(start)
        self.state.joints = list(start)
        self._tracker = BlockTracker(DRAWN.kinematics)
        if self._reader is not None:
            if self._desk_pictures is not None:
                self._reader.camera.locate(self._desk_pictures.pose)
            self._reader.reset()
        self.observe()
        self.state.before = self.state.joints
        self._still = True

    def act(self, control: str, action: Sequence[float]) -> None:
        """One period in which `action` displaces tool or joints, as ActionMapper.goal() takes it."""
        self.step(self._mapper.goal(control, action, self.state.joints[GRIP]))

    def step(self, goal: Sequence[float]) -> None:
        """One period towards `goal` [rad] (6,)."""
        command = self._mapper.step(goal)
        self._set_iterations(self._iterations_needed())
        self._servos.send(self._calibration.plain_ticks(command), round(1000 * PERIOD_S))
        self.world.run_until(self.world.now_s + PERIOD_S)
        self.observe()

    def _set_iterations(self, iterations: int) -> None:
        """Let the engine work as hard as it has to; the nodes' does not change."""
        if iterations != self._iterations and not self.config.node_physics:
            self._iterations = iterations
            self.world.set_solver_iterations(iterations)

    def _iterations_needed(self) -> int:
        away = math.dist(self._place, self.state.tool) if self.config.block else math.inf
        if away >= NEAR_RANGE:
            return FREE if self._still and self.state.tool[2] >= NEAR_TABLE else NEAR
        return GRASPING if away < GRASP_RANGE and self.state.gap < GRASP_GAP else NEAR

    def observe(self) -> None:
        """Read the joints, and see the block if it can be seen."""
        draw, state, rng = self._draw, self.state, self._rng
        if draw is None:
            raise InputError("nothing to observe before the first reset()")
        if self._on_desk:
            joints = self._calibration.plain_rad(self._servos.sense()[0].tolist())
        else:
            joints = DEFAULT_CALIBRATION.plain_rad(DEFAULT_CALIBRATION.plain_ticks(self.world.arm.angles()))
        if draw.joint_noise > 0.0:
            joints = [q + draw.joint_noise * n for q, n in zip(joints, rng.standard_normal(6).tolist(), strict=True)]
        self._mapper.measure(state, joints)
        if self.config.block:
            place, yaw = self.true_block()
            self._still, self._place = math.dist(place, self._place) < AT_REST, place
        if self._reader is not None:
            for stamp_s, picture in self._pictures_now(self._reader.spec.image_size):
                self._reader.follow(self._tracker, picture, stamp_s, state)
            state.block = self._tracker.update(joints, state.command)
        elif self._eye is not None:
            state.block = self._eye.update(state.joints, state.command)
        elif self.config.block:
            state.block = self._look(draw, place, yaw)

    def _look(self, draw: DomainSample, position: tuple[float, float, float], yaw: float) -> BlockEstimate:
        """The localiser's answer: late, noisy, sometimes none."""
        noise = self._rng.standard_normal(4).tolist()
        x, y, z = (c + draw.block_noise_m * n for c, n in zip(position, noise, strict=False))
        self._seen.append(BlockEstimate((x, y, z), yaw + draw.block_noise_rad * noise[3]))
        known = self.state.block
        if known is not None and self._rng.random() < draw.dropout:
            return replace(known, age=known.age + 1)
        return self._seen[0]

    @property
    def servos(self) -> WorldServos:
        """Those of this episode."""
        return self._servos

    @property
    def block_size(self) -> float:
        """Edge of the block [m]."""
        return self.world.block_size(self.world.block_names[0])

    def true_block(self) -> tuple[tuple[float, float, float], float]:
        """True position [m] of the block and its yaw modulo a quarter turn [rad]."""
        position, quaternion = self.world.body_pose(self.world.block_names[0])
        return position, cube_yaw(quaternion)

    def true_place(self) -> tuple[float, float, float]:
        """True position [m] of the block."""
        return self.world.body_pose(self.world.block_names[0])[0]

    def true_tool(self) -> tuple[float, float, float]:
        """True position of the tool [m]."""
        return self.map.tool(self.world.arm.angles())

    def picture(self, size: int) -> ImageArray:
        """What the policy is shown of the camera, RGB (rows, size, 3): late, sometimes the last again."""
        if self._draw is None:
            raise InputError("nothing to see before the first reset()")
        if self._desk_pictures is not None:
            list(self._desk_pictures.arrived())
            newest = self._desk_pictures.newest
            return np.zeros((rows(size), size, 3), np.uint8) if newest is None else newest
        if self._camera is None:
            rng = np.random.default_rng([self._draw.seed, 6])
            self._camera = PolicyCamera(self.world, self._draw, size, rng, self._base.camera)
            self._pictures = deque(maxlen=1 + round(self._draw.observation_delay_s / PERIOD_S))
        lost = len(self._pictures) > 0 and self._rng.random() < self._draw.dropout
        self._pictures.append(self._pictures[-1] if lost else self._camera.render())
        return self._pictures[0]

    def _pictures_now(self, size: int) -> Iterable[tuple[float, ImageArray]]:
        """Pictures that have come since the last call, with their times [s]: one, but on a desk."""
        if self._desk_pictures is not None:
            return self._desk_pictures.arrived()
        return [(self.world.now_s, self.picture(size))]

    def view(self, size: int) -> ImageArray:
        """What this episode's camera sees now, RGB (size, size, 3)."""
        camera = self._base.camera if self._draw is None else self._draw.camera(self._base.camera)
        return SimCamera(self.world, replace(camera.sized(size, size), supersampling=1)).render()

    def close(self) -> None:
        """Let go of the world."""
        self.world.close()
