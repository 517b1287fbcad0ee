"""The arm inside the physics client: joints, motors and the four-bar linkage of the gripper."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
from numpy.typing import ArrayLike

from dofbot_ros.core.resources import share_file
from dofbot_ros.core.transforms import matrix_from_quat, quat_from_matrix, rot_x, rot_y, transform
from dofbot_ros.core.types import GRIP, GRIP_JOINT, JOINT_NAMES, N_ARM, FloatArray
from dofbot_ros.errors import InputError, one_of
from dofbot_ros.hardware.emulation.servo_model import NO_LOAD_SPEED_RAD_S
from dofbot_ros.sim.config import PhysicsConfig
from dofbot_ros.sim.rendering.flaws import ArmFlaws

LINKAGE_TORQUE = 100.0
"""What the bars of the gripper can carry [N m]: they are stiff, the servo's torque is the limit."""

LINKAGE_ERP = 0.5
"""Part of the linkage's drift that is taken back in one physics step."""

BAR_TORQUE = 0.05
"""Turns a bar that only follows [N m]."""

BENDING = (1, 2, 3)
"""Joints 2 to 4: those that gravity pulls."""

LINKAGE_INERTIA = 1e-3
"""Added to each geared link about its axis [kg m^2]: the servo's rotor (some 1e-8 kg m^2) seen through its 1:373 gear.
Without it the fingers are so light that the iterative solver does not find the balance of servo, linkage and block."""


class ArmBody:
    """The arm's URDF, fixed to the world's origin.

    PyBullet ignores `mimic`. Here each mimic joint that carries something is geared to grip_joint by a constraint
    between the arm's own links, so that both fingers share the one servo's torque as they do through the real linkage;
    bars that only show the parallelogram follow it without weight on them.

    Args:
        client: the PyBullet client.
        physics: torques and friction.
        urdf: the model; the shipped one by default.
        flaws: how the true arm stands and gives way; its lengths are the URDF's.
    """

    def __init__(
        self, client: Any, physics: PhysicsConfig, urdf: Path | None = None, flaws: ArmFlaws | None = None
    ) -> None:
        urdf = urdf or share_file("urdf", "dofbot.urdf")
        self._client = client
        # Kept, because the client makes a new one at every call.
        self._joint_states, self._set_motors = client.getJointStates, client.setJointMotorControlArray
        self._reset_joints = client.resetJointStatesMultiDof
        self._velocity_control = client.VELOCITY_CONTROL
        self._physics = physics
        self._angles: tuple[float, ...] | None = None
        self._velocity: list[float] = [0.0] * len(JOINT_NAMES)
        self.gliding = False
        """Whether glide() moves the joints, and not the engine."""
        self.flaws = flaws or ArmFlaws()
        R = rot_x(self.flaws.tilt[0]) @ rot_y(self.flaws.tilt[1])
        self.pose: FloatArray = transform(R)
        """base_link in the world (4, 4)."""
        self.body: int = client.loadURDF(
            str(urdf),
            useFixedBase=True,
            baseOrientation=quat_from_matrix(R).tolist(),
            flags=client.URDF_USE_INERTIA_FROM_FILE,
        )
        info = [client.getJointInfo(self.body, i) for i in range(client.getNumJoints(self.body))]
        self._joints = {row[1].decode(): row[0] for row in info}
        self._links = {row[12].decode(): row[0] for row in info}
        self._links[client.getBodyInfo(self.body)[0].decode()] = -1
        self._driven = [self._joints[name] for name in JOINT_NAMES]
        self._limits = [physics.arm_torque] * N_ARM + [physics.grip_torque]
        for link in self._links.values():
            # Anchored friction is Coulomb's, without the creep of a contact that is held for seconds.
            client.changeDynamics(
                self.body,
                link,
                lateralFriction=physics.arm_friction,
                frictionAnchor=1,
                linearDamping=0.0,
                angularDamping=0.0,
            )
        ratios = mimic_ratios(share_file("urdf", "dofbot.urdf"), GRIP_JOINT)
        self._mimics = {self._joints[name]: ratio for name, ratio in ratios.items() if name in self._joints}
        parents = {row[16] for row in info}
        self._bars = [j for j in self._mimics if j not in parents and not client.getCollisionShapeData(self.body, j)]
        self._gear_linkage([j for j in self._mimics if j not in self._bars])
        self._movable = [row[0] for row in info if row[2] != client.JOINT_FIXED]
        self._ends = [(info[joint][8], info[joint][9]) for joint in self._driven]
        self._gliders = [*self._driven, *self._mimics]
        self._full_load = 0.0 if self.flaws.rigid else max(map(abs, self._gravity([0.0, math.pi / 2, *[0.0] * 4])))

    def _gear_linkage(self, joints: list[int]) -> None:
        client, grip = self._client, self._joints[GRIP_JOINT]
        for joint in [grip, *joints]:
            inertia = client.getDynamicsInfo(self.body, joint)[2]
            client.changeDynamics(self.body, joint, localInertiaDiagonal=[i + LINKAGE_INERTIA for i in inertia])
        for joint in joints:
            client.setJointMotorControl2(self.body, joint, client.VELOCITY_CONTROL, force=0.0)
            gear = client.createConstraint(
                self.body, joint, self.body, grip, client.JOINT_GEAR, [0, 0, 1], [0, 0, 0], [0, 0, 0]
            )
            # Bullet holds q_joint + gearRatio * q_grip at zero.
            client.changeConstraint(gear, gearRatio=-self._mimics[joint], maxForce=LINKAGE_TORQUE, erp=LINKAGE_ERP)

    def positions(self) -> FloatArray:
        """True joint angles [rad], shape (6,)."""
        return np.array(self.angles())

    def angles(self) -> tuple[float, ...]:
        """True joint angles [rad], (6,), as plain numbers."""
        if self._angles is None:
            self._angles = tuple([state[0] for state in self._joint_states(self.body, self._driven)])
        return self._angles

    def moved(self) -> None:
        """The engine has moved the joints: angles() has to ask it again."""
        self._angles = None

    def load(self, angles: Sequence[float]) -> list[float]:
        """Share of gravity's greatest torque that pulls each joint, towards greater angles where positive, (6,).

        1 is joint 2 with the arm stretched out level. Joint 1 turns about gravity's direction, and joint 5 and the
        gripper carry next to nothing: theirs is 0.

        Args:
            angles: of the joints [rad] (6,).
        """
        if not self._full_load:
            return [0.0] * len(self._driven)
        pull = self._gravity(angles)
        return [pull[i] / self._full_load if i in BENDING else 0.0 for i in range(len(self._driven))]

    def _gravity(self, angles: Sequence[float]) -> list[float]:
        """Torque [N m] with which gravity turns each joint, (6,), of the arm at rest with nothing in its hand."""
        at = dict(zip(self._driven, angles, strict=True))
        at |= {joint: ratio * angles[GRIP] for joint, ratio in self._mimics.items()}
        still = [0.0] * len(self._movable)
        held = self._client.calculateInverseDynamics(self.body, [at[j] for j in self._movable], still, still)
        return [-held[self._movable.index(joint)] for joint in self._driven]

    def teleport(self, position: ArrayLike) -> None:
        """Put the joints, the linkage with them, at `position` [rad] (6,) at rest and hold them there."""
        goal = np.asarray(position, dtype=np.float64)
        for joint, angle in zip(self._driven, goal, strict=True):
            self._client.resetJointState(self.body, joint, angle)
        for joint, ratio in self._mimics.items():
            self._client.resetJointState(self.body, joint, ratio * goal[GRIP])
        self.moved()
        self.drive(goal.tolist(), [True] * len(goal))

    def drive(self, reference: Sequence[float], holding: Sequence[bool], angles: Sequence[float] | None = None) -> None:
        """Set what the motors do until the next servo tick: reach the reference by then, as far as their torque allows.

        Args:
            reference: where they take their joints [rad], (6,).
            holding: which of them have power, (6,); the others only have the friction of their gears.
            angles: where they are, for a caller who has just asked.
        """
        if angles is None:
            angles = self.angles()
        wanted = [r - q if power else 0.0 for r, q, power in zip(reference, angles, holding, strict=True)]
        if self._bars:
            behind = self._joint_states(self.body, self._bars)
            wanted += [
                self._mimics[joint] * angles[GRIP] - state[0] for joint, state in zip(self._bars, behind, strict=True)
            ]
        # A velocity for the whole tick instead of a position target: no jolt at its begin, no stop before its end. A
        # motor without power wants to stand still with little force, which is dry friction.
        rate, most = self._physics.servo_gain * self._physics.servo_hz, NO_LOAD_SPEED_RAD_S
        velocity = [v if -most <= (v := rate * by) <= most else math.copysign(most, v) for by in wanted]
        self._velocity = velocity[: len(self._driven)]
        if self.gliding:
            return
        torques = self._limits
        if not all(holding):
            friction = self._physics.limp_friction
            torques = [limit if power else friction for limit, power in zip(torques, holding, strict=True)]
        joints = self._driven + self._bars
        self._set_motors(
            self.body,
            joints,
            self._velocity_control,
            targetVelocities=velocity,
            forces=torques + [BAR_TORQUE] * len(self._bars),
            velocityGains=[1.0] * len(joints),
        )

    def glide(self, seconds: float) -> None:
        """Move the joints at the velocities that their motors were given, for that long [s], without the engine.

        Weight, torque limits and contacts are left out; the linkage follows its crank exactly. The joints keep these
        velocities for the engine, when it goes on.
        """
        before = self.angles()
        angles, velocity = list(before), list(self._velocity)
        for i, (q, v, (low, high)) in enumerate(zip(before, velocity, self._ends, strict=True)):
            angles[i] = q + v * seconds
            if not low <= angles[i] <= high:
                angles[i], velocity[i] = min(max(angles[i], min(low, q)), max(high, q)), 0.0
        self._angles = tuple(angles)
        grip, turning = angles[GRIP], velocity[GRIP]
        angles += [ratio * grip for ratio in self._mimics.values()]
        velocity += [ratio * turning for ratio in self._mimics.values()]
        self._reset_joints(self.body, self._gliders, [[q] for q in angles], [[v] for v in velocity])

    def link_index(self, link: str) -> int:
        """The client's number of `link`; -1 for the base.

        Raises:
            InputError: the arm has no such link.
        """
        if link not in self._links:
            raise InputError(one_of("link", link, self._links))
        return int(self._links[link])

    def link_pose(self, link: str) -> FloatArray:
        """Frame of `link` in the world, shape (4, 4).

        Raises:
            InputError: the arm has no such link.
        """
        index = self.link_index(link)
        if index < 0:
            return self.pose.copy()
        state = self._client.getLinkState(self.body, index, computeForwardKinematics=True)
        return transform(matrix_from_quat(state[5]), state[4])


@cache
def mimic_ratios(urdf: Path, leader: str) -> dict[str, float]:
    """Joints that follow `leader` in a URDF -> their multiplier.

    Raises:
        InputError: the linkage has an offset, which this simulation does not know.
    """
    ratios: dict[str, float] = {}
    for joint in ElementTree.parse(urdf).getroot().iter("joint"):
        mimic = joint.find("mimic")
        if mimic is None or mimic.get("joint") != leader:
            continue
        if float(mimic.get("offset", "0")) != 0.0:
            raise InputError(
                f"{urdf}: {joint.get('name')} mimics {leader} with an offset; only multipliers are supported"
            )
        ratios[str(joint.get("name"))] = float(mimic.get("multiplier", "1"))
    return ratios
