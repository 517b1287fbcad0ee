"""A table, an arm and a judge: makes scenes and tries grasps in them, over and over, in one simulated world."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from types import TracebackType

import numpy as np

from dofbot_ros.arm.backend import ArmBackend
from dofbot_ros.arm.gravity import Gravity
from dofbot_ros.arm.model import at_base_height, load_model
from dofbot_ros.arm.robot import DRAWN, Robot
from dofbot_ros.core.types import FloatArray
from dofbot_ros.desks.config import OWN
from dofbot_ros.desks.installation import Installation
from dofbot_ros.driver.config import DriverConfig
from dofbot_ros.errors import InputError
from dofbot_ros.grasp.execution.attempt import PERIOD_S, Mover, Verdict, attempt, withdraw
from dofbot_ros.grasp.planning.block_plan import joint_line
from dofbot_ros.grasp.planning.planar_plan import GraspMotion, GraspMotionPlanner, OutOfReachError, PlanarGrasp
from dofbot_ros.grasp.sight.aim import aimed
from dofbot_ros.grasp.sight.fit import OutlineCamera
from dofbot_ros.grasp.sight.registration import Registrar, Registration, show_hand, shown_poses
from dofbot_ros.grasp.simulation.families import Family
from dofbot_ros.grasp.simulation.scenes import Scene, SceneMaker, SceneRules
from dofbot_ros.hardware.emulation.emulator import Emulator
from dofbot_ros.hardware.serial_arm import SerialArm
from dofbot_ros.motion.goal_trim import GoalTrim
from dofbot_ros.motion.timed_path import retime
from dofbot_ros.motion.trajectory import MotionLimits
from dofbot_ros.safety.workspace import Workspace
from dofbot_ros.sim.arm import SimArm
from dofbot_ros.sim.rendering.camera import SimCamera
from dofbot_ros.sim.servos import WorldServos

MAX_VELOCITY = 2.4
"""Of the joints during an attempt [rad/s]; the servos turn at 3.4 without load."""

MAX_ACCELERATION = 16.0
"""[rad/s^2]."""


def pinch_planner(base_height: float | None = None) -> GraspMotionPlanner:
    """For the arm of the shipped URDF, with joint 2 at `base_height` [m] if given, as fast as attempts move."""
    model = load_model() if base_height is None else at_base_height(load_model(), base_height)
    robot = Robot.described(model)
    limits = MotionLimits.of(robot, np.minimum(model.max_velocity, MAX_VELOCITY), MAX_ACCELERATION)
    return GraspMotionPlanner(robot.kinematics, limits, Workspace(robot.kinematics))


class GraspSim:
    """Where grasps are tried. Every attempt begins with a scene of its own and the arm upright.

    Args:
        families: which the objects are drawn from.
        rules: of the scenes.
        rehearsal: drive the arm as the real one is driven, over an emulated serial line in real time, instead of
            straight and as fast as possible.
        desk: errors that the planners are not told, as SceneMaker takes it; not in a rehearsal.

    Attributes:
        registration: what the look at the hand in the present scene told; None without one.

    Raises:
        InputError: a rehearsal on a desk.
    """

    def __init__(
        self,
        families: Mapping[str, Family],
        rules: SceneRules | None = None,
        *,
        rehearsal: bool = False,
        desk: str = OWN,
    ) -> None:
        if rehearsal and desk != OWN:
            raise InputError(f"a rehearsal has a world of its own: leave it out, or the desk {desk}")
        self.maker = SceneMaker(families, rules, desk)
        self._planner = pinch_planner()
        self.registration: Registration | None = None
        self._mover: Mover | None = None
        self._emulator = Emulator(WorldServos(self.maker.world), first=True) if rehearsal else None
        if self._emulator is None:
            self._arm: ArmBackend = SimArm(self.maker.world)
            self._arm.connect()
        else:
            self._emulator.start()
            self._arm = SerialArm(self._emulator.port)

    def __enter__(self) -> GraspSim:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._arm.close()
        if self._emulator is not None:
            self._emulator.close()
        self.maker.close()

    def make(self, seed: int) -> Scene:
        """A new scene; see SceneMaker.make."""
        self.registration = None
        if self._emulator is None:
            scene = self.maker.make(seed)
            if self.maker.desk != OWN:
                self._take_over(self.maker.installation)
            return scene
        wall, world = time.monotonic(), self.maker.world.now_s
        with self._emulator.lock:
            scene = self.maker.make(seed)
        # The objects came to rest faster than in real time: the emulator lets no time pass until it is due again.
        time.sleep(max(0.0, (self.maker.world.now_s - world) - (time.monotonic() - wall)))
        self._arm.connect()
        return scene

    def positions(self, scene: Scene) -> FloatArray:
        """True centres of mass of the things (n, 3) [m]: for judges, and for proposals while data are collected."""
        return np.array([pose[:3, 3] for pose in self.maker.poses(scene).values()])

    def point_on(self, scene: Scene, thing: int, rng: np.random.Generator) -> FloatArray:
        """A point (2,) [m], drawn evenly from where a ray from straight above meets the thing: for proposals."""
        client, body = self.maker.world.client, scene.things[thing].body
        with self.maker.world.lock:
            low, high = (np.array(corner) for corner in client.getAABB(body))
            for _ in range(40):
                x, y = rng.uniform(low[:2], high[:2])
                if client.rayTest((x, y, high[2] + 0.01), (x, y, 0.0))[0][0] == body:
                    break
        return np.array([x, y])

    def nearest(self, scene: Scene, pinch: PlanarGrasp) -> int:
        """Index of the thing whose centre is nearest to a grasp."""
        distance = np.linalg.norm(self.positions(scene)[:, :2] - (pinch.x, pinch.y), axis=1)
        return int(distance.argmin())

    def plan(self, pinch: PlanarGrasp) -> GraspMotion | None:
        """From upright to the grasp; None where the arm does not reach it."""
        planner = self._planner
        if self.registration is not None:
            planner, pinch = aimed(self.registration, planner, pinch)
        try:
            return planner.plan(np.array(self.maker.world.config.start), pinch)
        except OutOfReachError:
            return None

    def look_at_hand(self) -> None:
        """Show the hand to a camera that sees the whole table, and plan what follows in this scene by that.

        Raises:
            InputError: on the own desk, where hand and camera are where they are believed to be.
        """
        whole = self.maker.whole
        if whole is None:
            raise InputError("the arm looks at its hand on a desk: name one")
        camera, mover = SimCamera(self.maker.world, whole.world.camera), Mover(self._arm, self._trim())
        eye = OutlineCamera(whole.belief.intrinsics, whole.belief.T_base_camera)
        registrar = Registrar(self._planner.kinematics, eye)
        show_hand(
            registrar,
            shown_poses(self._planner.kinematics),
            picture=camera.render,
            position=lambda: self._arm.read().position,
            move=lambda start, goal: mover.follow(retime(joint_line(start, goal), self._planner.limits)),
        )
        self.registration = registrar.result()

    def _trim(self) -> GoalTrim | None:
        if self.maker.desk == OWN:
            return None
        return GoalTrim(Gravity(DRAWN.kinematics), PERIOD_S, DriverConfig().goal_trim)

    def grasp(self, scene: Scene, plan: GraspMotion | None, *, above: bool = False) -> Verdict:
        """Carry out `plan` in `scene`, which has just been made.

        Args:
            scene: what lies on the table.
            plan: from upright; None where the arm does not reach.
            above: begin where the reach ends, which saves a third of the time. Not in a rehearsal.
        """
        if plan is None:
            return Verdict("unreachable", 0)
        if above:
            self.maker.world.stand(np.append(plan.reach.positions[-1], 0.0))
        self._mover = Mover(self._arm, self._trim())
        return attempt(self._mover, plan, lambda: self.positions(scene), above=above)

    def look_again(self, scene: Scene, plan: GraspMotion) -> Scene:
        """After grasp() held nothing: take the arm back to the start, and see what the table looks like now."""
        if self._mover is None:
            raise InputError("nothing has been grasped yet")
        withdraw(self._mover, plan, self._planner.limits)
        return replace(scene, image=self.maker.look_again())

    def _take_over(self, installation: Installation) -> None:
        """Drive the arm of the scene that has just been made, as it is believed to be."""
        belief = installation.belief.calibration
        self._planner = pinch_planner(belief.base_height_m)
        self._arm = SimArm(
            self.maker.world, calibration=belief, servo=installation.servos, truth=installation.calibration
        )
        self._arm.connect()
