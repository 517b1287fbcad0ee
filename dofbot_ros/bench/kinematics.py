"""Inverse kinematics of random reachable goals: the closed form beside PyBullet's and Pinocchio's iterative solvers."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import numpy as np
from rich.progress import track

from dofbot_ros.arm.kinematics import Kinematics
from dofbot_ros.arm.model import ArmModel, load_model
from dofbot_ros.arm.planar import fit_angle
from dofbot_ros.core.console import console
from dofbot_ros.core.resources import share_file
from dofbot_ros.core.transforms import invert, log_so3, quat_from_matrix
from dofbot_ros.core.types import ARM_JOINTS, N_ARM, FloatArray, ToolPose
from dofbot_ros.errors import DependencyError, InputError, UnreachableError

POSITION_TOLERANCE = 1e-4
"""[m]"""

ANGLE_TOLERANCE = 1e-3
"""Between the tool's axes and the goal's [rad]; a servo's tick is 1.4e-3."""

NEAR = 5e-3
"""Position error of an answer that is off, but in the neighbourhood [m]."""

Solver = Callable[[ToolPose, FloatArray], "FloatArray | None"]
"""A goal, as the five numbers and as the pose (4, 4) of tool_link -> joint angles (5,) [rad]."""


def measure(goals: int = 10_000, seed: int = 0) -> dict[str, Any]:
    """Solve the same `goals` random poses, all reachable, with three solvers, one call each.

    A goal is the pose of joint angles drawn evenly within the limits. A call succeeds when its answer is within the
    joint limits (whole turns allowed) and reaches the goal to 0.1 mm and 1 mrad.

    Returns:
        dofbot, pybullet, pin: success_rate; pose_rate, the same without asking for the limits; within_5mm_rate, of the
        position alone; median_us, of the call.

    Raises:
        InputError: no goals.
        DependencyError: PyBullet or Pinocchio is not installed.
    """
    if goals < 1:
        raise InputError(f"goals must be at least 1, got {goals}")
    model = load_model()
    arm = Kinematics.from_model(model)
    q = np.random.default_rng(seed).uniform(arm.lower, arm.upper, (goals, N_ARM))
    poses = arm.forward_batch(q)
    targets = np.array([arm.tool_transform(row) for row in q])
    with ExitStack() as clients:
        solvers = {"dofbot": _closed_form(arm), "pybullet": _pybullet(clients), "pin": _pinocchio(model)}
        return {name: _rate(name, solve, arm, poses, targets) for name, solve in solvers.items()}


def _rate(name: str, solve: Solver, arm: Kinematics, poses: FloatArray, targets: FloatArray) -> dict[str, float]:
    elapsed_ns = np.zeros(len(poses))
    reached = np.zeros(len(poses), dtype=bool)
    allowed, near = reached.copy(), reached.copy()
    for i in track(range(len(poses)), f"{name}: {len(poses)} goals", console=console, transient=True):
        goal, target = ToolPose(*poses[i].tolist()), targets[i]
        start = time.perf_counter_ns()
        q = solve(goal, target)
        elapsed_ns[i] = time.perf_counter_ns() - start
        if q is None:
            continue
        error = invert(target) @ arm.tool_transform(q)
        distance = float(np.linalg.norm(error[:3, 3]))
        near[i] = distance <= NEAR
        reached[i] = distance <= POSITION_TOLERANCE and np.linalg.norm(log_so3(error[:3, :3])) <= ANGLE_TOLERANCE
        allowed[i] = _within_limits(arm, q)
    return {
        "success_rate": float(np.mean(reached & allowed)),
        "pose_rate": float(np.mean(reached)),
        "within_5mm_rate": float(np.mean(near)),
        "median_us": float(np.median(elapsed_ns)) / 1e3,
    }


def _within_limits(arm: Kinematics, q: FloatArray) -> bool:
    limits = zip(q.tolist(), arm.lower.tolist(), arm.upper.tolist(), strict=True)
    return all(fit_angle(*row, tolerance=1e-6) is not None for row in limits)


def _closed_form(arm: Kinematics) -> Solver:
    def solve(goal: ToolPose, _target: FloatArray) -> FloatArray | None:
        try:
            return arm.solve(goal)
        except UnreachableError:
            return None

    return solve


def _pybullet(clients: ExitStack) -> Solver:
    """calculateInverseKinematics(robot, link, position, orientation) with its defaults, from the upright arm.

    Its damped least squares take 20 steps a call; users who need more call it again from where it ended.
    """
    try:
        import pybullet
    except ImportError as error:
        raise DependencyError("pybullet", "sim", "the comparison with PyBullet") from error
    client = pybullet.connect(pybullet.DIRECT)
    clients.callback(pybullet.disconnect, client)
    body = pybullet.loadURDF(str(share_file("urdf", "dofbot.urdf")), useFixedBase=True, physicsClientId=client)
    joints = range(pybullet.getNumJoints(body, physicsClientId=client))
    infos = [pybullet.getJointInfo(body, i, physicsClientId=client) for i in joints]
    tool = next(i for i, info in enumerate(infos) if info[12] == b"tool_link")
    # The answer holds one angle for each joint that moves, in PyBullet's order.
    moving = [info[1].decode() for info in infos if info[2] != pybullet.JOINT_FIXED]
    columns = [moving.index(name) for name in ARM_JOINTS]

    def solve(_goal: ToolPose, target: FloatArray) -> FloatArray | None:
        position, orientation = target[:3, 3].tolist(), quat_from_matrix(target[:3, :3]).tolist()
        q = pybullet.calculateInverseKinematics(body, tool, position, orientation, physicsClientId=client)
        return np.array(q)[columns]

    return solve


def _pinocchio(model: ArmModel) -> Solver:
    """The damped least squares loop of Pinocchio's documentation (CLIK, 1000 steps, 1e-4), from the upright arm.

    Step 0.5 and damping 1e-4 instead of the documentation's 0.1 and 1e-12: five joints make J J^T singular, and these
    values are the kinder ones in time and in success.
    """
    try:
        import pinocchio as pin
    except ImportError as error:
        raise DependencyError("pin", "test", "the comparison with Pinocchio") from error
    full = pin.buildModelFromXML(model.urdf)
    locked = [full.getJointId(name) for name in full.names[1:] if name not in ARM_JOINTS]
    arm = pin.buildReducedModel(full, locked, pin.neutral(full))
    data, tool = arm.createData(), arm.getFrameId("tool_link")
    damping = 1e-4 * np.eye(6)

    def solve(_goal: ToolPose, target: FloatArray) -> FloatArray | None:
        goal, q = pin.SE3(target), pin.neutral(arm)
        for _ in range(1000):
            pin.forwardKinematics(arm, data, q)
            left = pin.updateFramePlacement(arm, data, tool).actInv(goal)
            error = pin.log(left).vector
            if np.linalg.norm(error) < 1e-4:
                return np.asarray(q)
            jacobian = -pin.Jlog6(left.inverse()) @ pin.computeFrameJacobian(arm, data, q, tool)
            step = -jacobian.T @ np.linalg.solve(jacobian @ jacobian.T + damping, error)
            q = pin.integrate(arm, q, 0.5 * step)
        return None

    return solve
